"""The way to PostgreSQL: one engine a process, reads in autocommit, a write is one transaction.

    reading(engine)   each statement on its own: BEGIN and ROLLBACK around one read would double its time
    writing(engine)   READ COMMITTED; waits for a lock no longer than the engine's `lock_timeout`

Documents travel as JSONB through orjson, in both directions.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import orjson
import psycopg
import sqlalchemy as sa
from psycopg.types.json import set_json_dumps, set_json_loads
from psycopg.types.string import TextLoader
from sqlalchemy.pool import NullPool

from app.store.driver import begin, commit, rollback

OLDEST_SERVER: Final = 14
APPLICATION: Final = "rollcall"


class ServerTooOldError(RuntimeError):
    """The server is a PostgreSQL older than 14."""


def sqlalchemy_url(url: str) -> sa.URL:
    """`url` (postgresql://…) with the driver named."""
    return sa.make_url(url).set(drivername="postgresql+psycopg")


def make_engine(url: str, *, pool_size: int = 5, lock_timeout_ms: int = 3000) -> sa.Engine:
    """An engine of at most `pool_size` connections; a caller waits up to 5 s for one.

    The time-outs are set once a connection, by its start-up options, and so cost no statement.
    """
    engine = sa.create_engine(
        sqlalchemy_url(url),
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,  # whoever opens a transaction ends it: `writing`
        pool_size=pool_size,
        max_overflow=0,
        pool_timeout=5,
        pool_recycle=1800,
        # psycopg prepares nothing: a ROLLBACK TO SAVEPOINT would drop what `driver` prepared together with its own.
        connect_args=_connect_args(lock_timeout_ms) | {"prepare_threshold": None},
        json_serializer=dumps,
        json_deserializer=orjson.loads,
        hide_parameters=True,  # errors are logged, and what was to be stored is somebody's
    )
    _forget_broken(engine)
    return engine


def make_migration_engine(url: str, *, lock_timeout_ms: int) -> sa.Engine:
    """An engine that keeps no connection: for a parent process that forks, and for migrations."""
    return sa.create_engine(sqlalchemy_url(url), poolclass=NullPool, connect_args=_connect_args(lock_timeout_ms))


@contextmanager
def reading(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A connection in autocommit, as the engine makes them."""
    with engine.connect() as conn:
        yield conn


@contextmanager
def writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    """One transaction: committed at the end of the block, rolled back by an exception."""
    with engine.connect() as conn:
        begin(conn)
        try:
            yield conn
        except BaseException:
            rollback(conn)
            raise
        commit(conn)


@contextmanager
def snapshot(engine: sa.Engine) -> Iterator[sa.Connection]:
    """Several reads of one moment; nothing can be written."""
    with writing(engine) as conn:
        conn.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield conn


def check_server(conn: sa.Connection) -> int:
    """The server's major version.

    Raises:
        ServerTooOldError: it is older than 14.
    """
    major = int(conn.exec_driver_sql("SHOW server_version_num").scalar_one()) // 10000
    if major < OLDEST_SERVER:
        raise ServerTooOldError(f"PostgreSQL {OLDEST_SERVER} or newer is needed; this server is {major}")
    return major


def dumps(value: Any) -> str:
    """JSON text. Keys must be text; UUIDs and datetimes are written as text."""
    return orjson.dumps(value).decode()


def _connect_args(lock_timeout_ms: int) -> dict[str, Any]:
    # One plan a statement, whatever its values: planning the write door's statements anew each time cost more than
    # running them. What needs a plan by its values (a search) sends them inside its text, see `planned_by_values`.
    options = (
        f"-c lock_timeout={lock_timeout_ms} -c timezone=UTC -c idle_in_transaction_session_timeout=60000"
        " -c plan_cache_mode=force_generic_plan -c jit=off"
        # A generic plan takes a set of unknown size for 100 rows; at the default's 4 it would rather read a table of
        # 20,000 from end to end than look up so many (tests/proofs/test_plans.py).
        " -c random_page_cost=1.1"
    )
    return {"options": options, "application_name": APPLICATION, "connect_timeout": 10}


def _forget_broken(engine: sa.Engine) -> None:
    """After a server restart the pool's other connections are dead as well: SQLAlchemy drops them all on the first."""

    @sa.event.listens_for(engine, "handle_error")
    def _mark(context: sa.engine.ExceptionContext) -> None:
        if isinstance(context.original_exception, psycopg.errors.AdminShutdown):
            context.is_disconnect = True


set_json_dumps(orjson.dumps)
set_json_loads(orjson.loads)
psycopg.adapters.register_loader("uuid", TextLoader)  # an id is text everywhere
