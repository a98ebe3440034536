"""Sessions are ended by hand, and the audit says by whom."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

import sqlalchemy as sa

from app.adapters import signing_out
from app.store import audit, sessions, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.sessions import Begun, NewSession
from tests.store.test_sessions import add_account


def _begun(engine: sa.Engine, tenant_id: str, account_id: str) -> Begun:
    with writing(engine) as conn:
        new = NewSession(tenant_id, account_id, str(uuid4()), str(uuid4()), "s", datetime.now(UTC))
        return sessions.begin(conn, new)


def _told(engine: sa.Engine, tenant_id: str) -> list[tuple[str, str, str]]:
    with reading(engine) as conn:
        assert audit.verify(conn, tenant_id)[1] is None
        rows = conn.execute(sa.select(t.audit).order_by(t.audit.c.number)).all()
    return [(row.actor, row.action, row.subject) for row in rows]


def test_sessions_are_ended_and_the_audit_says_so(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    ada = add_account(engine, tenant.id)
    first, second = _begun(engine, tenant.id, ada), _begun(engine, tenant.id, ada)
    assert [one.id for one in signing_out.end(engine, tenant.id, [first.id], "cli:ops")] == [first.id]
    assert signing_out.end(engine, tenant.id, [first.id], "cli:ops") == []
    with reading(engine) as conn:
        assert sessions.find(conn, tenant.id, first.secret) is None
        assert sessions.find(conn, tenant.id, second.secret) is not None
    assert _told(engine, tenant.id) == [("cli:ops", "session.ended", ada)]


def test_everywhere_is_everywhere(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    ada, bob = add_account(engine, tenant.id), add_account(engine, tenant.id)
    begun = [_begun(engine, tenant.id, ada) for _ in range(2)]
    other = _begun(engine, tenant.id, bob)
    assert len(signing_out.end_all(engine, tenant.id, ada, "person")) == 2
    with reading(engine) as conn:
        assert [sessions.find(conn, tenant.id, one.secret) for one in begun] == [None, None]
        assert sessions.find(conn, tenant.id, other.secret) is not None
    assert _told(engine, tenant.id) == [("person", "account.signed_out", ada)]
