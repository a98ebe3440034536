"""`sso`'s keepers of clients and access tokens, on our credentials.

A client's id is its credential's id; its secret is found by digest, and must belong to the id that came with it.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa

from app.store import credentials
from app.store.engine import reading, writing
from sso.tokens import Client


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
            found = credentials.find(conn, secret, ["client"])
        owner = found.id if found is not None else ""
        if not hmac.compare_digest(owner.encode(), client_id.encode()) or found is None:
            return None
        self._last_use.note(found)
        return KnownClient(found.id, tuple(sorted(found.scopes)), found)

    def issue(self, client: Client, scopes: tuple[str, ...], lifetime: timedelta) -> str:
        """A new access token of a client that `authenticate` gave; it ends no later than the client does.

        Raises:
            TypeError: the client is of another keeper.
        """
        if not isinstance(client, KnownClient):
            raise TypeError("a client that this keeper did not authenticate")
        owner = client.credential
        end = datetime.now(UTC) + lifetime
        with writing(self._engine) as conn:
            issued = credentials.issue(
                conn,
                owner.tenant_id,
                "access_token",
                owner.name,
                source_id=owner.source_id,
                scopes=scopes,
                expires_at=min(end, owner.expires_at) if owner.expires_at else end,
                client_id=owner.id,
            )
        return issued.secret
