"""Clients that prove who they are by a signed JWT (RFC 7523 §2.2): private_key_jwt, and workload identity federation.

    assertion ─▶ jwts: shape, header, one key of the issuer, signature ─▶ claims ─▶ `Asserted`

The caller learns which check failed in words that quote nothing of the assertion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sso import jwt_claims, jwts
from sso.jwks import Keys

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
SKEW: Final = 60  # seconds
_TYPES: Final = ("", "jwt", "client-authentication+jwt")


class RejectedError(Exception):
    """The assertion is not accepted. The message is for the administrator of the client; it quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose assertions a client may show, as its administrator registered them.

    Keys come from `jwks_url`, or are `jwks`, the JSON text of a key set. `also` are further names of ours that it may
    be meant for. `once`: it must have a `jti` (OpenID Connect Core §9), so that it is used once.
    """

    issuer: str
    subject: str
    audience: str
    jwks_url: str | None = None
    jwks: str | None = None
    epoch: int = 0
    also: tuple[str, ...] = ()
    once: bool = False


@dataclass(frozen=True, slots=True)
class Asserted:
    """What holds. `jti` is None when the assertion has none; at `until` (epoch seconds) it can no longer be used."""

    jti: str | None
    until: float


def check(assertion: str, trust: Trust, keys: Keys, now: float) -> Asserted:
    """The assertion's claims, if it is the client's.

    Raises:
        RejectedError: it is not.
    """
    try:
        head = jwts.header(assertion, _TYPES)
        return _claims(jwts.verified_by(assertion, head, trust, keys)[0], trust, now)
    except jwts.JwtError as error:
        raise RejectedError(error.reason) from None


def _claims(claims: Mapping[str, Any], trust: Trust, now: float) -> Asserted:
    jwt_claims.issued_by(claims, trust.issuer)
    if claims.get("sub") != trust.subject:
        raise RejectedError("its sub is not the registered one")
    if not set(trust.also) & set(jwt_claims.audiences(claims)):
        jwt_claims.meant_for(claims, trust.audience)
    until, jti = jwt_claims.end(claims, now, SKEW), jwt_claims.identifier(claims, "jti")
    if trust.once and jti is None:
        raise RejectedError("it has no jti")
    return Asserted(jti, until + SKEW)
