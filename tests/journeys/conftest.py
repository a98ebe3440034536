"""One server for the journeys that leave it running, and a new tenant for each of them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa
import uuid_utils

from app.store import tenants
from app.store.engine import writing
from tests.journeys import chromium, clients, demo_served, others, server
from tests.journeys.browser import Browser
from tests.journeys.chromium import Chromium
from tests.journeys.demo_served import Demo
from tests.journeys.others import Other
from tests.journeys.server import Server


@pytest.fixture(scope="session")
def running() -> Iterator[Server]:
    with server.running() as started:
        yield started


@pytest.fixture(scope="session")
def journey_engine(running: Server) -> Iterator[sa.Engine]:
    with running.engine() as made:
        yield made


@pytest.fixture
def engine(journey_engine: sa.Engine) -> sa.Engine:
    """An engine on the running server's database."""
    return journey_engine


@pytest.fixture
def tenant(engine: sa.Engine) -> tenants.Tenant:
    """A tenant of this test alone."""
    with writing(engine) as conn:
        return tenants.create(conn, f"quay-{uuid_utils.uuid7().hex[-12:]}")


@pytest.fixture
def idp(
    running: Server, engine: sa.Engine, tenant: tenants.Tenant, entra: tenants.SourceRow
) -> Iterator[Callable[[], clients.Client]]:
    """Makes clients of the source `entra`."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(clients.scim(engine, running.url, entra))


@pytest.fixture(scope="session")
def saml_idp() -> Iterator[Other]:
    """The SAML identity provider of others. What a test tells it stays until another test tells it."""
    with others.saml_idp() as started:
        yield started


@pytest.fixture(scope="session")
def openid_provider() -> Iterator[Other]:
    """The OpenID provider of others."""
    with others.openid_provider() as started:
        yield started


@pytest.fixture(scope="session")
def relying_party() -> Iterator[Other]:
    """The relying party of others."""
    with others.relying_party() as started:
        yield started


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """The demo, served."""
    with demo_served.running() as started:
        yield started


@pytest.fixture(scope="session")
def chrome() -> Iterator[Chromium]:
    """A real browser."""
    with chromium.running() as started:
        yield started


@pytest.fixture
def browser() -> Iterator[Browser]:
    """A person's browser."""
    with Browser() as opened:
        yield opened
