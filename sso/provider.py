"""The OAuth 2.0 authorization server (RFC 6749), on authlib: client credentials, for now.

    TokenRequest ──once each, one way to authenticate──▶ authlib's grant ──▶ Clients, Tokens ──▶ Answer

Knows no web framework: a request comes in as method, headers and form, an answer goes out as status, JSON and headers.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote_plus

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import ClientMixin, InvalidClientError, InvalidRequestError, OAuth2Payload
from authlib.oauth2.rfc6749.grants import ClientCredentialsGrant

from sso.assertions import ASSERTION_TYPE, RejectedError, check
from sso.issuer_keys import IssuerKeys
from sso.jwks import Keys
from sso.tokens import Client, Clients, Tokens

METHODS: Final = ("client_secret_basic", "client_secret_post", "private_key_jwt")
GRANT_TYPES: Final = ("client_credentials",)

# authlib refuses plain http. TLS ends at the proxy in front, so that the request's own scheme says nothing.
_ADDRESS: Final = "https://rollcall.invalid/oauth/token"


@dataclass(frozen=True, slots=True)
class TokenRequest:
    """A request to the token endpoint. `form` holds every value of every parameter; header names are in any case."""

    headers: Mapping[str, str]
    form: Mapping[str, Sequence[str]]
    method: str = "POST"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer of the endpoint: JSON `body` and all headers but Content-Length."""

    status: int
    body: Mapping[str, Any]
    headers: tuple[tuple[str, str], ...]


class Provider:
    """The endpoints over one keeper of clients and one of tokens. `keys` are remembered as long as the provider is."""

    def __init__(
        self, clients: Clients, tokens: Tokens, scopes: Sequence[str], keys: Keys | None = None, now: Clock = time.time
    ) -> None:
        self._server = _Server(clients, tokens, scopes, _Assertions(clients, keys or IssuerKeys(), now))

    def token(self, request: TokenRequest) -> Answer:
        """Answers a token request: RFC 6749 §5.1 or §5.2, never an exception of the protocol."""
        try:
            _check(request)
        except OAuth2Error as error:
            return self._server.handle_response(*error())
        answer: Answer = self._server.create_token_response(request)
        return answer


class _Server(AuthorizationServer):
    """authlib's server, with our request and our answer."""

    def __init__(self, clients: Clients, tokens: Tokens, scopes: Sequence[str], assertions: _Assertions) -> None:
        super().__init__(scopes_supported=list(scopes))
        self._tokens = tokens
        self.register_client_auth_method("client_secret_basic", _authenticating(clients, _basic_credentials))
        self.register_client_auth_method("client_secret_post", _authenticating(clients, _form_credentials))
        self.register_client_auth_method("private_key_jwt", assertions.authenticate)
        self.register_token_generator("default", self._issue)
        self.register_grant(_ClientCredentials)

    def query_client(self, client_id: str) -> None:
        """Nobody is looked up by name alone: `Clients.authenticate` wants the secret with it."""

    def create_oauth2_request(self, request: TokenRequest) -> OAuth2Request:
        return _Request(request)

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Answer:
        return Answer(status, body, tuple(headers))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: Mapping[str, Any], request: OAuth2Request) -> None:
        """Issuing kept it: the keeper makes the token, so that no other copy of it exists."""

    def _issue(self, client: _Client, scope: str | None = None, **_asked: Any) -> dict[str, Any]:
        scopes = client.granted(scope)
        lifetime = client.client.lifetime
        token = self._tokens.issue(client.client, scopes, lifetime)
        expires = int(lifetime.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": expires, "scope": " ".join(scopes)}


class _ClientCredentials(ClientCredentialsGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)  # noqa: RUF012

    def validate_token_request(self) -> None:
        super().validate_token_request()
        self.request.client.granted(self.request.payload.scope)


class _Client(ClientMixin):
    """A client as authlib asks after it."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def granted(self, scope: str | None) -> tuple[str, ...]:
        """The scopes to issue: those asked for, or all of the client's when none is named (RFC 6749 §3.3)."""
        asked = tuple(dict.fromkeys((scope or "").split())) or self.client.scopes
        if not asked or not set(asked) <= set(self.client.scopes):
            may = " ".join(self.client.scopes) or "none"
            raise OAuth2Error(error="invalid_scope", description=f"This client may ask for: {may}.")
        return asked

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method in METHODS

    def check_grant_type(self, grant_type: str) -> bool:
        return grant_type in GRANT_TYPES


class _Request(OAuth2Request):
    """A `TokenRequest` in authlib's terms; `_check` saw to it that each parameter is there once."""

    def __init__(self, request: TokenRequest) -> None:
        super().__init__(method=request.method, uri=_ADDRESS, headers=request.headers)
        self._payload = self.payload = _Payload(request)

    @property
    def form(self) -> dict[str, str]:
        return self._payload.data


class _Payload(OAuth2Payload):
    def __init__(self, request: TokenRequest) -> None:
        self._data = {name: values[0] for name, values in request.form.items() if values}

    @property
    def data(self) -> dict[str, str]:
        return self._data


class _Assertions:
    """private_key_jwt (RFC 7523 §2.2). A client is found by its client_id: the subject is its issuer's name for it."""

    def __init__(self, clients: Clients, keys: Keys, now: Clock) -> None:
        self._clients, self._keys, self._now = clients, keys, now

    def authenticate(self, _query: object, request: OAuth2Request) -> _Client | None:
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
        return _Client(client)


Clock = Callable[[], float]
Credentials = Callable[[OAuth2Request], tuple[str, str] | None]


def _authenticating(clients: Clients, credentials: Credentials) -> Callable[..., _Client | None]:
    def authenticate(_query: object, request: OAuth2Request) -> _Client | None:
        found = credentials(request)
        client = clients.authenticate(*found) if found else None
        return None if client is None else _Client(client)

    return authenticate


def _basic_credentials(request: OAuth2Request) -> tuple[str, str] | None:
    """RFC 6749 §2.3.1: id and secret are form-encoded before they are joined by a colon."""
    scheme, _, encoded = _authorization(request.headers).partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
    except ValueError:  # not base64, not ASCII, not UTF-8
        return None
    name, colon, secret = text.partition(":")
    return (unquote_plus(name), unquote_plus(secret)) if colon and name and secret else None


def _form_credentials(request: OAuth2Request) -> tuple[str, str] | None:
    name, secret = request.form.get("client_id"), request.form.get("client_secret")
    return (name, secret) if name and secret else None


def _authorization(headers: Mapping[str, str]) -> str:
    return next((value for name, value in headers.items() if name.lower() == "authorization"), "").strip()


def _check(request: TokenRequest) -> None:
    """What authlib lets pass: a parameter twice (RFC 6749 §3.2), two ways to authenticate at once (§2.3)."""
    twice = sorted(name for name, values in request.form.items() if len(values) > 1)
    if twice:
        raise InvalidRequestError("A parameter is there more than once.")
    if not request.form.get("grant_type"):
        raise InvalidRequestError("The parameter grant_type is missing.")
    if _authorization(request.headers) and "client_secret" in request.form:
        raise InvalidRequestError("Authenticate either by the Authorization header or in the body, not both.")
    if "client_assertion" in request.form and (_authorization(request.headers) or "client_secret" in request.form):
        raise InvalidRequestError("Authenticate either by a secret or by an assertion, not both.")
    grant_type = request.form["grant_type"][0]
    if grant_type not in GRANT_TYPES:
        raise OAuth2Error(
            error="unsupported_grant_type", description=f"Supported grant types are: {', '.join(GRANT_TYPES)}."
        )
