"""Secrets that callers show: SCIM tokens, API keys, OAuth clients and their access tokens.

A secret is 256 random bits with a prefix that says what it is, shown once; the table keeps its SHA-256, which needs no
salt and no slow hash at that length. Comparing digests by index lookup leaks nothing that helps to guess a secret.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import ARRAY

from app.store import tables
from app.store.driver import Statement
from app.store.engine import reading

Kind = Literal["scim_token", "api_key", "client", "client_secret", "access_token"]

PREFIXES: Final[Mapping[Kind, str]] = {
    "scim_token": "rc_scim_",
    "api_key": "rc_key_",
    "client": "rc_client_",
    "client_secret": "rc_client_",
    "access_token": "rc_at_",
}
RANDOM_BYTES: Final = 32  # 43 characters in URL-safe base64
LONGEST_SECRET: Final = 64
HINT_CHARACTERS: Final = 5
USE_NOTED_EVERY: Final = 60.0  # seconds
MOST_LISTED: Final = 500
OVER_SHOWN_DAYS: Final = 30


class UnknownCredentialError(LookupError):
    """The tenant has no such credential, or it is revoked already."""


@dataclass(frozen=True, slots=True)
class Issued:
    """A new credential. `secret` is not kept: this is the only time that it is seen."""

    id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Credential:
    """A valid credential and whom it speaks for. The `source_*` are None for what belongs to no source."""

    id: str
    kind: str
    name: str
    tenant_id: str
    tenant_name: str
    tenant_settings: Mapping[str, Any]
    tenant_revision: int
    source_id: str | None
    source_name: str | None
    source_kind: str | None
    source_system: str | None
    source_state: str | None
    scopes: frozenset[str]
    client_id: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Listed:
    """What an administrator sees of a credential."""

    id: str
    kind: str
    name: str
    source: str | None
    source_id: str | None
    client_id: str | None
    hint: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


def issue(
    conn: sa.Connection,
    tenant_id: str,
    kind: Kind,
    name: str,
    *,
    source_id: str | None = None,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
    client_id: str | None = None,
) -> Issued:
    """A new credential of the tenant."""
    issued = Issued(str(uuid_utils.uuid7()), PREFIXES[kind] + secrets.token_urlsafe(RANDOM_BYTES))
    conn.execute(
        _INSERT,
        {
            "tenant_id": tenant_id,
            "id": issued.id,
            "kind": kind,
            "name": name,
            "source_id": source_id,
            "client_id": client_id,
            "hash": digest(issued.secret),
            "hint": issued.secret[: len(PREFIXES[kind]) + HINT_CHARACTERS],
            "scopes": sorted(set(scopes)),
            "expires_at": expires_at,
        },
    )
    return issued


def find(conn: sa.Connection, secret: str, kinds: Sequence[Kind]) -> Credential | None:
    """Whose `secret` this is, if it is of one of `kinds` and neither expired nor revoked. One statement, always."""
    return find_by_hash(conn, digest(secret if len(secret) <= LONGEST_SECRET else ""), kinds)


def find_by_hash(conn: sa.Connection, hash: bytes, kinds: Sequence[Kind]) -> Credential | None:
    """The same, by the digest that is kept."""
    row = _FIND.row(conn, {"hash": hash, "kinds": list(kinds)})
    return None if row is None else Credential(**{**row._asdict(), "scopes": frozenset(row.scopes)})


def revoke(conn: sa.Connection, tenant_id: str, credential_id: str, kind: Kind) -> None:
    """Ends a credential of that kind now, and the access tokens that were issued to it.

    A web worker may remember whom an access token or SCIM token names for a second more.

    Raises:
        UnknownCredentialError: there is none of the kind that is not revoked yet.
    """
    own = sa.and_(_T.c.id == credential_id, _T.c.kind == kind, _T.c.revoked_at.is_(None))
    issued_to_it = sa.and_(_T.c.client_id == credential_id, _T.c.revoked_at.is_(None))
    change = sa.update(_T).where(_T.c.tenant_id == tenant_id).values(revoked_at=sa.func.now())
    if conn.execute(change.where(own)).rowcount == 0:
        raise UnknownCredentialError("there is no such credential, or it is revoked already")
    conn.execute(change.where(issued_to_it))


def revoke_issued(conn: sa.Connection, tenant_id: str, client_id: str, secret: str) -> None:
    """Ends an access token that was issued to this client (RFC 7009); any other stays as it is."""
    this = (_T.c.tenant_id == tenant_id, _T.c.hash == digest(secret), _T.c.kind == "access_token")
    mine = sa.update(_T).where(*this, _T.c.client_id == client_id, _T.c.revoked_at.is_(None))
    conn.execute(mine.values(revoked_at=sa.func.now()))


def rotate(
    conn: sa.Connection,
    tenant_id: str,
    credential_id: str,
    kind: Kind,
    *,
    overlap: timedelta,
    expires_at: datetime | None = None,
) -> Issued:
    """A new credential of the same `kind` with the old one's rights, which ends at `expires_at`.

    The old one ends after `overlap`, or at its own end if sooner.

    Raises:
        UnknownCredentialError: there is none of the kind, or it is revoked.
    """
    this = (_T.c.tenant_id == tenant_id, _T.c.id == credential_id, _T.c.kind == kind, _T.c.revoked_at.is_(None))
    old = conn.execute(sa.select(_T).where(*this).with_for_update()).mappings().one_or_none()
    if old is None:
        raise UnknownCredentialError("there is no such credential, or it is revoked already")
    end = sa.func.least(_T.c.expires_at, datetime.now(UTC) + overlap)
    conn.execute(sa.update(_T).where(*this).values(expires_at=end))
    rights = {"source_id": old["source_id"], "scopes": old["scopes"]}
    return issue(conn, tenant_id, old["kind"], old["name"], expires_at=expires_at, **rights)


def listing(conn: sa.Connection, tenant_id: str, kinds: Sequence[Kind]) -> list[Listed]:
    """The tenant's credentials of `kinds`, oldest first, revoked ones included."""
    rows = conn.execute(_LISTING, {"tenant": tenant_id, "kinds": list(kinds)}).mappings()
    return [Listed(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]


def living(conn: sa.Connection, tenant_id: str, kinds: Sequence[Kind], *, source_id: str | None = None) -> list[Listed]:
    """What is valid, or ended by itself not long ago, newest first, at most 500; of one source, if given."""
    chosen = _LISTED.where(_KEPT, _T.c.revoked_at.is_(None), sa.or_(_ENDLESS, _NOT_LONG_OVER))
    if source_id is not None:
        chosen = chosen.where(_T.c.source_id == source_id)
    rows = conn.execute(
        chosen.order_by(_T.c.id.desc()).limit(MOST_LISTED), {"tenant": tenant_id, "kinds": list(kinds)}
    ).mappings()
    return [Listed(**{**row, "scopes": tuple(row["scopes"])}) for row in rows]


def one(conn: sa.Connection, tenant_id: str, id: str, kind: Kind) -> Listed | None:
    """The tenant's credential of that kind and id, revoked ones included."""
    row = conn.execute(_ONE, {"tenant": tenant_id, "id": id, "kinds": [kind]}).mappings().one_or_none()
    return None if row is None else Listed(**{**row, "scopes": tuple(row["scopes"])})


class LastUse:
    """Notes when credentials are used: at most once a minute each in a process, and never waits for a lock."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._noted: dict[str, float] = {}

    def note(self, credential: Credential) -> None:
        """Sets `last_used_at`, unless it was set less than a minute ago or another process is setting it."""
        now = time.monotonic()
        if now - self._noted.get(credential.id, -USE_NOTED_EVERY) < USE_NOTED_EVERY:
            return
        if len(self._noted) > 10_000:
            self._noted.clear()
        self._noted[credential.id] = now
        with reading(self._engine) as conn:
            _NOTE_USE.rows(conn, {"tenant": credential.tenant_id, "id": credential.id})


def digest(secret: str) -> bytes:
    """What the table keeps of a secret."""
    return hashlib.sha256(secret.encode(errors="replace")).digest()


_T: Final = tables.credentials
_INSERT: Final = sa.insert(_T)
_SOURCE_JOIN: Final = sa.and_(tables.sources.c.tenant_id == _T.c.tenant_id, tables.sources.c.id == _T.c.source_id)
_KINDS: Final = _T.c.kind == sa.any_(sa.bindparam("kinds", type_=ARRAY(sa.Text)))
_FIND: Final = Statement(
    sa.select(
        _T.c.id,
        _T.c.kind,
        _T.c.name,
        _T.c.tenant_id,
        tables.tenants.c.name.label("tenant_name"),
        tables.tenants.c.settings.label("tenant_settings"),
        tables.tenants.c.revision.label("tenant_revision"),
        _T.c.source_id,
        tables.sources.c.name.label("source_name"),
        tables.sources.c.kind.label("source_kind"),
        tables.sources.c.system.label("source_system"),
        tables.sources.c.state.label("source_state"),
        _T.c.scopes,
        _T.c.client_id,
        _T.c.expires_at,
    )
    .join_from(_T, tables.tenants, tables.tenants.c.id == _T.c.tenant_id)
    .outerjoin(tables.sources, _SOURCE_JOIN)
    .where(
        _T.c.hash == sa.bindparam("hash"),
        _KINDS,
        _T.c.revoked_at.is_(None),
        sa.or_(_T.c.expires_at.is_(None), _T.c.expires_at > sa.func.now()),
    )
)
_LISTED: Final = (
    sa.select(
        _T.c.id,
        _T.c.kind,
        _T.c.name,
        tables.sources.c.name.label("source"),
        _T.c.source_id,
        _T.c.client_id,
        _T.c.hint,
        _T.c.scopes,
        _T.c.created_at,
        _T.c.expires_at,
        _T.c.last_used_at,
        _T.c.revoked_at,
    )
    .join_from(_T, tables.sources, _SOURCE_JOIN, isouter=True)
    .where(_T.c.tenant_id == sa.bindparam("tenant"), _KINDS)
)
_KEPT: Final = _T.c.kind != sa.literal_column("'access_token'")  # in the words of the partial index
_ENDLESS: Final = _T.c.expires_at.is_(None)
_NOT_LONG_OVER: Final = _T.c.expires_at > sa.func.now() - sa.text(f"interval '{OVER_SHOWN_DAYS} days'")
_LISTING: Final = _LISTED.order_by(_T.c.created_at, _T.c.id)
_ONE: Final = _LISTED.where(_T.c.id == sa.bindparam("id"))
_NOTE_USE: Final = Statement(
    sa.text(
        "UPDATE credentials SET last_used_at = now() WHERE (tenant_id, id) IN ("
        "SELECT tenant_id, id FROM credentials WHERE tenant_id = :tenant AND id = :id "
        "AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute') FOR UPDATE SKIP LOCKED)"
    ).bindparams(sa.bindparam("tenant", type_=tables.Id), sa.bindparam("id", type_=tables.Id))
)
