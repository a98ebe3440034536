"""What the provider needs of whoever keeps clients and tokens, and how a request carries its token (RFC 6750 §2.1)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Protocol

from sso.assertions import Trust
from sso.errors import MalformedTokenError, MissingTokenError
from sso.relying_parties import RelyingParty

LIFETIME: Final = timedelta(hours=1)
SCIM: Final = "scim"  # the scope that opens /scim/v2
SCIM_LIFETIME: Final = timedelta(hours=2)  # Entra's gallery asks for 1 to 6 hours

B64TOKEN: Final = re.compile(r"[A-Za-z0-9._~+/-]+=*")
_LONGEST: Final = 512


@dataclass(frozen=True, slots=True)
class Client:
    """An OAuth client that has proved who it is. `scopes` are all that it may ever ask for.

    `party` is the relying party that it is: then it gets tokens for people, and none for itself.
    """

    id: str
    scopes: tuple[str, ...]
    party: RelyingParty | None = None

    @property
    def lifetime(self) -> timedelta:
        """Of its access tokens."""
        return SCIM_LIFETIME if SCIM in self.scopes else LIFETIME


class Clients(Protocol):
    """Knows the clients and their secrets."""

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        """The client, if this is its secret and it is neither expired nor revoked. In time that tells nothing."""
        ...

    def public(self, client_id: str) -> Client | None:
        """The public client of that id: it has no secret, and proves nothing."""
        ...

    def federated(self, client_id: str) -> tuple[Client, Trust] | None:
        """The client and whose assertions it may show, if it is one that shows assertions."""
        ...

    def first_use(self, client: Client, jti: str, until: float) -> bool:
        """Whether no process has seen this `jti` of the client; it is remembered until `until` (epoch seconds)."""
        ...


class Tokens(Protocol):
    """Keeps the access tokens, of each only a digest."""

    def issue(self, client: Client, scopes: tuple[str, ...], lifetime: timedelta) -> str:
        """A new token, already kept: the text is given out once."""
        ...

    def revoke(self, client: Client, text: str) -> None:
        """End a token that was issued to this client itself; any other stays as it is."""
        ...


def bearer(authorization: str | None, longest: int = _LONGEST) -> str:
    """The token of at most `longest` characters in an Authorization header.

    Raises:
        MissingTokenError: there is no header, or one of another scheme.
        MalformedTokenError: the scheme is Bearer and what follows is no token.
    """
    scheme, _, token = (authorization or "").strip().partition(" ")
    if scheme.lower() != "bearer":
        raise MissingTokenError("Send an API key or an access token as 'Authorization: Bearer <token>'.")
    token = token.strip()
    if len(token) > longest or not B64TOKEN.fullmatch(token):
        raise MalformedTokenError("What follows 'Bearer' is not a token.")
    return token
