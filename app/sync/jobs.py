"""Background jobs, kept by Procrastinate in the same PostgreSQL.

    a write commits ──▶ wake(engine) ──▶ job `wake` ──▶ runs.drain     at once
    a file or a rule is to be planned ──▶ wake(engine, "plan") ──▶ job `plan` ──▶ planning.drain
    the role table is drafted ───────────▶ wake(engine, "draft") ─▶ job `draft` ──▶ drafts.drain
    a SCIM write commits, a request is kept ──▶ Teller ──▶ job `deliver`, `asynchronous` ──▶ the chore of that name
    every five seconds ──────────────▶ job `sweep` ──▶ sweep.sweep    what a crash between COMMIT and wake left

Chores are what this floor does not know: `work` is given them by name. Each runs beside the others, once at a time in a
process.

A job carries nothing: it drains what the tables say is due. So one waiting job of a kind is enough, a lost one does no
harm, and a job whose worker died is dropped rather than tried again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Final

import sqlalchemy as sa
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.testing import InMemoryConnector

from app.store.engine import reading

STOP_SECONDS: Final = 20.0
AT_ONCE: Final = 4  # a long run, a slow receiver or slow metadata keep nobody else waiting
TOLD_EVERY: Final = 0.2  # seconds; what comes in between, the sweep finds
SWEEP: Final = "* * * * * */5"  # cron with seconds last

_log = structlog.get_logger("jobs")
_UNDER_WAY: Final = {name: threading.Lock() for name in ("deliver", "asynchronous", "metadata", "logout")}
_jobs = App(connector=InMemoryConnector())

Chores = Mapping[str, Callable[[], None]]

_WAKE: Final = sa.text(
    "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock)"
    " VALUES ('default', CAST(:task AS text), CAST(:task AS text))"
    " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
_DROP_STALLED: Final = sa.text("DELETE FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL")


def wake(engine: sa.Engine, job: str = "wake") -> None:
    """Tells a worker that there is work. Call it after COMMIT: a worker that looks earlier sees nothing.

    `job` is wake (runs), plan or draft.

    It never raises: the write is done, and the sweep finds what this did not announce.
    """
    _announce(engine, job)


class Teller:
    """Tells a worker that a chore may have something to do, at most five times a second in a process."""

    def __init__(self, engine: sa.Engine, chore: str) -> None:
        self._engine, self._chore, self._last = engine, chore, -TOLD_EVERY

    def __call__(self) -> None:
        """Call it after COMMIT. It never raises."""
        now = time.monotonic()
        if now - self._last >= TOLD_EVERY:
            self._last = now
            _announce(self._engine, self._chore)


def work(url: str, engine: sa.Engine, chores: Chores | None = None, *, wait: bool = True) -> None:
    """Runs jobs of the database at `url` until SIGTERM or SIGINT, or with `wait` false until none is due."""
    connector = PsycopgConnector(conninfo=url, min_size=1, max_size=4, kwargs={"application_name": "rollcall worker"})
    # Not `with_connector`: periodic tasks would still be deferred through the connector that they were declared with.
    with _jobs.replace_connector(connector) as app:
        app.run_worker(
            wait=wait,
            concurrency=AT_ONCE,
            delete_jobs="always",
            shutdown_graceful_timeout=STOP_SECONDS,
            additional_context={"engine": engine, "chores": chores or {}},
        )


def _announce(engine: sa.Engine, task: str) -> None:
    try:
        with reading(engine) as conn:
            conn.execute(_WAKE, {"task": task})
    except sa.exc.SQLAlchemyError as error:
        _log.warning("wake failed", error=type(error).__name__)


@_jobs.task(name="wake", pass_context=True)
def _wake(context: JobContext) -> None:
    from app.sync import runs

    runs.drain(_engine(context))


@_jobs.task(name="plan", pass_context=True)
def _plan(context: JobContext) -> None:
    from app.sync import planning

    planning.drain(_engine(context))


@_jobs.task(name="draft", pass_context=True)
def _draft(context: JobContext) -> None:
    from app.sync import drafts

    drafts.drain(_engine(context))


@_jobs.periodic(cron=SWEEP)
@_jobs.task(name="sweep", queueing_lock="sweep", pass_context=True)
def _sweep(context: JobContext, timestamp: int) -> None:
    from app.sync import sweep

    engine = _engine(context)
    with reading(engine) as conn:
        conn.execute(_DROP_STALLED)
    for chore in context.additional_context["chores"]:
        _announce(engine, chore)
    sweep.sweep(engine)


@_jobs.task(name="deliver", pass_context=True)
def _deliver(context: JobContext) -> None:
    _chore(context, "deliver")


@_jobs.task(name="asynchronous", pass_context=True)
def _asynchronous(context: JobContext) -> None:
    _chore(context, "asynchronous")


@_jobs.task(name="metadata", pass_context=True)
def _metadata(context: JobContext) -> None:
    _chore(context, "metadata")


@_jobs.task(name="logout", pass_context=True)
def _logout(context: JobContext) -> None:
    _chore(context, "logout")


def _chore(context: JobContext, name: str) -> None:
    """At most once at a time in a process; between processes the chores keep order by what they claim.

    A job's own lock would not do: the job of a worker that was killed holds it until another worker starts.
    """
    chore = context.additional_context["chores"].get(name)
    under_way = _UNDER_WAY[name]
    if chore is not None and under_way.acquire(blocking=False):
        try:
            chore()
        finally:
            under_way.release()


def _engine(context: JobContext) -> sa.Engine:
    return context.additional_context["engine"]
