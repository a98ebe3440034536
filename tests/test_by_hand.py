"""What people decide about one account, through the write door."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa

from app.identity.writes import ByHand, LastAdministratorError, NotByHandError, Outcome, RecordGoneError, Rederive
from app.provisioning import new_id, provision
from app.store import audit, sessions
from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from tests.signed_in import sign_in
from tests.test_provisioning import hris, idp, one


def entries(engine: sa.Engine, *actions: str) -> list[Any]:
    with reading(engine) as conn:
        chosen = sa.select(t.audit).where(t.audit.c.action.in_(actions)).order_by(t.audit.c.number)
        return list(conn.execute(chosen))


def test_a_value_set_by_hand_stays_until_it_is_taken_back(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow
) -> None:
    ada = one(engine, tenant, idp(okta, "ada@x.org", title="Coder")).after.id
    set_ = one(engine, tenant, ByHand(ada, values={"title": "Chief"}, note="asked"))
    assert (set_.after.attributes["title"], set_.after.lineage["title"].rule, set_.changed) == (
        "Chief",
        "by hand",
        True,
    )
    one(engine, tenant, hris(hr, "1", title="Engineer", **{"emails.work": "ada@x.org"}))
    assert one(engine, tenant, Rederive(ada)).after.attributes["title"] == "Chief"
    back = one(engine, tenant, ByHand(ada, taken_back=frozenset({"title"})))
    assert back.after.attributes["title"] == "Engineer"
    told = entries(engine, "account.value_set", "account.value_taken_back")
    assert [(row.action, row.actor, row.subject) for row in told] == [
        ("account.value_set", "test", ada),
        ("account.value_taken_back", "test", ada),
    ]
    assert told[0].personal == {"title": "Chief", "note": "asked"}
    with reading(engine) as conn:
        assert audit.verify(conn, tenant.id)[1] is None


def test_the_same_decision_again_changes_and_tells_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    ada = one(engine, tenant, idp(okta, "ada@x.org", title="Coder")).after.id
    one(engine, tenant, ByHand(ada, values={"title": "Chief"}))
    again = one(engine, tenant, ByHand(ada, values={"title": "Chief"}))
    assert not again.changed
    assert len(entries(engine, "account.value_set")) == 1


def test_a_dry_run_decides_and_saves_nothing(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    ada = one(engine, tenant, idp(okta, "ada@x.org", title="Coder")).after.id
    assert one(engine, tenant, ByHand(ada, suspended=True), dry_run=True).after.status == "inactive"
    assert one(engine, tenant, Rederive(ada)).after.status == "active"


def test_whoever_is_suspended_is_out_until_reinstated(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    made = one(engine, tenant, idp(okta, "ada@x.org"))
    ada = made.after.id
    signed_in = sign_in(engine, tenant.id, ada)
    assert one(engine, tenant, ByHand(ada, suspended=True)).after.status == "inactive"
    with reading(engine) as conn:
        assert sessions.find(conn, tenant.id, signed_in.secret) is None
    one(engine, tenant, idp(okta, "ada@x.org", id=made.record_id, title="Still here"))
    assert one(engine, tenant, Rederive(ada)).after.status == "inactive"
    assert one(engine, tenant, ByHand(ada, suspended=False)).after.status == "active"
    assert [row.action for row in entries(engine, "account.suspended", "account.reinstated")] == [
        "account.suspended",
        "account.reinstated",
    ]


def test_a_role_given_by_hand_is_held_until_it_is_taken(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    ada = one(engine, tenant, idp(okta, "ada@x.org")).after.id
    given = one(engine, tenant, ByHand(ada, given=frozenset({("instructor", "tenant"), ("learner", "course:7")})))
    assert given.after.roles == ("instructor",)
    with reading(engine) as conn:
        kept = conn.execute(sa.select(t.grants.c.role, t.grants.c.scope, t.grants.c.rule).order_by("role")).all()
    assert [tuple(row) for row in kept] == [("instructor", "tenant", "hand"), ("learner", "course:7", "hand")]
    taken = one(engine, tenant, ByHand(ada, taken=frozenset({("instructor", "tenant")})))
    assert taken.after.roles == ()
    with pytest.raises(NotByHandError):
        one(engine, tenant, ByHand(ada, taken=frozenset({("instructor", "tenant")})))


@pytest.mark.parametrize("losing", [{"taken": frozenset({("admin", "tenant")})}, {"suspended": True}])
def test_the_last_administrator_is_not_removed_by_hand(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, losing: dict[str, Any]
) -> None:
    with reading(engine) as conn:
        [admin] = conn.execute(sa.select(t.roles.c.name).where(t.roles.c.administrator)).scalars()
    if "taken" in losing:
        losing = {"taken": frozenset({(admin, "tenant")})}
    boss, deputy = (one(engine, tenant, idp(okta, name)).after.id for name in ("boss@x.org", "deputy@x.org"))
    one(engine, tenant, ByHand(boss, given=frozenset({(admin, "tenant")})))
    with pytest.raises(LastAdministratorError):
        one(engine, tenant, ByHand(boss, **losing))
    assert one(engine, tenant, Rederive(boss)).after.roles == (admin,)
    one(engine, tenant, ByHand(deputy, given=frozenset({(admin, "tenant")})))
    assert one(engine, tenant, ByHand(boss, **losing)).after.roles == ()


def test_a_manager_is_chosen_but_no_circle_made(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    low, middle, top = (one(engine, tenant, idp(okta, f"{name}@x.org")).after.id for name in ("low", "mid", "top"))
    assert one(engine, tenant, ByHand(low, values={"manager": middle})).after.manager_id == middle
    one(engine, tenant, ByHand(middle, values={"manager": top}))
    for chosen in (low, top):
        with pytest.raises(NotByHandError, match="nobody leads a superior"):
            one(engine, tenant, ByHand(top, values={"manager": chosen}))
    with pytest.raises(NotByHandError, match="no account"):
        one(engine, tenant, ByHand(low, values={"manager": new_id()}))
    assert one(engine, tenant, Rederive(low)).after.manager_id == middle


def test_nobody_of_another_tenant_is_decided_about(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    with pytest.raises(RecordGoneError):
        provision(engine, tenant.id, [ByHand(new_id(), suspended=True)], actor="test")


def test_one_transaction_takes_several_decisions(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    ada = one(engine, tenant, idp(okta, "ada@x.org", title="Coder")).after.id
    writes = [ByHand(ada, values={"title": "Chief"}), ByHand(ada, values={"nickName": "A"})]
    outcomes: list[Outcome] = provision(engine, tenant.id, writes, actor="test")
    assert {outcome.after.attributes["title"] for outcome in outcomes} == {"Chief"}
    assert outcomes[0].after.manual == {"title": "Chief", "nickName": "A"}
