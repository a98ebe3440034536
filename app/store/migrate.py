"""Bringing the database's tables to the present revision. Only a parent process does it, never a web worker."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.store import outward_tables  # noqa: F401 - its tables belong to the same metadata
from app.store.engine import check_server, make_migration_engine
from app.store.tables import metadata

SCRIPTS: Final = Path(__file__).resolve().parents[2] / "migrations"
LOCK_KEY: Final = 0x526F6C6C63616C6C  # "Rollcall" in ASCII
LOCK_TIMEOUT_MS: Final = 10_000


def upgrade(url: str, *, lock_timeout_ms: int = LOCK_TIMEOUT_MS) -> str:
    """Migrates to head and returns its revision. Several processes may call it at once: one works, the others wait.

    Raises:
        ServerTooOldError: the server is older than PostgreSQL 14.
        sqlalchemy.exc.OperationalError: no connection, or a table's lock was not had in `lock_timeout_ms`.
    """
    engine = make_migration_engine(url, lock_timeout_ms=lock_timeout_ms)
    try:
        with engine.connect() as conn:
            check_server(conn)
            if is_head(conn):
                return head()
        with engine.connect() as guard, _one_at_a_time(guard), engine.connect() as conn:
            command.upgrade(config(conn), "head")
        return head()
    finally:
        engine.dispose()


def is_head(conn: sa.Connection) -> bool:
    """Whether the database has exactly the revision that this code was written for."""
    return MigrationContext.configure(conn).get_current_revision() == head()


@cache
def head() -> str:
    """The one newest revision among the migration scripts."""
    revision = ScriptDirectory.from_config(config()).get_current_head()
    if revision is None:
        raise RuntimeError(f"no migration scripts in {SCRIPTS}")
    return revision


def differences(conn: sa.Connection) -> list[object]:
    """What the database's tables lack of `app.store.tables`; empty when they agree."""
    context = MigrationContext.configure(
        conn, opts={"include_name": is_ours, "compare_server_default": default_differs}
    )
    return list(compare_metadata(context, metadata))


def default_differs(_context: Any, _found: Any, wanted: Any, has: str | None, *_rest: Any) -> bool | None:
    """None leaves it to Alembic, which asks the server whether both are equal: of JSON text it cannot say."""
    if not isinstance(wanted.type, JSON) or isinstance(wanted.type, JSONB):
        return None
    return has != f"{wanted.server_default.arg}::json"


def is_ours(name: str | None, kind: str, _parents: object) -> bool:
    """Whether Alembic should look at a table: those of Procrastinate come with its own SQL."""
    return kind != "table" or not (name or "").startswith("procrastinate_")


def config(conn: sa.Connection | None = None) -> Config:
    """Alembic's configuration, without a file; `conn` is what the scripts run on."""
    made = Config()
    made.set_main_option("script_location", str(SCRIPTS))
    made.set_main_option("path_separator", "os")
    made.attributes["connection"] = conn
    return made


@contextmanager
def _one_at_a_time(guard: sa.Connection) -> Iterator[None]:
    """Holds the session's advisory lock. Its wait is as long as another's migration takes, so has no time-out."""
    guard = guard.execution_options(isolation_level="AUTOCOMMIT")
    guard.exec_driver_sql("SET lock_timeout = 0")
    guard.exec_driver_sql("SELECT pg_advisory_lock(%s)", (LOCK_KEY,))
    try:
        yield
    finally:
        guard.exec_driver_sql("SELECT pg_advisory_unlock(%s)", (LOCK_KEY,))
