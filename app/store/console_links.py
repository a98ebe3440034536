"""Addresses that let somebody in once: an administrator who was invited, or a customer's IT person.

    issue ─▶ find (shows what it leads to, changes nothing) ─▶ open, once ─▶ a console session      or its end

What is opened is opened by one UPDATE: of two browsers at once, one comes in. The secret is kept as a digest.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
import uuid_utils

from app.store.credentials import LONGEST_SECRET, RANDOM_BYTES, digest
from app.store.driver import Statement

Purpose = Literal["invitation", "connection", "scim"]
State = Literal["open", "used", "revoked", "expired"]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new link. `secret` is the end of its address; it is not kept."""

    id: str
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """A link as it is now. `for_whom` is the administrator's name, `about` the connection's or source's."""

    id: str
    tenant_id: str
    tenant_name: str
    purpose: Purpose
    administrator_id: str | None
    connection_id: str | None
    source_id: str | None
    note: str
    created_by: str
    created_at: datetime
    expires_at: datetime
    opened_at: datetime | None
    revoked_at: datetime | None
    state: State
    for_whom: str | None
    role: str | None
    about: str | None


def issue(
    conn: sa.Connection,
    tenant_id: str,
    purpose: Purpose,
    created_by: str,
    lifetime: timedelta,
    *,
    administrator_id: str | None = None,
    connection_id: str | None = None,
    source_id: str | None = None,
    note: str = "",
) -> Issued:
    """A new link of the tenant's."""
    id, secret = str(uuid_utils.uuid7()), secrets.token_urlsafe(RANDOM_BYTES)
    values = {
        "tenant": tenant_id,
        "id": id,
        "hash": digest(secret),
        "purpose": purpose,
        "administrator": administrator_id,
        "connection": connection_id,
        "source": source_id,
        "note": note,
        "by": created_by,
        "seconds": lifetime.total_seconds(),
    }
    return Issued(id, _ISSUE.value(conn, values), secret)


def find(conn: sa.Connection, secret: str) -> Link | None:
    """Whose link it is, used up or not; None: there never was one. One statement, always."""
    return _link(_BY_SECRET.row(conn, {"hash": digest(secret if len(secret) <= LONGEST_SECRET else "")}))


def open(conn: sa.Connection, link: Link) -> bool:
    """Use it up. False: somebody was quicker, or it counts no more."""
    return _OPEN.value(conn, {"tenant": link.tenant_id, "id": link.id}) is not None


def by_id(conn: sa.Connection, tenant_id: str, id: str) -> Link | None:
    """The tenant's link of that id."""
    return _link(_BY_ID.row(conn, {"tenant": tenant_id, "id": id}))


def invited_until(conn: sa.Connection, tenant_id: str, administrator_id: str) -> datetime | None:
    """Until when the administrator's invitation can be used; None: there is none."""
    until: datetime | None = _INVITED_UNTIL.value(conn, {"tenant": tenant_id, "administrator": administrator_id})
    return until


def listing(conn: sa.Connection, tenant_id: str, before: str | None = None, limit: int = 50) -> list[Link]:
    """The set-up links of the tenant, newest first, from beyond the id `before`; invitations are not among them."""
    rows = _LISTING.rows(conn, {"tenant": tenant_id, "before": before or _LAST, "limit": limit})
    return [link for row in rows if (link := _link(row)) is not None]


def revoke(conn: sa.Connection, tenant_id: str, id: str) -> bool:
    """End it, and with it whoever came in by it. False: there is none, or it is revoked already."""
    return _REVOKE.value(conn, {"tenant": tenant_id, "id": id}) is not None


def revoke_invitations(conn: sa.Connection, tenant_id: str, administrator_id: str) -> int:
    """End the administrator's invitations that nobody used; how many."""
    return len(_REVOKE_INVITATIONS.rows(conn, {"tenant": tenant_id, "administrator": administrator_id}))


def _link(row: object) -> Link | None:
    return None if row is None else Link(**row._asdict())  # type: ignore[attr-defined]


_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_LINK: Final = """
    SELECT l.id, l.tenant_id, n.name AS tenant_name, l.purpose, l.administrator_id, l.connection_id, l.source_id,
        l.note, l.created_by, l.created_at, l.expires_at, l.opened_at, l.revoked_at,
        CASE WHEN l.revoked_at IS NOT NULL OR (l.administrator_id IS NOT NULL AND a.id IS NULL) THEN 'revoked'
            WHEN l.opened_at IS NOT NULL THEN 'used' WHEN l.expires_at <= now() THEN 'expired' ELSE 'open' END AS state,
        a.name AS for_whom, a.role, COALESCE(c.title, u.title, s.name) AS about
    FROM console_links l JOIN tenants n ON n.id = l.tenant_id
        LEFT JOIN administrators a ON a.tenant_id = l.tenant_id AND a.id = l.administrator_id AND a.removed_at IS NULL
        LEFT JOIN connections c ON c.tenant_id = l.tenant_id AND c.id = l.connection_id
        LEFT JOIN connection_setups u ON u.tenant_id = l.tenant_id AND u.connection_id = l.connection_id
        LEFT JOIN sources s ON s.tenant_id = l.tenant_id AND s.id = l.source_id
"""
_BY_SECRET: Final = Statement(f"{_LINK} WHERE l.hash = CAST(%(hash)s AS bytea)")
_BY_ID: Final = Statement(f"{_LINK} WHERE l.tenant_id = CAST(%(tenant)s AS uuid) AND l.id = CAST(%(id)s AS uuid)")
_LISTING: Final = Statement(f"""
    {_LINK} WHERE l.tenant_id = CAST(%(tenant)s AS uuid) AND l.purpose <> 'invitation'
        AND l.id < CAST(%(before)s AS uuid)
    ORDER BY l.id DESC LIMIT CAST(%(limit)s AS int)
""")
_ISSUE: Final = Statement("""
    INSERT INTO console_links (tenant_id, id, hash, purpose, administrator_id, connection_id, source_id, note,
        created_by, expires_at)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(hash)s AS bytea), CAST(%(purpose)s AS text),
        CAST(%(administrator)s AS uuid), CAST(%(connection)s AS uuid), CAST(%(source)s AS uuid),
        CAST(%(note)s AS text), CAST(%(by)s AS text), now() + make_interval(secs => CAST(%(seconds)s AS float)))
    RETURNING expires_at
""")
_OPEN: Final = Statement("""
    UPDATE console_links SET opened_at = now() WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND id = CAST(%(id)s AS uuid) AND opened_at IS NULL AND revoked_at IS NULL AND expires_at > now()
    RETURNING 1
""")
_REVOKE: Final = Statement("""
    UPDATE console_links SET revoked_at = now() WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND id = CAST(%(id)s AS uuid) AND revoked_at IS NULL
    RETURNING 1
""")
_INVITED_UNTIL: Final = Statement("""
    SELECT max(expires_at) FROM console_links WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND administrator_id = CAST(%(administrator)s AS uuid) AND purpose = 'invitation'
        AND opened_at IS NULL AND revoked_at IS NULL AND expires_at > now()
""")
_REVOKE_INVITATIONS: Final = Statement("""
    UPDATE console_links SET revoked_at = now() WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND administrator_id = CAST(%(administrator)s AS uuid) AND purpose = 'invitation'
        AND opened_at IS NULL AND revoked_at IS NULL AND expires_at > now()
    RETURNING id
""")
