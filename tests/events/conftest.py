"""An installation whose identity provider pushes over SCIM, and a receiver that hears of it.

post, put, patch, delete   SCIM requests of a source's client
hears(receiver, …)         registers it
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.events.delivery import Delivery
from app.events.issuing import Issuer
from app.events.receivers import Registration, register
from app.factory import create_app
from app.outbound import LOOPBACK, Outbound
from app.settings import Settings
from app.store import credentials, tenants
from app.store.engine import writing
from app.store.vault import Vault
from tests.events.receiver import Receiver, listening

ISSUER = "https://id.example.com"
AUDIENCE = "https://lms.example.com/events"


@dataclass
class Clock:
    """Time that passes when it is told to."""

    ahead: timedelta = field(default_factory=timedelta)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def pass_(self, **span: float) -> None:
        self.ahead += timedelta(**span)


@pytest.fixture
def vault() -> Vault:
    return Vault([b"k" * 32])


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def delivery(engine: sa.Engine, vault: Vault, clock: Clock) -> Delivery:
    return Delivery(engine, Issuer(engine, vault, ISSUER), Outbound(LOOPBACK), clock)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with listening(Receiver()) as made:
        yield made


@pytest.fixture
def app(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("app.adapters.doorkeeper.REMEMBERED_SECONDS", 0.0)  # receivers are known at once
    made = create_app(Settings(log_level="error", public_url=ISSUER), engine=engine)
    made.testing = True
    return made


@pytest.fixture
def connect(engine: sa.Engine, app: Flask) -> Callable[[tenants.SourceRow], FlaskClient]:
    def make(source: tenants.SourceRow) -> FlaskClient:
        with writing(engine) as conn:
            token = credentials.issue(conn, source.tenant_id, "scim_token", "test", source_id=source.id).secret
        client = app.test_client()
        client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
        return client

    return make


@pytest.fixture
def client(connect: Any, okta: tenants.SourceRow) -> FlaskClient:
    return connect(okta)


@pytest.fixture
def hears(engine: sa.Engine, vault: Vault, okta: tenants.SourceRow) -> Callable[..., str]:
    def make(receiver: Receiver, source: tenants.SourceRow | None = okta, **more: Any) -> str:
        tenant_id = more.pop("tenant_id", source.tenant_id if source else okta.tenant_id)
        said = Registration(receiver.url, AUDIENCE, source.id if source else None, **more)
        return register(engine, vault, Outbound(LOOPBACK), tenant_id, said, actor="test")

    return make
