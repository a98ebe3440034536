"""SAML 2.0 as the way of a sign-in needs it: see `sides`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from sso import saml, saml_logout
from sso.assertion import Assertion, ProviderSession
from sso.bindings import new_request_id
from sso.connections import Addresses, Connection, Saml, SamlKey
from sso.demands import Demands
from sso.errors import SignInError
from sso.keeping import Request
from sso.sides import Answered, Leaving, Ordered, Peeked, Question, Received
from sso.trace import Trace


class SamlSide:
    """`sso.sides.Side` and `SamlLogout`. `keys` are ours, read anew each time.

    `unknown_key` is told of a connection whose answer was signed with no key that is known: it may have a new one.
    """

    def __init__(
        self,
        public_url: str,
        keys: Callable[[], Sequence[SamlKey]],
        unknown_key: Callable[[Connection], None] = lambda _: None,
    ) -> None:
        self._public_url, self._keys, self._unknown_key = public_url, keys, unknown_key

    def ask(self, connection: Connection, demands: Demands, now: datetime) -> Question:
        """The RelayState is the request's own ID: a key, never an address."""
        id = new_request_id()
        message = saml.login_request(
            connection,
            self._addresses(connection),
            self._keys(),
            request_id=id,
            relay_state=id,
            demands=demands,
            now=now,
        )
        return Question(message, id)

    def peek(self, connection: Connection, received: Received) -> Peeked:
        found = saml.peek(received.form)
        return Peeked(found.in_response_to, found.relay_state)

    def accept(
        self, connection: Connection, received: Received, asked: Request | None, now: datetime, trace: Trace
    ) -> Assertion:
        expected = saml.Expected(asked.key, asked.aim.demands) if asked else None
        steps: list[str] = []
        try:
            addresses = self._addresses(connection)
            return saml.accept(connection, addresses, self._keys(), received.form, expected, now, steps)[0]
        except SignInError as error:
            if error.code == "signature":
                self._unknown_key(connection)
            raise
        finally:
            for step in steps:
                trace.passed(step)

    def leave(self, connection: Connection, session: ProviderSession, now: datetime) -> Question | None:
        if not isinstance(connection.settings, Saml) or connection.settings.slo_url is None:
            return None
        id = new_request_id()
        message = saml_logout.request(
            connection, self._addresses(connection), self._keys(), session, request_id=id, relay_state=id, now=now
        )
        return Question(message, id)

    def read(self, connection: Connection, received: Received, now: datetime) -> Ordered | Answered:
        found = saml_logout.read(
            connection,
            self._addresses(connection),
            self._keys(),
            received.method,
            received.query,
            received.form,
            now,
        )
        if isinstance(found, saml_logout.LogoutResponse):
            return Answered(found.in_response_to, found.success)
        return Ordered(found.id, found.valid_until, found.subject, found.session_indexes, found)

    def reply(self, connection: Connection, ordered: Ordered, success: bool, now: datetime) -> Leaving:
        assert isinstance(ordered.message, saml_logout.LogoutRequest)
        addresses = self._addresses(connection)
        return saml_logout.response(connection, addresses, self._keys(), ordered.message, success=success, now=now)

    def _addresses(self, connection: Connection) -> Addresses:
        return Addresses(self._public_url, connection.id)
