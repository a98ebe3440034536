from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.adapters import health as looks
from app.adapters.audited import audited
from app.adapters.health import TroubleError, checks
from app.settings import load
from app.store import health, receivers
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.health import Database, Work
from app.store.tenants import Tenant, create
from app.sync import jobs

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BASE = Database("18.1", 3 * 2**30, 10, 100, NOW, True)
WORK = Work(1, NOW, 0, 0, 0, None)


def test_a_healthy_database_is_called_so() -> None:
    assert looks.version(BASE) == "version 18.1, 3.0 GiB"
    assert looks.connections(BASE) == "10 of 100 connections taken"
    assert looks.worker(WORK, NOW + timedelta(seconds=9)) == "1 at work, heard of 9 s ago"
    assert looks.jobs(replace(WORK, waiting=3, oldest_waiting_at=NOW), NOW) == "3 wait, 0 run"
    assert looks.clocks(NOW, NOW + timedelta(seconds=4))


@pytest.mark.parametrize(
    ("look", "says"),
    [
        (lambda: looks.version(replace(BASE, version="13.9")), "14 or newer"),
        (lambda: looks.revision(False), "rollcall db upgrade"),
        (lambda: looks.connections(replace(BASE, connections=90)), "90 of 100"),
        (lambda: looks.clocks(NOW, NOW + timedelta(seconds=61)), "61 s apart"),
        (lambda: looks.worker(replace(WORK, heard_at=None), NOW), "no worker has run"),
        (lambda: looks.worker(WORK, NOW + timedelta(minutes=3)), "no worker was heard of for 3 min"),
        (lambda: looks.jobs(replace(WORK, waiting=1, oldest_waiting_at=NOW), NOW + timedelta(hours=3)), "for 3 h"),
        (lambda: looks.jobs(replace(WORK, failed=2), NOW), "2 jobs failed"),
    ],
)
def test_what_is_wrong_is_said_with_what_to_do(look: object, says: str) -> None:
    assert callable(look)
    with pytest.raises(TroubleError, match=says):
        look()


def test_all_is_looked_at(engine: sa.Engine, tmp_path: Path) -> None:
    settings = load({"ROLLCALL_DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://elsewhere"})
    found = {one.name: one for one in checks(engine, settings)}
    assert [name for name, one in found.items() if not one.ok] == ["worker"]
    jobs.wake(engine)
    with writing(engine) as conn:
        conn.execute(sa.text("INSERT INTO procrastinate_workers DEFAULT VALUES"))
    assert all(one.ok for one in checks(engine, settings))
    with reading(engine) as conn:
        work = health.work(conn)
        assert (work.workers, work.waiting, work.failed) == (1, 1, 0)
        assert work.oldest_waiting_at is not None
    found = {one.name: one for one in checks(engine, settings, datetime.now(UTC) + timedelta(hours=1))}
    assert not found["clocks"].ok


def test_who_has_not_heard_everything(engine: sa.Engine, tenant: Tenant) -> None:
    said = {"source_id": None, "audience": "a", "events": [], "external_id": False, "token": None}
    with writing(engine) as conn:
        receivers.add(conn, tenant.id, url="https://a.test", **said)  # type: ignore[arg-type]
        assert health.behind(conn, tenant.id) == []
    for number in range(2):
        audited(engine, tenant.id, lambda _conn, n=number: (None, [Entry("a", "b", "c", {"n": n})]))  # type: ignore[misc]
    with writing(engine) as conn:
        other = create(conn, "other")
        [late] = health.behind(conn, tenant.id)
        first = conn.execute(sa.text("SELECT at FROM audit WHERE number = 1")).scalar_one()
        assert health.behind(conn, other.id) == []
    assert (late.url, late.waiting, late.oldest_at) == ("https://a.test", 2, first)
