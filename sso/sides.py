"""What the way of a sign-in needs of a protocol: to ask, to know whose answer it is, to read it, to sign out.

Both are alike from here: `saml_side` and `oidc_side` bring what is not.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sso.assertion import Assertion, ProviderSession
from sso.bindings import Form, Redirect
from sso.connections import Connection
from sso.demands import Demands
from sso.keeping import Request
from sso.trace import Trace

Leaving = Redirect | Form


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and the value of its pending cookie."""

    message: Leaving
    browser: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Question:
    """A request as it leaves through the browser. `key` is what the answer will name."""

    message: Leaving
    key: str = field(repr=False)
    nonce: str | None = field(default=None, repr=False)
    verifier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Received:
    """A message as it came through the browser: the raw query and form."""

    method: Literal["GET", "POST"]
    query: bytes = field(default=b"", repr=False)
    form: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Peeked:
    """What an answer says of itself before anything is proved. `key` None: nobody asked. `relay_state`: where to."""

    key: str | None = field(repr=False)
    relay_state: str | None = field(default=None, repr=False)


class Side(Protocol):
    """One protocol. Every function may raise SignInError."""

    def ask(self, connection: Connection, demands: Demands, now: datetime) -> Question:
        """A request to sign somebody in."""
        ...

    def peek(self, connection: Connection, received: Received) -> Peeked:
        """Which request the answer is for, by its own word."""
        ...

    def accept(
        self, connection: Connection, received: Received, asked: Request | None, now: datetime, trace: Trace
    ) -> Assertion:
        """The answer, every check passed and written into the trace. `asked` is this browser's request; None: none."""
        ...

    def leave(self, connection: Connection, session: ProviderSession, now: datetime) -> Question | None:
        """A request to sign somebody out at the provider; None where it takes none."""
        ...


@dataclass(frozen=True, slots=True)
class Ordered:
    """A provider signs somebody out: the sessions under its names for the person or for its own sessions, or both.

    `message` is the protocol's own, for the reply.
    """

    id: str
    valid_until: datetime
    subject: str | None = field(default=None, repr=False)
    sessions: tuple[str, ...] = field(default=(), repr=False)
    message: object = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """A provider's answer to a sign-out of ours."""

    key: str = field(repr=False)
    success: bool = True


class SamlLogout(Protocol):
    """Single logout. Both may raise SignInError."""

    def read(self, connection: Connection, received: Received, now: datetime) -> Ordered | Answered:
        """A provider's message, its signature and all else checked."""
        ...

    def reply(self, connection: Connection, ordered: Ordered, success: bool, now: datetime) -> Leaving:
        """Our answer to an order, signed."""
        ...


class OidcLogout(Protocol):
    """Sign-out by the OpenID provider. Both may raise SignInError."""

    def back_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        """A logout token."""
        ...

    def front_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        """The query of a frame in the provider's page."""
        ...
