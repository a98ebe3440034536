"""`sso`'s keeper of authorizations, on our store; and marks, which only the installation's own key can make."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlencode

import sqlalchemy as sa

from app.adapters import signing_out
from app.adapters.relying_parties import relying_party
from app.store import authorizations, clients, flows, persons, sessions, token_reads
from app.store.authorizations import NewAuthorization, NewToken
from app.store.credentials import digest
from app.store.engine import reading, writing
from app.store.vault import Vault, VaultError
from sso.authorizations import Access, Authorization, Code, Pair, Person, SignedIn, Token
from sso.relying_parties import OFFLINE, RelyingParty

LONGEST_MARK = 2000


@dataclass(frozen=True, slots=True)
class ProviderStore:
    """`sso.authorizations.Authorizations`. `vault` seals the marks."""

    engine: sa.Engine
    vault: Vault

    def party(self, client_id: str) -> RelyingParty | None:
        with reading(self.engine) as conn:
            row = clients.find(conn, client_id)
        return None if row is None else relying_party(row)

    def signed_in(self, party: RelyingParty, cookie: str) -> SignedIn | None:
        with reading(self.engine) as conn:
            found = sessions.find(conn, party.tenant_id, cookie)
            if found is None:
                return None
            sessions.seen(conn, found)
        return SignedIn(found.id, found.account_id, found.authenticated_at, found.created_at, found.context)

    def send_to_sign_in(self, party: RelyingParty, return_to: str, demands: Mapping[str, Any]) -> str:
        with reading(self.engine) as conn:
            row = clients.find(conn, party.id)
            if row is None:
                raise LookupError(party.id)
            key = flows.keep(conn, party.tenant_id, return_to, demands)
        return f"/sign-in/{row.tenant_name}?{urlencode({'flow': key})}"

    def begin(
        self, party: RelyingParty, who: SignedIn, scopes: tuple[str, ...], redirect_uri: str, challenge: str, nonce: str
    ) -> str:
        new = NewAuthorization(
            party.tenant_id,
            party.id,
            who.session_id,
            who.account_id,
            scopes,
            redirect_uri,
            challenge,
            OFFLINE in scopes,
            nonce or None,
        )
        with reading(self.engine) as conn:
            return authorizations.begin(conn, new)

    def code(self, party: RelyingParty, text: str) -> Code | None:
        with reading(self.engine) as conn:
            found = authorizations.code(conn, party.tenant_id, party.id, text)
        if found is None:
            return None
        return Code(_authorization(found.authorization), found.redirect_uri, found.challenge, found.used)

    def redeem(self, party: RelyingParty, text: str, pair: Pair) -> bool:
        with reading(self.engine) as conn:
            return _exchange(authorizations.redeem, conn, party, text, pair)

    def refreshable(self, party: RelyingParty, text: str) -> Authorization | None:
        with reading(self.engine) as conn:
            found = authorizations.refreshable(conn, party.tenant_id, party.id, text)
        return None if found is None else _authorization(found)

    def rotate(self, party: RelyingParty, text: str, pair: Pair) -> bool:
        with writing(self.engine) as conn:
            return _exchange(authorizations.rotate, conn, party, text, pair)

    def revoke(self, party: RelyingParty, authorization_id: str) -> None:
        with reading(self.engine) as conn:
            authorizations.revoke(conn, party.tenant_id, authorization_id)

    def revoke_token(self, party: RelyingParty, text: str) -> None:
        with reading(self.engine) as conn:
            authorizations.revoke_token(conn, party.tenant_id, party.id, text)

    def access(self, text: str) -> Access | None:
        with reading(self.engine) as conn:
            found = token_reads.of_person(conn, digest(text))
        if found is None or found.account_id is None or found.client_id is None:
            return None
        return Access(found.tenant_id, found.client_id, found.account_id, found.scopes)

    def person(self, tenant_id: str, account_id: str) -> Person | None:
        with reading(self.engine) as conn:
            row = persons.find(conn, tenant_id, account_id)
        if row is None:
            return None
        return Person(
            row.account_id,
            row.tenant,
            row.attributes,
            row.roles,
            row.grants,
            row.groups,
            row.email_verified,
            row.updated_at,
        )

    def end_session(self, party: RelyingParty, session_id: str) -> None:
        signing_out.end(self.engine, party.tenant_id, [session_id], f"client:{party.name}")

    def mark(self, text: str) -> str:
        return self.vault.seal(text).decode("ascii")

    def marked(self, mark: str) -> str | None:
        if len(mark) > LONGEST_MARK:
            return None
        try:
            return self.vault.open(mark.encode(errors="replace"))
        except VaultError:
            return None


def _exchange(how: Callable[..., bool], conn: sa.Connection, party: RelyingParty, text: str, pair: Pair) -> bool:
    return how(conn, party.tenant_id, party.id, text, _new(pair.access), _new(pair.refresh))


def _authorization(found: authorizations.Authorization) -> Authorization:
    said = asdict(found)
    return Authorization(**{name: said[name] for name in Authorization.__slots__})


def _new(token: Token) -> NewToken:
    return NewToken(token.id, token.text, token.scopes, token.expires_at)
