"""Clients that prove who they are by a signed JWT (RFC 7523 §2.2): private_key_jwt, and workload identity federation.

    assertion ─▶ shape, header ─▶ one key of the issuer ─▶ signature ─▶ claims ─▶ `Asserted`

Which algorithms are taken is decided here, never by the header, a key set or a discovery document. Before the signature
holds nothing of the payload is parsed, and the caller learns no more than that it did not hold.
"""

from __future__ import annotations

import base64
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from joserfc import jws
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, Key, OKPKey, RSAKey

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {  # -> key type, curve
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
LONGEST: Final = 16_384
LONGEST_NAME: Final = 256
SKEW: Final = 60  # seconds
LONGEST_LIFE: Final = 24 * 3600  # seconds from its issue to its end
LEAST_RSA_BITS: Final = 2048
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_TYPES: Final = ("", "jwt", "client-authentication+jwt")


class RejectedError(Exception):
    """The assertion is not accepted. The message is for the administrator of the client; it quotes nothing of it."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Whose assertions a client may show, as its administrator registered them.

    Keys come from `jwks_url`, or are `jwks`, the JSON text of a key set.
    """

    issuer: str
    subject: str
    audience: str
    jwks_url: str | None = None
    jwks: str | None = None


@dataclass(frozen=True, slots=True)
class Asserted:
    """What holds. `jti` is None when the assertion has none; at `until` (epoch seconds) it can no longer be used."""

    jti: str | None
    until: float


class Keys(Protocol):
    """Knows issuers' keys."""

    def of(self, trust: Trust, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """The set's keys as JWKs; looked up again when none has this `kid`. Empty when there are none to be had."""
        ...


def check(assertion: str, trust: Trust, keys: Keys, now: float) -> Asserted:
    """The assertion's claims, if it is the client's.

    Raises:
        RejectedError: it is not.
    """
    algorithm, kid = _header(assertion)
    key = _key(keys.of(trust, kid), algorithm, kid)
    try:
        payload = jws.deserialize_compact(assertion, key, algorithms=[algorithm]).payload
    except (JoseError, ValueError, TypeError, RecursionError):
        raise RejectedError("its signature does not hold") from None
    return _claims(_object(payload), trust, now)


def usable_keys(text: str | bytes) -> list[dict[str, Any]]:
    """The public signing keys of a key set.

    Raises:
        ValueError: it is no key set, or holds a private key.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError('this is no key set: {"keys": […]}')
    if any(isinstance(key, dict) and "d" in key for key in listed):
        raise ValueError("the key set holds a private key")
    return [key for key in listed[:100] if isinstance(key, dict) and key.get("use", "sig") == "sig"]


def _header(assertion: str) -> tuple[str, str | None]:
    if len(assertion) > LONGEST or not _COMPACT.fullmatch(assertion):
        raise RejectedError("it is no JWT in compact form")
    try:
        header = _object(_decoded(assertion.partition(".")[0]))
    except ValueError:
        raise RejectedError("its header cannot be read") from None
    algorithm, kid, typ = header.get("alg"), header.get("kid"), header.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in ALGORITHMS:
        raise RejectedError(f"its algorithm is none of {', '.join(ALGORITHMS)}")
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= LONGEST_NAME):
        raise RejectedError("its kid is no name of a key")
    if not isinstance(typ, str) or typ.lower() not in _TYPES or "crit" in header or "b64" in header:
        raise RejectedError("its header asks for what a client assertion does not have")
    return algorithm, kid


def _key(candidates: Sequence[Mapping[str, Any]], algorithm: str, kid: str | None) -> Key:
    """The one key that may have signed: two of the same name are none."""
    kind, curve = ALGORITHMS[algorithm]
    fitting = [
        key
        for key in candidates
        if key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if len(fitting) != 1:
        raise RejectedError("the registered issuer has no such key")
    makers: dict[str, Any] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
    try:
        if kind == "RSA" and len(_decoded(fitting[0]["n"]).lstrip(b"\0")) * 8 < LEAST_RSA_BITS:
            raise ValueError("too short")
        key = makers[kind].import_key({name: value for name, value in fitting[0].items() if name != "key_ops"})
    except (JoseError, ValueError, TypeError, KeyError):
        raise RejectedError("the registered issuer's key cannot be used") from None
    return key  # type: ignore[no-any-return]


def _claims(claims: Mapping[str, Any], trust: Trust, now: float) -> Asserted:
    audience = claims.get("aud")
    named = [audience] if isinstance(audience, str) else audience
    for name, right in (
        ("iss", claims.get("iss") == trust.issuer),
        ("sub", claims.get("sub") == trust.subject),
        ("aud", isinstance(named, list) and trust.audience in named),
    ):
        if not right:
            raise RejectedError(f"its {name} is not the registered one")
    end, start, issued = (_instant(claims, name) for name in ("exp", "nbf", "iat"))
    if end is None:
        raise RejectedError("it has no exp")
    if end <= now - SKEW:
        raise RejectedError("it has expired")
    if max(start or now, issued or now) > now + SKEW:
        raise RejectedError("it is not valid yet")
    if end - (issued if issued is not None else now) > LONGEST_LIFE:
        raise RejectedError("it is valid for more than a day")
    jti = claims.get("jti")
    if jti is not None and not (isinstance(jti, str) and 0 < len(jti) <= LONGEST_NAME):
        raise RejectedError("its jti is no name")
    return Asserted(jti, end + SKEW)


def _instant(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, (int, float))
        or not math.isfinite(value)
        or not 0 < value < 1e12
    ):
        raise RejectedError(f"its {name} is no time")
    return float(value)


def _decoded(encoded: str) -> bytes:
    return base64.urlsafe_b64decode(encoded + "=" * (-len(encoded) % 4))


def _object(data: bytes) -> dict[str, Any]:
    """One JSON object that names each member once: parsers differ in which of two they take."""
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once)
    except (ValueError, RecursionError):
        raise RejectedError("it cannot be read") from None
    if not isinstance(found, dict):
        raise RejectedError("it cannot be read")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found
