from collections.abc import Callable, Mapping
from typing import Any

class OAuth2Client:
    def __init__(
        self,
        session: Any,
        client_id: str | None = None,
        client_secret: str | None = None,
        token_endpoint_auth_method: str | None = None,
        *,
        redirect_uri: str | None = None,
        code_challenge_method: str | None = None,
    ) -> None: ...
    def register_client_auth_method(self, auth: tuple[str, Callable[..., Any]]) -> None: ...
    def create_authorization_url(
        self, url: str, state: str | None = None, code_verifier: str | None = None, **kwargs: str
    ) -> tuple[str, str]: ...
    def fetch_token(self, url: str, *, code: str, code_verifier: str) -> Mapping[str, Any]: ...
