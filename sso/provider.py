"""The OAuth 2.0 token endpoint (RFC 6749) and revocation (RFC 7009), on authlib.

    TokenRequest ──once each, one way to authenticate──▶ a grant ──▶ Clients, Tokens, Authorizations ──▶ Answer

Knows no web framework: a request comes in as method, headers and form, an answer goes out as status, JSON and headers.
"""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from authlib.oauth2 import AuthorizationServer, OAuth2Error, OAuth2Request
from authlib.oauth2.rfc6749 import InvalidRequestError, OAuth2Payload
from authlib.oauth2.rfc7636 import CodeChallenge

from sso.authorizations import Authorizations
from sso.client_authentication import (
    ASSERTION,
    BASIC,
    METHODS,
    NONE,
    PARTY_METHODS,
    POST,
    Assertions,
    Clock,
    Guesses,
    KnownClient,
    basic_credentials,
    by_name,
    by_secret,
    challenge,
    form_credentials,
    one_way,
)
from sso.grants import AuthorizationCode, ClientCredentials, RefreshToken
from sso.issuer_keys import IssuerKeys
from sso.jwks import Keys
from sso.minting import Mint
from sso.tokens import Client, Clients, Tokens

GRANT_TYPES: Final = ("authorization_code", "refresh_token", "client_credentials")
AUTH_METHODS: Final = tuple(dict.fromkeys((*METHODS, *PARTY_METHODS)))

# authlib refuses plain http. TLS ends at the proxy in front, so that the request's own scheme says nothing.
_ADDRESS: Final = "https://rollcall.invalid/oauth/token"
_NO_STORE: Final = (("Content-Type", "application/json"), ("Cache-Control", "no-store"), ("Pragma", "no-cache"))


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


@dataclass(frozen=True, slots=True)
class People:
    """What tokens for people need: who keeps the authorizations, and who makes the tokens."""

    keeper: Authorizations
    mint: Mint


class Provider:
    """The endpoints over the keepers. `keys` are remembered as long as the provider is.

    Without `people` only machines get tokens.
    """

    def __init__(
        self,
        clients: Clients,
        tokens: Tokens,
        scopes: Sequence[str],
        keys: Keys | None = None,
        now: Clock = time.time,
        people: People | None = None,
    ) -> None:
        assertions = Assertions(clients, keys or IssuerKeys(), now)
        self._server = _Server(clients, tokens, scopes, assertions, people)
        self._people, self._tokens, self._assertions = people, tokens, assertions

    def token(self, request: TokenRequest) -> Answer:
        """Answers a token request: RFC 6749 §5.1 or §5.2, never an exception of the protocol."""
        try:
            one_way(request.headers, request.form)
            self._check_grant_type(request)
        except OAuth2Error as error:
            return self._server.refuse(error)
        answer: Answer = self._server.create_token_response(request)
        return answer

    def revoke(self, request: TokenRequest) -> Answer:
        """Answers a revocation request (RFC 7009): 200 for every client that proved who it is, whatever the token."""
        try:
            one_way(request.headers, request.form)
            known: KnownClient = self._server.authenticate_client(_Request(request), list(AUTH_METHODS), "revocation")
            token = _Request(request).form.get("token")
            if not token:
                raise InvalidRequestError("The parameter token is missing.")
        except OAuth2Error as error:
            return self._server.refuse(error)
        if known.client.party is None:
            self._tokens.revoke(known.client, token)
        elif self._people is not None:
            self._people.keeper.revoke_token(known.client.party, token)
        return Answer(200, {}, _NO_STORE)

    def asserting(self, form: Mapping[str, str]) -> Client | None:
        """The relying party that proved who it is by an assertion, if that is its way. The assertion is used then."""
        request = _Request(TokenRequest({}, {name: [value] for name, value in form.items()}))
        try:
            known = self._assertions.authenticate(None, request)
        except OAuth2Error:
            return None
        mine = known is not None and known.client.party is not None
        return known.client if known and mine and known.check_endpoint_auth_method(ASSERTION, "introspection") else None

    def _check_grant_type(self, request: TokenRequest) -> None:
        if not request.form.get("grant_type"):
            raise InvalidRequestError("The parameter grant_type is missing.")
        if request.form["grant_type"][0] not in GRANT_TYPES:
            raise OAuth2Error(
                error="unsupported_grant_type", description=f"Supported grant types are: {', '.join(GRANT_TYPES)}."
            )


class _Server(AuthorizationServer):
    """authlib's server, with our request and our answer."""

    keeper: Authorizations
    mint: Mint

    def __init__(
        self, clients: Clients, tokens: Tokens, scopes: Sequence[str], assertions: Assertions, people: People | None
    ) -> None:
        super().__init__(scopes_supported=list(scopes))
        self._tokens = tokens
        guesses = Guesses()
        self.register_client_auth_method(BASIC, by_secret(clients, basic_credentials, guesses))
        self.register_client_auth_method(POST, by_secret(clients, form_credentials, guesses))
        self.register_client_auth_method(ASSERTION, assertions.authenticate)
        self.register_client_auth_method(NONE, by_name(clients))
        self.register_token_generator("default", self._issue)
        self.register_grant(ClientCredentials)
        if people is not None:
            self.keeper, self.mint = people.keeper, people.mint
            self.register_grant(AuthorizationCode, [CodeChallenge(required=True)])
            self.register_grant(RefreshToken)

    def query_client(self, client_id: str) -> None:
        """Nobody is looked up by name alone: `Clients.authenticate` wants the secret with it."""

    def create_oauth2_request(self, request: TokenRequest) -> OAuth2Request:
        return _Request(request)

    def handle_response(self, status: int, body: Mapping[str, Any], headers: Sequence[tuple[str, str]]) -> Answer:
        return Answer(status, body, tuple(headers))

    def handle_error_response(self, request: object, error: OAuth2Error) -> Answer:
        return self.refuse(error)

    def refuse(self, error: OAuth2Error) -> Answer:
        """The error as an answer."""
        return self.handle_response(*challenge(error))

    def send_signal(self, name: str, *args: Any, **kwargs: Any) -> None:
        """Nobody listens."""

    def save_token(self, token: Mapping[str, Any], request: OAuth2Request) -> None:
        """Issuing kept it: the keeper makes the token, so that no other copy of it exists."""

    def _issue(self, client: KnownClient, scope: str | None = None, **_asked: Any) -> dict[str, Any]:
        scopes = client.granted(scope)
        lifetime = client.client.lifetime
        token = self._tokens.issue(client.client, scopes, lifetime)
        expires = int(lifetime.total_seconds())
        return {"access_token": token, "token_type": "Bearer", "expires_in": expires, "scope": " ".join(scopes)}


class _Request(OAuth2Request):
    """A `TokenRequest` in authlib's terms; `one_way` saw to it that each parameter is there once."""

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
