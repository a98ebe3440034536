"""Who may have changed since a number of the audit: told by name, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import RecordDelete
from app.provisioning import provision
from app.store import since
from app.store import tables as t
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.saving import Telling, save_ledger
from app.store.tenants import SourceRow, Tenant
from tests.sync.groups import grouped, pushed


@pytest.fixture
def users(engine: sa.Engine, okta: SourceRow) -> dict[str, str]:
    return pushed(engine, okta, "ann", "bob", "cleo")


@pytest.fixture
def number(engine: sa.Engine, tenant: Tenant, users: dict[str, str]) -> int:
    with reading(engine) as conn:
        return since.next_number(conn, tenant.id)


def stirred(engine: sa.Engine, tenant: Tenant, number: int) -> set[str] | None:
    """By userName."""
    with reading(engine) as conn:
        found = since.stirred(conn, tenant.id, number)
        if found is None:
            return None
        rows = conn.execute(sa.select(t.records.c.account_id, t.records.c.user_name))
        return {row.user_name for row in rows if str(row.account_id) in found}


def test_nobody_while_nothing_is_written(engine: sa.Engine, tenant: Tenant, number: int) -> None:
    assert stirred(engine, tenant, number) == set()


def test_whose_record_was_written(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], number: int
) -> None:
    provision(engine, tenant.id, [RecordDelete(okta.id, users["bob"])], actor="test")
    assert stirred(engine, tenant, number) == {"bob"}


def test_who_came_into_a_group_and_who_left_it(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], number: int
) -> None:
    grouping = Grouping(engine, tenant.id, okta.id, "test")
    members = Membership(add={users["ann"]: None, users["bob"]: None})
    id = grouping.create(GroupSpoken({"displayName": "Crew"}, {}, members))
    assert stirred(engine, tenant, number) == {"ann", "bob"}
    with reading(engine) as conn:
        later = since.next_number(conn, tenant.id)
    grouping.write(id, None, Membership(remove=frozenset({users["bob"]})), None)
    assert stirred(engine, tenant, later) == {"bob"}


def test_everybody_inside_a_group_that_moved(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], number: int
) -> None:
    inner = grouped(engine, okta, "Inner", [users["cleo"]])
    outer = grouped(engine, okta, "Outer")
    Grouping(engine, tenant.id, okta.id, "test").write(outer, None, Membership(add={inner: None}), None)
    assert stirred(engine, tenant, number) == {"cleo"}


@pytest.mark.parametrize(
    ("action", "facts", "expected"),
    [
        ("client.created", {}, set()),
        ("group.updated", {"moved": 0}, set()),
        ("group.updated", {"moved": 501}, None),
        ("people.merged", {}, None),
    ],
)
def test_what_cannot_be_told_is_not_guessed(
    engine: sa.Engine, tenant: Tenant, number: int, action: str, facts: dict[str, int], expected: set[str] | None
) -> None:
    with writing(engine) as conn:
        entry = Entry("test", action, "", facts)
        save_ledger(conn, tenant.id, [], Telling([], [entry], {}), 1, datetime.now(UTC))
    assert stirred(engine, tenant, number) == expected
