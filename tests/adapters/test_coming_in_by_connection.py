"""Whoever signed in by a connection comes in by a role, for as long as both last."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.adapters import coming_in
from app.adapters.coming_in import NoRole
from app.store import console_sessions, sessions, tenants
from app.store import tables as t
from app.store.console_sessions import Begun, ConsoleSession
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.adapters.administrators import HERE
from tests.signed_in import SignedIn, sign_in


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant) -> SignedIn:
    return sign_in(engine, tenant.id, authenticated_at=datetime.now(UTC) - timedelta(hours=2))


def grant(engine: sa.Engine, person: SignedIn, role: str = "admin", **columns: object) -> None:
    row = {"scope": "tenant", "rule": "r", "effective": True, "since": datetime.now(UTC), **columns}
    with writing(engine) as conn:
        key = {"tenant_id": person.tenant_id, "account_id": person.account_id, "role": role}
        conn.execute(sa.insert(t.grants).values({**key, **row}))


def come_in(engine: sa.Engine, person: SignedIn) -> Begun | NoRole | None:
    return coming_in.by_connection(engine, person.tenant_id, person.secret, HERE)


def inside(engine: sa.Engine, person: SignedIn) -> ConsoleSession | None:
    begun = come_in(engine, person)
    assert isinstance(begun, Begun)
    with reading(engine) as conn:
        return console_sessions.find(conn, begun.secret)


def test_a_role_with_a_place_in_the_console_lets_in(engine: sa.Engine, ada: SignedIn) -> None:
    grant(engine, ada)
    found = inside(engine, ada)
    assert found is not None
    assert (found.role, found.name, found.account_id) == ("admin", "Ada Lovelace", ada.account_id)
    assert found.proven_at is not None
    assert datetime.now(UTC) - found.proven_at > timedelta(hours=1)  # when the provider saw the person


@pytest.mark.parametrize(
    "columns", [{"role": "instructor"}, {"scope": "course:7"}, {"effective": False}], ids=["role", "scope", "effective"]
)
def test_any_other_lets_nobody_in(engine: sa.Engine, ada: SignedIn, columns: dict[str, str]) -> None:
    assert come_in(engine, ada) == NoRole("Ada Lovelace")
    grant(engine, ada, **columns)  # type: ignore[arg-type]
    assert come_in(engine, ada) == NoRole("Ada Lovelace")


def test_a_cookie_that_is_nobodys_lets_nobody_in(engine: sa.Engine, ada: SignedIn) -> None:
    grant(engine, ada)
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    assert coming_in.by_connection(engine, other.id, ada.secret, HERE) is None
    assert coming_in.by_connection(engine, ada.tenant_id, "x" * 43, HERE) is None


@pytest.mark.parametrize(
    "ends",
    [
        "DELETE FROM grants",
        "UPDATE grants SET effective = false",
        "UPDATE roles SET console = NULL",
        "UPDATE accounts SET status = 'inactive'",
        "UPDATE accounts SET signed_out_at = now()",
        "UPDATE sessions SET ended_at = now()",
        "UPDATE sessions SET expires_at = now()",
        "UPDATE console_sessions SET seen_at = now() - interval '61 minutes'",
        "UPDATE console_sessions SET expires_at = now()",
    ],
)
def test_what_it_hangs_on_ends_it_at_once(engine: sa.Engine, ada: SignedIn, ends: str) -> None:
    grant(engine, ada)
    begun = come_in(engine, ada)
    assert isinstance(begun, Begun)
    with writing(engine) as conn:
        assert console_sessions.find(conn, begun.secret) is not None
        conn.execute(sa.text(ends))
    with reading(engine) as conn:
        assert console_sessions.find(conn, begun.secret) is None


def test_a_smaller_role_counts_at_once(engine: sa.Engine, ada: SignedIn) -> None:
    grant(engine, ada)
    begun = come_in(engine, ada)
    assert isinstance(begun, Begun)
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE roles SET console = 'auditor' WHERE name = 'admin'"))
        found = console_sessions.find(conn, begun.secret)
    assert found is not None
    assert found.role == "auditor"


def test_signing_out_by_the_person_ends_it(engine: sa.Engine, ada: SignedIn) -> None:
    grant(engine, ada)
    begun = come_in(engine, ada)
    assert isinstance(begun, Begun)
    with writing(engine) as conn:
        sessions.end(conn, ada.tenant_id, [ada.session_id], "person")
        assert console_sessions.find(conn, begun.secret) is None


def test_it_ends_when_the_tenants_hours_are_over(engine: sa.Engine, ada: SignedIn) -> None:
    with writing(engine) as conn:
        conn.execute(sa.text("""UPDATE tenants SET settings = '{"console": {"hours": 1, "idle_minutes": 5}}'"""))
    grant(engine, ada)
    begun = come_in(engine, ada)
    assert isinstance(begun, Begun)
    assert begun.expires_at - datetime.now(UTC) <= timedelta(hours=1)
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE console_sessions SET seen_at = now() - interval '6 minutes'"))
        assert console_sessions.find(conn, begun.secret) is None
