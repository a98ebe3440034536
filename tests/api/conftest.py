"""A client of the API with a key for everything, and people as the write door would leave them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.api import blueprint, door
from app.settings import Settings
from app.store import credentials, tenants
from app.store.engine import writing

SCOPES = ("accounts:read", "events:read", "records:write")
Key = Callable[..., dict[str, str]]


@pytest.fixture
def client(engine: sa.Engine) -> FlaskClient:
    app = Flask("test")
    app.register_blueprint(blueprint(door(engine, Settings())))
    return app.test_client()


@pytest.fixture
def key(engine: sa.Engine, tenant: tenants.Tenant) -> Key:
    """Makes an API key and gives the header that presents it."""

    def make(scopes: tuple[str, ...] = SCOPES, of: tenants.Tenant = tenant, **options: Any) -> dict[str, str]:
        with writing(engine) as conn:
            issued = credentials.issue(conn, of.id, "api_key", "test", scopes=scopes, **options)
        return {"Authorization": f"Bearer {issued.secret}"}

    return make


@pytest.fixture
def headers(key: Key) -> dict[str, str]:
    return key()


@pytest.fixture
def other(engine: sa.Engine) -> tenants.Tenant:
    with writing(engine) as conn:
        return tenants.create(conn, "other")
