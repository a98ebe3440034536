"""OpenID Connect as the way of a sign-in needs it: see `sides`."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import parse_qsl

from sso import cookies, oidc, oidc_logout
from sso.assertion import Assertion, ProviderSession
from sso.bindings import Redirect
from sso.code_exchange import Sign
from sso.connections import Addresses, Connection
from sso.demands import Demands
from sso.discovery import ProviderMetadata, Providers
from sso.errors import SignInError
from sso.jwks import Keys
from sso.keeping import Request
from sso.sides import Ordered, Peeked, Question, Received
from sso.trace import Trace
from sso.web import Web

MOST_PARAMETERS: Final = 20
LONGEST: Final = 32 * 1024  # bytes of an answer
MINUTES: Final = timedelta(minutes=10)


class OidcSide:
    """`sso.sides.Side` and `OidcLogout`. `sign` makes our own assertions, for connections that prove us by them."""

    def __init__(self, public_url: str, web: Web, providers: Providers, keys: Keys, sign: Sign) -> None:
        self._public_url, self._web, self._providers, self._keys, self._sign = public_url, web, providers, keys, sign

    def ask(self, connection: Connection, demands: Demands, now: datetime) -> Question:
        pending = oidc.begin(demands)
        url = oidc.login_url(
            connection,
            Addresses(self._public_url, connection.id),
            self._provider(connection),
            state=pending.state,
            nonce=pending.nonce,
            verifier=pending.verifier,
            demands=demands,
        )
        return Question(Redirect(url), pending.state, pending.nonce, pending.verifier)

    def peek(self, connection: Connection, received: Received) -> Peeked:
        return Peeked(_answer(received).get("state"))

    def accept(
        self, connection: Connection, received: Received, asked: Request | None, now: datetime, trace: Trace
    ) -> Assertion:
        if asked is None or asked.nonce is None or asked.verifier is None:
            raise SignInError("unsolicited", "an OpenID provider answers requests only")
        provider = self._provider(connection)
        trace.passed("provider", f"discovered: {provider.issuer}")
        steps: list[str] = []
        try:
            return oidc.accept(
                connection,
                Addresses(self._public_url, connection.id),
                provider,
                _answer(received),
                oidc.Pending(asked.key, asked.nonce, asked.verifier, asked.aim.demands),
                self._web,
                self._keys,
                now.timestamp(),
                self._sign,
                steps,
            )
        finally:
            for step in steps:
                trace.passed(step)

    def leave(self, connection: Connection, session: ProviderSession, now: datetime) -> Question | None:
        key = cookies.new_value()
        url = oidc_logout.end_session_url(
            connection,
            self._provider(connection),
            hint=session.hint,
            come_back=f"{self._public_url}/signed-out",
            state=key,
        )
        return Question(Redirect(url), key) if url else None

    def back_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        token = _answer(received).get("logout_token")
        if received.method != "POST" or token is None:
            raise SignInError("malformed", "expected a POST with a logout_token")
        provider = self._provider(connection)
        found = oidc_logout.read_back_channel(token, connection, provider, self._keys, now.timestamp())
        return Ordered(found.jti, found.valid_until, found.subject, (found.session,) if found.session else ())

    def front_channel(self, connection: Connection, received: Received, now: datetime) -> Ordered:
        found = oidc_logout.read_front_channel(_answer(received), connection, self._provider(connection))
        return Ordered("", now + MINUTES, None, (found.session,))

    def _provider(self, connection: Connection) -> ProviderMetadata:
        return self._providers.of(connection)


def _answer(received: Received) -> Mapping[str, str]:
    """The parameters, each once (RFC 6749 §3.1).

    Raises:
        SignInError: `malformed`, `too_large`.
    """
    raw = received.form if received.method == "POST" else received.query
    if len(raw) > LONGEST:
        raise SignInError("too_large", f"{len(raw)} bytes, expected {LONGEST} at most")
    try:
        pairs = parse_qsl(raw.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise SignInError("malformed", f"expected at most {MOST_PARAMETERS} parameters in UTF-8") from None
    if len({name for name, _ in pairs}) != len(pairs):
        raise SignInError("malformed", "a parameter is there more than once")
    return dict(pairs)
