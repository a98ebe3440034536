"""Signing out with an OpenID provider: its word to us on the back channel or the front, ours to it by redirect.

    back channel    POST logout_token ─▶ jwts ─▶ issuer, audience, times ─▶ what a logout token is ─▶ whom it ends
    front channel   GET iss, sid ─▶ whose session in this browser
    ours            id_token_hint, where to come back to, state ─▶ the provider's end_session_endpoint

Nobody but the sessions of this connection may be ended by it, and each `jti` once: that is up to who calls.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode, urlsplit, urlunsplit

from sso import id_tokens, issuer_rules, jwt_claims
from sso.connections import Connection
from sso.discovery import ProviderMetadata, settings_of
from sso.errors import SignInError
from sso.jwks import Keys
from sso.jwts import LONGEST_NAME, JwtError

EVENT: Final = "http://schemas.openid.net/event/backchannel-logout"
LONGEST_HINT: Final = 6_000  # characters; servers take addresses of 8 KB
_TYPES: Final = ("", "jwt", "logout+jwt")


@dataclass(frozen=True, slots=True)
class BackChannelLogout:
    """Whose sessions end: all of `subject` (`sub`), or the one that the provider calls `session` (`sid`).

    With both, that session of that person. `jti` may be used once until `valid_until`.
    """

    jti: str
    subject: str | None
    session: str | None
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class FrontChannelLogout:
    """The provider's name for the session that ends in this browser."""

    session: str


def read_back_channel(
    token: str, connection: Connection, provider: ProviderMetadata, keys: Keys, now: float
) -> BackChannelLogout:
    """A logout token (OpenID Connect Back-Channel Logout 1.0 §2.6). `now` in epoch seconds.

    Raises:
        SignInError: it is none of this provider's for this connection, now.
    """
    try:
        claims, _ = id_tokens.signed_claims(token, _TYPES, provider, keys)
        return _logout(claims, connection, provider, now)
    except JwtError as error:
        raise SignInError(error.code, f"logout token: {error.detail}") from None


def read_front_channel(
    query: Mapping[str, str], connection: Connection, provider: ProviderMetadata
) -> FrontChannelLogout:
    """A front-channel logout (OpenID Connect Front-Channel Logout 1.0 §2): both parameters, each once.

    Raises:
        SignInError: `issuer` or `malformed`.
    """
    issuer, session = query.get("iss"), query.get("sid", "")
    if issuer not in issuer_rules.issuers(provider.issuer, settings_of(connection)):
        raise SignInError("issuer", f"front-channel logout: expected {provider.issuer}, found {issuer!r:.200}")
    if not 0 < len(session) <= LONGEST_NAME:
        raise SignInError("malformed", f"front-channel logout: sid of {len(session)} characters")
    return FrontChannelLogout(session)


def end_session_url(
    connection: Connection, provider: ProviderMetadata, *, hint: str | None, come_back: str, state: str
) -> str | None:
    """Where the browser goes to sign out there too (RP-Initiated Logout 1.0 §2); None when there is no such place.

    `hint` is the ID token, left out when no address could hold it; `come_back` our registered
    post_logout_redirect_uri.
    """
    if provider.end_session_endpoint is None:
        return None
    said = {
        "id_token_hint": hint if hint is not None and len(hint) <= LONGEST_HINT else None,
        "client_id": settings_of(connection).client_id,
        "post_logout_redirect_uri": come_back,
        "state": state,
    }
    parts = urlsplit(provider.end_session_endpoint)
    added = urlencode({name: value for name, value in said.items() if value})
    return urlunsplit(parts._replace(query=f"{parts.query}&{added}" if parts.query else added))


def _logout(
    claims: Mapping[str, Any], connection: Connection, provider: ProviderMetadata, now: float
) -> BackChannelLogout:
    settings = settings_of(connection)
    if claims.get("iss") not in issuer_rules.issuers(provider.issuer, settings):
        raise JwtError("issuer", "its iss is not the registered one", claims.get("iss"))
    jwt_claims.meant_for(claims, settings.client_id)
    ends = jwt_claims.end(claims, now, connection.skew)
    id_tokens.issued_lately(claims, now, connection.skew)
    events = claims.get("events")
    if not isinstance(events, dict) or list(events) != [EVENT] or not isinstance(events[EVENT], dict):
        raise JwtError("malformed", "its events do not say logout, and nothing else", events)
    if "nonce" in claims:
        raise JwtError("malformed", "it has a nonce, as only ID tokens do")
    jti, session = jwt_claims.identifier(claims, "jti"), jwt_claims.identifier(claims, "sid")
    subject = jwt_claims.subject(claims) if "sub" in claims else None
    if jti is None:
        raise JwtError("malformed", "it has no jti")
    if subject is None and session is None:
        raise JwtError("subject", "it has neither sub nor sid")
    return BackChannelLogout(jti, subject, session, datetime.fromtimestamp(ends + connection.skew, UTC))
