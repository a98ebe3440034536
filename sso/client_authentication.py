"""How a client proves who it is: a secret by HTTP Basic or in the body, a signed assertion, or, public, not at all.

Each is tried in turn by authlib; `one_way` sees to it beforehand that a request uses one of them only.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import unquote_plus

from authlib.oauth2 import OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError

from sso.assertions import ASSERTION_TYPE, RejectedError, check
from sso.jwks import Keys
from sso.relying_parties import RelyingParty
from sso.tokens import Client, Clients

BASIC: Final = "client_secret_basic"
POST: Final = "client_secret_post"
ASSERTION: Final = "private_key_jwt"
NONE: Final = "none"
METHODS: Final = (BASIC, POST, ASSERTION)
PARTY_METHODS: Final = (BASIC, POST, ASSERTION, NONE)
MACHINE_GRANTS: Final = frozenset({"client_credentials"})
PARTY_GRANTS: Final = frozenset({"authorization_code", "refresh_token"})
MOST_WRONG: Final = 20  # secrets of one client a minute and process; a right one is taken all the same

Clock = Callable[[], float]
Credentials = Callable[[OAuth2Request], tuple[str, str] | None]


class KnownClient(ClientMixin):
    """A client as authlib asks after it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @property
    def party(self) -> RelyingParty:
        """The relying party that it is: only such a one gets as far as to be asked."""
        assert self.client.party is not None
        return self.client.party

    def granted(self, scope: str | None) -> tuple[str, ...]:
        """The scopes to issue: those asked for, or all of the client's when none is named (RFC 6749 §3.3)."""
        asked = tuple(dict.fromkeys((scope or "").split())) or self.client.scopes
        if not asked or not set(asked) <= set(self.client.scopes):
            may = " ".join(self.client.scopes) or "none"
            raise OAuth2Error(error="invalid_scope", description=f"This client may ask for: {may}.")
        return asked

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in METHODS if self.client.party is None else method == self.client.party.auth_method

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in (MACHINE_GRANTS if self.client.party is None else PARTY_GRANTS)


class Assertions:
    """private_key_jwt (RFC 7523 §2.2). A client is found by its client_id: the subject is its issuer's name for it."""

    def __init__(self, clients: Clients, keys: Keys, now: Clock) -> None:
        self._clients, self._keys, self._now = clients, keys, now

    def authenticate(self, _query: object, request: OAuth2Request) -> KnownClient | None:
        assertion, client_id = request.form.get("client_assertion"), request.form.get("client_id")
        if not assertion or request.form.get("client_assertion_type") != ASSERTION_TYPE or not client_id:
            return None
        found = self._clients.federated(client_id)
        if found is None:
            return None
        client, trust = found
        try:
            asserted = check(assertion, trust, self._keys, self._now())
        except RejectedError as error:
            raise InvalidClientError(f"The client assertion is not accepted: {error}.", status_code=401) from None
        if asserted.jti is not None and not self._clients.first_use(client, asserted.jti, asserted.until):
            raise InvalidClientError("The client assertion was used before.", status_code=401)
        return KnownClient(client)


@dataclass(slots=True)
class Guesses:
    """Counts wrong secrets of each client id, a minute long."""

    now: Clock = time.monotonic
    _minute: int = 0
    _wrong: dict[str, int] = field(default_factory=dict)

    def wrong(self, client_id: str) -> None:
        """One more.

        Raises:
            OAuth2Error: 429, there were too many.
        """
        minute = int(self.now() // 60)
        if minute != self._minute or len(self._wrong) > 10_000:
            self._minute, self._wrong = minute, {}
        self._wrong[client_id] = count = self._wrong.get(client_id, 0) + 1
        if count > MOST_WRONG:
            raise OAuth2Error(
                error="invalid_client", description="Too many wrong secrets: wait a minute.", status_code=429
            )


def by_secret(clients: Clients, credentials: Credentials, guesses: Guesses) -> Callable[..., KnownClient | None]:
    """Authenticates by the id and secret that `credentials` finds."""

    def authenticate(_query: object, request: OAuth2Request) -> KnownClient | None:
        found = credentials(request)
        if found is None or request.form.get("client_id", found[0]) != found[0]:
            return None
        client = clients.authenticate(*found)
        if client is None:
            guesses.wrong(found[0][:64])
        return None if client is None else KnownClient(client)

    return authenticate


def by_name(clients: Clients) -> Callable[..., KnownClient | None]:
    """A public client only says who it is; its codes are bound to whoever holds their PKCE verifier."""

    def authenticate(_query: object, request: OAuth2Request) -> KnownClient | None:
        proof = {"client_secret", "client_assertion", "client_assertion_type"} & set(request.form)
        name = request.form.get("client_id")
        if not name or proof or authorization(request.headers):
            return None
        client = clients.public(name)
        return None if client is None else KnownClient(client)

    return authenticate


def basic_credentials(request: OAuth2Request) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: id and secret are form-encoded before they are joined by a colon."""
    scheme, _, encoded = authorization(request.headers).partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not base64, not ASCII, not UTF-8
        return None
    name, colon, secret = text.partition(":")
    return (unquote_plus(name), unquote_plus(secret)) if colon and name and secret else None


def form_credentials(request: OAuth2Request) -> tuple[str, str] | None:
    """Id and secret in the body."""
    name, secret = request.form.get("client_id"), request.form.get("client_secret")
    return (name, secret) if name and secret else None


def authorization(headers: Mapping[str, str]) -> str:
    """The Authorization header, "" when there is none."""
    return next((value for name, value in headers.items() if name.lower() == "authorization"), "").strip()


def one_way(headers: Mapping[str, str], form: Mapping[str, Sequence[str]]) -> None:
    """What authlib lets pass: a parameter twice (RFC 6749 §3.2), two ways to authenticate at once (§2.3).

    Raises:
        InvalidRequestError: either.
    """
    if any(len(values) > 1 for values in form.values()):
        raise InvalidRequestError("A parameter is there more than once.")
    if authorization(headers) and "client_secret" in form:
        raise InvalidRequestError("Authenticate either by the Authorization header or in the body, not both.")
    if "client_assertion" in form and (authorization(headers) or "client_secret" in form):
        raise InvalidRequestError("Authenticate either by a secret or by an assertion, not both.")


def challenge(error: Any) -> tuple[int, Mapping[str, Any], Sequence[tuple[str, str]]]:
    """An OAuth2Error as status, body and headers."""
    status, body, headers = error()
    if status == 429:
        headers = [*headers, ("Retry-After", "60")]
    return status, body, headers
