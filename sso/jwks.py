"""JSON Web Key Sets (RFC 7517): which keys of a set may verify, and the one that a token's header means."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OKPKey, RSAKey

MOST_KEYS: Final = 100
LEAST_RSA_BITS: Final = 2048
ALGORITHMS: Final[Mapping[str, tuple[str, str | None]]] = {  # -> key type, curve
    "RS256": ("RSA", None),
    "PS256": ("RSA", None),
    "ES256": ("EC", "P-256"),
    "EdDSA": ("OKP", "Ed25519"),
}
_MAKERS: Final[Mapping[str, Any]] = {"RSA": RSAKey, "EC": ECKey, "OKP": OKPKey}
_NUMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_REMEMBERED: Final = 512


class KeySource(Protocol):
    """Where an issuer's keys are: an address, or the JSON text of a key set. Keys of an older `epoch` are forgotten."""

    @property
    def jwks_url(self) -> str | None: ...

    @property
    def jwks(self) -> str | None: ...

    @property
    def epoch(self) -> int: ...


class Keys(Protocol):
    """Knows issuers' keys."""

    def of(self, source: KeySource, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """The set's keys as JWKs; looked up again when none has this `kid`. Empty when there are none to be had."""
        ...

    def again(self, source: KeySource) -> Sequence[Mapping[str, Any]]:
        """The same, for whoever found that none of them fits: a new key may have an old name, or none at all."""
        ...


class UnusableKeyError(ValueError):
    """There is no key, more than one, or one that must not be used. The message quotes nothing of the token."""


def usable_keys(text: str | bytes) -> list[dict[str, Any]]:
    """The public signing keys of a key set.

    Raises:
        ValueError: it is no key set, or holds a private or a symmetric key.
    """
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError('this is no key set: {"keys": […]}')
    keys = [key for key in listed if isinstance(key, dict)]
    if any("d" in key for key in keys):
        raise ValueError("the key set holds a private key")
    if any(key.get("kty") == "oct" or "k" in key for key in keys):
        raise ValueError("the key set holds a symmetric key")
    return [key for key in keys[:MOST_KEYS] if key.get("use", "sig") == "sig"]


def one_key(candidates: Sequence[Mapping[str, Any]], algorithm: str, kid: str | None) -> object:
    """The one public key that may have signed by `algorithm`, of cryptography; two of the same name are none.

    Raises:
        UnusableKeyError: no single key fits, or it is too weak or malformed.
    """
    fitting = [key for key in candidates if _fits(key, algorithm, kid)]
    if len(fitting) != 1:
        raise UnusableKeyError("the registered issuer has no such key")
    [found] = fitting
    try:
        return _made(found["kty"], tuple(found[name] for name in _NUMBERS[found["kty"]]))
    except (JoseError, ValueError, TypeError, KeyError):
        raise UnusableKeyError("the registered issuer's key cannot be used") from None


@lru_cache(_REMEMBERED)
def _made(kind: str, numbers: tuple[str, ...]) -> object:
    """A key of its numbers. Making one takes several times as long as what it is made for."""
    if kind == "RSA" and _bits(numbers[0]) < LEAST_RSA_BITS:  # before the library warns of it
        raise ValueError("too short")
    made = _MAKERS[kind].import_key({"kty": kind, **dict(zip(_NUMBERS[kind], numbers, strict=True))})
    return made.public_key


def _fits(key: Mapping[str, Any], algorithm: str, kid: str | None) -> bool:
    kind, curve = ALGORITHMS[algorithm]
    uses = key.get("key_ops", ["verify"])
    return (
        key.get("kty") == kind
        and (curve is None or key.get("crv") == curve)
        and key.get("alg", algorithm) == algorithm
        and key.get("use", "sig") == "sig"
        and isinstance(uses, list)
        and "verify" in uses
        and (kid is None or key.get("kid") == kid)
    )


def _bits(modulus: str) -> int:
    return len(base64.urlsafe_b64decode(modulus + "=" * (-len(modulus) % 4)).lstrip(b"\0")) * 8
