"""Every save is kept with its lines before and after; each can be taken back, as far as it still stands."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import mappings as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import NotFoundError, SourceRow, Tenant
from app.sync import drafts, mapping_history
from app.sync.mapping_changes import Change, MappingError, grants_console
from app.sync.mapping_order import reorder
from app.sync.mappings import save
from tests.sync.groups import grouped, pushed
from tests.sync.people import change
from tests.sync.test_mappings import roles

CREW = Change("set", "group", "Crew", "instructor", source="okta")
TITLE = Change("set", "attribute", "Trainer", "learner", attribute="title")


@pytest.fixture(autouse=True)
def crew(engine: sa.Engine, okta: SourceRow) -> str:
    users = pushed(engine, okta, "ann", "bob")
    return grouped(engine, okta, "Crew", list(users.values()))


def table(engine: sa.Engine, tenant: Tenant) -> list[tuple[str, str, int]]:
    with reading(engine) as conn:
        return [(row.match, row.role, row.priority) for row in store.listing(conn, tenant.id)]


def words(engine: sa.Engine, tenant: Tenant, revision: int) -> list[str]:
    found = mapping_history.find(engine, tenant.id, str(revision))
    return [one.words for one in mapping_history.differences(found)]


def reverted(engine: sa.Engine, tenant: Tenant, revision: int) -> None:
    draft_id = mapping_history.begin_revert(engine, tenant.id, str(revision), "eve")
    drafts.save(engine, tenant.id, draft_id, "eve")


def test_every_save_is_told_in_words(engine: sa.Engine, tenant: Tenant) -> None:
    first = save(engine, tenant.id, [CREW, TITLE], actor="eve").revision
    second = save(engine, tenant.id, [Change("set", "group", "Crew", "instructor", None, 5, "okta")], actor="zoe")
    away = [Change("remove", "group", "Crew", source="okta"), Change("set", "group", "Crew", "manager", source="okta")]
    third = save(engine, tenant.id, away, actor="eve", note="promotion").revision
    assert words(engine, tenant, first) == [
        "added: group Crew of okta gives instructor (tenant), priority 0",
        "added: title Trainer gives learner (tenant), priority 0",
    ]
    assert words(engine, tenant, second.revision) == [
        "changed: group Crew of okta gives instructor (tenant), priority 5: priority from 0 to 5"
    ]
    (told,) = words(engine, tenant, third)
    assert told.startswith("changed: group Crew of okta gives manager (tenant), priority 0: ")
    assert told.endswith("role from instructor to manager, priority from 5 to 0")
    listed = mapping_history.listing(engine, tenant.id, limit=2)
    assert [(one.revision, one.actor, one.note) for one in listed] == [
        (third, "eve", "promotion"),
        (second.revision, "zoe", ""),
    ]
    assert [one.revision for one in mapping_history.listing(engine, tenant.id, before=second.revision)] == [first]
    assert listed[0].counts == {"gains": 2, "losses": 2, "kept": 0, "accounts": 2}


def test_what_changes_nothing_is_no_revision(engine: sa.Engine, tenant: Tenant) -> None:
    save(engine, tenant.id, [CREW], actor="eve")
    save(engine, tenant.id, [CREW], actor="eve")
    assert len(mapping_history.listing(engine, tenant.id)) == 1


def test_a_save_is_taken_back_and_so_is_that(engine: sa.Engine, tenant: Tenant) -> None:
    save(engine, tenant.id, [CREW], actor="eve")
    away = [Change("remove", "group", "Crew", source="okta"), TITLE]
    second = save(engine, tenant.id, away, actor="eve").revision
    assert roles(engine)["ann"] == []
    reverted(engine, tenant, second)
    assert table(engine, tenant) == [("Crew", "instructor", 0)]
    assert roles(engine)["ann"] == ["instructor"]
    newest = mapping_history.listing(engine, tenant.id)[0]
    assert newest.note == f"takes back revision {second}"
    assert newest.reverts == mapping_history.find(engine, tenant.id, str(second)).id
    reverted(engine, tenant, newest.revision)
    assert table(engine, tenant) == [("Trainer", "learner", 0)]


def test_a_changed_line_stands_as_before(engine: sa.Engine, tenant: Tenant) -> None:
    save(engine, tenant.id, [CREW], actor="eve")
    second = save(engine, tenant.id, [Change("set", "group", "Crew", "instructor", None, 7, "okta")], actor="eve")
    reverted(engine, tenant, second.revision)
    assert table(engine, tenant) == [("Crew", "instructor", 0)]


def test_what_was_changed_since_is_left_and_told(engine: sa.Engine, tenant: Tenant) -> None:
    first = save(engine, tenant.id, [CREW, TITLE], actor="eve").revision
    save(engine, tenant.id, [Change("set", "group", "Crew", "instructor", None, 3, "okta")], actor="eve")
    save(engine, tenant.id, [Change("remove", "attribute", "Trainer", attribute="title")], actor="eve")
    found = mapping_history.revert(engine, tenant.id, str(first))
    assert found.changes == ()
    assert [why for _, why in found.left] == ["it was changed since: priority is 3 now", "it is no longer there"]
    with pytest.raises(MappingError, match="Nothing"):
        mapping_history.begin_revert(engine, tenant.id, str(first), "eve")


def test_a_line_does_not_come_back_without_its_role_or_beside_its_like(engine: sa.Engine, tenant: Tenant) -> None:
    save(engine, tenant.id, [CREW, TITLE], actor="eve")
    both = [
        Change("remove", "group", "Crew", source="okta"),
        Change("remove", "attribute", "Trainer", attribute="title"),
    ]
    second = save(engine, tenant.id, both, actor="eve").revision
    save(engine, tenant.id, [TITLE], actor="eve")
    with writing(engine) as conn:
        conn.execute(sa.delete(t.roles).where(t.roles.c.name == "instructor"))
        conn.execute(sa.update(t.tenants).values(revision=t.tenants.c.revision + 1))
    found = mapping_history.revert(engine, tenant.id, str(second))
    assert found.changes == ()
    reasons = {why for _, why in found.left}
    assert reasons == {"there is no role instructor any more", "there is such a line already"}


def test_a_line_of_a_group_that_is_gone_comes_back_and_waits(engine: sa.Engine, tenant: Tenant) -> None:
    save(engine, tenant.id, [CREW], actor="eve")
    second = save(engine, tenant.id, [Change("remove", "group", "Crew", source="okta")], actor="eve").revision
    change(engine, t.groups, deleted_at=sa.func.now())
    reverted(engine, tenant, second)
    with reading(engine) as conn:
        (row,) = store.listing(conn, tenant.id)
    assert (row.match, row.state) == ("Crew", "waiting")


def test_history_belongs_to_its_tenant(engine: sa.Engine, tenant: Tenant) -> None:
    from app.store import tenants

    revision = save(engine, tenant.id, [CREW], actor="eve").revision
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    assert mapping_history.listing(engine, other.id) == []
    with pytest.raises(NotFoundError):
        mapping_history.find(engine, other.id, str(revision))


def test_lines_are_put_into_an_order_with_few_changes(engine: sa.Engine, tenant: Tenant) -> None:
    ranked = [
        Change("set", "attribute", match, "learner", priority=priority, attribute="title")
        for match, priority in (("a", 30), ("b", 20), ("c", 10))
    ]
    save(engine, tenant.id, ranked, actor="eve")
    with reading(engine) as conn:
        a, b, c = store.listing(conn, tenant.id)
    assert reorder([a, b, c]) == []
    assert [(one.match, one.priority) for one in reorder([c, a, b])] == [("c", 31)]
    assert [(one.match, one.priority) for one in reorder([b, c, a])] == [("a", 9)]
    save(engine, tenant.id, reorder([b, c, a]), actor="eve")
    assert sorted(table(engine, tenant), key=lambda line: -line[2]) == [
        ("b", "learner", 20),
        ("c", "learner", 10),
        ("a", "learner", 9),
    ]


def test_the_place_in_the_console_that_changes_give_is_told(engine: sa.Engine, tenant: Tenant) -> None:
    from app.store import rules as rulebook

    save(engine, tenant.id, [Change("set", "group", "Crew", "admin", source="okta")], actor="eve")
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant.id)
    assert grants_console([CREW], rules) is None
    assert grants_console([CREW, Change("set", "group", "x", "admin", source="okta")], rules) == "admin"
    assert grants_console([Change("remove", "group", "Crew", source="okta")], rules) == "admin"
    assert grants_console([Change("remove", "attribute", "x", attribute="title")], rules) is None
