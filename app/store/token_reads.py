"""Whose a token is, and whether it is good: one statement, index lookups only.

    digest ─▶ tokens ─▶ authorizations ─▶ clients, sessions, accounts, tenants      of a person
    digest ─▶ credentials ─▶ tenants                                               of a machine

Everything that makes a token good is a condition of the query, the tenant too: what comes back is good, and nothing
tells why something did not come back. Times are epoch seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import sqlalchemy as sa

from app.store.driver import Statement


@dataclass(frozen=True, slots=True)
class Found:
    """A good token. `ends` is when it stops being good by itself: with its session, if that is sooner."""

    id: str
    kind: Literal["access", "refresh", "machine"]
    tenant_id: str
    tenant: str
    client_id: str | None
    audience: str | None
    scopes: tuple[str, ...]
    issued: float
    ends: float | None
    account_id: str | None = None
    session_id: str | None = None
    roles: tuple[str, ...] = ()
    user_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    context: str | None = None
    methods: tuple[str, ...] = ()
    authenticated: float | None = None


@dataclass(frozen=True, slots=True)
class Asker:
    """Who proved to be a client, an API key or an access token. `client_id` is the client's.

    `introspects` and `auth_method` are the relying party's, None where it is none.
    """

    tenant_id: str
    client_id: str
    kind: str
    scopes: frozenset[str]
    introspects: bool | None
    auth_method: str | None
    ends: float | None


@dataclass(frozen=True, slots=True)
class Reach:
    """Which tokens an asker may hear of: its own, those meant for it, and with `all` every access token of its tenant.

    A refresh token is its own client's alone: to anybody else it must not look like an access token.
    """

    tenant_id: str
    client_id: str
    all: bool


def of_person(conn: sa.Connection, hash: bytes, reach: Reach | None = None) -> Found | None:
    """The token with this digest, if it is good and within `reach`; without that, if it is any access token."""
    row = _OF_PERSON.row(conn, {"hash": hash, **_within(reach)})
    if row is None:
        return None
    said = row._asdict()
    for name in ("scopes", "roles", "methods"):
        said[name] = tuple(said[name])
    return Found(**said)


def of_machine(conn: sa.Connection, hash: bytes, reach: Reach | None = None) -> Found | None:
    """The access token of client credentials with this digest, if it is good and within `reach`."""
    row = _OF_MACHINE.row(conn, {"hash": hash, **_within(reach)})
    return None if row is None else Found(**{**row._asdict(), "scopes": tuple(row.scopes)})


def asker(conn: sa.Connection, hash: bytes, kinds: Sequence[str]) -> Asker | None:
    """Whose secret has this digest, if it is valid and its relying party, if it is one's, was not removed."""
    row: Any = _ASKER.row(conn, {"hash": hash, "kinds": list(kinds)})
    return None if row is None else Asker(**{**row._asdict(), "scopes": frozenset(row.scopes)})


def tenant_id(conn: sa.Connection, name: str) -> str | None:
    """The id of the tenant of that name."""
    found: str | None = _TENANT.value(conn, {"name": name})
    return found


def _within(reach: Reach | None) -> dict[str, Any]:
    if reach is None:
        return {"tenant": None, "client": None, "all": True}
    return {"tenant": reach.tenant_id, "client": reach.client_id, "all": reach.all}


_TENANT: Final = Statement("SELECT id FROM tenants WHERE name = CAST(%(name)s AS text)")
_OF_PERSON: Final = Statement("""
    SELECT CAST(t.id AS text) AS id, t.kind, CAST(t.tenant_id AS text) AS tenant_id, n.name AS tenant,
        CAST(z.client_id AS text) AS client_id,
        COALESCE(c.settings ->> 'audience', CAST(c.id AS text)) AS audience, t.scopes,
        date_part('epoch', t.issued_at) AS issued,
        date_part('epoch', LEAST(t.expires_at, CASE WHEN NOT z.offline THEN s.expires_at END)) AS ends,
        CAST(z.account_id AS text) AS account_id, CAST(z.session_id AS text) AS session_id, a.roles,
        a.attributes ->> 'userName' AS user_name,
        a.attributes ->> 'emails.work' AS email, s.context, s.methods,
        date_part('epoch', s.authenticated_at) AS authenticated
    FROM tokens t
    JOIN authorizations z ON z.tenant_id = t.tenant_id AND z.id = t.authorization_id AND z.revoked_at IS NULL
    JOIN clients c ON c.tenant_id = z.tenant_id AND c.id = z.client_id AND c.removed_at IS NULL
    JOIN sessions s ON s.tenant_id = z.tenant_id AND s.id = z.session_id AND s.account_id = z.account_id
        AND s.ended_at IS NULL AND (z.offline OR s.expires_at > now())
    JOIN accounts a ON a.tenant_id = s.tenant_id AND a.id = s.account_id AND a.status = 'active'
        AND (a.signed_out_at IS NULL OR s.created_at > a.signed_out_at)
    JOIN tenants n ON n.id = t.tenant_id
    WHERE t.hash = CAST(%(hash)s AS bytea) AND t.expires_at > now() AND t.revoked_at IS NULL AND t.used_at IS NULL
        AND (CAST(%(tenant)s AS uuid) IS NULL AND t.kind = 'access' OR t.tenant_id = CAST(%(tenant)s AS uuid)
            AND (z.client_id = CAST(%(client)s AS uuid) OR t.kind = 'access'
                AND (CAST(%(all)s AS boolean) OR c.settings ->> 'audience' = CAST(%(client)s AS text))))
""")
_OF_MACHINE: Final = Statement("""
    SELECT k.id, 'machine' AS kind, k.tenant_id, n.name AS tenant, k.client_id, CAST(NULL AS text) AS audience,
        k.scopes, date_part('epoch', k.created_at) AS issued,
        date_part('epoch', k.expires_at) AS ends
    FROM credentials k JOIN tenants n ON n.id = k.tenant_id
    LEFT JOIN clients c ON c.tenant_id = k.tenant_id AND c.id = k.client_id
    WHERE k.hash = CAST(%(hash)s AS bytea) AND k.kind = 'access_token' AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now()) AND c.removed_at IS NULL
        AND (CAST(%(tenant)s AS uuid) IS NULL OR k.tenant_id = CAST(%(tenant)s AS uuid)
            AND (CAST(%(all)s AS boolean) OR k.client_id = CAST(%(client)s AS uuid)))
""")
_ASKER: Final = Statement("""
    SELECT k.tenant_id, COALESCE(k.client_id, k.id) AS client_id, k.kind, k.scopes,
        CASE WHEN c.id IS NOT NULL THEN COALESCE(CAST(c.settings ->> 'introspects' AS boolean), false) END
            AS introspects,
        CASE WHEN c.id IS NOT NULL THEN COALESCE(c.settings ->> 'auth_method', 'client_secret_basic') END
            AS auth_method,
        date_part('epoch', k.expires_at) AS ends
    FROM credentials k
    LEFT JOIN clients c ON c.tenant_id = k.tenant_id AND c.id = COALESCE(k.client_id, k.id)
    WHERE k.hash = CAST(%(hash)s AS bytea) AND k.kind = ANY (CAST(%(kinds)s AS text[])) AND k.revoked_at IS NULL
        AND (k.expires_at IS NULL OR k.expires_at > now()) AND c.removed_at IS NULL
""")
