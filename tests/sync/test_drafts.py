"""Drafts: worked out in the call or by a worker, saved only while they hold, and said so when they do not."""

from __future__ import annotations

import csv
from typing import Any

import pytest
import sqlalchemy as sa

from app.grouping import Grouping, Membership
from app.identity.writes import RecordDelete
from app.provisioning import provision
from app.store import draft_people, mapping_drafts
from app.store import mappings as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.run_tables import mapping_draft_lines, mapping_draft_people, mapping_revisions
from app.store.run_tables import mapping_drafts as drafts_table
from app.store.tenants import NotFoundError, SourceRow, Tenant
from app.sync import draft_saving, draft_working, drafts, runs, sweep
from app.sync.drafts import DraftError, StaleDraftError
from app.sync.imports import submit
from app.sync.mapping_changes import Change, MappingError
from app.sync.mappings import LastAdministratorError, preview, save
from tests.sync.groups import grouped, pushed
from tests.sync.people import change, count, hired
from tests.sync.test_mappings import roles

CREW = Change("set", "group", "Crew", "instructor", source="okta")
TRAINERS = Change("set", "attribute", "trainer", "instructor", attribute="title")


@pytest.fixture
def users(engine: sa.Engine, okta: SourceRow) -> dict[str, str]:
    return pushed(engine, okta, "ann", "bob", "cleo")


@pytest.fixture
def crew(engine: sa.Engine, okta: SourceRow, users: dict[str, str]) -> str:
    return grouped(engine, okta, "Crew", [users["ann"], users["bob"]])


@pytest.fixture
def many(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two people are more than a chunk, a step is one."""
    for module in (drafts, draft_saving):
        monkeypatch.setattr(module, "CHUNK", 1)
    monkeypatch.setattr(draft_working, "PAGE", 1)


def names(engine: sa.Engine, tenant: Tenant, draft_id: str, kind: str) -> list[str]:
    return [one.name for one in drafts.lines(engine, tenant.id, draft_id, kind)]


def moved(engine: sa.Engine, source: SourceRow, group: str, **change: Any) -> None:
    Grouping(engine, source.tenant_id, source.id, "test").write(group, None, Membership(**change), None)


def test_few_people_are_worked_out_in_the_call(engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve", "for the autumn")
    draft = drafts.find(engine, tenant.id, draft_id)
    assert (draft.state, draft.done, draft.total) == ("ready", 2, 2)
    assert draft.counts == {"gains": 2, "losses": 0, "kept": 0, "accounts": 2}
    assert draft.hash == preview(engine, tenant.id, [CREW]).hash
    assert names(engine, tenant, draft_id, "gain") == ["Ann", "Bob"]
    assert names(engine, tenant, draft_id, "loss") == []
    assert count(engine, t.mappings) == 0


def test_a_draft_is_saved_with_its_history(engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve", "for the autumn")
    saved = drafts.save(engine, tenant.id, draft_id, "zoe")
    assert saved.state == "complete"
    assert roles(engine) == {"ann": ["instructor"], "bob": ["instructor"], "cleo": []}
    assert drafts.find(engine, tenant.id, draft_id).state == "saved"
    with reading(engine) as conn:
        row = conn.execute(sa.select(mapping_revisions)).one()
    assert (row.revision, row.actor, row.note) == (saved.revision, "zoe", "for the autumn")
    assert (row.before, [line["role"] for line in row.after]) == ([], ["instructor"])
    with pytest.raises(DraftError, match="saved"):
        drafts.save(engine, tenant.id, draft_id, "zoe")


def test_a_worker_works_out_what_is_large(engine: sa.Engine, tenant: Tenant, crew: str, many: None) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    assert drafts.find(engine, tenant.id, draft_id).state == "waiting"
    with reading(engine) as conn:
        waiting = conn.exec_driver_sql("SELECT task_name FROM procrastinate_jobs").scalars().all()
    assert waiting == ["draft"]
    assert drafts.drain(engine) == 1
    draft = drafts.find(engine, tenant.id, draft_id)
    assert (draft.state, draft.done, draft.total) == ("ready", 2, 2)
    assert draft.hash == preview(engine, tenant.id, [CREW]).hash
    assert [one.number for one in drafts.lines(engine, tenant.id, draft_id, "gain", after=1)] == [2]
    drafts.save(engine, tenant.id, draft_id, "eve", wait=True)
    assert roles(engine)["bob"] == ["instructor"]
    runs.drain(engine)
    assert count(engine, t.run_changes) == 0


def test_a_large_draft_is_derived_by_a_run(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(number) for number in range(501)], actor="test", wait=True)
    draft_id = drafts.begin(engine, tenant.id, [TRAINERS], "eve")
    drafts.drain(engine)
    saved = drafts.save(engine, tenant.id, draft_id, "eve")
    assert (saved.state, saved.counts["gains"]) == ("queued", 501)
    given = sa.select(sa.func.count()).where(t.accounts.c.roles.contains(["instructor"]))
    assert runs.drain(engine) == 1
    with reading(engine) as conn:
        assert conn.execute(given).scalar_one() == 501


def test_progress_is_seen_and_can_be_stopped(
    engine: sa.Engine, tenant: Tenant, crew: str, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    seen: list[tuple[int, int]] = []
    real = mapping_drafts.advance

    def advance(*args: Any, **said: Any) -> bool:
        if said["done"] == 2:
            shown = drafts.find(engine, tenant.id, draft_id)
            seen.append((shown.done, shown.total))
            assert drafts.stop(engine, tenant.id, draft_id)
        return real(*args, **said)

    monkeypatch.setattr(mapping_drafts, "advance", advance)
    assert drafts.drain(engine) == 0
    assert seen == [(1, 2)]
    draft = drafts.find(engine, tenant.id, draft_id)
    assert (draft.state, draft.done) == ("stopped", 1)
    assert not drafts.stop(engine, tenant.id, draft_id)
    with pytest.raises(DraftError, match="stopped"):
        drafts.save(engine, tenant.id, draft_id, "eve")


def test_a_killed_workers_draft_is_taken_up_behind_its_last_step(
    engine: sa.Engine, tenant: Tenant, crew: str, many: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    with monkeypatch.context() as patched:
        real = mapping_drafts.advance

        def killed(*args: Any, **said: Any) -> bool:
            if said["done"] == 2:
                raise KeyboardInterrupt
            return real(*args, **said)

        patched.setattr(mapping_drafts, "advance", killed)
        with pytest.raises(KeyboardInterrupt):
            drafts.drain(engine)
    assert drafts.drain(engine) == 0  # not yet: it may be at work
    change(engine, drafts_table, claimed_at=sa.text("now() - interval '1 minute'"))
    sweep.sweep(engine)
    assert drafts.find(engine, tenant.id, draft_id).state == "ready"
    assert names(engine, tenant, draft_id, "gain") == ["Ann", "Bob"]


@pytest.mark.parametrize("size", ["few", "many"])
def test_a_list_that_changed_since_is_not_saved(
    engine: sa.Engine,
    tenant: Tenant,
    okta: SourceRow,
    crew: str,
    users: dict[str, str],
    size: str,
    request: pytest.FixtureRequest,
) -> None:
    if size == "many":
        request.getfixturevalue("many")
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    drafts.drain(engine)
    moved(engine, okta, crew, add={users["cleo"]: None})
    with pytest.raises(StaleDraftError, match="differs"):
        drafts.save(engine, tenant.id, draft_id, "eve")
    assert count(engine, t.mappings) == 0
    assert drafts.find(engine, tenant.id, draft_id).state == "stale"
    drafts.again(engine, tenant.id, draft_id)
    drafts.drain(engine)
    assert names(engine, tenant, draft_id, "gain") == ["Ann", "Bob", "Cleo"]
    drafts.save(engine, tenant.id, draft_id, "eve", wait=True)
    assert roles(engine)["cleo"] == ["instructor"]


@pytest.mark.parametrize("size", ["few", "many"])
def test_what_happened_to_others_does_not_hinder(
    engine: sa.Engine,
    tenant: Tenant,
    okta: SourceRow,
    crew: str,
    users: dict[str, str],
    size: str,
    request: pytest.FixtureRequest,
) -> None:
    if size == "many":
        request.getfixturevalue("many")
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    drafts.drain(engine)
    provision(engine, tenant.id, [RecordDelete(okta.id, users["cleo"])], actor="test")
    other = grouped(engine, okta, "Others")
    moved(engine, okta, other, add={users["ann"]: None})
    drafts.save(engine, tenant.id, draft_id, "eve", wait=True)
    assert roles(engine)["ann"] == ["instructor"]


def test_who_left_the_group_while_the_lock_was_waited_for_is_seen(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, crew: str, users: dict[str, str], many: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    from app.store import rules as rulebook

    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    drafts.drain(engine)
    real = rulebook.hold

    def hold(conn: sa.Connection, tenant_id: str, *, alone: bool = False) -> Any:
        if alone:
            monkeypatch.setattr(rulebook, "hold", real)
            moved(engine, okta, crew, remove=frozenset({users["bob"]}))
        return real(conn, tenant_id, alone=alone)

    monkeypatch.setattr(rulebook, "hold", hold)
    with pytest.raises(StaleDraftError):
        drafts.save(engine, tenant.id, draft_id, "eve")
    assert count(engine, t.mappings) == count(engine, t.runs) == 0


def test_a_change_of_the_rules_makes_a_large_draft_stale(
    engine: sa.Engine, tenant: Tenant, crew: str, many: None
) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    drafts.drain(engine)
    save(engine, tenant.id, [TRAINERS], actor="zoe")
    assert drafts.find(engine, tenant.id, draft_id).state == "stale"
    with pytest.raises(StaleDraftError, match="rules"):
        drafts.save(engine, tenant.id, draft_id, "eve")


def test_a_small_draft_survives_rules_that_leave_its_list_alone(engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    save(engine, tenant.id, [TRAINERS], actor="zoe")
    assert drafts.save(engine, tenant.id, draft_id, "eve").state == "complete"
    assert roles(engine)["ann"] == ["instructor"]


def test_a_group_that_was_renamed_since_is_still_the_one_that_was_shown(
    engine: sa.Engine, tenant: Tenant, crew: str
) -> None:
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    change(engine, t.groups, display_name="Staff")
    drafts.save(engine, tenant.id, draft_id, "eve")
    with reading(engine) as conn:
        (line,) = store.listing(conn, tenant.id)
    assert (line.group_id, line.match, line.state) == (crew, "Staff", "live")


def test_the_last_administrator_is_not_removed(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str]
) -> None:
    grouped(engine, okta, "Admins", [users["ann"]])
    save(engine, tenant.id, [Change("set", "group", "Admins", "admin", source="okta")], actor="eve")
    removal = Change("remove", "group", "Admins", source="okta")
    draft_id = drafts.begin(engine, tenant.id, [removal], "eve")
    assert drafts.find(engine, tenant.id, draft_id).removes_last_administrator
    with pytest.raises(LastAdministratorError):
        drafts.save(engine, tenant.id, draft_id, "eve")
    assert roles(engine)["ann"] == ["admin"]


def test_the_whole_list_is_a_file(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    users = pushed(engine, okta, "=1+1", "zed")
    grouped(engine, okta, "Crew", list(users.values()))
    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    rows = list(csv.DictReader("".join(drafts.to_csv(engine, tenant.id, draft_id)).splitlines()))
    assert [(row["change"], row["name"], row["role"], row["scope"]) for row in rows] == [
        ("gain", "'=1+1", "instructor", "tenant"),
        ("gain", "Zed", "instructor", "tenant"),
    ]


def test_what_cannot_be_is_told_at_once(engine: sa.Engine, tenant: Tenant) -> None:
    with pytest.raises(MappingError):
        drafts.begin(engine, tenant.id, [Change("set", "group", "Crew", "wizard", source="okta")], "eve")
    assert count(engine, drafts_table) == 0


def test_a_draft_belongs_to_its_tenant(engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    from app.store import tenants

    draft_id = drafts.begin(engine, tenant.id, [CREW], "eve")
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    with pytest.raises(NotFoundError):
        drafts.find(engine, other.id, draft_id)
    assert not drafts.stop(engine, other.id, draft_id)
    assert drafts.lines(engine, other.id, draft_id, "gain") == []


def test_old_drafts_are_forgotten(engine: sa.Engine, tenant: Tenant, crew: str) -> None:
    drafts.begin(engine, tenant.id, [CREW], "eve")
    change(engine, drafts_table, created_at=sa.text("now() - interval '8 days'"))
    with writing(engine) as conn:
        draft_people.forget(conn)
    for table in (drafts_table, mapping_draft_lines, mapping_draft_people):
        assert count(engine, table) == 0
