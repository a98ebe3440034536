"""Roles are made, changed and removed; what that does to people is shown before."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import audit
from app.store import mappings as store
from app.store import rules as rulebook
from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import NotFoundError, SourceRow, Tenant
from app.sync import roles as acts
from app.sync.mappings import Change, LastAdministratorError, PreviewChangedError, save
from app.sync.roles import RoleChange, RoleError
from tests.sync.groups import grouped, pushed
from tests.sync.test_mappings import roles


@pytest.fixture(autouse=True)
def crew(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    """Ann is in a group of instructors and in one of managers; managers rank higher."""
    users = pushed(engine, okta, "ann")
    for name, role in (("Crew", "instructor"), ("Leads", "manager")):
        grouped(engine, okta, name, list(users.values()))
        save(engine, tenant.id, [Change("set", "group", name, role, source="okta")], actor="eve")


def test_a_rank_that_turns_roles_is_shown_and_saved(engine: sa.Engine, tenant: Tenant) -> None:
    assert roles(engine) == {"ann": ["manager"]}
    higher = RoleChange("instructor", rank=70)
    shown = acts.preview(engine, tenant.id, higher)
    assert [(one.name, one.role) for one in shown.gains] == [("Ann", "instructor")]
    assert [(one.name, one.role) for one in shown.losses] == [("Ann", "manager")]
    with pytest.raises(PreviewChangedError):
        acts.save(engine, tenant.id, higher, actor="eve", expected_hash="0")
    saved = acts.save(engine, tenant.id, higher, actor="eve", expected_hash=shown.hash)
    assert saved.state == "complete"
    assert roles(engine) == {"ann": ["instructor"]}
    with reading(engine) as conn:
        entry = conn.execute(sa.select(t.audit).where(t.audit.c.action == "role.saved")).one()
        assert audit.verify(conn, tenant.id)[1] is None
    assert (entry.actor, entry.subject) == ("eve", "instructor")
    assert (entry.facts["before"]["rank"], entry.facts["after"]["rank"]) == (50, 70)


def test_a_new_role_concerns_nobody(engine: sa.Engine, tenant: Tenant) -> None:
    saved = acts.save(engine, tenant.id, RoleChange("mentor", 55, False, "auditor", " Helps. "), actor="eve")
    assert (saved.preview.accounts, saved.run_id) == (0, None)
    with reading(engine) as conn:
        (row,) = [one for one in store.roles(conn, tenant.id) if one.name == "mentor"]
        rules = rulebook.current(conn, tenant.id)
    assert (row.rank, row.administrator, row.console, row.description) == (55, False, "auditor", "Helps.")
    assert rules.roles["mentor"].console == "auditor"
    again = acts.save(engine, tenant.id, RoleChange("mentor"), actor="eve")
    assert again.revision == saved.revision


def test_a_description_derives_nobody(engine: sa.Engine, tenant: Tenant) -> None:
    saved = acts.save(engine, tenant.id, RoleChange("manager", description="Leads.", console=""), actor="eve")
    assert (saved.preview.accounts, saved.run_id) == (0, None)


def test_the_last_administrator_role_stays_one(engine: sa.Engine, tenant: Tenant) -> None:
    acts.save(engine, tenant.id, RoleChange("manager", administrator=True), actor="eve")
    with pytest.raises(LastAdministratorError):
        acts.save(engine, tenant.id, RoleChange("manager", administrator=False), actor="eve")
    with reading(engine) as conn:
        assert rulebook.current(conn, tenant.id).roles["manager"].administrator


def test_only_a_role_that_is_not_used_is_removed(engine: sa.Engine, tenant: Tenant) -> None:
    with pytest.raises(RoleError, match="role table"):
        acts.remove(engine, tenant.id, "manager", actor="eve")
    with pytest.raises(RoleError, match="administers"):
        acts.remove(engine, tenant.id, "admin", actor="eve")
    with pytest.raises(NotFoundError):
        acts.remove(engine, tenant.id, "wizard", actor="eve")
    acts.remove(engine, tenant.id, "learner", actor="eve")
    with reading(engine) as conn:
        assert "learner" not in rulebook.current(conn, tenant.id).roles
        assert conn.execute(sa.select(t.audit).where(t.audit.c.action == "role.removed")).one().subject == "learner"


@pytest.mark.parametrize(
    "wrong",
    [
        RoleChange(" padded"),
        RoleChange(""),
        RoleChange("x" * 65),
        RoleChange("learner", rank=-1),
        RoleChange("learner", rank=1_001),
        RoleChange("learner", console="emperor"),
    ],
)
def test_what_cannot_be_is_told(engine: sa.Engine, tenant: Tenant, wrong: RoleChange) -> None:
    with pytest.raises(RoleError):
        acts.save(engine, tenant.id, wrong, actor="eve")
