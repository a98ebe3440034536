"""Claims of a token whose signature holds (RFC 7519 §4.1): each is what is expected, or the token is refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sso.jwts import LONGEST_NAME, JwtError

LONGEST_LIFE: Final = 24 * 3600  # seconds from its issue to its end
LONGEST_SUBJECT: Final = 255


def issued_by(claims: Mapping[str, Any], issuer: str) -> None:
    """Whether it is this issuer's, to the letter.

    Raises:
        JwtError: `issuer`.
    """
    if claims.get("iss") != issuer:
        raise JwtError("issuer", "its iss is not the registered one", claims.get("iss"))


def meant_for(claims: Mapping[str, Any], audience: str) -> None:
    """Whether this audience is named, alone or among others.

    Raises:
        JwtError: `audience`.
    """
    if audience not in audiences(claims):
        raise JwtError("audience", "its aud is not the registered one", claims.get("aud"))


def audiences(claims: Mapping[str, Any]) -> list[str]:
    """Everyone whom the token is for; empty when `aud` is no text and no list of texts."""
    found = claims.get("aud")
    listed = [found] if isinstance(found, str) else found
    return listed if isinstance(listed, list) and all(isinstance(each, str) for each in listed) else []


def subject(claims: Mapping[str, Any], name: str = "sub") -> str:
    """Whom it is about: 1 to 255 characters.

    Raises:
        JwtError: `subject`.
    """
    found = claims.get(name)
    if not (isinstance(found, str) and 0 < len(found) <= LONGEST_SUBJECT):
        raise JwtError("subject", f"its {name} names nobody", found)
    return found


def end(claims: Mapping[str, Any], now: float, skew: float) -> float:
    """When the token ends, in epoch seconds, if it holds `now` and for a day at most.

    Raises:
        JwtError: `expired`, `not_yet_valid`, `conditions`, or `malformed` for what is no time.
    """
    over, start, issued = (instant(claims, name) for name in ("exp", "nbf", "iat"))
    if over is None:
        raise JwtError("conditions", "it has no exp")
    if over <= now - skew:
        raise JwtError("expired", "it has expired", f"exp {over:.0f}, our clock {now:.0f}")
    first = max(start or now, issued or now)
    if first > now + skew:
        raise JwtError("not_yet_valid", "it is not valid yet", f"nbf or iat {first:.0f}, our clock {now:.0f}")
    if over - (issued if issued is not None else now) > LONGEST_LIFE:
        raise JwtError("conditions", "it is valid for more than a day", f"exp {over:.0f}")
    return over


def instant(claims: Mapping[str, Any], name: str) -> float | None:
    """A time in epoch seconds; None when it is not there.

    Raises:
        JwtError: `malformed`.
    """
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < 1e12:
        raise JwtError("malformed", f"its {name} is no time", value)
    return float(value)


def identifier(claims: Mapping[str, Any], name: str) -> str | None:
    """A name of 1 to 256 characters, as `jti` and `sid` are; None when it is not there.

    Raises:
        JwtError: `malformed`.
    """
    value = claims.get(name)
    if value is not None and not (isinstance(value, str) and 0 < len(value) <= LONGEST_NAME):
        raise JwtError("malformed", f"its {name} is no name", value)
    return value
