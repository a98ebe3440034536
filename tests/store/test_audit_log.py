from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.adapters.audited import audited
from app.store import audit_log
from app.store.audit import Entry
from app.store.audit_log import Asked, Page, export, page
from app.store.engine import reading, writing
from app.store.tenants import Tenant, create


def note(engine: sa.Engine, tenant: Tenant, *entries: Entry) -> None:
    audited(engine, tenant.id, lambda _conn: (None, entries))


@pytest.fixture
def noted(engine: sa.Engine, tenant: Tenant) -> None:
    """Ten entries: odd numbers by ada about x, even ones by ben about y."""
    for number in range(1, 11):
        actor, subject = ("admin:ada", "x") if number % 2 else ("cli:ben", "y")
        action = "role.saved" if number <= 6 else "connection.changed"
        note(engine, tenant, Entry(actor, action, subject, {"n": number}, {"secret": "s"} if number == 1 else None))


def numbers(found: Page) -> list[int]:
    return [one.number for one in found.entries]


@pytest.mark.usefixtures("noted")
def test_entries_come_newest_first_page_by_page(engine: sa.Engine, tenant: Tenant) -> None:
    walked: list[int] = []
    before = None
    with reading(engine) as conn:
        for _ in range(4):
            found = page(conn, tenant.id, Asked(limit=3, before=before))
            walked, before = walked + numbers(found), found.before
    assert walked == list(range(10, 0, -1))
    assert before is None


@pytest.mark.usefixtures("noted")
@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (Asked(actor="admin:ada"), [9, 7, 5, 3, 1]),
        (Asked(actor="admin:"), [9, 7, 5, 3, 1]),
        (Asked(action="connection."), [10, 9, 8, 7]),
        (Asked(subject="y"), [10, 8, 6, 4, 2]),
        (Asked(subject="y", action="role", before=6), [4, 2]),
        (Asked(actor="%"), []),
    ],
)
def test_entries_are_narrowed(engine: sa.Engine, tenant: Tenant, asked: Asked, expected: list[int]) -> None:
    with reading(engine) as conn:
        found = page(conn, tenant.id, asked)
    assert (numbers(found), found.before, found.cut) == (expected, None, False)


@pytest.mark.usefixtures("noted")
def test_a_page_says_where_it_stopped_looking(
    engine: sa.Engine, tenant: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit_log, "LOOKED_AT", 4)
    with reading(engine) as conn:
        first = page(conn, tenant.id, Asked(action="role.saved"))
        assert (numbers(first), first.before, first.cut) == ([], 7, True)
        assert first.looked_until is not None
        second = page(conn, tenant.id, Asked(action="role.saved", before=first.before))
        assert (numbers(second), second.before, second.cut) == ([6, 5, 4, 3], 3, True)
        assert numbers(page(conn, tenant.id, Asked(subject="x"))) == [9, 7, 5, 3, 1]
        assert [one.number for one in export(conn, tenant.id, Asked(action="role.saved"))] == [6, 5, 4, 3, 2, 1]
        assert [one.number for one in export(conn, tenant.id, Asked(), most=3)] == [10, 9, 8]


def test_a_time_is_found_among_the_numbers(engine: sa.Engine, tenant: Tenant) -> None:
    start = datetime(2026, 3, 1, tzinfo=UTC)
    with writing(engine) as conn:
        conn.execute(
            sa.text("""
                INSERT INTO audit (tenant_id, number, at, actor, action, subject, facts, digest)
                SELECT :tenant, n, :start + n * interval '1 hour', 'a', 'b', 'c', '{}', ''
                FROM generate_series(1, 500) n
            """),
            {"tenant": tenant.id, "start": start},
        )
        conn.execute(sa.text("UPDATE ledger SET next_audit = 501 WHERE tenant_id = :t"), {"t": tenant.id})
    asked = Asked(since=start + timedelta(hours=100), until=start + timedelta(hours=103))
    with reading(engine) as conn:
        found = page(conn, tenant.id, asked)
        assert (numbers(found), found.before) == ([103, 102, 101, 100], None)
        assert numbers(page(conn, tenant.id, Asked(until=start))) == []
        assert numbers(page(conn, tenant.id, Asked(since=start + timedelta(hours=499)))) == [500, 499]
        assert numbers(page(conn, tenant.id, Asked(since=start + timedelta(days=900)))) == []


@pytest.mark.usefixtures("noted")
def test_what_is_shown_and_exported(engine: sa.Engine, tenant: Tenant) -> None:
    note(engine, tenant, Entry("=cmd()", "x", "y", {}))
    with writing(engine) as conn:
        other = create(conn, "other")
    with reading(engine) as conn:
        *_, first = export(conn, tenant.id, Asked())
        [odd] = page(conn, tenant.id, Asked(limit=1)).entries
        assert page(conn, other.id, Asked()).entries == []
    assert first.as_dict() == {
        "number": 1,
        "at": first.at.isoformat(),
        "actor": "admin:ada",
        "action": "role.saved",
        "subject": "x",
        "facts": {"n": 1},
    }
    assert first.as_dict(personal=True)["personal"] == {"secret": "s"}
    assert first.as_row()[2:] == ["admin:ada", "role.saved", "x", '{"n":1}']
    assert odd.as_row()[2] == "'=cmd()"
