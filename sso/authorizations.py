"""What the OpenID provider keeps and asks for: people who are signed in, authorizations, their codes and tokens.

`Authorizations` is the Protocol that whoever keeps them fulfils; everything else here are its values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

from sso.relying_parties import RelyingParty


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A person's session in this browser, which counts."""

    session_id: str
    account_id: str
    authenticated_at: datetime
    created_at: datetime
    context: str | None


@dataclass(frozen=True, slots=True)
class Authorization:
    """One sign-in of one person at one client. `living`: nothing has ended it."""

    id: str
    session_id: str
    account_id: str
    scopes: tuple[str, ...]
    offline: bool
    nonce: str | None
    living: bool
    authenticated_at: datetime
    session_expires_at: datetime
    context: str | None
    methods: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Code:
    """What a code was given for. `used`: it was exchanged before."""

    authorization: Authorization
    redirect_uri: str
    challenge: str
    used: bool


@dataclass(frozen=True, slots=True)
class Token:
    """A token to be kept: of its text only a digest."""

    id: str
    text: str = field(repr=False)
    scopes: tuple[str, ...]
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Pair:
    """What a code, or a refresh token, is exchanged for."""

    access: Token
    refresh: Token


@dataclass(frozen=True, slots=True)
class Access:
    """A good access token of a person."""

    tenant_id: str
    client_id: str
    account_id: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Person:
    """An active account as learning platforms may see it. `attributes` are the account's, under its own names.

    `grants` are the effective roles with their scopes, `roles` those of the whole tenant. `email_verified`: a source
    that may speak for the address's domain says it.
    """

    account_id: str
    tenant: str
    attributes: Mapping[str, Any] = field(repr=False)
    roles: tuple[str, ...]
    grants: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    email_verified: bool
    updated_at: datetime


class Signer(Protocol):
    """Signs in the name of the installation."""

    def sign(self, claims: Mapping[str, Any], *, type: str, algorithm: str) -> str:
        """A compact JWS; `type` is its `typ`."""
        ...

    def public_keys(self) -> Sequence[Mapping[str, Any]]:
        """What verifies it, as JWKs."""
        ...


class Authorizations(Protocol):
    """Keeps clients, sessions, authorizations. Whatever is asked with a client is asked within its tenant."""

    def party(self, client_id: str) -> RelyingParty | None:
        """The client of that id, if it was not removed."""
        ...

    def signed_in(self, party: RelyingParty, cookie: str) -> SignedIn | None:
        """Whose browser it is at the client's tenant, by the session cookie's value; noted as seen."""
        ...

    def send_to_sign_in(self, party: RelyingParty, return_to: str, demands: Mapping[str, Any]) -> str:
        """The path at which the person signs in and comes back to the path `return_to`."""
        ...

    def begin(
        self, party: RelyingParty, who: SignedIn, scopes: tuple[str, ...], redirect_uri: str, challenge: str, nonce: str
    ) -> str:
        """A new authorization; returns its code, which lives for a minute. An empty nonce is none."""
        ...

    def code(self, party: RelyingParty, text: str) -> Code | None:
        """This client's code, if it is used or can be."""
        ...

    def redeem(self, party: RelyingParty, text: str, pair: Pair) -> bool:
        """Exchange the code, once in all processes. False: it was before, and what it gave is ended."""
        ...

    def refreshable(self, party: RelyingParty, text: str) -> Authorization | None:
        """What this client's refresh token belongs to."""
        ...

    def rotate(self, party: RelyingParty, text: str, pair: Pair) -> bool:
        """Exchange the refresh token, once but for a lost answer. False: somebody has a copy, and all is ended."""
        ...

    def revoke(self, party: RelyingParty, authorization_id: str) -> None:
        """End an authorization of the client."""
        ...

    def revoke_token(self, party: RelyingParty, text: str) -> None:
        """End a token, if it is this client's."""
        ...

    def access(self, text: str) -> Access | None:
        """Whose access token it is, if it is good."""
        ...

    def person(self, tenant_id: str, account_id: str) -> Person | None:
        """The person, if active."""
        ...

    def end_session(self, party: RelyingParty, session_id: str) -> None:
        """Sign the person out of this one session of the client's tenant."""
        ...

    def mark(self, text: str) -> str:
        """A text that only we can have made."""
        ...

    def marked(self, mark: str) -> str | None:
        """The text of such a mark; None when it is none of ours."""
        ...
