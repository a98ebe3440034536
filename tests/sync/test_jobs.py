"""Jobs: one wake is enough, and a worker drains what it announces."""

from __future__ import annotations

import os
import signal
import threading
from types import SimpleNamespace

import pytest
import sqlalchemy as sa

from app.store.engine import make_engine, reading, writing
from app.sync import drafts, jobs, runs, sweep

WAITING = "SELECT task_name, status::text FROM procrastinate_jobs ORDER BY id"


def _jobs(engine: sa.Engine) -> list[tuple[str, str]]:
    with reading(engine) as conn:
        return [tuple(row) for row in conn.exec_driver_sql(WAITING)]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    made: list[str] = []
    monkeypatch.setattr(runs, "drain", lambda engine: made.append("drain"))
    monkeypatch.setattr(sweep, "sweep", lambda engine: made.append("sweep"))
    return made


def test_many_wakes_wait_as_one_job(engine: sa.Engine) -> None:
    for _ in range(3):
        jobs.wake(engine)
    assert _jobs(engine) == [("wake", "todo")]


def test_a_worker_drains_and_forgets_the_job(engine: sa.Engine, database_url: str, calls: list[str]) -> None:
    jobs.wake(engine)
    jobs.work(database_url, engine, wait=False)
    assert "drain" in calls
    assert ("wake", "todo") not in _jobs(engine)


def test_a_worker_works_out_drafts(
    engine: sa.Engine, database_url: str, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drafts, "drain", lambda engine: calls.append("drafts"))
    jobs.wake(engine, "draft")
    jobs.work(database_url, engine, wait=False)
    assert "drafts" in calls


def test_a_wake_beside_a_running_job_is_kept(engine: sa.Engine) -> None:
    jobs.wake(engine)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE procrastinate_jobs SET status = 'doing'")
    jobs.wake(engine)
    assert _jobs(engine) == [("wake", "doing"), ("wake", "todo")]


def test_a_wake_never_fails_the_write_that_it_follows() -> None:
    jobs.wake(make_engine("postgresql://nobody@127.0.0.1:1/none", pool_size=1))


def test_a_chore_is_done_when_it_is_told_of(engine: sa.Engine, database_url: str, calls: list[str]) -> None:
    tell = jobs.Teller(engine, "deliver")
    tell()
    tell()  # at once again: the first says it all
    assert _jobs(engine) == [("deliver", "todo")]
    jobs.work(database_url, engine, {"deliver": lambda: calls.append("deliver")}, wait=False)
    assert "deliver" in calls


def test_a_sweep_finds_what_nobody_told_of(engine: sa.Engine, calls: list[str]) -> None:
    context = SimpleNamespace(additional_context={"engine": engine, "chores": {"deliver": calls.clear}})
    jobs._sweep(context, 0)
    assert calls == ["sweep"]
    assert _jobs(engine) == [("deliver", "todo")]


def test_a_worker_without_the_chore_lets_it_be(engine: sa.Engine, database_url: str, calls: list[str]) -> None:
    jobs.Teller(engine, "deliver")()
    jobs.work(database_url, engine, wait=False)
    assert ("deliver", "todo") not in _jobs(engine)


def test_a_killed_worker_does_not_keep_others_from_a_chore(
    engine: sa.Engine, database_url: str, calls: list[str]
) -> None:
    jobs.Teller(engine, "deliver")()
    with writing(engine) as conn:
        conn.exec_driver_sql("INSERT INTO procrastinate_workers DEFAULT VALUES")
        conn.exec_driver_sql(
            "UPDATE procrastinate_jobs SET status = 'doing', worker_id = (SELECT max(id) FROM procrastinate_workers)"
        )
    jobs.Teller(engine, "deliver")()
    jobs.work(database_url, engine, {"deliver": lambda: calls.append("deliver")}, wait=False)
    assert "deliver" in calls


def test_a_chore_that_is_under_way_is_not_begun_again(calls: list[str]) -> None:
    def chore() -> None:
        calls.append("deliver")
        jobs._chore(context, "deliver")

    context = SimpleNamespace(additional_context={"chores": {"deliver": chore}})
    jobs._chore(context, "deliver")
    jobs._chore(context, "deliver")
    assert calls == ["deliver", "deliver"]


def test_the_sweep_comes_by_itself(
    engine: sa.Engine, database_url: str, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that is told of nothing sweeps: it defers the sweep into the database that it works on."""

    def swept(_engine: sa.Engine) -> None:
        calls.append("sweep")
        os.kill(os.getpid(), signal.SIGTERM)  # which ends the worker

    monkeypatch.setattr(sweep, "sweep", swept)
    limit = threading.Timer(60, os.kill, (os.getpid(), signal.SIGTERM))
    limit.start()
    jobs.work(database_url, engine)
    limit.cancel()
    assert "sweep" in calls
