"""Relying parties: the LMSs that people sign in to. A client has an id that stays and any number of secrets.

    clients ─┬─ secret × n (credentials of the kind client_secret), each with its own end; a public client has none
             └─ authorizations ─▶ codes, tokens: they end with the client

`settings` is what `sso.relying_parties.RelyingParty` says beyond the columns; the adapter reads it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.store import credentials, tables
from app.store.credentials import Issued, UnknownCredentialError
from app.store.driver import Statement
from app.store.provider_tables import authorizations, clients

_T: Final = clients
_C: Final = tables.credentials
_SECRET: Final = "client_secret"  # noqa: S105
_UNKNOWN: Final = "there is no such client, or it is removed already"


@dataclass(frozen=True, slots=True)
class ClientRow:
    """A client as it is stored."""

    id: str
    tenant_id: str
    tenant_name: str
    name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    settings: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ListedClient:
    """What an administrator sees of a client."""

    client: ClientRow
    created_at: datetime
    removed_at: datetime | None
    secrets: Sequence[credentials.Listed]


def create(
    conn: sa.Connection,
    tenant_id: str,
    name: str,
    *,
    redirect_uris: Sequence[str],
    post_logout_redirect_uris: Sequence[str] = (),
    settings: Mapping[str, Any] | None = None,
) -> str:
    """A new client of the tenant; returns its id. It has no secret yet."""
    id = str(uuid_utils.uuid7())
    conn.execute(
        sa.insert(_T).values(
            tenant_id=tenant_id,
            id=id,
            name=name,
            redirect_uris=list(redirect_uris),
            post_logout_redirect_uris=list(post_logout_redirect_uris),
            settings=dict(settings or {}),
        )
    )
    return id


def add_secret(
    conn: sa.Connection, tenant_id: str, client_id: str, *, overlap: timedelta | None, expires_at: datetime | None
) -> Issued:
    """A further secret. Those that are there end after `overlap`, or at their own end if sooner; None: as they are.

    Raises:
        UnknownCredentialError: there is no such client, or it is removed.
    """
    this = (_T.c.tenant_id == tenant_id, _T.c.id == client_id, _T.c.removed_at.is_(None))
    name = conn.execute(sa.select(_T.c.name).where(*this).with_for_update()).scalar_one_or_none()
    if name is None:
        raise UnknownCredentialError(_UNKNOWN)
    if overlap is not None:
        end = sa.func.least(_C.c.expires_at, datetime.now(UTC) + overlap)
        conn.execute(sa.update(_C).where(*_secrets_of(tenant_id, client_id)).values(expires_at=end))
    return credentials.issue(conn, tenant_id, _SECRET, name, expires_at=expires_at, client_id=client_id)


def remove(conn: sa.Connection, tenant_id: str, client_id: str) -> None:
    """End a client now: its secrets, and whatever people signed in to it for.

    Raises:
        UnknownCredentialError: there is no such client, or it is removed already.
    """
    this = (_T.c.tenant_id == tenant_id, _T.c.id == client_id, _T.c.removed_at.is_(None))
    if conn.execute(sa.update(_T).where(*this).values(removed_at=sa.func.now())).rowcount == 0:
        raise UnknownCredentialError(_UNKNOWN)
    conn.execute(sa.update(_C).where(*_secrets_of(tenant_id, client_id)).values(revoked_at=sa.func.now()))
    mine = (authorizations.c.tenant_id == tenant_id, authorizations.c.client_id == client_id)
    living = sa.update(authorizations).where(*mine, authorizations.c.revoked_at.is_(None))
    conn.execute(living.values(revoked_at=sa.func.now()))


def set_addresses(
    conn: sa.Connection,
    tenant_id: str,
    client_id: str,
    redirect_uris: Sequence[str],
    post_logout_redirect_uris: Sequence[str],
) -> None:
    """Where people are sent back to from now on.

    Raises:
        UnknownCredentialError: there is no such client, or it is removed.
    """
    this = (_T.c.tenant_id == tenant_id, _T.c.id == client_id, _T.c.removed_at.is_(None))
    changed = (
        sa.update(_T)
        .where(*this)
        .values(redirect_uris=list(redirect_uris), post_logout_redirect_uris=list(post_logout_redirect_uris))
    )
    if conn.execute(changed).rowcount == 0:
        raise UnknownCredentialError(_UNKNOWN)


def find(conn: sa.Connection, client_id: str) -> ClientRow | None:
    """The living client of that id, whatever tenant's it is: a request names it before the tenant is known."""
    row = _FIND.row(conn, {"id": client_id})
    return None if row is None else _client(row)


def listing(conn: sa.Connection, tenant_id: str) -> list[ListedClient]:
    """The tenant's clients, oldest first, removed ones included."""
    known = {one.id: one for one in credentials.listing(conn, tenant_id, [_SECRET])}
    chosen = sa.select(_C.c.id, _C.c.client_id).where(_C.c.tenant_id == tenant_id, _C.c.kind == _SECRET)
    mine: dict[str, list[credentials.Listed]] = {}
    for row in conn.execute(chosen.order_by(_C.c.created_at, _C.c.id)):
        mine.setdefault(str(row.client_id), []).append(known[str(row.id)])
    rows = conn.execute(_SELECT.where(_T.c.tenant_id == tenant_id).order_by(_T.c.created_at, _T.c.id))
    return [ListedClient(_client(row), row.created_at, row.removed_at, mine.get(row.id, [])) for row in rows]


def _secrets_of(tenant_id: str, client_id: str) -> tuple[sa.ColumnElement[bool], ...]:
    mine = (_C.c.tenant_id == tenant_id, _C.c.client_id == client_id)
    return (*mine, _C.c.kind == _SECRET, _C.c.revoked_at.is_(None))


def _client(row: Any) -> ClientRow:
    return ClientRow(
        row.id,
        row.tenant_id,
        row.tenant_name,
        row.name,
        tuple(row.redirect_uris),
        tuple(row.post_logout_redirect_uris),
        row.settings,
    )


_SELECT: Final = sa.select(
    _T.c.id,
    _T.c.tenant_id,
    tables.tenants.c.name.label("tenant_name"),
    _T.c.name,
    _T.c.redirect_uris,
    _T.c.post_logout_redirect_uris,
    _T.c.settings,
    _T.c.created_at,
    _T.c.removed_at,
).join_from(_T, tables.tenants, tables.tenants.c.id == _T.c.tenant_id)
_FIND: Final = Statement(_SELECT.where(_T.c.id == sa.bindparam("id"), _T.c.removed_at.is_(None)))
