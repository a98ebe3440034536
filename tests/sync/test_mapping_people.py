"""People who are alike are derived once, from little: what comes out is what the write door makes of each of them."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa

from app.identity.model import RoleMapping
from app.identity.writes import Rederive
from app.provisioning import provision
from app.store import rules as rulebook
from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from app.sync import mapping_people
from app.sync.imports import submit
from app.sync.mapping_people import Scales, Turn, concerned
from app.sync.mappings import Change, plan, save
from tests.sync.groups import grouped, pushed
from tests.sync.people import hired, left

CHANGES = (
    Change("set", "group", "Crew 0", "manager", source="okta"),
    Change("set", "group", "All crews", "instructor", "branch:north", source="okta"),
    Change("set", "attribute", "Trainer", "instructor", attribute="title"),
    Change("set", "attribute", "Rigger", "manager", source="hr", attribute="title"),
    Change("remove", "group", "Crew 1", source="okta"),
)


@pytest.fixture
def town(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> None:
    """Forty people of two sources, in groups of groups, some of whom have left; two mappings are saved."""
    chosen = random.Random(7)
    users = list(pushed(engine, okta, *(f"p{number}" for number in range(40))).values())
    crews = [grouped(engine, okta, f"Crew {n}", chosen.sample(users, 9)) for n in range(3)]
    grouped(engine, okta, "All crews", [], crews)
    people = [hired(n, title=chosen.choice(("Trainer", "Rigger", "Clerk"))) for n in range(20)]
    submit(engine, tenant.id, hr, [*people, *(left(n) for n in range(20, 26))], actor="test", wait=True)
    first = [Change("set", "group", "Crew 1", "learner", source="okta"), CHANGES[2]]
    save(engine, tenant.id, first, actor="eve")


@pytest.mark.parametrize("page", [1_000, 7])
def test_the_preview_is_what_the_write_door_makes(
    engine: sa.Engine, tenant: Tenant, town: None, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mapping_people, "PAGE", page)
    with reading(engine) as conn:
        _, turn = plan(conn, tenant.id, CHANGES)
        ids = concerned(conn, tenant.id, turn) or []
        weighed = {one.account_id: one.outcome.lines for one in Scales(conn, tenant.id, turn).weigh(ids)}
    before = effective(engine)
    save(engine, tenant.id, CHANGES, actor="eve", wait=True)
    outcomes = provision(engine, tenant.id, [Rederive(one) for one in before], actor="test")
    assert [one for one in outcomes if one.changed] == []
    after = effective(engine)
    assert len(ids) > 20
    for account_id in before:
        lines = weighed.get(account_id, ())
        assert {line[1:] for line in lines if line[0] == "gain"} == after[account_id] - before[account_id]
        assert {line[1:] for line in lines if line[0] == "loss"} == before[account_id] - after[account_id]


def test_whom_lines_concern_is_told_alike_by_database_and_by_core(
    engine: sa.Engine, tenant: Tenant, town: None
) -> None:
    with reading(engine) as conn:
        everybody = [str(one) for one in conn.execute(sa.select(t.accounts.c.id)).scalars()]
        _, turn = plan(conn, tenant.id, CHANGES)
        for touched in [*((one,) for one in turn.touched), turn.touched]:
            some = Turn(turn.rules, turn.future, touched)
            found = [one.account_id for one in Scales(conn, tenant.id, some).weigh(everybody) if one.outcome.concerned]
            assert found == concerned(conn, tenant.id, some)


def test_more_than_the_limit_are_not_listed(engine: sa.Engine, tenant: Tenant, town: None) -> None:
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant.id)
        touched: tuple[RoleMapping, ...] = tuple(one for one in rules.mappings if one.kind == "group")
        turn = Turn(rules, replace(rules, mappings=()), touched)
        assert len(concerned(conn, tenant.id, turn, 9) or ()) == 9
        assert concerned(conn, tenant.id, turn, 8) is None


def effective(engine: sa.Engine) -> dict[str, set[tuple[str, str]]]:
    """Account id -> (scope, role) of effective grants."""
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.accounts.c.id, t.accounts.c.grants))
        return {
            str(row.id): {(grant["scope"], grant["role"]) for grant in row.grants if grant["effective"]} for row in rows
        }
