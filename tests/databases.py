"""Databases for tests: one migrated template, a clone for each process, emptied between tests."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final
from unittest.mock import patch

import psycopg
import sqlalchemy as sa
from psycopg import sql

from app.store import driver, migrate

FAST: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_connections": "300",
    "autovacuum": "off",
}
LOCK: Final = 0x74657374  # "test" in ASCII

_EMPTY_FILLED: Final = """
DO $$
DECLARE
    name text;
    filled boolean;
    names text[] := '{}';
BEGIN
    FOR name IN
        SELECT format('%I', tablename) FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'alembic_version'
    LOOP
        EXECUTE 'SELECT EXISTS (SELECT FROM ' || name || ')' INTO filled;
        IF filled THEN
            names := names || name;
        END IF;
    END LOOP;
    IF names <> '{}' THEN
        EXECUTE 'TRUNCATE ' || array_to_string(names, ', ') || ' CASCADE';
    END IF;
END $$
"""


@contextmanager
def cloned(server_url: str) -> Iterator[str]:
    """A fresh migrated database on the server; dropped at the end."""
    name = f"rollcall_test_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        # CREATE DATABASE refuses a template that another process is still migrating or cloning.
        conn.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        _drop_left_over(conn)
        template = _template(conn, server_url)
        conn.execute(sql.SQL("CREATE DATABASE {} TEMPLATE {}").format(sql.Identifier(name), sql.Identifier(template)))
        conn.execute("SELECT pg_advisory_unlock(%s)", [LOCK])
    yield _with_database(server_url, name)
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@contextmanager
def fresh(server_url: str) -> Iterator[str]:
    """A database without tables; dropped at the end."""
    name = sql.Identifier(f"rollcall_test_fresh_{os.getpid()}")
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))
        conn.execute(sql.SQL("CREATE DATABASE {}").format(name))
        yield _with_database(server_url, f"rollcall_test_fresh_{os.getpid()}")
        conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))


def empty(engine: sa.Engine) -> None:
    """Truncates the tables that have rows: most tests fill few."""
    with engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").connection.driver_connection.execute(_EMPTY_FILLED)


def _template(conn: psycopg.Connection, server_url: str) -> str:
    name = f"rollcall_template_{_state()}"
    if _exists(conn, name):
        return name
    making = f"{name}_making"
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(making)))
    conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(making)))
    migrate.upgrade(_with_database(server_url, making))
    conn.execute(sql.SQL("ALTER DATABASE {} RENAME TO {}").format(sql.Identifier(making), sql.Identifier(name)))
    return name


def _exists(conn: psycopg.Connection, name: str) -> bool:
    return conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None


def _drop_left_over(conn: psycopg.Connection) -> None:
    """Clones of processes that were killed, and templates of earlier migrations."""
    rows = conn.execute("SELECT datname FROM pg_database WHERE datname ~ '^rollcall_(test|template)_'").fetchall()
    for (name,) in rows:
        owner = name.rsplit("_", 1)[1]
        if name.startswith("rollcall_test_") and not Path(f"/proc/{owner}").exists() and Path("/proc/self").exists():
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
        if name.startswith("rollcall_template_") and owner != _state():
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


@cache
def _state() -> str:
    files = sorted(migrate.SCRIPTS.rglob("*.py")) + sorted(migrate.SCRIPTS.rglob("*.sql"))
    return hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()[:12]


def _with_database(server_url: str, name: str) -> str:
    return sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)


@contextmanager
def statements() -> Iterator[list[str]]:
    """The text of each statement that the block runs, prepared ones and SQLAlchemy's; BEGIN and COMMIT stand apart."""
    seen: list[str] = []
    real, real_run = psycopg.Cursor.execute, driver.run

    def execute(self: Any, query: Any, *rest: Any, **options: Any) -> Any:
        seen.append(query.decode() if isinstance(query, bytes) else str(query))
        return real(self, query, *rest, **options)

    def run(link: Any, statement: driver.Statement, values: Any) -> Any:
        seen.append(statement.sql.decode())
        return real_run(link, statement, values)

    with patch.object(psycopg.Cursor, "execute", execute), patch.object(driver, "run", run):
        yield seen
