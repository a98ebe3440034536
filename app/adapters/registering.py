"""An administrator registers, changes or removes a relying party: under audit."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.adapters.audited import audited
from app.adapters.relying_parties import settings_of
from app.store import clients
from app.store.audit import Entry
from sso.relying_parties import RelyingParty

CONFIDENTIAL: Final = ("client_secret_basic", "client_secret_post")


def register(
    engine: sa.Engine, party: RelyingParty, *, expires_at: datetime | None, actor: str
) -> tuple[str, str | None]:
    """A new client as `party` says, whose own id does not count; returns its id and its secret, if it has one."""

    def act(conn: sa.Connection) -> tuple[tuple[str, str | None], list[Entry]]:
        id = clients.create(
            conn,
            party.tenant_id,
            party.name,
            redirect_uris=party.redirect_uris,
            post_logout_redirect_uris=party.post_logout_redirect_uris,
            settings=settings_of(party),
        )
        secret = None
        if party.auth_method in CONFIDENTIAL:
            secret = clients.add_secret(conn, party.tenant_id, id, overlap=None, expires_at=expires_at).secret
        facts = {
            "name": party.name,
            "redirect_uris": list(party.redirect_uris),
            "post_logout_redirect_uris": list(party.post_logout_redirect_uris),
            **settings_of(party),
        }
        return (id, secret), [Entry(actor, "client.created", id, facts)]

    return audited(engine, party.tenant_id, act)


def add_secret(
    engine: sa.Engine, tenant_id: str, id: str, *, overlap: timedelta, expires_at: datetime | None, actor: str
) -> str:
    """A further secret; those that are there end after `overlap`.

    Raises:
        UnknownCredentialError: there is no such client, or it is removed.
    """

    def act(conn: sa.Connection) -> tuple[str, list[Entry]]:
        issued = clients.add_secret(conn, tenant_id, id, overlap=overlap, expires_at=expires_at)
        return issued.secret, [Entry(actor, "client.secret_added", id, {"secret": issued.id})]

    return audited(engine, tenant_id, act)


def remove(engine: sa.Engine, tenant_id: str, id: str, *, actor: str) -> None:
    """End a client with all that it got.

    Raises:
        UnknownCredentialError: there is no such client, or it is removed already.
    """

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        clients.remove(conn, tenant_id, id)
        return None, [Entry(actor, "client.removed", id, {})]

    return audited(engine, tenant_id, act)
