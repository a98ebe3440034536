"""Keys that sign tokens: made, chosen by time, published by their public parts (RFC 7517), replaced with an overlap.

    made ──lead──▶ signs ──a newer one signs──▶ published only ──overlap──▶ gone

A key is published before it signs, for longer than its set may be cached, and until the last token that it signed is no
longer of interest: whoever verifies has it at every moment.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from joserfc import jwt
from joserfc.jwk import ECKey, KeyParameters, RSAKey

ES256: Final = "ES256"  # short tokens, cheap to make: SCIM events
RS256: Final = "RS256"  # what every relying party can verify (OpenID Connect Core 1.0 §15.1): ID tokens, access tokens
ALGORITHMS: Final = (ES256, RS256)
CURVE: Final = "P-256"
RSA_BITS: Final = 2048
CACHED_SECONDS: Final = 900  # how long others may keep the published set


class NoSigningKeyError(LookupError):
    """There is no key that signs now."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """The public half of a key, as a JWK, and when it signs. `retires_at` is None while nothing replaces it."""

    kid: str
    public: Mapping[str, Any]
    signs_from: datetime
    retires_at: datetime | None = None

    @property
    def algorithm(self) -> str:
        """The only one that it signs with."""
        return str(self.public.get("alg", ES256))

    def is_published(self, now: datetime) -> bool:
        """Whether whoever verifies should know it."""
        return self.retires_at is None or now < self.retires_at


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A new pair, as JWKs. Its kid is its thumbprint (RFC 7638)."""

    kid: str
    public: Mapping[str, Any]
    private: Mapping[str, Any] = field(repr=False)


def make(algorithm: str = ES256) -> MadeKey:
    """A new key for signatures of one of `ALGORITHMS`."""
    said: KeyParameters = {"use": "sig", "alg": algorithm}
    key: ECKey | RSAKey
    if algorithm == RS256:
        key = RSAKey.generate_key(RSA_BITS, said, private=True, auto_kid=True)
    else:
        key = ECKey.generate_key(CURVE, said, private=True, auto_kid=True)
    public = key.as_dict(private=False)
    return MadeKey(str(public["kid"]), public, key.as_dict(private=True))


def signing(keys: Iterable[PublicKey], now: datetime, algorithm: str = ES256) -> PublicKey:
    """The key of that algorithm that signs now: the newest whose time has come.

    Raises:
        NoSigningKeyError: there is none.
    """
    mine = (key for key in keys if key.algorithm == algorithm)
    ready = [key for key in mine if key.signs_from <= now and key.is_published(now)]
    if not ready:
        raise NoSigningKeyError(f"there is no key that signs with {algorithm}; `rollcall key rotate` makes one")
    return max(ready, key=lambda key: (key.signs_from, key.kid))


def published(keys: Iterable[PublicKey], now: datetime) -> dict[str, list[dict[str, Any]]]:
    """The JSON Web Key Set (RFC 7517 §5): those that sign, will sign, or have signed lately."""
    return {"keys": [dict(key.public) for key in keys if key.is_published(now)]}


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A pair that is ready to sign. Reading an RSA key proves its primes anew: that costs far more than a signature."""

    kid: str
    algorithm: str
    key: ECKey | RSAKey = field(repr=False)

    @classmethod
    def of(cls, private: Mapping[str, Any]) -> SigningKey:
        """From the whole key as a JWK."""
        algorithm = str(private.get("alg", ES256))
        key = RSAKey.import_key(dict(private)) if algorithm == RS256 else ECKey.import_key(dict(private))
        return cls(str(private["kid"]), algorithm, key)

    def sign(self, claims: Mapping[str, Any], *, type: str) -> str:
        """A compact JWS of the claims. `type` becomes the header's `typ`, which keeps tokens of several kinds apart."""
        header = {"alg": self.algorithm, "typ": type, "kid": self.kid}
        return jwt.encode(header, dict(claims), self.key, algorithms=[self.algorithm])


def sign(private: Mapping[str, Any], claims: Mapping[str, Any], *, type: str) -> str:
    """The same, by a key that signs once."""
    return SigningKey.of(private).sign(claims, type=type)
