"""What signing in needs of whoever keeps tenants, connections, requests and sessions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal, Protocol

from sso.assertion import Assertion, ProviderSession
from sso.connections import Connection, SamlKey
from sso.demands import Demands
from sso.errors import SignInError
from sso.reports import Found, Report
from sso.trace import Trace

Purpose = Literal["login", "logout", "test"]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A tenant, as a page names it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Visitor:
    """The browser of a request. `address` is the network address that it came from."""

    cookies: Mapping[str, str] = field(default_factory=dict, repr=False)
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Aim:
    """Where somebody was going: a path of ours, and what the sign-in must fulfil."""

    return_to: str
    demands: Demands = field(default_factory=Demands)


@dataclass(frozen=True, slots=True)
class Tester:
    """Who tests a connection. `id` is the test's; only `owner`, a session elsewhere, will read what it brought."""

    id: str
    owner: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of an identity provider. `key` is the SAML request's ID, or OpenID's state.

    `replaces` is the id of the session that a new one takes the place of. `tester` is there in tests, and only there.
    """

    key: str = field(repr=False)
    aim: Aim
    purpose: Purpose = "login"
    nonce: str | None = field(default=None, repr=False)
    verifier: str | None = field(default=None, repr=False)
    replaces: str | None = None
    tester: Tester | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """Who is signed in in a browser. `name` is what the person is called."""

    id: str
    tenant_id: str
    account_id: str
    connection_id: str
    name: str
    at_provider: ProviderSession = field(repr=False)


@dataclass(frozen=True, slots=True)
class Device:
    """A session as its person sees it. `agent` is what the browser said of itself."""

    id: str
    agent: str
    address: str
    since: datetime
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Arrived:
    """A session that began just now. `secret` is the cookie's value, until `expires_at`."""

    session_id: str
    expires_at: datetime
    secret: str = field(repr=False)


class Keeper(Protocol):
    """The keeper. `arrive` is the one function by which anybody is signed in."""

    def tenant(self, name: str) -> Tenant | None:
        """The tenant of that name."""
        ...

    def connections(self, tenant_id: str) -> Sequence[Connection]:
        """The tenant's connections that are enabled, by title."""
        ...

    def named(self, tenant_id: str, name: str) -> Connection | None:
        """The tenant's connection of that name, enabled or not."""
        ...

    def connection(self, connection_id: str) -> tuple[Tenant, Connection] | None:
        """A connection and its tenant, enabled or not."""
        ...

    def saml_keys(self) -> Sequence[SamlKey]:
        """The keys that sign our messages and decrypt those to us, newest first."""
        ...

    def keep(self, tenant_id: str, aim: Aim) -> str:
        """Keeps an aim for a while; returns its key."""
        ...

    def aim(self, tenant_id: str, key: str) -> Aim | None:
        """The aim of that key, which stays."""
        ...

    def ask(self, connection: Connection, request: Request, browser: str) -> None:
        """Keeps a request for ten minutes, for one answer that comes back in the same browser."""
        ...

    def answered(self, connection: Connection, key: str, browser: str) -> Request | None:
        """The request of this connection and browser, which is gone then."""
        ...

    def asked_elsewhere(self, connection: Connection, key: str) -> bool:
        """Whether the request waits for an answer in whichever browser."""
        ...

    def waits(self, connection: Connection, browser: str) -> bool:
        """Whether this browser waits for an answer of the connection's provider."""
        ...

    def arrive(
        self, connection: Connection, assertion: Assertion, visitor: Visitor, trace: Trace, replaces: Sequence[str]
    ) -> Arrived:
        """Begins a session, writes the attempt down and ends the sessions that it replaces, all or nothing.

        Raises:
            SignInError: the connection is disabled by now, the assertion was used before, or the person may not.
        """
        ...

    def try_out(self, connection: Connection, assertion: Assertion) -> Found:
        """Who that would be, and whether they would be let in. Nothing is kept but that the assertion was used.

        Raises:
            SignInError: `replayed`, it was used before.
        """
        ...

    def tested(self, connection: Connection, tester: Tester, report: Report, visitor: Visitor) -> None:
        """Writes a test down: masked in the log, whole for the tester, for a while."""
        ...

    def refused(self, connection: Connection, error: SignInError, trace: Trace, visitor: Visitor) -> str | None:
        """Writes a refused attempt down; returns its code, None when there were too many of this address."""
        ...

    def session(self, tenant_id: str, secret: str) -> Session | None:
        """The session of that cookie, while it counts."""
        ...

    def devices(self, session: Session) -> Sequence[Device]:
        """All sessions of the same person, newest first."""
        ...

    def end(self, session: Session, ids: Sequence[str]) -> None:
        """Ends those of the person's sessions."""
        ...

    def end_everywhere(self, session: Session) -> None:
        """Ends all of the person's sessions, here and in every process."""
        ...

    def end_by_provider(
        self,
        connection: Connection,
        message_id: str | None,
        valid_until: datetime,
        subject: str | None,
        provider_sessions: Sequence[str],
    ) -> int:
        """Ends the sessions that began through the connection under these names; how many.

        A message without an id may come again: it ends nothing twice.

        Raises:
            SignInError: `replayed`, the message was used before.
        """
        ...
