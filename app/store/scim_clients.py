"""OAuth clients of SCIM sources: an id that stays, and several secrets or one issuer whose assertions it shows.

    client ─┬─ secret × n, each with its own end and last use     ──▶ access tokens, which end with the client
            └─ federation: issuer, subject, audience, keys

The client's own credential has a secret that nobody ever saw: only its further secrets are given out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store import credentials
from app.store import tables as t
from app.store.credentials import Issued, UnknownCredentialError
from app.store.tenants import SourceRow

SCOPE: Final = "scim"
_C: Final = t.credentials
_F: Final = t.federations

_FIRST_USE: Final = sa.text("""
    INSERT INTO used_assertions (tenant_id, client_id, jti_hash, until) VALUES (:tenant, :client, :hash, :until)
    ON CONFLICT DO NOTHING
""")
_FORGET_USED: Final = sa.text("""
    DELETE FROM used_assertions u USING (
        SELECT d.tenant_id, d.client_id, d.jti_hash FROM tenants n CROSS JOIN LATERAL (
            SELECT tenant_id, client_id, jti_hash FROM used_assertions
            WHERE tenant_id = n.id AND until < :now ORDER BY until LIMIT :limit
        ) d LIMIT :limit
    ) old WHERE u.tenant_id = old.tenant_id AND u.client_id = old.client_id AND u.jti_hash = old.jti_hash
""")


@dataclass(frozen=True, slots=True)
class Federation:
    """Whose assertions a client shows. The keys stand at `jwks_url`, or are `jwks`.

    Without issuer and subject the client signs them itself and is both (private_key_jwt, OpenID Connect Core 1.0 §9).
    """

    issuer: str
    subject: str
    audience: str
    jwks_url: str | None = None
    jwks: str | None = None


@dataclass(frozen=True, slots=True)
class ScimClient:
    """What an administrator sees of a client."""

    id: str
    name: str
    source: str | None
    created_at: datetime
    revoked_at: datetime | None
    federation: Federation | None
    secrets: Sequence[credentials.Listed]


def create(conn: sa.Connection, source: SourceRow, name: str, federation: Federation | None = None) -> str:
    """A new client of the source; returns its id. It has no secret yet."""
    issued = credentials.issue(conn, source.tenant_id, "client", name, source_id=source.id, scopes=[SCOPE])
    if federation is not None:
        named = {"issuer": federation.issuer or issued.id, "subject": federation.subject or issued.id}
        values = {**asdict(federation), **named}
        conn.execute(sa.insert(_F).values(tenant_id=source.tenant_id, client_id=issued.id, **values))
    return issued.id


def add_secret(
    conn: sa.Connection, tenant_id: str, client_id: str, *, overlap: timedelta | None, expires_at: datetime | None
) -> Issued:
    """A further secret. Those that are there end after `overlap`, or at their own end if sooner; None: as they are.

    Raises:
        UnknownCredentialError: there is no such client, or it is revoked.
    """
    client = _client(conn, tenant_id, client_id)
    if overlap is not None:
        end = sa.func.least(_C.c.expires_at, datetime.now(UTC) + overlap)
        mine = (_C.c.tenant_id == tenant_id, _C.c.client_id == client_id, _C.c.kind == "client_secret")
        conn.execute(sa.update(_C).where(*mine, _C.c.revoked_at.is_(None)).values(expires_at=end))
    return credentials.issue(
        conn,
        tenant_id,
        "client_secret",
        client.name,
        source_id=str(client.source_id),
        scopes=client.scopes,
        expires_at=expires_at,
        client_id=client_id,
    )


def remove(conn: sa.Connection, tenant_id: str, client_id: str) -> None:
    """End a client now, its secrets and its access tokens with it.

    Raises:
        UnknownCredentialError: there is no such client, or it is revoked already.
    """
    _client(conn, tenant_id, client_id)
    credentials.revoke(conn, tenant_id, client_id, "client")
    conn.execute(sa.delete(_F).where(_F.c.tenant_id == tenant_id, _F.c.client_id == client_id))


def listing(conn: sa.Connection, tenant_id: str) -> list[ScimClient]:
    """The tenant's SCIM clients, oldest first, revoked ones included."""
    owners = [one for one in credentials.listing(conn, tenant_id, ["client"]) if SCOPE in one.scopes]
    secrets = {one.id: one for one in credentials.listing(conn, tenant_id, ["client_secret"])}
    chosen = sa.select(_C.c.id, _C.c.client_id).where(_C.c.tenant_id == tenant_id, _C.c.kind == "client_secret")
    mine: dict[str, list[credentials.Listed]] = {}
    for row in conn.execute(chosen.order_by(_C.c.created_at, _C.c.id)):
        mine.setdefault(str(row.client_id), []).append(secrets[str(row.id)])
    rows = conn.execute(sa.select(_F).where(_F.c.tenant_id == tenant_id))
    trusted = {str(row.client_id): _federation(row) for row in rows}
    return [
        ScimClient(
            one.id, one.name, one.source, one.created_at, one.revoked_at, trusted.get(one.id), mine.get(one.id, [])
        )
        for one in owners
    ]


def federations(conn: sa.Connection, tenant_id: str, client_ids: Sequence[str]) -> Mapping[str, Federation]:
    """Whose assertions these clients show, by client id."""
    if not client_ids:
        return {}
    rows = conn.execute(sa.select(_F).where(_F.c.tenant_id == tenant_id, _F.c.client_id.in_(list(client_ids))))
    return {str(row.client_id): _federation(row) for row in rows}


def federated(conn: sa.Connection, client_id: str) -> tuple[credentials.Credential, Federation] | None:
    """A living client that shows assertions, by its id alone: it has not proved yet who it is."""
    same = sa.and_(_C.c.tenant_id == _F.c.tenant_id, _C.c.id == _F.c.client_id)
    row = conn.execute(
        sa.select(_F, _C.c.hash).join_from(_F, _C, same).where(_F.c.client_id == client_id)
    ).one_or_none()
    owner = None if row is None else credentials.find_by_hash(conn, row.hash, ["client"])
    return None if owner is None else (owner, _federation(row))


def first_use(conn: sa.Connection, tenant_id: str, client_id: str, jti: str, until: datetime) -> bool:
    """Whether this `jti` was never used by the client; from now on it was."""
    hash = hashlib.sha256(jti.encode(errors="replace")).digest()
    values = {"tenant": tenant_id, "client": client_id, "hash": hash, "until": until}
    return conn.execute(_FIRST_USE, values).rowcount == 1


def forget_used(conn: sa.Connection, now: datetime, limit: int = 5_000) -> int:
    """Drop what can no longer be used again; returns how many."""
    return conn.execute(_FORGET_USED, {"now": now, "limit": limit}).rowcount


def _client(conn: sa.Connection, tenant_id: str, client_id: str) -> Any:
    mine = (_C.c.tenant_id == tenant_id, _C.c.id == client_id, _C.c.kind == "client", _C.c.revoked_at.is_(None))
    row = conn.execute(sa.select(_C).where(*mine, _C.c.scopes.contains([SCOPE])).with_for_update()).one_or_none()
    if row is None:
        raise UnknownCredentialError("there is no such client, or it is revoked already")
    return row


def _federation(row: Any) -> Federation:
    return Federation(row.issuer, row.subject, row.audience, row.jwks_url, row.jwks)
