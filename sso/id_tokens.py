"""ID tokens (OpenID Connect Core 1.0 §3.1.3.7): every check that the specification names, and those it leaves to us.

token ─▶ jwts ─▶ issuer, directory, key's issuer ─▶ audience, azp ─▶ subject ─▶ times ─▶ nonce ─▶ at_hash ─▶ demands
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sso import issuer_rules, jwt_claims, jwts
from sso.connections import Oidc
from sso.demands import Demands
from sso.discovery import ProviderMetadata
from sso.jwks import Keys
from sso.jwts import JwtError

FRESH: Final = 600  # seconds between our request and the token, the person's typing included
_TYPES: Final = ("", "jwt")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What this token must answer to. `nonce` and `access_token` are those of the same exchange; `skew` in seconds."""

    settings: Oidc
    provider: ProviderMetadata
    nonce: str
    access_token: str
    demands: Demands
    skew: int


@dataclass(frozen=True, slots=True)
class IdToken:
    """What holds: all claims, and the times in epoch seconds."""

    claims: Mapping[str, Any]
    ends: float
    authenticated: float


def read(token: str, wanted: Wanted, keys: Keys, now: float) -> IdToken:
    """The ID token, if it is the answer to our request.

    Raises:
        JwtError: it is not.
    """
    settings = wanted.settings
    claims, algorithm = signed_claims(token, _TYPES, wanted.provider, keys)
    if "events" in claims:
        raise JwtError("malformed", "it is a security event, no ID token")
    issuer_rules.check_issuer(claims, wanted.provider.issuer, settings)
    jwt_claims.meant_for(claims, settings.client_id)
    _check_party(claims, settings.client_id)
    jwt_claims.subject(claims)
    issuer_rules.check_domain(claims, settings)
    ends = jwt_claims.end(claims, now, wanted.skew)
    issued = issued_lately(claims, now, wanted.skew)
    _check_nonce(claims, wanted.nonce)
    _check_access_token(claims, wanted.access_token, algorithm)
    return IdToken(claims, ends, _check_demands(claims, wanted, issued, now))


def signed_claims(
    token: str, types: tuple[str, ...], provider: ProviderMetadata, keys: Keys
) -> tuple[dict[str, Any], str]:
    """The claims of a token that this provider signed, for whomever, and the algorithm.

    Raises:
        JwtError: it did not; `provider_unreachable` when none of its keys is to be had.
    """
    head = jwts.header(token, types)
    claims, candidates = jwts.verified_by(token, head, provider, keys)
    for key in candidates:
        if key.get("kid") == head.kid:
            issuer_rules.check_key(claims, key)
    return claims, head.algorithm


def issued_lately(claims: Mapping[str, Any], now: float, skew: float) -> float:
    """When it was issued, in epoch seconds: within ten minutes.

    Raises:
        JwtError: `conditions` or `expired`.
    """
    issued = jwt_claims.instant(claims, "iat")
    if issued is None:
        raise JwtError("conditions", "it has no iat")
    if issued < now - FRESH - skew:
        raise JwtError("expired", "it was issued too long ago", f"iat {issued:.0f}, our clock {now:.0f}")
    return issued


def asked_contexts(settings: Oidc, demands: Demands) -> tuple[str, ...]:
    """The acr values to ask for: a relying party's wishes never replace what the connection demands."""
    return settings.contexts if settings.demand_context else demands.contexts or settings.contexts


def asked_age(settings: Oidc, demands: Demands) -> int | None:
    """The `max_age` to ask for, in seconds: the shorter one."""
    asked = [age for age in (settings.max_age, demands.max_age) if age is not None]
    return min(asked, default=None)


def _check_party(claims: Mapping[str, Any], client_id: str) -> None:
    party = claims.get("azp")
    if party is None and len(jwt_claims.audiences(claims)) > 1:
        raise JwtError("audience", "it has several aud and no azp", claims.get("aud"))
    if party is not None and party != client_id:
        raise JwtError("audience", "its azp is another client", party)


def _check_nonce(claims: Mapping[str, Any], nonce: str) -> None:
    found = claims.get("nonce")
    if not nonce or not isinstance(found, str) or not hmac.compare_digest(found.encode(), nonce.encode()):
        raise JwtError("replayed", "its nonce is not that of our request", "none" if found is None else "another")


def _check_access_token(claims: Mapping[str, Any], access_token: str, algorithm: str) -> None:
    """§3.1.3.6: the left half of the hash that belongs to the signature's algorithm."""
    found = claims.get("at_hash")
    if found is None:
        return
    hashed = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(access_token.encode()).digest()
    half = base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode("ascii")
    if not isinstance(found, str) or not hmac.compare_digest(found.encode(), half.encode()):
        raise JwtError("conditions", "its at_hash is not that of the access token")


def _check_demands(claims: Mapping[str, Any], wanted: Wanted, issued: float, now: float) -> float:
    """When the person proved who they are, to the provider. Without `auth_time` it is when the token was issued."""
    contexts = asked_contexts(wanted.settings, wanted.demands)
    if wanted.settings.demand_context and claims.get("acr") not in contexts:
        raise JwtError("context", f"expected the acr {' or '.join(contexts)}", claims.get("acr", "none"))
    age = asked_age(wanted.settings, wanted.demands)
    authenticated = jwt_claims.instant(claims, "auth_time")
    if authenticated is None:
        if age is not None:
            raise JwtError("conditions", "it has no auth_time, though max_age was asked for")
        return issued
    if authenticated > now + wanted.skew:
        raise JwtError("not_yet_valid", "its auth_time is ahead", f"{authenticated:.0f}, our clock {now:.0f}")
    if authenticated < issued - _longest(age, wanted.demands.force) - wanted.skew:
        raise JwtError("conditions", "the person signed in too long ago", f"auth_time {authenticated:.0f}")
    return authenticated


def _longest(age: int | None, force: bool) -> float:
    """How many seconds before the token the person may have signed in. Signing in anew takes its time."""
    allowed: list[float] = [FRESH] if force or age == 0 else []
    return min([*allowed, float(age)] if age else allowed, default=math.inf)
