"""Which clients are still to be told that a session ended: noticed after the fact, so that no sign-out waits for it.

    sessions that ended, people who were signed out everywhere ─notice─▶ one row a client that had a part in it
    claim ─▶ told ─▶ done        or again later, and in the end given up

Each client has a moment up to which ended sessions were looked at. A look goes a minute further back, for what was
committed late; what was noticed before stays a day, so that it is not noticed again.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store.driver import Statement

LEASE_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Logout:
    """A client that is to be told. `algorithm` signs its tokens; `tries` counts this one. No address: it left."""

    tenant_id: str
    session_id: str
    client_id: str
    account_id: str
    url: str | None
    algorithm: str
    tries: int


def notice(conn: sa.Connection) -> None:
    """Look for sessions that ended since the last look."""
    _NOTICE.rows(conn, {})


def claim(conn: sa.Connection, limit: int) -> list[Logout]:
    """Some that are due; for a minute nobody else claims them."""
    return [Logout(**row._asdict()) for row in _CLAIM.rows(conn, {"limit": limit})]


def done(conn: sa.Connection, one: Logout, failure: str | None = None) -> None:
    """It was told, or is given up for this reason."""
    _DONE.rows(conn, {**_key(one), "failure": failure})


def again(conn: sa.Connection, one: Logout, failure: str, at: datetime) -> None:
    """It was not taken: another time."""
    _AGAIN.rows(conn, {**_key(one), "failure": failure, "at": at})


def forget(conn: sa.Connection, limit: int = 5_000) -> int:
    """Drop what was done a day ago; how many."""
    return len(_FORGET.rows(conn, {"limit": limit}))


def _key(one: Logout) -> dict[str, Any]:
    return {"tenant": one.tenant_id, "session": one.session_id, "client": one.client_id}


_THIS: Final = """
    tenant_id = CAST(%(tenant)s AS uuid) AND session_id = CAST(%(session)s AS uuid)
    AND client_id = CAST(%(client)s AS uuid)
"""
_NOTICE: Final = Statement("""
    WITH heard AS (
        SELECT tenant_id, id AS client_id, COALESCE(told_until, created_at) - interval '1 minute' AS since
        FROM clients WHERE removed_at IS NULL AND settings ->> 'back_channel_logout_uri' IS NOT NULL),
    over AS (
        SELECT h.tenant_id, h.client_id, s.id AS session_id, s.account_id FROM heard h
        JOIN sessions s ON s.tenant_id = h.tenant_id AND s.ended_at > h.since
        UNION
        SELECT h.tenant_id, h.client_id, s.id, s.account_id FROM heard h
        JOIN accounts a ON a.tenant_id = h.tenant_id AND a.signed_out_at > h.since
        JOIN sessions s ON s.tenant_id = a.tenant_id AND s.account_id = a.id AND s.created_at <= a.signed_out_at
            AND s.expires_at > a.signed_out_at),
    noticed AS (
        INSERT INTO logouts (tenant_id, session_id, client_id, account_id, next_at)
        SELECT o.tenant_id, o.session_id, o.client_id, o.account_id, now() FROM over o
        WHERE EXISTS (SELECT FROM authorizations z WHERE z.tenant_id = o.tenant_id AND z.session_id = o.session_id
            AND z.client_id = o.client_id)
        ON CONFLICT DO NOTHING)
    UPDATE clients c SET told_until = now() FROM heard h WHERE c.tenant_id = h.tenant_id AND c.id = h.client_id
""")
_CLAIM: Final = Statement(f"""
    WITH due AS (
        SELECT d.* FROM tenants n CROSS JOIN LATERAL (
            SELECT x.tenant_id, x.session_id, x.client_id FROM logouts x
            WHERE x.tenant_id = n.id AND x.done_at IS NULL AND x.next_at <= now()
            ORDER BY x.next_at LIMIT CAST(%(limit)s AS int) FOR UPDATE SKIP LOCKED) d LIMIT CAST(%(limit)s AS int)),
    claimed AS (
        UPDATE logouts l SET next_at = now() + interval '{LEASE_SECONDS} seconds', tries = l.tries + 1 FROM due
        WHERE l.tenant_id = due.tenant_id AND l.session_id = due.session_id AND l.client_id = due.client_id
        RETURNING l.*)
    SELECT l.tenant_id, l.session_id, l.client_id, l.account_id, c.settings ->> 'back_channel_logout_uri' AS url,
        COALESCE(c.settings ->> 'id_token_algorithm', 'RS256') AS algorithm, l.tries
    FROM claimed l
    LEFT JOIN clients c ON c.tenant_id = l.tenant_id AND c.id = l.client_id AND c.removed_at IS NULL
""")
_DONE: Final = Statement(
    f"UPDATE logouts SET done_at = now(), failure = CAST(%(failure)s AS text) WHERE {_THIS} AND done_at IS NULL"
)
_AGAIN: Final = Statement(f"""
    UPDATE logouts SET next_at = CAST(%(at)s AS timestamptz), failure = CAST(%(failure)s AS text)
    WHERE {_THIS} AND done_at IS NULL
""")
_FORGET: Final = Statement("""
    WITH old AS (
        SELECT d.* FROM tenants n CROSS JOIN LATERAL (
            SELECT tenant_id, session_id, client_id FROM logouts
            WHERE tenant_id = n.id AND done_at < now() - interval '1 day'
            ORDER BY done_at LIMIT CAST(%(limit)s AS int)) d LIMIT CAST(%(limit)s AS int))
    DELETE FROM logouts l USING old
    WHERE l.tenant_id = old.tenant_id AND l.session_id = old.session_id AND l.client_id = old.client_id RETURNING 1
""")
