"""What every test may ask for.

    engine   an Engine on a migrated, empty database of this process alone
    tenant   a tenant `acme` in it;  okta, entra, hr: sources of that tenant

One PostgreSQL serves the whole run: DATABASE_URL's, or an embedded one that stays below the temporary folder and is
joined by each process. In it stands one template database per state of the migrations; each test process clones it.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis

from app.store import embedded, tenants
from app.store.engine import make_engine, writing
from tests import databases
from tests.ready_keys import handed_out

# How fast examples are made says something about the machine, nothing about the code. The suite's examples are the same
# each time; those of `make prove` are new ones (--hypothesis-profile=prove).
_CALM: Any = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.data_too_large]}
hypothesis.register_profile("suite", derandomize=True, **_CALM)
hypothesis.register_profile("prove", derandomize=False, print_blob=True, **_CALM)
hypothesis.load_profile("suite")


@pytest.fixture(autouse=True)
def ready_keys() -> Iterator[None]:
    with handed_out():
        yield


@pytest.fixture(scope="session")
def server_url() -> Iterator[str]:
    """The address of the run's PostgreSQL."""
    given = os.environ.get("DATABASE_URL")
    if given:
        yield given
        return
    server = embedded.join(_test_data_dir(), options=databases.FAST)
    yield server.url
    server.leave()


@pytest.fixture(scope="session")
def database_url(server_url: str) -> Iterator[str]:
    """The address of a migrated database that no other process uses."""
    with databases.cloned(server_url) as url:
        yield url


@pytest.fixture(scope="session")
def shared_engine(database_url: str) -> Iterator[sa.Engine]:
    made = make_engine(database_url, pool_size=20)
    yield made
    made.dispose()


@pytest.fixture
def clean(shared_engine: sa.Engine) -> None:
    """Empties every table that has rows."""
    databases.empty(shared_engine)


@pytest.fixture
def engine(shared_engine: sa.Engine, clean: None) -> sa.Engine:
    """An Engine on a migrated database without a row."""
    return shared_engine


@pytest.fixture
def tenant(engine: sa.Engine) -> tenants.Tenant:
    with writing(engine) as conn:
        return tenants.create(conn, "acme")


@pytest.fixture
def okta(engine: sa.Engine, tenant: tenants.Tenant) -> tenants.SourceRow:
    with writing(engine) as conn:
        return tenants.create_source(conn, tenant.id, "okta", kind="idp", system="okta")


@pytest.fixture
def entra(engine: sa.Engine, tenant: tenants.Tenant) -> tenants.SourceRow:
    with writing(engine) as conn:
        return tenants.create_source(conn, tenant.id, "entra", kind="idp", system="entra")


@pytest.fixture
def hr(engine: sa.Engine, tenant: tenants.Tenant) -> tenants.SourceRow:
    with writing(engine) as conn:
        return tenants.create_source(conn, tenant.id, "hr", kind="hris", system="workday")


def _test_data_dir() -> Path:
    """One folder a user and checkout. Not in the checkout: root's may lie in a folder that PostgreSQL cannot enter."""
    checkout = f"{Path(__file__).resolve().parents[1].stat().st_ino:x}"
    return Path(tempfile.gettempdir()) / f"rollcall-tests-{os.geteuid()}-{checkout}"
