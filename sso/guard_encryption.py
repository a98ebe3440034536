"""The one shape that an encrypted assertion may have, taken apart here so that nothing in it is ever executed.

Anybody can encrypt to us: the ciphertext is a stranger's. No references to elsewhere, few encrypted keys, algorithms of
a list. RSA PKCS#1 v1.5 is not on it: its padding answers questions about the key (Bleichenbacher).
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from sso import xml
from sso.errors import SignInError
from sso.saml_names import CBC, DSIG, GCM, MGF, OAEP, OAEP11, OAEP_DIGESTS, XENC, XENC11, ds, xenc
from sso.xml import Element, children, local

MOST_KEYS: Final = 4
LONGEST_KEY: Final = 1_024  # bytes of one encrypted key: RSA of 8,192 bits

_TYPE: Final = f"{XENC}Element"
_MGF: Final = f"{{{XENC11}}}MGF"
_DESCRIPTIONS: Final = frozenset({ds("KeyName"), ds("X509Data"), ds("KeyValue")})


@dataclass(frozen=True, slots=True)
class CipherKey:
    """A content key, encrypted by RSA-OAEP with these hashes."""

    digest: str
    mgf: str
    value: bytes


@dataclass(frozen=True, slots=True)
class Cipher:
    """An encrypted assertion, taken apart. `key_length` is in bytes."""

    authenticated: bool  # GCM; else CBC, which alone proves nothing about its content
    key_length: int
    keys: tuple[CipherKey, ...]
    value: bytes


def check(encrypted: Element) -> Cipher:
    """Take an EncryptedAssertion apart.

    Raises:
        SignInError: `encryption`.
    """
    if not len(encrypted) or encrypted[0].tag != xenc("EncryptedData"):
        raise _refused("EncryptedAssertion: expected EncryptedData first")
    data, *beside = encrypted
    if data.get("Type") not in (None, _TYPE):
        raise _refused("EncryptedData: expected the type Element")
    if [child.tag for child in data] != [xenc("EncryptionMethod"), ds("KeyInfo"), xenc("CipherData")]:
        raise _refused("EncryptedData: expected EncryptionMethod, KeyInfo, CipherData inside")
    method, info, cipher_data = data
    algorithm = method.get("Algorithm") or ""
    if algorithm not in GCM and algorithm not in CBC:
        raise _refused(f"EncryptionMethod: {algorithm[:80] or 'none'} is not accepted")
    if len(method):
        raise _refused("EncryptionMethod: expected nothing inside")
    keys = [*_keys_in(info), *beside]
    if not 0 < len(keys) <= MOST_KEYS:
        raise _refused(f"EncryptedKey: expected 1 to {MOST_KEYS}, found {len(keys)}")
    return Cipher(
        authenticated=algorithm in GCM,
        key_length=GCM[algorithm] if algorithm in GCM else CBC[algorithm],
        keys=tuple(_key(each) for each in keys),
        value=_cipher_value(cipher_data),
    )


def _keys_in(info: Element) -> list[Element]:
    for each in info:
        if each.tag != xenc("EncryptedKey"):
            _described(each)
    return children(info, xenc("EncryptedKey"))


def _described(element: Element) -> None:
    """What may name a key. It is not read; nothing that points elsewhere may stand in it."""
    if element.tag not in _DESCRIPTIONS:
        raise _refused(f"KeyInfo: found {local(element)}, which is never followed")
    for each in xml.walk(element):
        if not each.tag.startswith(f"{{{DSIG}}}") or local(each) in ("RetrievalMethod", "Transforms", "Object"):
            raise _refused(f"KeyInfo: found {local(each)}")


def _key(element: Element) -> CipherKey:
    if element.tag != xenc("EncryptedKey"):
        raise _refused(f"EncryptedAssertion: found {local(element)}, expected EncryptedKey")
    method, cipher_data = None, None
    for each in element:
        if each.tag == xenc("EncryptionMethod") and method is None:
            method = each
        elif each.tag == xenc("CipherData") and cipher_data is None:
            cipher_data = each
        elif each.tag == ds("KeyInfo"):
            for inner in each:
                _described(inner)
        elif each.tag not in (xenc("CarriedKeyName"), xenc("ReferenceList")):
            raise _refused(f"EncryptedKey: found {local(each)}")
    if method is None or cipher_data is None:
        raise _refused("EncryptedKey: expected EncryptionMethod and CipherData")
    digest, mgf = _oaep(method)
    value = _cipher_value(cipher_data)
    if len(value) > LONGEST_KEY:
        raise _refused(f"EncryptedKey: expected at most {LONGEST_KEY} bytes")
    return CipherKey(digest, mgf, value)


def _oaep(method: Element) -> tuple[str, str]:
    """The hash and the mask's hash. Without a word on them both are SHA-1 (XML Encryption 1.1 §5.5.2)."""
    algorithm = method.get("Algorithm") or ""
    if algorithm not in (OAEP, OAEP11):
        raise _refused(f"key transport: {algorithm[:80] or 'none'} is not accepted")
    digest = mgf = "sha1"
    if len({child.tag for child in method}) != len(method):
        raise _refused("key transport: a parameter stands twice")
    for each in method:
        named = each.get("Algorithm") or ""
        if each.tag == ds("DigestMethod") and named in OAEP_DIGESTS:
            digest = OAEP_DIGESTS[named]
        elif each.tag == _MGF and algorithm == OAEP11 and named in MGF:
            mgf = MGF[named]
        else:
            raise _refused(f"key transport: {local(each)} {named[:80]} is not accepted")
    return digest, mgf


def _cipher_value(cipher_data: Element) -> bytes:
    """The bytes themselves: a CipherReference would let the message choose what is read."""
    if [child.tag for child in cipher_data] != [xenc("CipherValue")]:
        raise _refused("CipherData: expected CipherValue")
    try:
        return base64.b64decode("".join(xml.text(cipher_data[0], "encryption").split()), validate=True)
    except (binascii.Error, ValueError):
        raise _refused("CipherValue: expected base64") from None


def _refused(detail: str) -> SignInError:
    return SignInError("encryption", detail)
