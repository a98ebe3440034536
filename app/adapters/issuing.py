"""An administrator issues, rotates or revokes what callers show: SCIM tokens, API keys, OAuth clients. Under audit.

    CLI ─┐
    API ─┼─▶ issue · rotate · revoke             ─▶ app.store.credentials   ┐ one transaction with the entry:
 console ┘   create_client · add_secret · remove ─▶ app.store.scim_clients  ┘ who, what, for which source, until when

No entry ever holds a secret, nor its digest: it names the credential by its id.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.adapters.audited import audited
from app.store import credentials, scim_clients
from app.store.audit import Entry
from app.store.credentials import Issued, Kind, Listed
from app.store.scim_clients import Federation
from app.store.tenants import SourceRow

LONGEST_OVERLAP: Final = timedelta(days=90)
LONGEST_CLIENT_OVERLAP: Final = timedelta(days=3 * 365)


def issue(
    engine: sa.Engine,
    tenant_id: str,
    kind: Kind,
    name: str,
    *,
    actor: str,
    source_id: str | None = None,
    scopes: Sequence[str] = (),
    expires_at: datetime | None = None,
) -> Issued:
    """A new credential. Its secret is shown this once."""

    def act(conn: sa.Connection) -> tuple[Issued, list[Entry]]:
        issued = credentials.issue(
            conn, tenant_id, kind, name, source_id=source_id, scopes=scopes, expires_at=expires_at
        )
        facts = _facts(credentials.one(conn, tenant_id, issued.id, kind))
        return issued, [Entry(actor, "credential.issued", issued.id, facts)]

    return audited(engine, tenant_id, act)


def rotate(
    engine: sa.Engine,
    tenant_id: str,
    credential_id: str,
    kind: Kind,
    *,
    actor: str,
    overlap: timedelta,
    expires_at: datetime | None = None,
) -> Issued:
    """A new credential with the old one's rights; the old one ends after `overlap`, or at its own end if sooner.

    Raises:
        UnknownCredentialError: there is none of the kind, or it is revoked.
    """

    def act(conn: sa.Connection) -> tuple[Issued, list[Entry]]:
        issued = credentials.rotate(conn, tenant_id, credential_id, kind, overlap=overlap, expires_at=expires_at)
        old = credentials.one(conn, tenant_id, credential_id, kind)
        facts = _facts(credentials.one(conn, tenant_id, issued.id, kind))
        facts |= {"replaces": credential_id, "old_until": _text(None if old is None else old.expires_at)}
        return issued, [Entry(actor, "credential.rotated", issued.id, facts)]

    return audited(engine, tenant_id, act)


def revoke(engine: sa.Engine, tenant_id: str, credential_id: str, kind: Kind, *, actor: str) -> None:
    """End a credential of that kind now, and the access tokens that were issued to it.

    Raises:
        UnknownCredentialError: there is none of the kind that is not revoked yet.
    """

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        credentials.revoke(conn, tenant_id, credential_id, kind)
        facts = _facts(credentials.one(conn, tenant_id, credential_id, kind))
        return None, [Entry(actor, "credential.revoked", credential_id, facts)]

    return audited(engine, tenant_id, act)


def create_client(
    engine: sa.Engine,
    source: SourceRow,
    name: str,
    *,
    actor: str,
    federation: Federation | None = None,
    expires_at: datetime | None = None,
) -> tuple[str, str | None]:
    """A SCIM client of the source: its id, and its first secret unless it shows signed assertions."""

    def act(conn: sa.Connection) -> tuple[tuple[str, str | None], list[Entry]]:
        id = scim_clients.create(conn, source, name, federation)
        facts: dict[str, Any] = {"name": name, "source": source.name}
        if federation is not None:
            trusted = {"issuer": federation.issuer or id, "subject": federation.subject or id}
            facts |= {**trusted, "audience": federation.audience, "jwks_url": federation.jwks_url}
            return (id, None), [Entry(actor, "scim_client.created", id, facts)]
        issued = scim_clients.add_secret(conn, source.tenant_id, id, overlap=None, expires_at=expires_at)
        facts |= {"secret": issued.id, "expires_at": _text(expires_at)}
        return (id, issued.secret), [Entry(actor, "scim_client.created", id, facts)]

    return audited(engine, source.tenant_id, act)


def add_secret(
    engine: sa.Engine,
    tenant_id: str,
    client_id: str,
    *,
    actor: str,
    overlap: timedelta,
    expires_at: datetime | None = None,
) -> Issued:
    """A further secret of a SCIM client; those that are there end after `overlap`, or at their own end if sooner.

    Raises:
        UnknownCredentialError: there is no such client, or it is revoked.
    """

    def act(conn: sa.Connection) -> tuple[Issued, list[Entry]]:
        issued = scim_clients.add_secret(conn, tenant_id, client_id, overlap=overlap, expires_at=expires_at)
        facts = {
            "secret": issued.id,
            "expires_at": _text(expires_at),
            "others_for_hours": overlap.total_seconds() / 3600,
        }
        return issued, [Entry(actor, "scim_client.secret_added", client_id, facts)]

    return audited(engine, tenant_id, act)


def remove_client(engine: sa.Engine, tenant_id: str, client_id: str, *, actor: str) -> None:
    """End a SCIM client now, its secrets and its access tokens with it.

    Raises:
        UnknownCredentialError: there is no such client, or it is revoked already.
    """

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        scim_clients.remove(conn, tenant_id, client_id)
        facts = _facts(credentials.one(conn, tenant_id, client_id, "client"))
        return None, [Entry(actor, "scim_client.removed", client_id, facts)]

    return audited(engine, tenant_id, act)


def _facts(one: Listed | None) -> dict[str, Any]:
    if one is None:
        return {}
    facts: dict[str, Any] = {"kind": one.kind, "name": one.name, "source": one.source}
    if one.scopes:
        facts["scopes"] = list(one.scopes)
    return {**facts, "expires_at": _text(one.expires_at)}


def _text(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")
