"""Groups through the write door: memberships as rows, and the roles that follow."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import sqlalchemy as sa

from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import RecordDelete, RecordGoneError, RecordWrite, Spoken, UnknownMemberError
from app.provisioning import new_id, provision
from app.store import tables as t
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant, raise_revision


def spoken(name: str = "Staff", *members: str, external: str | None = None) -> GroupSpoken:
    document: dict[str, Any] = {"displayName": name}
    if external:
        document["externalId"] = external
    return GroupSpoken(document, {}, Membership(add=dict.fromkeys(members)))


@pytest.fixture
def groups(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> Grouping:
    return Grouping(engine, tenant.id, okta.id, "test")


@pytest.fixture
def person(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> Any:
    def make(*names: str) -> list[str]:
        writes = [
            RecordWrite(okta.id, Spoken(True, {"userName": name}), {"userName": name}, user_name=name) for name in names
        ]
        return [outcome.record_id or "" for outcome in provision(engine, tenant.id, writes, actor="test")]

    return make


@pytest.fixture
def mapped(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> Any:
    def make(group: str | None, role: str = "instructor", name: str = "Staff", external: str | None = None) -> None:
        with writing(engine) as conn:
            conn.execute(
                sa.insert(t.mappings).values(
                    tenant_id=tenant.id,
                    id=new_id(),
                    kind="group",
                    source_id=okta.id,
                    group_id=group,
                    group_name=name,
                    group_external_id=external,
                    role=role,
                )
            )
            raise_revision(conn, tenant.id)

    return make


def roles(engine: sa.Engine, record: str) -> list[str]:
    with engine.connect() as conn:
        joined = t.records.join(t.accounts, t.accounts.c.id == t.records.c.account_id)
        chosen = sa.select(t.accounts.c.roles).select_from(joined).where(t.records.c.id == record)
        return list(conn.execute(chosen).scalar_one())


def members(engine: sa.Engine, group: str) -> set[str]:
    with engine.connect() as conn:
        rows = conn.execute(sa.select(t.members.c.member_id).where(t.members.c.group_id == group))
        return {str(row.member_id) for row in rows}


def version(engine: sa.Engine, group: str) -> int:
    with engine.connect() as conn:
        return int(conn.execute(sa.select(t.groups.c.version).where(t.groups.c.id == group)).scalar_one())


def test_a_role_comes_and_goes_with_membership(engine, groups, person, mapped) -> None:
    [ada] = person("ada")
    group = groups.create(spoken())
    mapped(group)
    assert roles(engine, ada) == []
    groups.write(group, None, Membership(add={ada: None}), None)
    assert roles(engine, ada) == ["instructor"]
    groups.write(group, None, Membership(remove=frozenset([ada])), None)
    assert roles(engine, ada) == []


def test_members_of_a_nested_group_are_members(engine, groups, person, mapped) -> None:
    [ada] = person("ada")
    inner = groups.create(spoken("Inner", ada))
    outer = groups.create(spoken("Outer", inner))
    mapped(outer)
    groups.write(inner, None, Membership(add={outer: None}), None)  # a circle harms nobody
    assert roles(engine, ada) == ["instructor"]
    groups.write(outer, None, Membership(remove=frozenset([inner])), None)
    assert roles(engine, ada) == []


def test_an_unknown_member_refuses_the_whole_change(engine, groups, person) -> None:
    ada, bob = person("ada", "bob")
    group = groups.create(spoken("Staff", ada))
    with pytest.raises(UnknownMemberError):
        groups.write(group, None, Membership(replace={bob: None, new_id(): None}), None)
    assert members(engine, group) == {ada}


def test_a_member_of_another_source_cannot_be_named(engine, tenant, groups, person, entra) -> None:
    [ada] = person("ada")
    foreign = Grouping(engine, tenant.id, entra.id, "test")
    with pytest.raises(UnknownMemberError):
        foreign.create(spoken("Staff", ada))


def test_adding_whom_it_has_changes_nothing(engine, groups, person) -> None:
    [ada] = person("ada")
    group = groups.create(spoken("Staff", ada))
    groups.write(group, None, Membership(add={ada: None}), None)
    assert version(engine, group) == 1


def test_eight_clients_add_two_hundred_members_at_once(engine, groups, person) -> None:
    people = person(*(f"p{n}" for n in range(200)))
    group = groups.create(spoken())
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda one: groups.write(group, None, Membership(add={one: None}), None), people))
    assert members(engine, group) == set(people)


def test_an_inactive_person_keeps_the_membership_and_gets_the_role_back(
    engine, tenant, okta, groups, person, mapped
) -> None:
    [ada] = person("ada")
    group = groups.create(spoken("Staff", ada))
    mapped(group)

    def say(active: bool) -> None:
        write = RecordWrite(okta.id, Spoken(active, {}), {"active": active}, record_id=ada, user_name="ada")
        provision(engine, tenant.id, [write], actor="test")

    say(False)
    assert roles(engine, ada) == []
    assert members(engine, group) == {ada}
    say(True)
    assert roles(engine, ada) == ["instructor"]


def test_a_deleted_person_leaves_the_group(engine, tenant, okta, groups, person) -> None:
    [ada] = person("ada")
    group = groups.create(spoken("Staff", ada))
    provision(engine, tenant.id, [RecordDelete(okta.id, ada)], actor="test")
    assert members(engine, group) == set()
    assert version(engine, group) == 2


def test_a_deleted_group_takes_its_roles_and_its_successor_gives_them_back(engine, groups, person, mapped) -> None:
    [ada] = person("ada")
    group = groups.create(spoken("Staff", ada, external="g1"))
    mapped(group, external="g1")
    groups.write(group, None, Membership(add={}), None)
    groups.delete(group, None)
    assert roles(engine, ada) == []
    with pytest.raises(RecordGoneError):
        groups.delete(group, None)
    groups.create(spoken("Renamed staff", ada, external="g1"))
    assert roles(engine, ada) == ["instructor"]


def test_an_administrators_mapping_waits_for_a_persons_yes(engine, groups, person, mapped) -> None:
    [ada] = person("ada")
    mapped(None, role="admin", name="Bosses")
    groups.create(spoken("Bosses", ada))
    assert roles(engine, ada) == []


def test_the_last_administrator_cannot_be_removed_by_a_mapping(engine, groups, person, mapped) -> None:
    ada, bob = person("ada", "bob")
    group = groups.create(spoken("Bosses"))
    mapped(group, role="admin")
    groups.write(group, None, Membership(add={ada: None, bob: None}), None)
    groups.write(group, None, Membership(remove=frozenset([ada])), None)
    assert roles(engine, ada) == []
    groups.write(group, None, Membership(remove=frozenset([bob])), None)
    assert roles(engine, bob) == ["admin"]


def test_two_administrators_removed_at_once_leave_one(engine, groups, person, mapped) -> None:
    ada, bob = person("ada", "bob")
    one, two = groups.create(spoken("One", ada)), groups.create(spoken("Two", bob))
    mapped(one, role="admin")
    mapped(two, role="admin")
    groups.write(one, None, Membership(replace={ada: None}), None)
    for group, member in ((one, ada), (two, bob)):
        groups.write(group, None, Membership(remove=frozenset([member])), None)
        groups.write(group, None, Membership(add={member: None}), None)
    with ThreadPoolExecutor(2) as pool:
        jobs = [pool.submit(groups.delete, group, None) for group in (one, two)]
        [job.result() for job in jobs]
    assert sorted([roles(engine, ada), roles(engine, bob)]) == [[], ["admin"]]


def test_a_large_change_answers_at_once_and_leaves_its_roles_to_a_run(engine, tenant, groups, person, mapped) -> None:
    people = person(*(f"p{n}" for n in range(500))) + person("one more")
    group = groups.create(spoken())
    mapped(group)
    groups.write(group, None, Membership(add=dict.fromkeys(people)), None)
    assert roles(engine, people[0]) == []
    with engine.connect() as conn:
        [run] = conn.execute(sa.select(t.runs)).all()
        assert (run.kind, run.state, run.total) == ("group", "queued", 501)
        assert conn.execute(sa.select(t.groups.c.pending_run_id)).scalar_one() is not None


def test_a_group_change_that_strips_too_many_is_held_and_the_group_is_as_its_source_wants_it(
    engine, tenant, groups, person, mapped
) -> None:
    people = person(*(f"p{n}" for n in range(80)))
    group = groups.create(spoken())
    mapped(group)
    groups.write(group, None, Membership(add=dict.fromkeys(people)), None)
    groups.write(group, None, Membership(replace={people[0]: None}), None)
    assert members(engine, group) == {people[0]}
    assert roles(engine, people[1]) == ["instructor"]
    with engine.connect() as conn:
        [run] = conn.execute(sa.select(t.runs)).all()
    assert (run.kind, run.state, run.total) == ("group", "held", 79)
    assert "79 of 80" in run.summary["guard"]


def test_a_change_of_fifty_is_day_to_day(engine, tenant, groups, person, mapped) -> None:
    people = person(*(f"p{n}" for n in range(50)))
    group = groups.create(spoken())
    mapped(group)
    groups.write(group, None, Membership(add=dict.fromkeys(people)), None)
    groups.delete(group, None)
    assert roles(engine, people[1]) == []
