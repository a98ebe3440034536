"""The way out, from either end. No web framework, no storage.

    the person    ──▶ the session ends here ──▶ Side.leave ──▶ the browser goes to the provider, if it takes that
    the provider  ──▶ SAML LogoutRequest │ logout token │ front-channel frame ──▶ Keeper.end_by_provider

The session here ends first, whatever becomes of the rest: also when the connection is gone or its provider is silent.
"""

from __future__ import annotations

import hashlib
import hmac
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import urlencode

from sso.arriving import Arrivals
from sso.connections import Connection
from sso.errors import SignInError
from sso.keeping import Aim, Keeper, Request, Session, Tenant, Visitor
from sso.sides import Answered, Begun, Leaving, OidcLogout, Ordered, Received, SamlLogout, Side

SIGNED_OUT: Final = "/signed-out"
log = logging.getLogger(__name__)


def signed_out(tenant: Tenant) -> str:
    """The page at the end of the way, which offers to sign in again."""
    return f"{SIGNED_OUT}?{urlencode({'tenant': tenant.name})}"


@dataclass(frozen=True, slots=True)
class Logouts:
    """Both protocols' ways to hear of a sign-out at the provider."""

    saml: SamlLogout
    oidc: OidcLogout


class Departures:
    """The way out of one process."""

    def __init__(
        self,
        keeper: Keeper,
        sides: Mapping[str, Side],
        logouts: Logouts,
        arrivals: Arrivals,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._keeper, self._sides, self._logouts, self._arrivals, self._clock = keeper, sides, logouts, arrivals, clock

    def sign_out(self, session: Session, visitor: Visitor, *, everywhere: bool = False) -> Begun | None:
        """End this session, or all of the person's; then what the browser takes to the provider, if it takes that."""
        if everywhere:
            self._keeper.end_everywhere(session)
        else:
            self._keeper.end(session, [session.id])
        try:
            return self._at_provider(session, visitor)
        except Exception as error:  # noqa: BLE001 - the person is signed out, and is told so
            code = error.code if isinstance(error, SignInError) else type(error).__name__
            log.warning("sign-out stays local: the identity provider cannot be asked (%s)", code)
            return None

    def by_saml(self, connection: Connection, tenant: Tenant, came: Received, visitor: Visitor) -> Leaving | None:
        """A provider's LogoutRequest, and the reply to it; None: its answer to ours, after which nothing is left to do.

        Raises:
            RefusedError: the message is not good; nothing ended by it.
        """
        now = self._clock()
        try:
            found = self._logouts.saml.read(connection, came, now)
            if isinstance(found, Answered):
                self._demand_pending(connection, found, visitor)
                return None
            return self._logouts.saml.reply(connection, found, self._ended(connection, found) > 0, now)
        except SignInError as error:
            raise self._arrivals.refuse(tenant, connection, error, visitor, "sign-out") from error

    def by_back_channel(self, connection: Connection, tenant: Tenant, came: Received, visitor: Visitor) -> None:
        """A logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). Whoever has no session is signed out already.

        Raises:
            RefusedError: the token is not good.
        """
        try:
            self._ended(connection, self._logouts.oidc.back_channel(connection, came, self._clock()))
        except SignInError as error:
            raise self._arrivals.refuse(tenant, connection, error, visitor, "sign-out") from error

    def by_front_channel(self, connection: Connection, tenant: Tenant, came: Received, visitor: Visitor) -> None:
        """A frame in the provider's page. Browsers keep our cookies out of it: its `sid` says which session it is.

        Raises:
            RefusedError: issuer or session are not said, or not this connection's.
        """
        try:
            ordered = self._logouts.oidc.front_channel(connection, came, self._clock())
            self._keeper.end_by_provider(connection, None, ordered.valid_until, ordered.subject, ordered.sessions)
        except SignInError as error:
            raise self._arrivals.refuse(tenant, connection, error, visitor, "sign-out") from error

    def _ended(self, connection: Connection, ordered: Ordered) -> int:
        return self._keeper.end_by_provider(
            connection, ordered.id, ordered.valid_until, ordered.subject, ordered.sessions
        )

    def _at_provider(self, session: Session, visitor: Visitor) -> Begun | None:
        found = self._keeper.connection(session.connection_id)
        if found is None or found[1].tenant_id != session.tenant_id:
            return None
        connection = found[1]
        question = self._sides[connection.kind].leave(connection, session.at_provider, self._clock())
        if question is None:
            return None
        browser = self._arrivals.browser(visitor)
        self._keeper.ask(connection, Request(question.key, Aim(SIGNED_OUT), "logout"), browser)
        return Begun(question.message, browser)

    def _demand_pending(self, connection: Connection, answered: Answered, visitor: Visitor) -> None:
        asked = self._keeper.answered(connection, answered.key, self._arrivals.browser(visitor))
        if asked is None or asked.purpose != "logout":
            raise SignInError(
                "unknown_request", "expected an answer to a sign-out of this browser, found none that waits"
            )


def form_token(secret: str) -> str:
    """What a form of a signed-in person carries: only who holds the session's cookie can say it."""
    return hashlib.sha256(b"rollcall form " + secret.encode()).hexdigest()


def is_form_token(text: str, secret: str) -> bool:
    """Whether the form is one of this session's."""
    return hmac.compare_digest(text.encode(), form_token(secret).encode())
