"""What stands before the SAML library: a message reaches it only if nothing about its form is left to chance.

    raw form ──read_form──▶ bytes ──xml.parse──▶ tree ──response──▶ ResponseParts ──▶ verify, decrypt, read

In order of cost: the form's parameters by their raw names, strict base64, the limits and the plain XML of `xml`, then
places and shapes: one assertion, each signature in its place and of exactly one shape (`guard_signature`), each
ciphertext of algorithms that are good enough (`guard_encryption`). Nothing here computes a digest or opens a reference.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes

from sso import guard_encryption, guard_signature, xml
from sso.errors import SignInError
from sso.guard_encryption import Cipher
from sso.saml_names import SUCCESS, ds, saml, samlp, xenc
from sso.xml import Element, children, local, only, optional

LARGEST_FORM: Final = 700_000  # bytes: the largest message in base64 whose escapes are all three bytes long, and more
MOST_PARAMETERS: Final = 8
LONGEST_RELAY_STATE: Final = 1_024

_KNOWN: Final = frozenset({b"SAMLResponse", b"SAMLRequest", b"RelayState"})
_BASE64: Final = re.compile(rb"[A-Za-z0-9+/]+={0,2}\Z")


@dataclass(frozen=True, slots=True)
class Posted:
    """A message as it was posted, decoded. `kind` is the name of its parameter."""

    kind: str
    message: bytes
    relay_state: str | None


@dataclass(frozen=True, slots=True)
class ResponseParts:
    """The parts of a Response whose form holds. Exactly one of `assertion` and `encrypted` is there."""

    root: Element
    assertion: Element | None
    encrypted: Element | None
    cipher: Cipher | None  # of `encrypted`
    signature: Element | None  # the Response's own


def read_form(raw: bytes, *kinds: str) -> Posted:
    """The one message of a posted form, under one of the parameter names `kinds`.

    Names are compared as they were sent: what a framework decodes is not what was sent.

    Raises:
        SignInError: `too_large` or `malformed`.
    """
    if len(raw) > LARGEST_FORM:
        raise SignInError("too_large", f"form: expected at most {LARGEST_FORM} bytes, found {len(raw)}")
    values = _parameters(raw)
    names = [name for name in ("SAMLResponse", "SAMLRequest") if name.encode() in values]
    if len(names) != 1 or names[0] not in kinds:
        raise SignInError("malformed", f"form: expected one of {', '.join(kinds)}, found {', '.join(names) or 'none'}")
    message = decode(values[names[0].encode()])
    relay_state = values.get(b"RelayState")
    return Posted(names[0], message, None if relay_state is None else relay_state_of(relay_state))


def _parameters(raw: bytes) -> dict[bytes, bytes]:
    pairs = [pair for pair in raw.split(b"&", MOST_PARAMETERS) if pair]
    if len(pairs) > MOST_PARAMETERS:
        raise SignInError("malformed", f"form: expected at most {MOST_PARAMETERS} parameters")
    values: dict[bytes, bytes] = {}
    for pair in pairs:
        name, _, value = pair.partition(b"=")
        if b"%" in name or b"+" in name:
            raise SignInError("malformed", "form: a parameter's name is escaped")
        if name in values:
            raise SignInError("malformed", f"form: a parameter stands twice: {name[:40]!r}")
        values[name] = unquote_to_bytes(value.replace(b"+", b" ")) if name in _KNOWN else b""
    return values


def decode(value: bytes) -> bytes:
    """Strict base64 (RFC 4648 §4), in which line breaks may stand (Bindings §3.5.4, RFC 2045).

    Raises:
        SignInError: `malformed`.
    """
    packed = value.translate(None, b"\r\n")
    if len(packed) % 4 or not _BASE64.match(packed):
        raise SignInError("malformed", "base64: found other characters, a wrong length, or nothing")
    try:
        return base64.b64decode(packed, validate=True)
    except (binascii.Error, ValueError):
        raise SignInError("malformed", "base64: not decodable") from None


def relay_state_of(value: bytes) -> str:
    """Raises:
    SignInError: `malformed`, it is long or not plain text.
    """
    try:
        text = value.decode("utf-8")
    except UnicodeDecodeError:
        raise SignInError("malformed", "RelayState: expected UTF-8") from None
    if len(text) > LONGEST_RELAY_STATE or not text.isprintable():
        raise SignInError("malformed", f"RelayState: expected at most {LONGEST_RELAY_STATE} printable characters")
    return text


def response(root: Element) -> ResponseParts:
    """The parts of a Response, after its form is checked.

    Raises:
        SignInError: `malformed`, `signature`, `algorithm`, `encryption`, or `provider_refused` with what it says.
    """
    if root.tag != samlp("Response"):
        raise SignInError("malformed", f"root: expected samlp:Response, found {root.tag[:80]}")
    if root.get("Version") != "2.0" or not root.get("ID"):
        raise SignInError("malformed", "Response: expected Version 2.0 and an ID")
    open_parts = [child for child in root if child.tag != saml("EncryptedAssertion")]
    for part in open_parts:
        _places(part, allowed=saml("Assertion"))
    guard_signature.check(root, open_parts)
    _status(root)
    assertions, ciphered = children(root, saml("Assertion")), children(root, saml("EncryptedAssertion"))
    found = len(assertions) + len(ciphered)
    if found != 1:
        raise SignInError("malformed", f"assertions: expected one in the Response, found {found}")
    for assertion in assertions:
        _named(assertion)
    cipher = guard_encryption.check(ciphered[0]) if ciphered else None
    return ResponseParts(
        root,
        next(iter(assertions), None),
        next(iter(ciphered), None),
        cipher,
        optional(root, ds("Signature"), "signature"),
    )


def decrypted(assertion: Element) -> None:
    """The same checks on what was decrypted, before anything of it is verified.

    Raises:
        SignInError: as `response`.
    """
    if assertion.tag != saml("Assertion"):
        raise SignInError("malformed", f"ciphertext: expected saml:Assertion, found {assertion.tag[:80]}")
    _places(assertion, allowed=saml("Assertion"))
    guard_signature.check(assertion, list(assertion))
    _named(assertion)


def refuse_assertions(root: Element) -> None:
    """In a message about signing out nothing about signing in may stand, nor anything encrypted.

    Raises:
        SignInError: `malformed` or `encryption`.
    """
    _places(root, allowed=root.tag)


_ONCE: Final = frozenset({samlp("Response"), saml("Assertion"), saml("EncryptedAssertion")})
_CIPHERED: Final = frozenset(
    {xenc("EncryptedData"), xenc("EncryptedKey"), saml("EncryptedID"), saml("EncryptedAttribute")}
)


def _places(part: Element, allowed: str) -> None:
    """A Response is the root and an assertion is its child, wherever else they could hide."""
    for each in xml.walk(part):
        if each.tag in _ONCE and not (each is part and each.tag == allowed):
            raise SignInError("malformed", f"{local(each)}: found where none belongs, inside {local(part)}")
        if each.tag in _CIPHERED:
            raise SignInError("encryption", f"{local(each)}: only whole assertions may be encrypted")


def _named(assertion: Element) -> None:
    if assertion.get("Version") != "2.0" or not assertion.get("ID"):
        raise SignInError("malformed", "Assertion: expected Version 2.0 and an ID")


def _status(root: Element) -> None:
    status = only(root, samlp("Status"))
    code = only(status, samlp("StatusCode"))
    value = code.get("Value")
    if not value:
        raise SignInError("malformed", "StatusCode: expected a value")
    if value != SUCCESS:
        inner = [each.get("Value") or "" for each in children(code, samlp("StatusCode"))]
        said = [(each.text or "").strip() for each in children(status, samlp("StatusMessage"))]
        words = " ".join([value, *inner, *said])
        raise SignInError("provider_refused", f"status: expected Success, found {words[:300]}")
