from typing import Any

import requests

class OAuth2Session(requests.Session):
    def __init__(
        self,
        client_id: str | None = ...,
        client_secret: str | None = ...,
        token_endpoint_auth_method: str | None = ...,
        scope: str | None = ...,
        redirect_uri: str | None = ...,
        code_challenge_method: str | None = ...,
    ) -> None: ...
    def create_authorization_url(
        self, url: str, state: str | None = ..., code_verifier: str | None = ..., **kwargs: Any
    ) -> tuple[str, str]: ...
    def fetch_token(
        self,
        url: str | None = ...,
        authorization_response: str | None = ...,
        code_verifier: str | None = ...,
        state: str | None = ...,
        timeout: float | None = ...,
    ) -> dict[str, Any]: ...
