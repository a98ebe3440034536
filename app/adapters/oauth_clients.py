"""`sso`'s keepers of clients and access tokens, on our credentials.

A client's id is its credential's id; its secret is found by digest, and must belong to the id that came with it.
"""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.store import credentials, scim_clients
from app.store.engine import reading, writing
from sso.assertions import Trust
from sso.tokens import Client

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class KnownClient(Client):
    """A client and whom it speaks for: its tokens speak for the same tenant and source."""

    credential: credentials.Credential


class OAuthClients:
    """`sso.tokens.Clients` and `sso.tokens.Tokens`."""

    def __init__(self, engine: sa.Engine) -> None:
        self._engine = engine
        self._last_use = credentials.LastUse(engine)

    def authenticate(self, client_id: str, secret: str) -> KnownClient | None:
        """The client, if the secret is its own. An unknown id and a wrong secret take the same road."""
        with reading(self._engine) as conn:
            found = credentials.find(conn, secret, ["client", "client_secret"])
        owner = (found.client_id or found.id) if found is not None else ""
        if not hmac.compare_digest(owner.encode(), client_id.encode()) or found is None:
            return None
        return KnownClient(owner, tuple(sorted(found.scopes)), found)

    def federated(self, client_id: str) -> tuple[KnownClient, Trust] | None:
        """The client of that id, if it is one that shows assertions."""
        if not _UUID.fullmatch(client_id):
            return None
        with reading(self._engine) as conn:
            found = scim_clients.federated(conn, client_id)
        if found is None:
            return None
        owner, said = found
        trust = Trust(said.issuer, said.subject, said.audience, said.jwks_url, said.jwks)
        return KnownClient(owner.id, tuple(sorted(owner.scopes)), owner), trust

    def first_use(self, client: Client, jti: str, until: float) -> bool:
        """Whether no process of ours has seen this `jti` of the client."""
        owner = _known(client).credential
        with writing(self._engine) as conn:
            return scim_clients.first_use(conn, owner.tenant_id, owner.id, jti, datetime.fromtimestamp(until, UTC))

    def issue(self, client: Client, scopes: tuple[str, ...], lifetime: timedelta) -> str:
        """A new access token of a client that proved here who it is; it ends no later than the client does.

        It may outlive the one of several secrets by which it was asked for.

        Raises:
            TypeError: the client is of another keeper.
        """
        owner = _known(client).credential
        self._last_use.note(owner)
        end = datetime.now(UTC) + lifetime
        last = owner.expires_at if owner.kind == "client" else None
        with writing(self._engine) as conn:
            issued = credentials.issue(
                conn,
                owner.tenant_id,
                "access_token",
                owner.name,
                source_id=owner.source_id,
                scopes=scopes,
                expires_at=min(end, last) if last else end,
                client_id=client.id,
            )
        return issued.secret


def _known(client: Client) -> KnownClient:
    if not isinstance(client, KnownClient):
        raise TypeError("a client that this keeper did not authenticate")
    return client
