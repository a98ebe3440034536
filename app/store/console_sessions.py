"""Sessions of the console, found by the digest of their cookie.

    begin ─▶ find, seen … ─▶ end, or its time is over, or whoever it is of may not come in any more

`find` asks in one statement whether the session counts and what its holder may do at this moment: an administrator who
was not removed; an account that is active, whose sign-in lives, and that holds a role with a place in the console; or a
set-up link that was not revoked.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
import uuid_utils

from app.identity.console_roles import ConsoleRole, highest
from app.identity.naming import name_of
from app.store.console_tables import console_sessions as t
from app.store.credentials import RANDOM_BYTES, digest
from app.store.sessions import SEEN_EVERY
from app.store.tenant_settings import value

Method = Literal["invitation", "password", "passkey", "connection", "set-up link"]

LONGEST_AGENT: Final = 300


@dataclass(frozen=True, slots=True)
class NewConsoleSession:
    """What a way in begins: for exactly one of an administrator, an account with its session, and a link."""

    tenant_id: str
    method: Method
    administrator_id: str | None = None
    account_id: str | None = None
    session_id: str | None = None
    link_id: str | None = None
    proven: bool = False  # whether a credential was shown just now
    proven_at: datetime | None = None  # or when it was, to the connection's provider
    until: datetime | None = None  # the link's own end
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Begun:
    """A new session. `secret` is the cookie's value; it is not kept."""

    id: str
    expires_at: datetime
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LinkScope:
    """What a set-up link lets its holder see: one connection, or one SCIM source."""

    id: str
    purpose: str
    connection_id: str | None
    source_id: str | None
    note: str
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class ConsoleSession:
    """A session that counts, and what its holder may do now. Exactly one of `role` and `link` is not None."""

    id: str
    tenant_id: str
    tenant_name: str
    tenant_settings: Mapping[str, Any] = field(repr=False)
    role: ConsoleRole | None
    link: LinkScope | None
    administrator_id: str | None
    account_id: str | None
    name: str
    email: str | None
    method: str
    has_way_back: bool  # a credential of their own, or a connection to sign in by again
    proven_at: datetime | None
    created_at: datetime
    seen_at: datetime
    expires_at: datetime


def actor_of(email: str | None, administrator_id: str | None, account_id: str | None) -> str:
    """Somebody's name in the audit. An account's address is what sources say, so that its id stands beside it."""
    if account_id is None:
        return f"administrator {email or administrator_id}"
    return f"administrator {email} ({account_id})" if email else f"administrator {account_id}"


def new_id() -> str:
    """A UUIDv7."""
    return str(uuid_utils.uuid7())


def begin(conn: sa.Connection, new: NewConsoleSession) -> Begun:
    """A session from now on, for as long as the tenant says, at most until `new.until`."""
    id, secret = new_id(), secrets.token_urlsafe(RANDOM_BYTES)
    settings = conn.execute(_SETTINGS, {"tenant": new.tenant_id}).scalar_one()
    row = conn.execute(
        _BEGIN,
        {
            "tenant": new.tenant_id,
            "id": id,
            "hash": digest(secret),
            "administrator": new.administrator_id,
            "account": new.account_id,
            "session": new.session_id,
            "link": new.link_id,
            "method": new.method,
            "proven": new.proven,
            "proven_at": new.proven_at,
            "hours": value(settings, "console.hours"),
            "until": new.until,
            "agent": new.agent[:LONGEST_AGENT],
            "address": new.address,
        },
    ).one()
    return Begun(id, row.expires_at, secret)


_SETTINGS = sa.text("SELECT settings FROM tenants WHERE id = :tenant")
_BEGIN = sa.text("""
    INSERT INTO console_sessions (tenant_id, id, hash, administrator_id, account_id, session_id, link_id, method,
        proven_at, expires_at, agent, address)
    VALUES (:tenant, :id, :hash, CAST(:administrator AS uuid), CAST(:account AS uuid), CAST(:session AS uuid),
        CAST(:link AS uuid), :method, COALESCE(CAST(:proven_at AS timestamptz), CASE WHEN :proven THEN now() END),
        LEAST(now() + make_interval(hours => :hours), CAST(:until AS timestamptz)), :agent, :address)
    RETURNING expires_at
""")
_FIND = sa.text("""
    SELECT s.id, s.tenant_id, t.name AS tenant_name, t.settings, s.administrator_id, s.account_id, s.method,
        s.proven_at, s.created_at, s.seen_at, s.expires_at, now() AS moment,
        a.name AS administrator_name, a.email, a.role,
        a.totp IS NOT NULL AND a.password IS NOT NULL OR EXISTS (
            SELECT FROM passkeys k WHERE k.tenant_id = s.tenant_id AND k.administrator_id = s.administrator_id
        ) AS has_credential,
        p.attributes, (
            SELECT array_agg(r.console) FROM grants g
            JOIN roles r ON r.tenant_id = g.tenant_id AND r.name = g.role AND r.console IS NOT NULL
            WHERE g.tenant_id = s.tenant_id AND g.account_id = p.id AND g.effective AND g.scope = 'tenant'
        ) AS held,
        l.id AS link_id, l.purpose, l.connection_id, l.source_id, l.note, l.expires_at AS link_expires_at
    FROM console_sessions s
    JOIN tenants t ON t.id = s.tenant_id
    LEFT JOIN administrators a ON a.tenant_id = s.tenant_id AND a.id = s.administrator_id AND a.removed_at IS NULL
    LEFT JOIN sessions z ON z.tenant_id = s.tenant_id AND z.id = s.session_id AND z.ended_at IS NULL
        AND z.expires_at > now()
    LEFT JOIN accounts p ON p.tenant_id = s.tenant_id AND p.id = z.account_id AND p.id = s.account_id
        AND p.status = 'active' AND (p.signed_out_at IS NULL OR p.signed_out_at < z.created_at)
    LEFT JOIN console_links l ON l.tenant_id = s.tenant_id AND l.id = s.link_id AND l.revoked_at IS NULL
        AND l.expires_at > now()
    WHERE s.hash = :hash AND s.ended_at IS NULL AND s.expires_at > now()
""")


def find(conn: sa.Connection, secret: str) -> ConsoleSession | None:
    """The session of this cookie, if it counts and its holder may still come in."""
    row = conn.execute(_FIND, {"hash": digest(secret)}).one_or_none()
    if row is None:
        return None
    idle = value(row.settings, "console.idle_minutes") * 60
    if (row.moment - row.seen_at).total_seconds() > idle:
        return None
    role = highest([row.role] if row.role else row.held or ())
    link = _link(row) if row.link_id else None
    if (role is None) == (link is None):
        return None
    said = row.attributes or {}
    return ConsoleSession(
        id=str(row.id),
        tenant_id=str(row.tenant_id),
        tenant_name=row.tenant_name,
        tenant_settings=row.settings,
        role=role,
        link=link,
        administrator_id=str(row.administrator_id) if row.administrator_id else None,
        account_id=str(row.account_id) if row.account_id else None,
        name=row.administrator_name or (link.note or "Set-up link" if link else name_of(str(row.account_id), said)),
        email=row.email or said.get("emails.work"),
        method=row.method,
        has_way_back=row.administrator_id is None or bool(row.has_credential),
        proven_at=row.proven_at,
        created_at=row.created_at,
        seen_at=row.seen_at,
        expires_at=row.expires_at,
    )


def _link(row: Any) -> LinkScope:
    return LinkScope(
        str(row.link_id),
        row.purpose,
        str(row.connection_id) if row.connection_id else None,
        str(row.source_id) if row.source_id else None,
        row.note,
        row.link_expires_at,
    )


def seen(conn: sa.Connection, session: ConsoleSession) -> None:
    """Its holder was here; written at most once a minute."""
    if datetime.now(UTC) - session.seen_at >= SEEN_EVERY:
        mine = (t.c.tenant_id == session.tenant_id, t.c.id == session.id)
        conn.execute(sa.update(t).where(*mine).values(seen_at=sa.func.now()))


def end(conn: sa.Connection, tenant_id: str, session_id: str, by: str) -> bool:
    """End one session. Whether it was still going on."""
    c = t.c
    mine = (c.tenant_id == tenant_id, c.id == session_id, c.ended_at.is_(None))
    return conn.execute(sa.update(t).where(*mine).values(ended_at=sa.func.now(), ended_by=by)).rowcount == 1


def role_of_account(conn: sa.Connection, tenant_id: str, account_id: str) -> ConsoleRole | None:
    """What the account's effective roles let its person do here; None: nothing."""
    return highest(conn.execute(_HELD, {"tenant": tenant_id, "account": account_id}).scalars())


_HELD = sa.text("""
    SELECT r.console FROM grants g
    JOIN roles r ON r.tenant_id = g.tenant_id AND r.name = g.role AND r.console IS NOT NULL
    WHERE g.tenant_id = CAST(:tenant AS uuid) AND g.account_id = CAST(:account AS uuid) AND g.effective
        AND g.scope = 'tenant'
""")


@dataclass(frozen=True, slots=True)
class Listed:
    """What somebody sees of their own sessions."""

    id: str
    method: str
    created_at: datetime
    seen_at: datetime
    expires_at: datetime
    agent: str
    address: str


def own(conn: sa.Connection, session: ConsoleSession) -> list[Listed]:
    """The sessions of the same administrator or person that count, newest first."""
    rows = conn.execute(_OWN, _whose(session)).all()
    return [Listed(**{**row._asdict(), "id": str(row.id)}) for row in rows]


def end_own(conn: sa.Connection, session: ConsoleSession, id: str, by: str) -> bool:
    """End one of those; False when it is none of theirs, or over."""
    return conn.execute(_END_OWN, {**_whose(session), "id": id, "by": by}).rowcount == 1


def end_of_administrator(
    conn: sa.Connection, tenant_id: str, administrator_id: str, by: str, but: str | None = None
) -> int:
    """End all of an administrator's sessions, except that of the id `but`; how many."""
    values = {"tenant": tenant_id, "administrator": administrator_id, "by": by, "but": but}
    return conn.execute(_END_OF_ADMINISTRATOR, values).rowcount


def connection_of(conn: sa.Connection, session: ConsoleSession) -> tuple[str, str] | None:
    """Name and title of the connection that somebody came by; None where it is gone, or there was none."""
    row = conn.execute(_CONNECTION_OF, {"tenant": session.tenant_id, "id": session.id}).one_or_none()
    return None if row is None else (row.name, row.title)


def prove(conn: sa.Connection, session: ConsoleSession) -> None:
    """A credential was shown just now."""
    mine = (t.c.tenant_id == session.tenant_id, t.c.id == session.id)
    conn.execute(sa.update(t).where(*mine).values(proven_at=sa.func.now()))


def _whose(session: ConsoleSession) -> dict[str, Any]:
    idle = value(session.tenant_settings, "console.idle_minutes")
    whose = {"administrator": session.administrator_id, "account": session.account_id}
    return {"tenant": session.tenant_id, "idle": idle, **whose}


# No session is longer than the setting's most: the range of the index is that week, whatever came before.
_LIVING = """
    tenant_id = CAST(:tenant AS uuid) AND created_at > now() - interval '168 hours' AND ended_at IS NULL
    AND expires_at > now()
"""
_HERS = "(administrator_id = CAST(:administrator AS uuid) OR account_id = CAST(:account AS uuid))"
_OWN = sa.text(f"""
    SELECT id, method, created_at, seen_at, expires_at, agent, address FROM console_sessions
    WHERE {_LIVING} AND {_HERS} AND seen_at > now() - make_interval(mins => :idle)
    ORDER BY created_at DESC LIMIT 50
""")
_END_OWN = sa.text(f"""
    UPDATE console_sessions SET ended_at = now(), ended_by = :by WHERE {_LIVING} AND {_HERS}
        AND seen_at > now() - make_interval(mins => :idle) AND id = CAST(:id AS uuid)
""")
_END_OF_ADMINISTRATOR = sa.text(f"""
    UPDATE console_sessions SET ended_at = now(), ended_by = :by WHERE {_LIVING}
        AND administrator_id = CAST(:administrator AS uuid) AND id IS DISTINCT FROM CAST(:but AS uuid)
""")
_CONNECTION_OF = sa.text("""
    SELECT c.name, c.title FROM console_sessions s
    JOIN sessions z ON z.tenant_id = s.tenant_id AND z.id = s.session_id
    JOIN connections c ON c.tenant_id = z.tenant_id AND c.id = z.connection_id
    WHERE s.tenant_id = CAST(:tenant AS uuid) AND s.id = CAST(:id AS uuid)
""")
