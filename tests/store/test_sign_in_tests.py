"""A test's report is for whoever made it, in its own tenant, and not for long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import sign_in_tests, sign_ins, tenants
from app.store.engine import reading, writing

CONNECTION, OTHER, ID = str(uuid4()), str(uuid4()), str(uuid4())


@pytest.fixture
def kept(engine: sa.Engine, tenant: tenants.Tenant) -> tenants.Tenant:
    with writing(engine) as conn:
        sign_in_tests.keep(conn, tenant.id, ID, CONNECTION, "mine", {"received": [{"name": "mail"}]})
    return tenant


def test_its_owner_reads_it(engine: sa.Engine, kept: tenants.Tenant) -> None:
    with reading(engine) as conn:
        found = sign_in_tests.find(conn, kept.id, ID, CONNECTION, "mine")
    assert found is not None
    assert found.report == {"received": [{"name": "mail"}]}
    assert found.expires_at - found.at == timedelta(minutes=15)


def test_nobody_else_does(engine: sa.Engine, kept: tenants.Tenant) -> None:
    with reading(engine) as conn:
        assert sign_in_tests.find(conn, kept.id, ID, CONNECTION, "another's") is None
        assert sign_in_tests.find(conn, kept.id, ID, OTHER, "mine") is None
        assert sign_in_tests.find(conn, str(uuid4()), ID, CONNECTION, "mine") is None


def test_it_is_over_in_time(engine: sa.Engine, kept: tenants.Tenant) -> None:
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE sign_in_tests SET expires_at = now()"))
        assert sign_in_tests.find(conn, kept.id, ID, CONNECTION, "mine") is None


def test_a_test_that_went_well_is_known_by_the_log(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    since = datetime.now(UTC) - timedelta(days=1)
    with writing(engine) as conn:
        sign_ins.write(conn, sign_ins.Attempt(tenant.id, "tested", CONNECTION, reason="audience"))
        sign_ins.write(conn, sign_ins.Attempt(tenant.id, "accepted", CONNECTION))
        assert not sign_in_tests.passed(conn, tenant.id, CONNECTION, since)
        sign_ins.write(conn, sign_ins.Attempt(tenant.id, "tested", CONNECTION))
        assert sign_in_tests.passed(conn, tenant.id, CONNECTION, since)
        assert not sign_in_tests.passed(conn, tenant.id, OTHER, since)
        assert not sign_in_tests.passed(conn, tenant.id, CONNECTION, datetime.now(UTC) + timedelta(minutes=1))
