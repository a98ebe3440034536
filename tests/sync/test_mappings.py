from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.identity.writes import BusyError
from app.store import audit, mapping_pages
from app.store import mappings as store
from app.store import tables as t
from app.store.engine import make_engine, reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync import runs
from app.sync.imports import submit
from app.sync.mapping_changes import Change, MappingError
from app.sync.mappings import LastAdministratorError, PreviewChangedError, preview, save
from tests.sync.groups import grouped, pushed
from tests.sync.people import change, count, hired

INSTRUCTORS = Change("set", "group", "Instructors", "instructor", source="okta")
ADMINS = Change("set", "group", "Admins", "admin", source="okta")


@pytest.fixture
def users(engine: sa.Engine, okta: SourceRow) -> dict[str, str]:
    return pushed(engine, okta, "ann", "bob", "cleo")


@pytest.fixture
def instructors(engine: sa.Engine, okta: SourceRow, users: dict[str, str]) -> str:
    """The group Instructors: ann in it, bob by a group within."""
    inner = grouped(engine, okta, "Evening teachers", [users["bob"]])
    return grouped(engine, okta, "Instructors", [users["ann"]], [inner])


def roles(engine: sa.Engine) -> dict[str, list[str]]:
    """userName -> effective tenant-wide roles."""
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.accounts.c.attributes, t.accounts.c.roles))
        return {row.attributes["userName"]: row.roles for row in rows if "userName" in row.attributes}


def test_the_preview_names_who_gains_and_saves_nothing(engine: sa.Engine, tenant: Tenant, instructors: str) -> None:
    shown = preview(engine, tenant.id, [INSTRUCTORS])
    assert [(one.name, one.role, one.scope) for one in shown.gains] == [
        ("Ann", "instructor", "tenant"),
        ("Bob", "instructor", "tenant"),
    ]
    assert (shown.losses, shown.kept, shown.accounts) == ((), (), 2)
    assert count(engine, t.mappings) == 0
    assert preview(engine, tenant.id, [INSTRUCTORS]) == shown


def test_saving_gives_what_was_shown(engine: sa.Engine, tenant: Tenant, instructors: str) -> None:
    shown = preview(engine, tenant.id, [INSTRUCTORS])
    saved = save(engine, tenant.id, [INSTRUCTORS], actor="eve", expected_hash=shown.hash)
    assert saved.state == "complete"
    assert saved.revision > tenant.revision
    assert roles(engine) == {"ann": ["instructor"], "bob": ["instructor"], "cleo": []}
    with reading(engine) as conn:
        assert audit.verify(conn, tenant.id)[1] is None
        entry = conn.execute(sa.select(t.audit).where(t.audit.c.action == "mapping.saved")).one()
    assert entry.actor == "eve"
    assert entry.facts["counts"]["gains"] == 2
    again = save(engine, tenant.id, [INSTRUCTORS], actor="eve")
    assert (again.revision, again.run_id) == (saved.revision, None)


def test_a_list_that_changed_since_is_not_saved(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, instructors: str, users: dict[str, str]
) -> None:
    shown = preview(engine, tenant.id, [INSTRUCTORS])
    grouped(engine, okta, "Late", [])
    with engine.begin() as conn:
        row = {"tenant_id": tenant.id, "group_id": instructors, "member_id": users["cleo"], "kind": "User"}
        conn.execute(sa.insert(t.members).values(**row))
    with pytest.raises(PreviewChangedError) as raised:
        save(engine, tenant.id, [INSTRUCTORS], actor="eve", expected_hash=shown.hash)
    assert [one.name for one in raised.value.preview.gains] == ["Ann", "Bob", "Cleo"]
    assert count(engine, t.mappings) == 0
    save(engine, tenant.id, [INSTRUCTORS], actor="eve", expected_hash=raised.value.preview.hash)
    assert roles(engine)["cleo"] == ["instructor"]


def test_removing_shows_who_loses_and_who_keeps_the_role(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, instructors: str, users: dict[str, str]
) -> None:
    grouped(engine, okta, "Coaches", [users["ann"]])
    coaches = Change("set", "group", "Coaches", "instructor", source="okta")
    save(engine, tenant.id, [INSTRUCTORS, coaches], actor="eve")
    removal = Change("remove", "group", "instructors", source="okta")
    shown = preview(engine, tenant.id, [removal])
    assert [one.name for one in shown.losses] == ["Bob"]
    assert [one.name for one in shown.kept] == ["Ann"]
    save(engine, tenant.id, [removal], actor="eve", expected_hash=shown.hash)
    assert roles(engine) == {"ann": ["instructor"], "bob": [], "cleo": []}


def test_the_last_administrator_is_not_removed(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str]
) -> None:
    grouped(engine, okta, "Admins", [users["ann"]])
    save(engine, tenant.id, [ADMINS], actor="eve")
    removal = Change("remove", "group", "Admins", source="okta")
    assert preview(engine, tenant.id, [removal]).removes_last_administrator
    with pytest.raises(LastAdministratorError):
        save(engine, tenant.id, [removal], actor="eve")
    assert roles(engine)["ann"] == ["admin"]
    grouped(engine, okta, "Owners", [users["bob"]])
    handover = [removal, Change("set", "group", "Owners", "admin", source="okta")]
    save(engine, tenant.id, handover, actor="eve")
    assert roles(engine) == {"ann": [], "bob": ["admin"], "cleo": []}


def test_a_mapping_of_a_group_that_is_not_there_waits(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str]
) -> None:
    saved = save(engine, tenant.id, [ADMINS], actor="eve")
    assert saved.preview.accounts == 0
    with reading(engine) as conn:
        (row,) = store.listing(conn, tenant.id)
    assert (row.state, row.match, row.group_id) == ("waiting", "Admins", None)
    group_id = grouped(engine, okta, "Admins", [users["ann"]])
    save(engine, tenant.id, [ADMINS], actor="eve")  # a person's yes
    with reading(engine) as conn:
        (woken,) = store.listing(conn, tenant.id)
    assert (woken.id, woken.state, woken.group_id) == (row.id, "live", group_id)
    assert roles(engine)["ann"] == ["admin"]


def test_groups_without_a_mapping_are_listed_as_they_were_pushed(
    engine: sa.Engine, tenant: Tenant, instructors: str
) -> None:
    save(engine, tenant.id, [INSTRUCTORS], actor="eve")
    with reading(engine) as conn:
        (group,) = mapping_pages.unmapped(conn, tenant.id)
    assert (group.name, group.source, group.members) == ("Evening teachers", "okta", 1)


def test_a_name_that_two_groups_bear_has_to_be_an_id(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, instructors: str
) -> None:
    grouped(engine, okta, "Instructors")
    with pytest.raises(MappingError, match="name one by its id"):
        preview(engine, tenant.id, [INSTRUCTORS])
    by_id = Change("set", "group", instructors, "instructor", source="okta")
    assert len(preview(engine, tenant.id, [by_id]).gains) == 2


@pytest.mark.parametrize(
    "wrong",
    [
        Change("set", "group", "Instructors", "wizard", source="okta"),
        Change("set", "group", "Instructors", "learner"),
        Change("set", "group", "Instructors", "learner", source="nobody"),
        Change("set", "group", " ", "learner", source="okta"),
        Change("set", "group", "Instructors", "learner", "planet", source="okta"),
        Change("set", "attribute", "x", "learner", attribute="shoeSize"),
        Change("set", "colour", "red", "learner"),
        Change("remove", "group", "Instructors", source="okta"),
    ],
)
def test_what_cannot_be_is_told(engine: sa.Engine, tenant: Tenant, okta: SourceRow, wrong: Change) -> None:
    with pytest.raises(MappingError):
        preview(engine, tenant.id, [wrong])


def test_attributes_meet_whatever_their_case(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    records = [hired(1, title="STRASSE"), hired(2, title="straße"), hired(3, title="Weg"), hired(4, department="x")]
    submit(engine, tenant.id, hr, records, actor="test")
    for source in (None, "hr"):
        titled = Change("set", "attribute", "Straße", "instructor", source=source, attribute="title")
        shown = preview(engine, tenant.id, [titled])
        assert [one.name for one in shown.gains] == ["Person 0001", "Person 0002"]


def test_a_large_mapping_is_derived_by_a_run(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(number) for number in range(501)], actor="test", wait=True)
    trainers = Change("set", "attribute", "trainer", "instructor", attribute="title")
    saved = save(engine, tenant.id, [trainers], actor="eve")
    assert saved.state == "queued"
    assert saved.preview.accounts == 501
    given = sa.select(sa.func.count()).where(t.accounts.c.roles.contains(["instructor"]))
    with reading(engine) as conn:
        assert conn.execute(given).scalar_one() == 0
    assert runs.drain(engine) == 1
    with reading(engine) as conn:
        assert conn.execute(given).scalar_one() == 501


def test_the_priority_of_a_line_is_changed_in_place(engine: sa.Engine, tenant: Tenant, instructors: str) -> None:
    save(engine, tenant.id, [INSTRUCTORS], actor="eve")
    higher = Change("set", "group", "Instructors", "instructor", priority=5, source="okta")
    with reading(engine) as conn:
        before = store.listing(conn, tenant.id)
    save(engine, tenant.id, [higher], actor="eve")
    with reading(engine) as conn:
        (after,) = store.listing(conn, tenant.id)
    assert (after.id, after.priority) == (before[0].id, 5)


def test_who_administers_for_want_of_another_is_no_obstacle(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, instructors: str, users: dict[str, str]
) -> None:
    kept = [{"role": "admin", "scope": "tenant", "rule": "kept:last administrator", "effective": True}]
    with engine.begin() as conn:
        ann = sa.select(t.records.c.account_id).where(t.records.c.id == users["ann"]).scalar_subquery()
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id == ann).values(grants=kept, roles=["admin"]))
        row = {"tenant_id": tenant.id, "account_id": ann, **kept[0], "since": sa.func.now()}
        conn.execute(sa.insert(t.grants).values(**row))
    save(engine, tenant.id, [INSTRUCTORS], actor="eve")
    assert roles(engine)["ann"] == ["admin"]
    change(engine, t.groups, display_name="Renamed")
    with reading(engine) as conn:
        assert store.listing(conn, tenant.id)[0].match == "Renamed"


def test_a_save_waits_for_writers_and_gives_up(
    engine: sa.Engine, tenant: Tenant, database_url: str, instructors: str
) -> None:
    hasty = make_engine(database_url, lock_timeout_ms=50)
    with writing(engine) as conn:
        shared = "SELECT pg_advisory_xact_lock_shared(hashtextextended('rules:' || :tenant, 0))"
        conn.execute(sa.text(shared), {"tenant": tenant.id})
        with pytest.raises(BusyError):
            save(hasty, tenant.id, [INSTRUCTORS], actor="eve")
    assert save(hasty, tenant.id, [INSTRUCTORS], actor="eve").state == "complete"
    hasty.dispose()


def test_a_crash_after_the_save_loses_nobody(
    engine: sa.Engine, tenant: Tenant, instructors: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(runs, "finish", lambda *_: False)  # the process ended after COMMIT
        assert save(engine, tenant.id, [INSTRUCTORS], actor="eve").state == "queued"
    assert roles(engine)["ann"] == []
    runs.drain(engine)
    assert roles(engine)["ann"] == ["instructor"]
