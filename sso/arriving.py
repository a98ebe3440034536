"""The way in: ask an identity provider, take its answer, begin a session. No web framework, no storage.

    begin ──▶ Side.ask ──▶ Keeper.ask (the request, bound to this browser) ──▶ the browser goes to the provider
    answer ──▶ Side.peek ──▶ Keeper.answered (once, this browser) ──▶ Side.accept ──▶ Keeper.arrive ──▶ a session
                                       └─ it was asked as a test ──▶ `testing`, where no session is

Every road ends in `Keeper.arrive`, or was a test from its beginning, and every attempt in the sign-in log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from sso import cookies
from sso.connections import Addresses, Connection, Saml
from sso.errors import SignInError
from sso.keeping import Aim, Arrived, Keeper, Request, Tenant, Visitor
from sso.paths import is_local
from sso.remedies import remedy
from sso.sides import Begun, Peeked, Received, Side
from sso.testing import Tested, Tests
from sso.trace import Trace, received

COOKIE_LOST: Final = (
    "the cookie did not come back: the browser blocks it, or the answer went to another address than the public URL; "
    "it was not a sign-in that nobody asked for"
)


class RefusedError(Exception):
    """A sign-in that came to nothing. `code` is one of `sso.refusals`; `trace` is what the person can read out."""

    def __init__(self, tenant: Tenant, code: str, trace: str | None) -> None:
        super().__init__(code)
        self.tenant = tenant
        self.code = code
        self.trace = trace


@dataclass(frozen=True, slots=True)
class Landed:
    """Somebody is signed in, and goes on to `return_to`, a path of ours."""

    tenant: Tenant
    arrived: Arrived
    return_to: str


class Arrivals:
    """The way in of one process. `sides` are by `Connection.kind`; `tests` are what administrators try."""

    def __init__(
        self,
        keeper: Keeper,
        sides: Mapping[str, Side],
        public_url: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keeper, self._sides, self._public_url, self._clock = keeper, sides, public_url, clock
        self.tests = Tests(keeper, sides, public_url, clock)

    def begin(self, tenant: Tenant, connection: Connection, key: str | None, visitor: Visitor) -> Begun:
        """Ask the connection's provider. `key` is the flow's.

        Raises:
            RefusedError: the connection is disabled, or the provider cannot be asked.
        """
        aim = (self._keeper.aim(tenant.id, key) if key else None) or Aim(home(tenant))
        browser = self.browser(visitor)
        trace = Trace()
        try:
            _demand_enabled(connection)
            question = self._sides[connection.kind].ask(connection, aim.demands, self._clock())
        except SignInError as error:
            raise self._refused(tenant, connection, error, trace, visitor) from error
        # An answer by POST comes without the session's cookie, which is SameSite=Lax: what it replaces is known now.
        before = self._session(tenant, visitor)
        request = Request(question.key, aim, "login", question.nonce, question.verifier, before)
        self._keeper.ask(connection, request, browser)
        return Begun(question.message, browser)

    def answer(self, tenant: Tenant, connection: Connection, came: Received, visitor: Visitor) -> Landed | Tested:
        """Take a provider's answer: to a sign-in, or to a test.

        Raises:
            RefusedError: nobody is signed in by it.
        """
        trace = Trace()
        try:
            return self._taken(tenant, connection, came, visitor, trace)
        except SignInError as error:
            raise self._refused(tenant, connection, error, trace, visitor) from error

    def refuse(
        self, tenant: Tenant, connection: Connection, error: SignInError, visitor: Visitor, what: str = "sign-in"
    ) -> RefusedError:
        """Write down what was refused before it could be taken, or a message about a sign-out."""
        trace = Trace()
        if what != "sign-in":
            trace.passed("message", what)
        return self._refused(tenant, connection, error, trace, visitor)

    def browser(self, visitor: Visitor) -> str:
        """The value of the browser's pending cookie: the same in all of its tabs."""
        value = visitor.cookies.get(cookies.pending_cookie(self._public_url).name)
        return value if value is not None and cookies.is_value(value) else cookies.new_value()

    def _taken(
        self, tenant: Tenant, connection: Connection, came: Received, visitor: Visitor, trace: Trace
    ) -> Landed | Tested:
        if not connection.enabled:
            return self._tested_while_off(connection, came, visitor)
        side = self._sides[connection.kind]
        peeked = side.peek(connection, came)
        asked = self._asked(connection, peeked, visitor)
        if asked is not None and asked.purpose == "test":
            return self.tests.answer(connection, came, asked, visitor)
        trace.passed("request", "asked by this browser" if asked else "nobody asked, which the connection allows")
        assertion = side.accept(connection, came, asked, self._clock(), trace)
        trace.passed(
            "answer", f"issuer {assertion.issuer}, authenticated {assertion.authenticated_at:%Y-%m-%d %H:%M:%S}"
        )
        trace.passed("claims", received(assertion))
        before = [one for one in (asked.replaces if asked else None, self._session(tenant, visitor)) if one]
        arrived = self._keeper.arrive(connection, assertion, visitor, trace, before)
        return Landed(tenant, arrived, _return_to(tenant, connection, asked, peeked.relay_state))

    def _tested_while_off(self, connection: Connection, came: Received, visitor: Visitor) -> Tested:
        """Nothing but the answer to a test is taken while the connection is switched off."""
        with suppress(SignInError):
            asked = self._answered(connection, self._sides[connection.kind].peek(connection, came), visitor)
            if asked is not None and asked.purpose == "test":
                return self.tests.answer(connection, came, asked, visitor)
        raise SignInError("disabled", "the connection is switched off")

    def _answered(self, connection: Connection, peeked: Peeked, visitor: Visitor) -> Request | None:
        browser = visitor.cookies.get(cookies.pending_cookie(self._public_url).name)
        if peeked.key is None or browser is None or not cookies.is_value(browser):
            return None
        return self._keeper.answered(connection, peeked.key, browser)

    def _asked(self, connection: Connection, peeked: Peeked, visitor: Visitor) -> Request | None:
        """The request that is answered, once, by the browser that asked; None where nobody had to."""
        browser = visitor.cookies.get(cookies.pending_cookie(self._public_url).name)
        if peeked.key is None:
            self._allow_unsolicited(connection, browser)
            return None
        asked = self._answered(connection, peeked, visitor)
        if asked is not None and asked.purpose in ("login", "test"):
            return asked
        if asked is None and self._keeper.asked_elsewhere(connection, peeked.key):
            raise SignInError("other_browser", "another browser asked" if browser else COOKIE_LOST)
        raise SignInError(
            "unknown_request",
            "expected an answer to a request that waits, found none: older than ten "
            "minutes, answered before, or never made here",
        )

    def _allow_unsolicited(self, connection: Connection, browser: str | None) -> None:
        settings = connection.settings
        if not isinstance(settings, Saml) or not settings.allow_unsolicited:
            raise SignInError("unsolicited", "the answer names no request, and the connection allows none without one")
        if browser and self._keeper.waits(connection, browser):
            raise SignInError("unsolicited", "the answer names no request, while one of this browser waits")

    def _session(self, tenant: Tenant, visitor: Visitor) -> str | None:
        secret = visitor.cookies.get(cookies.session(self._public_url, tenant.id))
        found = self._keeper.session(tenant.id, secret) if secret and cookies.is_value(secret) else None
        return found.id if found else None

    def _refused(
        self, tenant: Tenant, connection: Connection, error: SignInError, trace: Trace, visitor: Visitor
    ) -> RefusedError:
        trace.failed(error, remedy(error.code, connection, Addresses(self._public_url, connection.id)))
        return RefusedError(tenant, error.code, self._keeper.refused(connection, error, trace, visitor))


def home(tenant: Tenant) -> str:
    """The tenant's own page, for whoever was going nowhere else."""
    return f"/signed-in/{tenant.name}"


def _demand_enabled(connection: Connection) -> None:
    if not connection.enabled:
        raise SignInError("disabled", "the connection is switched off")


def _return_to(tenant: Tenant, connection: Connection, asked: Request | None, relay_state: str | None) -> str:
    """The kept path; of a sign-in that nobody asked for one that the connection lists, else the tenant's page."""
    if asked is not None:
        return asked.aim.return_to if is_local(asked.aim.return_to) else home(tenant)
    listed = connection.settings.relay_states if isinstance(connection.settings, Saml) else ()
    return relay_state if relay_state in listed and is_local(relay_state) else home(tenant)
