"""The refusals of RFC 6750 §3.1: each knows its status and what WWW-Authenticate says."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

REALM = "rollcall"


class BearerError(Exception):
    """A request without a token that is good enough. `detail` is a sentence for the caller's developer."""

    status: ClassVar[int] = 401
    code: ClassVar[str | None] = None

    def __init__(self, detail: str, scope: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.scope = scope

    @property
    def challenge(self) -> str:
        """The value of WWW-Authenticate."""
        parts = [f'realm="{REALM}"']
        if self.code is not None:
            parts += [f'error="{self.code}"', f'error_description="{self.detail}"']
        if self.scope is not None:
            parts.append(f'scope="{self.scope}"')
        return "Bearer " + ", ".join(parts)


class MissingTokenError(BearerError):
    """Nothing was presented: the challenge names no error (RFC 6750 §3.1)."""


class MalformedTokenError(BearerError):
    """The Authorization header is malformed."""

    status = 400
    code = "invalid_request"


class InvalidTokenError(BearerError):
    """Unknown, expired or revoked: which one is not told."""

    code = "invalid_token"


class InsufficientScopeError(BearerError):
    """A good token that may not do this."""

    status = 403
    code = "insufficient_scope"


class SignInError(Exception):
    """A sign-in or sign-out that is refused.

    `code` is one of the closed list in `sso.refusals`; `detail` names the failing check, what was expected and what was
    found, for the administrator's trace: it may quote the message, cut short, and never reaches the person. `received`
    is what the message said of the person, where its signature holds and only that could not be taken.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail[:500]
        self.received: Mapping[str, tuple[str, ...]] = {}
