"""Signed tokens that others made (RFC 7515, compact form): shape, header, one key, signature; then JSON.

    token ─▶ `header`: shape, what the header may say ─▶ one key of the issuer ─▶ `verified`: signature ─▶ claims

Which algorithms are taken is decided here, never by the header, a key set or a discovery document. A key works with its
own algorithm only, and no key comes from the token. Before the signature holds nothing of the payload is parsed.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from sso.jwks import ALGORITHMS, Keys, KeySource, UnusableKeyError, one_key
from sso.strict_json import read_object

LONGEST: Final = 16_384  # characters
LONGEST_NAME: Final = 256
_COMPACT: Final = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
# The thumbprints are ignored. Keys and addresses of keys are refused, as is what only `crit` could explain.
_HEADER: Final = frozenset({"alg", "kid", "typ", "cty", "x5t", "x5t#S256"})
_PSS: Final = padding.PSS(mgf=padding.MGF1(SHA256()), salt_length=32)


class JwtError(Exception):
    """A token that is not accepted.

    `code` is one of `sso.refusals`; `reason` quotes nothing of the token, `found` (cut short) does.
    """

    def __init__(self, code: str, reason: str, found: object = None) -> None:
        super().__init__(reason)
        self.code = code
        self.reason = reason
        self.found = None if found is None else repr(found)[:120]

    @property
    def detail(self) -> str:
        """For the administrator's trace."""
        return self.reason if self.found is None else f"{self.reason}: found {self.found}"


@dataclass(frozen=True, slots=True)
class Header:
    """What a header may say. `type` is `typ` in lower case without `application/`, "" when there is none."""

    algorithm: str
    kid: str | None
    type: str


def header(token: str, types: Collection[str], algorithms: Collection[str] = tuple(ALGORITHMS)) -> Header:
    """The header of a token that has the right shape, of one of these `types` and `algorithms`.

    Raises:
        JwtError: `too_large`, `malformed` or `algorithm`.
    """
    if len(token) > LONGEST:
        raise JwtError("too_large", "it is no JWT in compact form", f"{len(token)} characters")
    if not _COMPACT.fullmatch(token):
        raise JwtError("malformed", "it is no JWT in compact form", f"{token.count('.') + 1} parts")
    said = _object(decoded(token.partition(".")[0]), "its header cannot be read")
    algorithm, kid, typ = said.get("alg"), said.get("kid"), said.get("typ", "")
    if not isinstance(algorithm, str) or algorithm not in algorithms or algorithm not in ALGORITHMS:
        raise JwtError("algorithm", f"its algorithm is none of {', '.join(algorithms)}", algorithm)
    if kid is not None and not (isinstance(kid, str) and 0 < len(kid) <= LONGEST_NAME):
        raise JwtError("malformed", "its kid is no name of a key", kid)
    if not set(said) <= _HEADER:
        raise JwtError("malformed", "its header asks for what such a token does not have", sorted(set(said) - _HEADER))
    if not isinstance(typ, str) or _short(typ) not in types:
        raise JwtError("malformed", "its typ is that of another kind of token", typ)
    return Header(algorithm, kid, _short(typ))


def verified(token: str, head: Header, candidates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The claims of the token whose `header` this is, signed by the one of these keys that the header means.

    Raises:
        JwtError: `signature`, or `malformed` when what is signed is no JSON object.
    """
    signed, _, signature = token.rpartition(".")
    payload, mark = decoded(signed.partition(".")[2]), decoded(signature)
    try:
        key = one_key(candidates, head.algorithm, head.kid)
        _verify(key, head.algorithm, signed.encode("ascii"), mark)
    except UnusableKeyError as error:
        raise JwtError("signature", str(error), f"alg {head.algorithm}, kid {head.kid!r}") from None
    except (InvalidSignature, ValueError, TypeError):
        raise JwtError("signature", "its signature does not hold", f"alg {head.algorithm}") from None
    return _object(payload, "it cannot be read")


def verified_by(
    token: str, head: Header, source: KeySource, keys: Keys
) -> tuple[dict[str, Any], Sequence[Mapping[str, Any]]]:
    """The claims by a key of `source`, and the keys. Some issuers give a new key the old name, or none.

    Raises:
        JwtError: as `verified`; `provider_unreachable` when there are no keys to be had.
    """
    candidates = keys.of(source, head.kid)
    if not candidates:
        raise JwtError("provider_unreachable", "the provider's keys are not to be had")
    try:
        return verified(token, head, candidates), candidates
    except JwtError as error:
        renewed = keys.again(source) if error.code == "signature" else candidates
        if renewed == candidates:
            raise
    return verified(token, head, renewed), renewed


def decoded(part: str) -> bytes:
    """Base64url as RFC 7515 §2 writes it: no padding, and one spelling only.

    Raises:
        JwtError: it is not.
    """
    try:
        found = base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except ValueError:
        raise JwtError("malformed", "a part of it is not base64url") from None
    if base64.urlsafe_b64encode(found).rstrip(b"=") != part.encode("ascii"):
        raise JwtError("malformed", "a part of it is base64url in a second spelling")
    return found


def _verify(key: object, algorithm: str, signed: bytes, mark: bytes) -> None:
    """`one_key` saw to it that the key is of the algorithm's kind."""
    if isinstance(key, rsa.RSAPublicKey):
        key.verify(mark, signed, padding.PKCS1v15() if algorithm == "RS256" else _PSS, SHA256())
    elif isinstance(key, ec.EllipticCurvePublicKey):
        if len(mark) != 64:
            raise InvalidSignature
        halves = int.from_bytes(mark[:32], "big"), int.from_bytes(mark[32:], "big")
        key.verify(encode_dss_signature(*halves), signed, ec.ECDSA(SHA256()))
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(mark, signed)
    else:
        raise InvalidSignature


def _object(data: bytes, otherwise: str) -> dict[str, Any]:
    try:
        return read_object(data)
    except ValueError:
        raise JwtError("malformed", otherwise) from None


def _short(typ: str) -> str:
    return typ.lower().removeprefix("application/")
