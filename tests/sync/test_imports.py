from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.sources.hr import Invalid
from app.store import audit
from app.store import runs as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync import imports, runs
from app.sync.imports import ClosedSourceError, EmptyImportError, NotHeldError, allow, reject, submit
from tests.sync.people import change, count, hired, left, map_title, statuses


@pytest.fixture
def ten(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    """Ten people of the HR system, all active."""
    done = submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    assert done.state == "complete"


def held(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> str:
    """A held run: seven of ten left."""
    records = [*(left(number) for number in range(7)), hired(7), hired(8, title="Coach"), hired(9)]
    submission = submit(engine, tenant.id, hr, records, actor="test")
    assert submission.state == "held"
    assert submission.run_id is not None
    return submission.run_id


def test_an_import_makes_accounts(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    assert set(statuses(engine).values()) == {"active"}
    assert count(engine, t.run_changes) == 0  # what was applied is in the audit, not kept twice
    with reading(engine) as conn:
        (run,) = store.listing(conn, tenant.id)
        assert (run.state, run.position, run.total) == ("complete", 10, 10)
        assert run.summary["counts"]["created"] == 10
        assert audit.verify(conn, tenant.id)[1] is None


def test_repeating_an_import_changes_nothing(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    events = count(engine, t.events)
    again = submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    assert again.state == "complete"
    assert again.plan is not None
    assert again.plan.counts["unchanged"] == 10
    assert count(engine, t.events) == events


def test_a_mass_leave_is_held_before_the_first_write(
    engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None
) -> None:
    events = count(engine, t.events)
    run_id = held(engine, tenant, hr)
    assert set(statuses(engine).values()) == {"active"}
    assert count(engine, t.events) == events
    with reading(engine) as conn:
        run = store.find(conn, tenant.id, run_id)
        listed = store.due(conn, run, 0, 100)
    assert run.summary["losses"] == 7
    assert "7 of 10 people" in run.summary["verdict"]
    assert [change.payload["effect"] for change in listed] == ["deactivated"] * 7 + ["updated"]
    assert ["status", "active", "inactive"] in listed[0].payload["changes"]
    assert runs.drain(engine) == 0  # nobody applies what is held


def test_a_held_list_is_allowed_once(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    run_id = held(engine, tenant, hr)
    done = allow(engine, tenant.id, run_id, "eve")
    assert (done.state, done.not_applied) == ("complete", ())
    assert sorted(statuses(engine).values()) == ["active"] * 3 + ["inactive"] * 7
    with pytest.raises(NotHeldError):
        allow(engine, tenant.id, run_id, "eve")
    with reading(engine) as conn:
        assert store.find(conn, tenant.id, run_id).summary["allowedBy"] == "eve"
        actions = (
            conn.execute(sa.select(t.audit.c.action).where(t.audit.c.subject == run_id).order_by(t.audit.c.number))
            .scalars()
            .all()
        )
    assert actions == ["import.held", "run.allowed"]


def test_allowing_drops_lines_whose_cause_is_gone_and_adds_none(
    engine: sa.Engine, tenant: Tenant, hr: SourceRow, okta: SourceRow, ten: None
) -> None:
    map_title(engine, tenant.id, "Trainer", "instructor")
    submit(engine, tenant.id, hr, [hired(8, title="Boss")], actor="test")
    submit(engine, tenant.id, hr, [hired(8)], actor="test")  # now an instructor by the new mapping
    run_id = held(engine, tenant, hr)
    # Since the plan was made, p-0 was suspended by hand, so that his leaving takes nothing away any more.
    with writing(engine) as conn:
        first = sa.text(
            "UPDATE accounts SET suspended = true, status = 'inactive', grants = '[]', roles = '{}'"
            " WHERE attributes ->> 'employeeNumber' = '1000'"
        )
        conn.execute(first)
    done = allow(engine, tenant.id, run_id, "eve")
    assert [(one["key"], one["name"]) for one in done.not_applied] == [("p-0", "Person 0000")]
    assert "planned as deactivated" in done.not_applied[0]["outcome"]
    assert sorted(statuses(engine).values()) == ["active"] * 3 + ["inactive"] * 7


def test_a_newer_read_takes_the_place_of_a_held_one(
    engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None
) -> None:
    old = held(engine, tenant, hr)
    new = held(engine, tenant, hr)
    with reading(engine) as conn:
        assert store.find(conn, tenant.id, old).state == "expired"
        assert store.find(conn, tenant.id, new).state == "held"
    # An export that was mended says that nobody left: the held list is empty then, and gone.
    submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    with pytest.raises(NotHeldError):
        allow(engine, tenant.id, new, "eve")
    assert set(statuses(engine).values()) == {"active"}


def test_a_newer_word_about_one_person_leaves_the_others_in_the_held_list(
    engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None
) -> None:
    run_id = held(engine, tenant, hr)
    submit(engine, tenant.id, hr, [hired(0)], actor="test")
    done = allow(engine, tenant.id, run_id, "eve")
    assert [one["key"] for one in done.not_applied] == ["p-0"]
    assert statuses(engine)["1000"] == "active"
    assert sorted(statuses(engine).values()) == ["active"] * 4 + ["inactive"] * 6


def test_a_held_list_is_rejected_or_expires(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    run_id = held(engine, tenant, hr)
    reject(engine, tenant.id, run_id, "eve")
    with pytest.raises(NotHeldError):
        allow(engine, tenant.id, run_id, "eve")
    late = held(engine, tenant, hr)
    with pytest.raises(NotHeldError):
        allow(engine, tenant.id, late, "eve", now=datetime.now(UTC) + timedelta(days=8))
    assert set(statuses(engine).values()) == {"active"}


def test_small_losses_add_up_within_a_day(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    first = submit(engine, tenant.id, hr, [left(number) for number in range(3)], actor="test")
    assert first.state == "complete"
    second = submit(engine, tenant.id, hr, [left(number) for number in range(3, 6)], actor="test")
    assert second.state == "held"
    assert second.plan is not None
    assert second.plan.verdict.reason.endswith("3 of them did within the last 24 hours.")
    change(engine, t.runs, created_at=datetime.now(UTC) - timedelta(days=2))
    assert submit(engine, tenant.id, hr, [left(number) for number in range(3, 6)], actor="test").state == "complete"


def test_the_tenant_sets_the_threshold(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    change(engine, t.tenants, settings={"guard": {"share": 0.0, "floor": 0}})
    assert submit(engine, tenant.id, hr, [left(1)], actor="test").state == "held"
    change(engine, t.tenants, settings={"guard": {"share": 1.0, "floor": 0}})
    assert submit(engine, tenant.id, hr, [left(number) for number in range(9)], actor="test").state == "complete"


def test_losing_a_role_counts_and_a_promotion_does_not(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    map_title(engine, tenant.id, "Trainer", "instructor")
    map_title(engine, tenant.id, "Boss", "admin")
    submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    up = submit(engine, tenant.id, hr, [hired(number, title="Boss") for number in range(10)], actor="test")
    assert (up.state, up.plan and up.plan.losses) == ("complete", 0)
    down = submit(engine, tenant.id, hr, [hired(number, title="Trainer") for number in range(8)], actor="test")
    assert down.state == "held"
    assert down.plan is not None
    assert down.plan.counts["role loss"] == 8


def test_a_dry_run_tells_what_the_real_run_does(engine: sa.Engine, tenant: Tenant, hr: SourceRow, ten: None) -> None:
    records = [left(0), hired(1, title="Coach"), hired(2), hired(11)]
    events = count(engine, t.events)
    dry = submit(engine, tenant.id, hr, records, actor="test", dry_run=True)
    assert (dry.run_id, dry.state) == (None, "planned")
    assert count(engine, t.events) == events
    real = submit(engine, tenant.id, hr, records, actor="test")
    assert dry.plan is not None
    assert dry.plan == real.plan
    assert dict(dry.plan.counts) == {
        "created": 1, "updated": 1, "deactivated": 1, "role loss": 0, "unchanged": 1, "refused": 0,
    }  # fmt: skip
    assert statuses(engine)["1000"] == "inactive"
    assert count(engine, t.events) == events + 4  # the leaver: deactivated, and updated


def test_more_than_a_chunk_goes_to_a_worker(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    done = submit(engine, tenant.id, hr, [hired(number) for number in range(501)], actor="test")
    assert done.state == "queued"
    assert count(engine, t.accounts) == 0
    assert runs.drain(engine) == 1
    assert count(engine, t.accounts) == 501
    assert runs.drain(engine) == 0


def test_no_record_is_an_error_and_a_wrong_one_stops_all(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    with pytest.raises(EmptyImportError):
        submit(engine, tenant.id, hr, [], actor="test")
    with pytest.raises(Invalid):
        submit(engine, tenant.id, hr, [hired(1), {"id": "p-2", "status": 7}], actor="test")
    assert count(engine, t.accounts) == 0


def test_a_retired_source_is_not_heard(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    change(engine, t.sources, state="retired")
    change(engine, t.tenants, revision=99)
    with pytest.raises(ClosedSourceError):
        submit(engine, tenant.id, hr, [hired(1)], actor="test")


def test_fields_that_nobody_knows_are_reported(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    done = imports.submit(engine, tenant.id, hr, [hired(1, badgeColour="red")], actor="test")
    assert done.drift == {"badgeColour": 1}
    assert count(engine, t.drift) == 1
