"""What moves when two accounts become one, or one becomes two, beside what a decision saves.

All of it needs a transaction in which nobody else writes people of the tenant, and the accounts' rows locked.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.store import sessions
from app.store import tables as t
from app.store.driver import Statement


def led_by(conn: sa.Connection, tenant_id: str, account_id: str | None, keys: Collection[tuple[str, str]]) -> set[str]:
    """Who is led by the account, and who named somebody by one of these keys, be it that it led to nobody."""
    named = [{"namespace": namespace, "value": value} for namespace, value in sorted(keys)]
    rows = _LED.rows(conn, {"tenant": tenant_id, "account": account_id, "keys": named})
    return {str(row.account_id) for row in rows}


def hand_over(conn: sa.Connection, tenant_id: str, record_ids: Collection[str], to: str, of: Collection[str]) -> None:
    """The records are the account `to`'s from now on, as they are. Whom the accounts `of` named is to be saved anew."""
    _HAND_OVER.rows(conn, {"tenant": tenant_id, "records": sorted(record_ids), "to": to})
    _FORGET_NAMED.rows(conn, {"tenant": tenant_id, "accounts": sorted(of)})


def sign_out(conn: sa.Connection, tenant_id: str, account_id: str, by: str) -> int:
    """End the account's sessions, what they were signed in to, and the console; how many sessions."""
    ended = sessions.end_all(conn, tenant_id, account_id, by)
    values = {"tenant": tenant_id, "account": account_id, "by": by}
    _REVOKE.rows(conn, values)
    _CLOSE_CONSOLE.rows(conn, values)
    return len(ended)


def remove(conn: sa.Connection, tenant_id: str, account_id: str) -> None:
    """There is no such account any more."""
    _REMOVE.rows(conn, {"tenant": tenant_id, "account": account_id})


def settings_of(conn: sa.Connection, tenant_id: str) -> dict[str, Any]:
    """What the tenant decided for itself."""
    chosen: dict[str, Any] = conn.execute(
        sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id)
    ).scalar_one()
    return chosen


_LED: Final = Statement(
    sa.text("""
    SELECT m.account_id FROM jsonb_to_recordset(:keys) AS k(namespace text, value text)
    CROSS JOIN LATERAL (
        SELECT account_id FROM manager_keys WHERE tenant_id = :tenant AND namespace = k.namespace COLLATE "C"
            AND value = k.value COLLATE "C" OFFSET 0) m
    UNION
    SELECT id FROM accounts WHERE tenant_id = :tenant AND manager_id = CAST(:account AS uuid)
""").bindparams(sa.bindparam("keys", type_=JSONB))
)
_HAND_OVER: Final = Statement("""
    UPDATE records SET account_id = CAST(%(to)s AS uuid)
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = ANY(CAST(%(records)s AS uuid[]))
""")
_FORGET_NAMED: Final = Statement("""
    DELETE FROM manager_keys
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = ANY(CAST(%(accounts)s AS uuid[]))
""")
_REVOKE: Final = Statement("""
    UPDATE authorizations z SET revoked_at = clock_timestamp() FROM sessions s
    WHERE s.tenant_id = CAST(%(tenant)s AS uuid) AND s.account_id = CAST(%(account)s AS uuid)
        AND z.tenant_id = s.tenant_id AND z.session_id = s.id AND z.revoked_at IS NULL
""")
_CLOSE_CONSOLE: Final = Statement("""
    UPDATE console_sessions SET ended_at = clock_timestamp(), ended_by = CAST(%(by)s AS text)
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = CAST(%(account)s AS uuid) AND ended_at IS NULL
""")
_REMOVE: Final = Statement("""
    WITH given AS (
        DELETE FROM grants WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = CAST(%(account)s AS uuid))
    DELETE FROM accounts WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(account)s AS uuid)
""")
