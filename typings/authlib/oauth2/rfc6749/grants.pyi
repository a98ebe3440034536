from typing import Any

from authlib.oauth2.rfc6749 import OAuth2Request

class ClientCredentialsGrant:
    TOKEN_ENDPOINT_AUTH_METHODS: list[str]
    request: OAuth2Request
    def validate_token_request(self) -> None: ...

class AuthorizationCodeGrant:
    TOKEN_ENDPOINT_AUTH_METHODS: list[str]
    request: OAuth2Request
    server: Any

class RefreshTokenGrant:
    TOKEN_ENDPOINT_AUTH_METHODS: list[str]
    request: OAuth2Request
    server: Any
