"""A message in an address (Bindings §3.4), taken from the query as it was sent.

The signature covers the literal bytes of the query. So the query is split once, here; names are compared as sent; those
very bytes are verified and the message is read from them. Whatever a framework would decode, re-order or re-encode is
not looked at: lower-case escapes verify, and an escaped second `SAMLRequest` does not slip in beside the signed one.
"""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from sso.errors import SignInError
from sso.guard import decode, relay_state_of
from sso.saml_names import SIGNATURES
from sso.saml_signers import signer

LARGEST_QUERY: Final = 65_536  # bytes
LARGEST_MESSAGE: Final = 400_000  # bytes, inflated
MOST_PARAMETERS: Final = 10

_DEFLATE: Final = b"urn:oasis:names:tc:SAML:2.0:bindings:URL-Encoding:DEFLATE"
_KNOWN: Final = frozenset({b"SAMLRequest", b"SAMLResponse", b"RelayState", b"SigAlg", b"Signature", b"SAMLEncoding"})


@dataclass(frozen=True, slots=True)
class Query:
    """A message in an address, as it stands there. `signed` are the bytes that the signature covers."""

    kind: str
    packed: bytes
    relay_state: str | None
    signed: bytes
    algorithm: str
    signature: bytes


def read(raw: bytes) -> Query:
    """The one message in a query.

    Raises:
        SignInError: `too_large`, `malformed`, `signature` when there is none, `algorithm`.
    """
    if len(raw) > LARGEST_QUERY:
        raise SignInError("too_large", f"query: expected at most {LARGEST_QUERY} bytes, found {len(raw)}")
    values = _parameters(raw)
    kinds = [name for name in (b"SAMLRequest", b"SAMLResponse") if name in values]
    if len(kinds) != 1:
        raise SignInError("malformed", f"query: expected SAMLRequest or SAMLResponse, found {len(kinds)}")
    if unquote_to_bytes(values.get(b"SAMLEncoding", _DEFLATE)) != _DEFLATE:
        raise SignInError("malformed", "SAMLEncoding: expected DEFLATE")
    if b"SigAlg" not in values or b"Signature" not in values:
        raise SignInError("signature", "query: expected SigAlg and Signature, it is not signed")
    algorithm = _plain(values[b"SigAlg"]).decode("utf-8", "replace")
    if algorithm not in SIGNATURES:
        raise SignInError("algorithm", f"SigAlg: {algorithm[:80]} is not accepted")
    covered = [name for name in (kinds[0], b"RelayState", b"SigAlg") if name in values]
    state = values.get(b"RelayState")
    return Query(
        kind=kinds[0].decode(),
        packed=decode(_plain(values[kinds[0]])),
        relay_state=None if state is None else relay_state_of(_plain(state)),
        signed=b"&".join(name + b"=" + values[name] for name in covered),
        algorithm=algorithm,
        signature=decode(_plain(values[b"Signature"])),
    )


def _parameters(raw: bytes) -> dict[bytes, bytes]:
    pairs = [pair for pair in raw.split(b"&", MOST_PARAMETERS) if pair]
    if len(pairs) > MOST_PARAMETERS:
        raise SignInError("malformed", f"query: expected at most {MOST_PARAMETERS} parameters")
    values: dict[bytes, bytes] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        if b"%" in name or b"+" in name:
            raise SignInError("malformed", "query: a parameter's name is escaped")
        if name in values:
            raise SignInError("malformed", f"query: a parameter stands twice: {name[:40]!r}")
        values[name] = value
    return {name: value for name, value in values.items() if name in _KNOWN}


def _plain(value: bytes) -> bytes:
    return unquote_to_bytes(value.replace(b"+", b" "))


def is_signed(query: Query, certificates: Sequence[str]) -> bool:
    """Whether the query was signed with the key of one of the certificates (PEM, no armour)."""
    return signer(certificates, query.algorithm, query.signed, query.signature) is not None


def inflate(packed: bytes) -> bytes:
    """The message, of whose size nothing is believed.

    Raises:
        SignInError: `malformed`, `too_large`.
    """
    inflater = zlib.decompressobj(wbits=-15)
    try:
        message = inflater.decompress(packed, LARGEST_MESSAGE + 1)
    except zlib.error:
        raise SignInError("malformed", "query: expected a deflated message") from None
    if len(message) > LARGEST_MESSAGE:
        raise SignInError("too_large", f"message: expected at most {LARGEST_MESSAGE} bytes, inflated")
    if not inflater.eof or inflater.unused_data:
        raise SignInError("malformed", "query: expected one whole deflated message")
    return message
