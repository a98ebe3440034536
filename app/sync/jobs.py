"""Background jobs, kept by Procrastinate in the same PostgreSQL.

    a write commits ──▶ wake(engine) ──▶ job `wake` ──▶ runs.drain     at once
    every five seconds ──────────────▶ job `sweep` ──▶ sweep.sweep    what a crash between COMMIT and wake left

A job carries nothing: it drains what the tables say is due. So one waiting job of a kind is enough, a lost one does no
harm, and a job whose worker died is dropped rather than tried again.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
import structlog
from procrastinate import App, JobContext, PsycopgConnector
from procrastinate.testing import InMemoryConnector

from app.store.engine import reading

STOP_SECONDS: Final = 20.0
SWEEP: Final = "* * * * * */5"  # cron with seconds last

_log = structlog.get_logger("jobs")
_jobs = App(connector=InMemoryConnector())

_WAKE: Final = sa.text(
    "INSERT INTO procrastinate_jobs (queue_name, task_name, queueing_lock) VALUES ('default', 'wake', 'wake')"
    " ON CONFLICT (queueing_lock) WHERE status = 'todo' DO NOTHING"
)
_DROP_STALLED: Final = sa.text("DELETE FROM procrastinate_jobs WHERE status = 'doing' AND worker_id IS NULL")


def wake(engine: sa.Engine) -> None:
    """Tells a worker that there is work. Call it after COMMIT: a worker that looks earlier sees nothing.

    It never raises: the write is done, and the sweep finds what this did not announce.
    """
    try:
        with reading(engine) as conn:
            conn.execute(_WAKE)
    except sa.exc.SQLAlchemyError as error:
        _log.warning("wake failed", error=type(error).__name__)


def work(url: str, engine: sa.Engine, *, wait: bool = True) -> None:
    """Runs jobs of the database at `url` until SIGTERM or SIGINT, or with `wait` false until none is due."""
    connector = PsycopgConnector(conninfo=url, min_size=1, max_size=4, kwargs={"application_name": "rollcall worker"})
    _jobs.with_connector(connector).run_worker(
        wait=wait,
        delete_jobs="always",
        shutdown_graceful_timeout=STOP_SECONDS,
        additional_context={"engine": engine},
    )


@_jobs.task(name="wake", pass_context=True)
def _wake(context: JobContext) -> None:
    from app.sync import runs

    runs.drain(_engine(context))


@_jobs.periodic(cron=SWEEP)
@_jobs.task(name="sweep", queueing_lock="sweep", pass_context=True)
def _sweep(context: JobContext, timestamp: int) -> None:
    from app.sync import sweep

    engine = _engine(context)
    with reading(engine) as conn:
        conn.execute(_DROP_STALLED)
    sweep.sweep(engine)


def _engine(context: JobContext) -> sa.Engine:
    return context.additional_context["engine"]
