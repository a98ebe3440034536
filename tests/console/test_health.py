"""The console's page of health."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa

from app.console.health import TITLES
from app.store import connections, receivers, tenants
from app.store.audit import Entry
from app.store.connections import NewConnection
from app.store.engine import writing
from app.store.tenants import Tenant
from tests.console.conftest import Console
from tests.store.test_audit_log import note

Enter = Callable[..., Console]
URL = "https://lms.example/events"


@pytest.fixture
def receiver(engine: sa.Engine, tenant: Tenant) -> str:
    with writing(engine) as conn:
        return receivers.add(
            conn, tenant.id, source_id=None, url=URL, audience="lms", events=["*"], external_id=False, token=None
        )


def test_each_check_is_shown_and_a_worker_that_is_missing_is_wrong(console: Enter) -> None:
    seen = console("auditor").get("/admin/health")
    assert all(title in seen.text for title in TITLES.values())
    assert "rollcall worker" in seen.text
    assert "wrong" in seen.text


@pytest.mark.usefixtures("receiver")
def test_a_receiver_that_is_behind_says_how_far(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    assert "Up to date" in console("auditor").get("/admin/health").text
    note(engine, tenant, Entry("ada", "role.saved", "x", {}), Entry("ada", "role.saved", "y", {}))
    seen = console("auditor").get("/admin/health")
    assert "Behind" in seen.text
    assert "2, the oldest from just now" in seen.text


@pytest.mark.usefixtures("receiver")
def test_a_receiver_that_fails_says_why(console: Enter, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE receivers SET failures = 3, failure = 'it answered 503', next_at = now()")
    seen = console("auditor").get("/admin/health")
    assert ("Failing" in seen.text, "it answered 503" in seen.text) == (True, True)


def test_metadata_that_cannot_be_read_is_shown_with_its_connection(
    console: Enter, engine: sa.Engine, tenant: Tenant
) -> None:
    with writing(engine) as conn:
        new = NewConnection(tenant.id, "okta-login", "Okta", "saml", {}, metadata_url="https://okta.example/metadata")
        id = connections.create(conn, new)
        conn.exec_driver_sql("UPDATE connections SET refresh_failure = 'it answered 404'")
    seen = console("auditor").get("/admin/health")
    assert f"/admin/sign-in-connections/{id}" in seen.links
    assert "it answered 404" in seen.text


@pytest.mark.usefixtures("receiver")
def test_another_tenants_receivers_are_not_shown(console: Enter, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    assert URL not in console("owner", tenant_id=other.id).get("/admin/health").text
    assert URL in console("owner").get("/admin/health").text
