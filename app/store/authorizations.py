"""What people signed in to a client for: authorizations, the codes that begin them, the tokens that live by them.

    begin ─▶ code ─redeem─▶ access + refresh ─rotate─▶ access + refresh ─▶ …        all of one authorization
                  again ─▶ the authorization ends       used before ─▶ it ends too

Codes and tokens are 256 random bits (or a signed token), kept as digests. `redeem` is one statement, `rotate` holds its
authorization: of two that come with the same at the same instant, one has it. An authorization is good while nobody
revoked it, its session was not ended, its person is active and not signed out everywhere since, and, unless it is
offline, the session's time is not over.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.store.credentials import RANDOM_BYTES, digest
from app.store.driver import Statement

CODE_SECONDS: Final = 60
GRACE_SECONDS: Final = 10  # an answer that was lost may be asked for again, as long as nobody used what was in it
LONGEST_TOKEN: Final = 8192


@dataclass(frozen=True, slots=True)
class NewAuthorization:
    """One sign-in at one client. `challenge` is PKCE's, S256."""

    tenant_id: str
    client_id: str
    session_id: str
    account_id: str
    scopes: tuple[str, ...]
    redirect_uri: str
    challenge: str
    offline: bool = False
    nonce: str | None = None


@dataclass(frozen=True, slots=True)
class Authorization:
    """An authorization with what its session and its person say now. `living`: whether it is good."""

    id: str
    tenant_id: str
    client_id: str
    session_id: str
    account_id: str
    scopes: tuple[str, ...]
    offline: bool
    nonce: str | None
    living: bool
    authenticated_at: datetime
    session_expires_at: datetime
    context: str | None
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """A code of a client, and what it was given for. `used`: it was exchanged before."""

    authorization: Authorization
    redirect_uri: str
    challenge: str
    used: bool


@dataclass(frozen=True, slots=True)
class NewToken:
    """A token to be kept. Its text is kept as a digest."""

    id: str
    text: str = field(repr=False)
    scopes: Sequence[str]
    expires_at: datetime


def begin(conn: sa.Connection, new: NewAuthorization) -> str:
    """Keep an authorization; returns its code, which lives for a minute."""
    code = secrets.token_urlsafe(RANDOM_BYTES)
    _BEGIN.rows(
        conn,
        {
            "tenant": new.tenant_id,
            "id": str(uuid_utils.uuid7()),
            "client": new.client_id,
            "session": new.session_id,
            "account": new.account_id,
            "scopes": list(new.scopes),
            "offline": new.offline,
            "nonce": new.nonce,
            "hash": digest(code),
            "redirect_uri": new.redirect_uri,
            "challenge": new.challenge,
        },
    )
    return code


def code(conn: sa.Connection, tenant_id: str, client_id: str, text: str) -> Code | None:
    """A code of this client that is used, or can be. None: nobody's, another client's, or too late."""
    row = _CODE.row(conn, _named(tenant_id, client_id, text))
    return None if row is None else Code(_authorization(row), row.redirect_uri, row.challenge, row.used)


def refreshable(conn: sa.Connection, tenant_id: str, client_id: str, text: str) -> Authorization | None:
    """What a refresh token of this client belongs to, whether or not it can still be used."""
    row = _REFRESHABLE.row(conn, _named(tenant_id, client_id, text))
    return None if row is None else _authorization(row)


def redeem(conn: sa.Connection, tenant_id: str, client_id: str, text: str, access: NewToken, refresh: NewToken) -> bool:
    """Exchange a code for two tokens, once. A second time ends what the first one gave, and is False."""
    named = _named(tenant_id, client_id, text)
    if _REDEEM.rows(conn, named | _tokens(access, refresh)):
        return True
    _REVOKE_BY_CODE.rows(conn, named)
    return False


def rotate(conn: sa.Connection, tenant_id: str, client_id: str, text: str, access: NewToken, refresh: NewToken) -> bool:
    """Exchange a refresh token for two new ones, once.

    Within ten seconds it may be exchanged again, as long as none of its successors was: an answer was lost. Of those
    successors one goes on. Later, after that, or with two of them, somebody has a copy: the whole authorization ends,
    and this is False. Needs a transaction.
    """
    named = _named(tenant_id, client_id, text)
    values = named | _tokens(access, refresh)
    if not _HOLD.rows(conn, named):
        return False
    if _ROTATE.rows(conn, values) or _ROTATE_AGAIN.rows(conn, values):
        return True
    _REVOKE_BY_REUSE.rows(conn, named)
    return False


def revoke(conn: sa.Connection, tenant_id: str, authorization_id: str) -> None:
    """End an authorization: none of its tokens is good any more."""
    _REVOKE.rows(conn, {"tenant": tenant_id, "id": authorization_id})


def revoke_token(conn: sa.Connection, tenant_id: str, client_id: str, text: str) -> None:
    """End a token, if it is this client's (RFC 7009). A refresh token takes its authorization along."""
    named = _named(tenant_id, client_id, text)
    _REVOKE_ACCESS.rows(conn, named)
    _REVOKE_BY_REFRESH.rows(conn, named)


def forget(conn: sa.Connection, limit: int = 5_000) -> int:
    """Drop codes and tokens that are over, with authorizations that have no other; how many codes and tokens."""
    return sum(len(statement.rows(conn, {"limit": limit})) for statement in (_FORGET_CODES, _FORGET_TOKENS))


def _named(tenant_id: str, client_id: str, text: str) -> dict[str, Any]:
    return {"tenant": tenant_id, "client": client_id, "hash": digest(text if len(text) <= LONGEST_TOKEN else "")}


def _tokens(access: NewToken, refresh: NewToken) -> dict[str, Any]:
    return {
        "access_id": access.id,
        "access_hash": digest(access.text),
        "access_scopes": list(access.scopes),
        "access_expires": access.expires_at,
        "refresh_id": refresh.id,
        "refresh_hash": digest(refresh.text),
        "refresh_scopes": list(refresh.scopes),
        "refresh_expires": refresh.expires_at,
    }


def _authorization(row: Any) -> Authorization:
    values = {name: getattr(row, name) for name in Authorization.__slots__}
    return Authorization(**{**values, "scopes": tuple(row.scopes), "methods": tuple(row.methods)})


LIVING: Final = """
    (z.revoked_at IS NULL AND s.ended_at IS NULL AND a.status = 'active'
    AND (a.signed_out_at IS NULL OR s.created_at > a.signed_out_at) AND (z.offline OR s.expires_at > now()))
"""
_WHOLE: Final = f"""
    z.id, z.tenant_id, z.client_id, z.session_id, z.account_id, z.scopes, z.offline, z.nonce, {LIVING} AS living,
    s.authenticated_at, s.expires_at AS session_expires_at, s.context, s.methods
"""
_JOINED: Final = """
    JOIN sessions s ON s.tenant_id = z.tenant_id AND s.id = z.session_id
    JOIN accounts a ON a.tenant_id = z.tenant_id AND a.id = z.account_id
"""
_CODE_OF_CLIENT: Final = """
    c.tenant_id = CAST(%(tenant)s AS uuid) AND c.hash = CAST(%(hash)s AS bytea)
    AND c.client_id = CAST(%(client)s AS uuid)
"""
_HELD: Final = "t.tenant_id = CAST(%(tenant)s AS uuid) AND t.hash = CAST(%(hash)s AS bytea)"
_OF_CLIENT: Final = """EXISTS (SELECT FROM authorizations z WHERE z.tenant_id = t.tenant_id
    AND z.id = t.authorization_id AND z.client_id = CAST(%(client)s AS uuid))"""

_BEGIN: Final = Statement(f"""
    WITH begun AS (
        INSERT INTO authorizations (
            tenant_id, id, client_id, session_id, account_id, scopes, offline, nonce, created_at)
        VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(client)s AS uuid), CAST(%(session)s AS uuid),
            CAST(%(account)s AS uuid), CAST(%(scopes)s AS text[]), CAST(%(offline)s AS boolean),
            CAST(%(nonce)s AS text), clock_timestamp())
        RETURNING tenant_id, id, client_id)
    INSERT INTO codes (tenant_id, hash, authorization_id, client_id, redirect_uri, challenge, expires_at)
    SELECT tenant_id, CAST(%(hash)s AS bytea), id, client_id, CAST(%(redirect_uri)s AS text),
        CAST(%(challenge)s AS text), now() + interval '{CODE_SECONDS} seconds' FROM begun
""")
_CODE: Final = Statement(f"""
    SELECT {_WHOLE}, c.redirect_uri, c.challenge, c.used_at IS NOT NULL AS used
    FROM codes c JOIN authorizations z ON z.tenant_id = c.tenant_id AND z.id = c.authorization_id {_JOINED}
    WHERE {_CODE_OF_CLIENT} AND (c.used_at IS NOT NULL OR c.expires_at > now())
""")
_REFRESHABLE: Final = Statement(f"""
    SELECT {_WHOLE} FROM tokens t
    JOIN authorizations z ON z.tenant_id = t.tenant_id AND z.id = t.authorization_id {_JOINED}
    WHERE {_HELD} AND t.kind = 'refresh' AND z.client_id = CAST(%(client)s AS uuid) AND t.expires_at > now()
""")
# Issued no earlier than its predecessor was used: what was used later is another successor, or comes after one.
_PASSED_BY: Final = """EXISTS (SELECT FROM tokens o WHERE o.tenant_id = t.tenant_id
    AND o.authorization_id = t.authorization_id AND o.kind = 'refresh' AND o.used_at > t.issued_at AND o.id <> t.id)"""
_INSERT: Final = """
    INSERT INTO tokens (tenant_id, id, hash, kind, authorization_id, scopes, issued_at, expires_at)
    SELECT x.tenant_id, n.id, n.hash, n.kind, x.authorization_id, n.scopes, clock_timestamp(), n.expires_at
    FROM x, (VALUES
        (CAST(%(access_id)s AS uuid), CAST(%(access_hash)s AS bytea), 'access',
            CAST(%(access_scopes)s AS text[]), CAST(%(access_expires)s AS timestamptz)),
        (CAST(%(refresh_id)s AS uuid), CAST(%(refresh_hash)s AS bytea), 'refresh',
            CAST(%(refresh_scopes)s AS text[]), CAST(%(refresh_expires)s AS timestamptz))
    ) AS n (id, hash, kind, scopes, expires_at)
    RETURNING tokens.id
"""
_REDEEM: Final = Statement(f"""
    WITH x AS (
        UPDATE codes c SET used_at = clock_timestamp()
        WHERE {_CODE_OF_CLIENT} AND c.used_at IS NULL AND c.expires_at > now()
        RETURNING c.tenant_id, c.authorization_id)
    {_INSERT}
""")
_HOLD: Final = Statement(f"""
    SELECT 1 FROM authorizations z
    WHERE z.tenant_id = CAST(%(tenant)s AS uuid) AND z.client_id = CAST(%(client)s AS uuid)
        AND z.id = (SELECT t.authorization_id FROM tokens t WHERE {_HELD} AND t.kind = 'refresh')
    FOR NO KEY UPDATE
""")
_ROTATE: Final = Statement(f"""
    WITH x AS (
        UPDATE tokens t SET used_at = clock_timestamp()
        WHERE {_HELD} AND t.kind = 'refresh' AND t.used_at IS NULL AND t.revoked_at IS NULL AND t.expires_at > now()
            AND {_OF_CLIENT} AND NOT {_PASSED_BY}
        RETURNING t.tenant_id, t.authorization_id)
    {_INSERT}
""")
_ROTATE_AGAIN: Final = Statement(f"""
    WITH x AS (
        SELECT t.tenant_id, t.authorization_id FROM tokens t
        WHERE {_HELD} AND t.kind = 'refresh' AND t.revoked_at IS NULL AND t.expires_at > now()
            AND t.used_at > now() - interval '{GRACE_SECONDS} seconds' AND {_OF_CLIENT}
            AND NOT EXISTS (SELECT FROM tokens o WHERE o.tenant_id = t.tenant_id
                AND o.authorization_id = t.authorization_id AND o.kind = 'refresh' AND o.used_at > t.used_at))
    {_INSERT}
""")


def _revoking(which: str) -> Statement:
    return Statement(f"""
        UPDATE authorizations z SET revoked_at = clock_timestamp()
        WHERE z.tenant_id = CAST(%(tenant)s AS uuid) AND z.revoked_at IS NULL AND {which}
    """)


_REVOKE: Final = _revoking("z.id = CAST(%(id)s AS uuid)")
_REVOKE_BY_CODE: Final = _revoking(
    f"z.id IN (SELECT c.authorization_id FROM codes c WHERE {_CODE_OF_CLIENT} AND c.used_at IS NOT NULL)"
)
_REVOKE_BY_REFRESH: Final = _revoking(
    f"z.client_id = CAST(%(client)s AS uuid) AND z.id IN ("
    f"SELECT t.authorization_id FROM tokens t WHERE {_HELD} AND t.kind = 'refresh')"
)
_REVOKE_BY_REUSE: Final = _revoking(
    f"z.client_id = CAST(%(client)s AS uuid) AND z.id IN ("
    f"SELECT t.authorization_id FROM tokens t WHERE {_HELD} AND t.kind = 'refresh'"
    f" AND (t.used_at IS NOT NULL OR {_PASSED_BY}))"
)
_REVOKE_ACCESS: Final = Statement(f"""
    UPDATE tokens t SET revoked_at = clock_timestamp()
    WHERE {_HELD} AND t.kind = 'access' AND t.revoked_at IS NULL AND {_OF_CLIENT}
""")


def _forgetting(table: str, key: str, cutoff: str) -> Statement:
    """Of each tenant, so that every scan is along an index that begins with it. What nothing is left of goes along."""
    return Statement(f"""
        WITH old AS (
            SELECT d.* FROM tenants n CROSS JOIN LATERAL (
                SELECT tenant_id, {key} FROM {table} WHERE tenant_id = n.id AND expires_at < {cutoff}
                ORDER BY expires_at LIMIT CAST(%(limit)s AS int)) d LIMIT CAST(%(limit)s AS int)),
        gone AS (
            DELETE FROM {table} x USING old WHERE x.tenant_id = old.tenant_id AND x.{key} = old.{key}
            RETURNING x.tenant_id, x.authorization_id),
        ended AS (
            DELETE FROM authorizations z USING gone WHERE z.tenant_id = gone.tenant_id AND z.id = gone.authorization_id
                AND NOT EXISTS (SELECT FROM tokens t WHERE t.tenant_id = z.tenant_id AND t.authorization_id = z.id
                    AND t.expires_at >= now()))
        SELECT 1 FROM gone
    """)


_FORGET_CODES: Final = _forgetting("codes", "hash", "now() - interval '1 hour'")
_FORGET_TOKENS: Final = _forgetting("tokens", "id", "now()")
