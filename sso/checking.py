"""Is this token good? The two roads that ask it, without a web framework: they are the busiest of all.

    /oauth/check        forward_auth ─┐            ┌▶ 204 with who it is, 401, 403
    /oauth/introspect   introspection ┴─▶ Keeper ──┴▶ {"active": …} (RFC 7662)

A request comes in as a WSGI environment, an answer goes out as status, headers and body. What is good is decided by
whoever keeps the tokens; here stands who may ask, what a caller demands of a good token, and what is told of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol

Environment = Mapping[str, Any]
Headers = tuple[tuple[str, str], ...]

LONGEST_TOKEN: Final = 8 * 1024  # of a signed one
NO_STORE: Final = ("Cache-Control", "no-store")


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` are all but Content-Length; an answer without a body has no Content-Type."""

    status: int
    headers: Headers
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Good:
    """A good token, or a browser's session that counts. Times are epoch seconds; `ends` None: not by itself.

    A machine's token has no account. A session has no client and no scopes: it is the person's own, and all is told.
    """

    id: str
    kind: Literal["access", "refresh", "machine", "session"]
    tenant_id: str
    tenant: str
    client_id: str | None
    audience: str | None
    scopes: tuple[str, ...]
    issued: float
    ends: float | None
    account_id: str | None = None
    session_id: str | None = None
    roles: tuple[str, ...] = ()
    user_name: str | None = field(default=None, repr=False)
    email: str | None = field(default=None, repr=False)
    context: str | None = None
    methods: tuple[str, ...] = ()
    authenticated: float | None = None

    def tells(self, scope: str) -> bool:
        """Whether what the scope stands for may be told to whoever shows the token."""
        return self.kind == "session" or scope in self.scopes


@dataclass(frozen=True, slots=True)
class Asker:
    """Who may introspect: tokens of its tenant, and with `all` also those of other clients."""

    tenant_id: str
    client_id: str
    all: bool


class Keeper(Protocol):
    """Keeps tokens, sessions and clients. Answers may be remembered for less than a second."""

    def access(self, token: str) -> Good | None:
        """Whose access token this is, if it is good."""
        ...

    def session(self, tenant: str, cookies: str) -> Good | None:
        """Whose browser sent this Cookie header, if it has a session of the tenant of that name that counts."""
        ...

    def asker(self, authorization: str | None, form: Mapping[str, str]) -> Asker | None:
        """Who asks to introspect, if it proved who it is and may."""
        ...

    def introspect(self, asker: Asker, token: str) -> Good | None:
        """Whose token of any kind this is, if it is good and the asker may hear of it."""
        ...
