"""What tests of connections brought, with the values that the sign-in log masks: for minutes, and for the tester only.

keep ─▶ the report, with the digest of whose it is ─▶ read by that console session alone, until its time is over
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store.credentials import digest
from app.store.driver import Statement
from app.store.engine import dumps

KEPT_MINUTES: Final = 15


@dataclass(frozen=True, slots=True)
class Test:
    """A test that is over. `report` is JSON: checks, what was received, whom it would be."""

    id: str
    connection_id: str
    report: Mapping[str, Any] = field(repr=False)
    at: datetime
    expires_at: datetime


def keep(
    conn: sa.Connection, tenant_id: str, id: str, connection_id: str, owner: str, report: Mapping[str, Any]
) -> None:
    """Keep a report for a quarter of an hour. `owner` is the console session that may read it."""
    values = {
        "tenant": tenant_id,
        "id": id,
        "connection": connection_id,
        "owner": digest(owner),
        "report": dumps(dict(report)),
    }
    _KEEP.rows(conn, values)


def find(conn: sa.Connection, tenant_id: str, id: str, connection_id: str, owner: str) -> Test | None:
    """The test of that id and connection, for its owner alone."""
    values = {"tenant": tenant_id, "id": id, "connection": connection_id, "owner": digest(owner)}
    row = _FIND.row(conn, values)
    return None if row is None else Test(**row._asdict())


def latest(conn: sa.Connection, tenant_id: str, connection_id: str, owner: str) -> Test | None:
    """The owner's newest test of the connection."""
    row = _LATEST.row(conn, {"tenant": tenant_id, "connection": connection_id, "owner": digest(owner)})
    return None if row is None else Test(**row._asdict())


def passed(conn: sa.Connection, tenant_id: str, connection_id: str, since: datetime) -> bool:
    """Whether a test of the connection went well since then, as the sign-in log says it."""
    values = {"tenant": tenant_id, "connection": connection_id, "since": since}
    return _PASSED.row(conn, values) is not None


_KEEP: Final = Statement(f"""
    INSERT INTO sign_in_tests (tenant_id, id, connection_id, owner, report, expires_at)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(connection)s AS uuid), CAST(%(owner)s AS bytea),
        CAST(%(report)s AS jsonb), now() + interval '{KEPT_MINUTES} minutes')
    ON CONFLICT DO NOTHING RETURNING 1
""")
_FIND: Final = Statement("""
    SELECT id, connection_id, report, at, expires_at FROM sign_in_tests
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid)
        AND connection_id = CAST(%(connection)s AS uuid) AND owner = CAST(%(owner)s AS bytea) AND expires_at > now()
""")
_LATEST: Final = Statement("""
    SELECT id, connection_id, report, at, expires_at FROM sign_in_tests
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND connection_id = CAST(%(connection)s AS uuid)
        AND owner = CAST(%(owner)s AS bytea) AND expires_at > now() ORDER BY expires_at DESC LIMIT 1
""")
_PASSED: Final = Statement("""
    SELECT 1 FROM sign_ins WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND connection_id = CAST(%(connection)s AS uuid) AND outcome = 'tested' AND reason IS NULL
        AND at > CAST(%(since)s AS timestamptz) LIMIT 1
""")
