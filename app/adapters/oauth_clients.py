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

from app.adapters.relying_parties import relying_party
from app.store import clients, credentials, scim_clients
from app.store.engine import reading, writing
from sso.assertions import Trust
from sso.relying_parties import RelyingParty
from sso.tokens import Client

_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class KnownClient(Client):
    """A client and whom it speaks for: its tokens speak for the same tenant and source.

    One that shows no secret has no credential.
    """

    credential: credentials.Credential | None = None


class OAuthClients:
    """`sso.tokens.Clients` and `sso.tokens.Tokens`. `issuer` is our public address, where people sign in through us."""

    def __init__(self, engine: sa.Engine, issuer: str | None = None) -> None:
        self._engine, self._issuer = engine, issuer
        self._last_use = credentials.LastUse(engine)

    def authenticate(self, client_id: str, secret: str) -> KnownClient | None:
        """The client, if the secret is its own. An unknown id and a wrong secret take the same road."""
        with reading(self._engine) as conn:
            found = credentials.find(conn, secret, ["client", "client_secret"])
        owner = (found.client_id or found.id) if found is not None else ""
        if not hmac.compare_digest(owner.encode(), client_id.encode()) or found is None:
            return None
        if not self._is_party_secret(found):
            return KnownClient(owner, tuple(sorted(found.scopes)), None, found)
        party = self._party(owner)
        if party is None or party.tenant_id != found.tenant_id:
            return None
        self._last_use.note(found)
        return KnownClient(owner, (), party, found)

    def public(self, client_id: str) -> KnownClient | None:
        """The public client of that id."""
        party = self._party(client_id) if _UUID.fullmatch(client_id) else None
        return None if party is None or party.auth_method != "none" else KnownClient(party.id, (), party)

    def federated(self, client_id: str) -> tuple[KnownClient, Trust] | None:
        """The client of that id, if it is one that shows assertions."""
        if not _UUID.fullmatch(client_id):
            return None
        with reading(self._engine) as conn:
            found = scim_clients.federated(conn, client_id)
        if found is None:
            return self._signing(client_id)
        owner, said = found
        trust = Trust(said.issuer, said.subject, said.audience, said.jwks_url, said.jwks)
        return KnownClient(owner.id, tuple(sorted(owner.scopes)), None, owner), trust

    def first_use(self, client: Client, jti: str, until: float) -> bool:
        """Whether no process of ours has seen this `jti` of the client."""
        tenant_id = client.party.tenant_id if client.party is not None else _credential(client).tenant_id
        with writing(self._engine) as conn:
            return scim_clients.first_use(conn, tenant_id, client.id, jti, datetime.fromtimestamp(until, UTC))

    def issue(self, client: Client, scopes: tuple[str, ...], lifetime: timedelta) -> str:
        """A new access token of a client that proved here who it is; it ends no later than the client does.

        It may outlive the one of several secrets by which it was asked for.

        Raises:
            TypeError: the client is of another keeper.
        """
        owner = _credential(client)
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

    def revoke(self, client: Client, text: str) -> None:
        """End an access token of this client."""
        owner = _credential(client)
        with reading(self._engine) as conn:
            credentials.revoke_issued(conn, owner.tenant_id, client.id, text)

    def _signing(self, client_id: str) -> tuple[KnownClient, Trust] | None:
        """A relying party that signs by itself: for the issuer that we are, or for its token endpoint."""
        party = self._party(client_id)
        if party is None or party.auth_method != "private_key_jwt" or self._issuer is None:
            return None
        token_url = f"{self._issuer}/oauth/token"
        trust = Trust(party.id, party.id, self._issuer, party.jwks_url, party.jwks, also=(token_url,), once=True)
        return KnownClient(party.id, (), party), trust

    def _party(self, client_id: str) -> RelyingParty | None:
        with reading(self._engine) as conn:
            row = clients.find(conn, client_id)
        return None if row is None else relying_party(row)

    @staticmethod
    def _is_party_secret(found: credentials.Credential) -> bool:
        """A source's client has secrets of the same kind, which name the source."""
        return found.kind == "client_secret" and found.source_id is None


def _credential(client: Client) -> credentials.Credential:
    if not isinstance(client, KnownClient) or client.credential is None:
        raise TypeError("a client that this keeper did not authenticate")
    return client.credential
