"""How the database and the background work are: plain reads, each small whatever the installation holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store import migrate
from app.store.driver import Statement

COUNTED_JOBS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Database:
    """`size` is in bytes, `at` the server's clock; `connections` are those of this database, of all programs."""

    version: str
    size: int
    connections: int
    most_connections: int
    at: datetime
    at_head: bool


@dataclass(frozen=True, slots=True)
class Work:
    """Background jobs. `heard_at` is the last sign of life of any worker; counts stop at `COUNTED_JOBS`.

    A job that failed is tried again by the next sweep: `failed` are those that are kept as such.
    """

    workers: int
    heard_at: datetime | None
    waiting: int
    running: int
    failed: int
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True)
class Behind:
    """A receiver of SCIM events that has not heard everything: how many entries wait, and the time of the oldest."""

    id: str
    url: str
    waiting: int
    oldest_at: datetime | None


def database(conn: sa.Connection) -> Database:
    """Version, size, connections, clock and revision."""
    row = _DATABASE.row(conn, {})
    assert row is not None
    at_head = migrate.is_head(conn)
    return Database(row.version, row.size, row.connections, int(row.most_connections), row.at, at_head)


def work(conn: sa.Connection) -> Work:
    """Workers and their jobs."""
    row: Any = _WORK.row(conn, {})
    return Work(row.workers, row.heard_at, row.waiting, row.running, row.failed, row.oldest_waiting_at)


def behind(conn: sa.Connection, tenant_id: str) -> list[Behind]:
    """The tenant's receivers for which something waits, the longest first."""
    return [Behind(**row._asdict()) for row in _BEHIND.rows(conn, {"tenant": tenant_id})]


_DATABASE: Final = Statement("""
    SELECT current_setting('server_version') AS version, pg_database_size(current_database()) AS size,
        (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) AS connections,
        current_setting('max_connections') AS most_connections, clock_timestamp() AS at
""")


def _counted(status: str) -> str:
    return f"""(SELECT count(*) FROM (
        SELECT FROM procrastinate_jobs WHERE status = '{status}' LIMIT {COUNTED_JOBS}) n)"""


_WORK: Final = Statement(f"""
    SELECT (SELECT count(*) FROM procrastinate_workers WHERE last_heartbeat > now() - interval '1 minute') AS workers,
        (SELECT max(last_heartbeat) FROM procrastinate_workers) AS heard_at,
        {_counted("todo")} AS waiting, {_counted("doing")} AS running, {_counted("failed")} AS failed,
        (SELECT min(e.at) FROM (
            SELECT id FROM procrastinate_jobs WHERE status = 'todo' ORDER BY priority DESC, id LIMIT {COUNTED_JOBS}) j
            JOIN procrastinate_events e ON e.job_id = j.id AND e.type = 'deferred') AS oldest_waiting_at
""")
_BEHIND: Final = Statement("""
    SELECT r.id, r.url, l.next_audit - 1 - r.position AS waiting, (
        SELECT a.at FROM audit a WHERE a.tenant_id = r.tenant_id AND a.number = r.position + 1) AS oldest_at
    FROM receivers r JOIN ledger l ON l.tenant_id = r.tenant_id
    WHERE r.tenant_id = CAST(%(tenant)s AS uuid) AND r.position < l.next_audit - 1
    ORDER BY oldest_at NULLS LAST, r.id
""")
