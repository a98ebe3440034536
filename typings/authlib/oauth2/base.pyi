class OAuth2Error(Exception):
    error: str
    description: str | None
    def __init__(
        self,
        description: str | None = None,
        uri: str | None = None,
        status_code: int | None = None,
        *,
        error: str | None = None,
    ) -> None: ...
    def __call__(self, uri: str | None = None) -> tuple[int, dict[str, str], list[tuple[str, str]]]: ...
