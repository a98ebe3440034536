"""Codes and refresh tokens become tokens: authlib's grants on our keeper, with what they leave open closed.

A code or refresh token is spent by one statement of the keeper's, in the moment its tokens are kept: of two at once one
wins. authlib only deletes a code after the tokens were made. PKCE is asked of every client: each code has a challenge.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from authlib.oauth2 import OAuth2Request
from authlib.oauth2.rfc6749 import InvalidGrantError
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant, ClientCredentialsGrant, RefreshTokenGrant

from sso.authorizations import Authorization, Authorizations, Code, Pair, Person
from sso.client_authentication import METHODS, PARTY_METHODS
from sso.minting import Mint, answer, is_openid
from sso.relying_parties import RelyingParty

if TYPE_CHECKING:
    from typing import Protocol

    class Server(Protocol):
        """What grants find at their server."""

        keeper: Authorizations
        mint: Mint


@dataclass(frozen=True, slots=True)
class _Code:
    """A code as authlib asks after it."""

    code: Code
    code_challenge_method: str = "S256"

    @property
    def code_challenge(self) -> str:
        return self.code.challenge

    def get_redirect_uri(self) -> str:
        return self.code.redirect_uri

    def get_scope(self) -> str:
        return " ".join(self.code.authorization.scopes)


@dataclass(frozen=True, slots=True)
class _Refresh:
    """A refresh token as authlib asks after it; the keeper saw to it that it is this client's."""

    authorization: Authorization

    def check_client(self, _client: object) -> bool:
        return True

    def get_scope(self) -> str:
        return " ".join(self.authorization.scopes)


@dataclass(frozen=True, slots=True)
class _User:
    """For whom tokens are made."""

    authorization: Authorization
    person: Person


class ClientCredentials(ClientCredentialsGrant):
    """A machine's token."""

    TOKEN_ENDPOINT_AUTH_METHODS = list(METHODS)  # noqa: RUF012

    def validate_token_request(self) -> None:
        super().validate_token_request()
        self.request.client.granted(self.request.payload.scope)


class AuthorizationCode(AuthorizationCodeGrant):
    """A code for an access token, a refresh token and an ID token."""

    TOKEN_ENDPOINT_AUTH_METHODS = list(PARTY_METHODS)  # noqa: RUF012
    request: OAuth2Request
    server: Server

    def query_authorization_code(self, code: str, client: Any) -> _Code | None:
        found = self.server.keeper.code(client.party, code)
        if found is not None and found.used:
            self.server.keeper.revoke(client.party, found.authorization.id)
            raise InvalidGrantError("The code was used before; what it gave is revoked.")
        return None if found is None else _Code(found)

    def delete_authorization_code(self, authorization_code: _Code) -> None:
        """It was spent when its tokens were kept."""

    def authenticate_user(self, authorization_code: _Code) -> _User:
        return _user(self.server, self.request.client.party, authorization_code.code.authorization)

    def generate_token(self, user: _User, scope: str, **_asked: Any) -> dict[str, Any]:
        party, keeper = self.request.client.party, self.server.keeper
        pair = _pair(self.server, party, user, scope)
        if not keeper.redeem(party, self.request.form["code"], pair):
            raise InvalidGrantError("The code was used before; what it gave is revoked.")
        return _answer(self.server, party, user, pair, user.authorization.nonce)


class RefreshToken(RefreshTokenGrant):
    """A refresh token for new ones; it does not work again."""

    TOKEN_ENDPOINT_AUTH_METHODS = list(PARTY_METHODS)  # noqa: RUF012
    request: OAuth2Request
    server: Server

    def authenticate_refresh_token(self, refresh_token: str) -> _Refresh | None:
        found = self.server.keeper.refreshable(self.request.client.party, refresh_token)
        return None if found is None else _Refresh(found)

    def authenticate_user(self, refresh_token: _Refresh) -> _User:
        return _user(self.server, self.request.client.party, refresh_token.authorization)

    def revoke_old_credential(self, refresh_token: _Refresh) -> None:
        """It was spent when its successors were kept."""

    def generate_token(self, user: _User, scope: str, **_asked: Any) -> dict[str, Any]:
        """The new ID token has no nonce (OpenID Connect Core §12.2)."""
        party, keeper = self.request.client.party, self.server.keeper
        pair = _pair(self.server, party, user, scope)
        if not keeper.rotate(party, self.request.form["refresh_token"], pair):
            raise InvalidGrantError("The refresh token was used before; what it gave is revoked.")
        return _answer(self.server, party, user, pair, None)


def _user(server: Server, party: RelyingParty, authorization: Authorization) -> _User:
    person = server.keeper.person(party.tenant_id, authorization.account_id) if authorization.living else None
    if person is None:
        raise InvalidGrantError("What was authorized has ended: the person must sign in again.")
    return _User(authorization, person)


def _pair(server: Server, party: RelyingParty, user: _User, scope: str) -> Pair:
    return server.mint.pair(party, user.authorization, user.person, tuple(dict.fromkeys(scope.split())))


def _answer(server: Server, party: RelyingParty, user: _User, pair: Pair, nonce: str | None) -> dict[str, Any]:
    id_token = None
    if is_openid(pair.access.scopes):
        id_token = server.mint.id_token(party, user.authorization, user.person, pair.access, nonce)
    return answer(pair, pair.access.scopes, id_token, server.mint.now())
