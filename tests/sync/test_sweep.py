from __future__ import annotations

from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.provisioning import new_id, provision
from app.sources.hr import to_write
from app.store import rules as rulebook
from app.store import runs as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync.imports import submit
from app.sync.sweep import sweep
from tests.sync.people import change, hired, left


def test_who_named_a_manager_unknown_then_is_derived_again(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(1, manager="1002"), hired(2)], actor="test")
    with writing(engine) as conn:  # as if the process had died before it told them
        conn.execute(sa.update(t.manager_keys).values(resolved=False))
        conn.execute(sa.update(t.accounts).values(manager_id=None, managers={}))
    sweep(engine)
    with reading(engine) as conn:
        managers = conn.execute(sa.select(t.accounts.c.manager_id)).scalars().all()
        assert sum(one is not None for one in managers) == 1
        assert conn.execute(sa.select(t.manager_keys.c.resolved)).scalars().all() == [True]


def test_a_key_that_leads_nowhere_new_is_not_found_for_ever(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(1, manager="1001")], actor="test")  # nobody leads himself
    change(engine, t.manager_keys, resolved=False)
    sweep(engine)
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.manager_keys.c.resolved)).scalars().all() == [True]


def test_held_plans_expire_and_queued_runs_are_carried_out(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> None:
    submit(engine, tenant.id, hr, [hired(number) for number in range(10)], actor="test")
    held = submit(engine, tenant.id, hr, [left(number) for number in range(10)], actor="test")
    with writing(engine) as conn:
        account_id = conn.execute(sa.select(t.accounts.c.id).limit(1)).scalar_one()
        queued = store.queue(conn, tenant.id, kind="group", actor="x", account_ids=[account_id], summary={})
    sweep(engine, datetime.now(UTC) + timedelta(days=6))
    with reading(engine) as conn:
        assert store.find(conn, tenant.id, held.run_id or "").state == "held"
        assert store.find(conn, tenant.id, queued).state == "complete"
    sweep(engine, datetime.now(UTC) + timedelta(days=8))
    with reading(engine) as conn:
        assert store.find(conn, tenant.id, held.run_id or "").state == "expired"


def test_a_group_does_not_wait_for_a_run_that_is_gone(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    now = datetime.now(UTC)
    row = {"source_id": okta.id, "display_name": "Trainers", "created_at": now, "updated_at": now}
    with writing(engine) as conn:
        conn.execute(sa.insert(t.groups).values(tenant_id=tenant.id, id=new_id(), pending_run_id=new_id(), **row))
    sweep(engine)
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.groups.c.pending_run_id)).scalar_one() is None


def test_a_last_day_that_is_over_ends_access_without_another_word_from_hr(engine, tenant, hr) -> None:
    record = {"id": "7", "status": "active", "email": "eve@x.org", "endDate": "2026-12-01", "timezone": "Asia/Tokyo"}
    with reading(engine) as conn:
        source = rulebook.current(conn, tenant.id).sources[hr.id]
    said = datetime(2026, 11, 25, 12, tzinfo=UTC)
    [made] = provision(engine, tenant.id, [to_write(source, record, said)], actor="test", now=said)
    assert made.after.status == "active"
    sweep(engine, datetime(2026, 12, 1, 14, 59, tzinfo=UTC))
    assert _status(engine, made.after.id) == "active"
    sweep(engine, datetime(2026, 12, 1, 15, 0, tzinfo=UTC))  # midnight in Tokyo
    assert _status(engine, made.after.id) == "inactive"


def test_a_first_day_opens_access(engine, tenant, hr) -> None:
    record = {"id": "7", "status": "active", "email": "eve@x.org", "startDate": "2026-12-01"}
    with reading(engine) as conn:
        source = rulebook.current(conn, tenant.id).sources[hr.id]
    said = datetime(2026, 11, 25, 12, tzinfo=UTC)
    [made] = provision(engine, tenant.id, [to_write(source, record, said)], actor="test", now=said)
    assert made.after.status == "inactive"
    sweep(engine, datetime(2026, 12, 1, 0, 1, tzinfo=UTC))
    assert _status(engine, made.after.id) == "active"


def _status(engine, account_id: str) -> str:
    with reading(engine) as conn:
        return str(conn.execute(sa.select(t.accounts.c.status).where(t.accounts.c.id == account_id)).scalar_one())
