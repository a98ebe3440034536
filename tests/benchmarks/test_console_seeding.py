"""What the console is timed with is what the write door would have left."""

from __future__ import annotations

import sqlalchemy as sa

from app.identity.writes import Rederive
from app.provisioning import provision
from app.store import audit
from app.store import tables as t
from app.store.engine import reading
from app.sync.mappings import Change, preview
from benchmarks.console_seeding import Seeded, seed


def seeded(engine: sa.Engine) -> Seeded:
    return seed(engine, people=150, written=50, large=120, groups=10, entries=20)


def test_deriving_again_changes_nobody(engine: sa.Engine) -> None:
    made = seeded(engine)
    with reading(engine) as conn:
        ids = [str(one) for one in conn.execute(sa.select(t.accounts.c.id)).scalars()]
    assert len(ids) == 150
    outcomes = provision(engine, made.tenant_id, [Rederive(one) for one in ids], actor="test")
    assert [outcome for outcome in outcomes if outcome.changed] == []
    roles = [outcome.after.roles for outcome in outcomes]
    assert (roles.count(("instructor",)), roles.count(("learner",))) == (3, 147)


def test_the_large_group_waits_for_a_mapping(engine: sa.Engine) -> None:
    made = seeded(engine)
    shown = preview(engine, made.tenant_id, [Change("set", "group", made.large_group, "manager", source="idp")])
    assert (shown.accounts, len(shown.gains)) == (120, 120)


def test_the_audit_chain_holds(engine: sa.Engine) -> None:
    made = seeded(engine)
    with reading(engine) as conn:
        assert audit.verify(conn, made.tenant_id)[1] is None
        counts = conn.execute(sa.select(t.ledger.c.counts)).scalar_one()
    assert counts == {f"{made.source_id}/User": 150, f"{made.source_id}/Group": 112}
