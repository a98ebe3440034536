"""Opening an encrypted assertion with our keys, old and new, by cryptography itself: libxmlsec never sees a ciphertext.

Whatever goes wrong is one error with one text, and costs the same: a wrong key, a wrong hash and a wrong tag must not
be told apart by whoever sends ciphertexts to us to learn from the answers (XML Encryption 1.1 §6.1.3).
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Final
from xml.sax.saxutils import quoteattr

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers import Cipher as BlockCipher
from cryptography.hazmat.primitives.ciphers import algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sso import saml_keys, xml
from sso.connections import SamlKey
from sso.errors import SignInError
from sso.guard_encryption import Cipher, CipherKey
from sso.xml import Element

_NONCE: Final = 12  # bytes before a GCM ciphertext (XML Encryption 1.1 §5.2.4)
_BLOCK: Final = 16
_HASHES: Final[dict[str, hashes.HashAlgorithm]] = {
    "sha1": hashes.SHA1(),  # noqa: S303 - inside OAEP, where no collision is of use
    "sha256": hashes.SHA256(),
    "sha384": hashes.SHA384(),
    "sha512": hashes.SHA512(),
}


def decrypt(encrypted: Element, cipher: Cipher, keys: Sequence[SamlKey]) -> Element:
    """The assertion inside, in a new document where it stands in the place of `encrypted`.

    It is a stranger's still: the caller checks its form and its signature. The document is joined as text: moved from
    tree to tree, elements take over the prefixes of the new one, which the assertion's signature covers.

    Raises:
        SignInError: `encryption`, always with the same text; `too_large`.
    """
    plain = _open(cipher, keys)
    parent = encrypted.getparent()
    if plain is None or parent is None or parent.getparent() is not None:
        raise _refused()
    assertion = _parse(plain, encrypted)
    present = set(_ids(parent.iter()))
    if any(each in present for each in _ids(assertion.iter())):
        raise _refused()
    return _joined(parent, encrypted, plain)


def _joined(parent: Element, encrypted: Element, plain: bytes) -> Element:
    mark = f"m{secrets.token_hex(16)}"
    place = list(parent).index(encrypted)
    parent.replace(encrypted, xml.make(mark))
    before, after = re.split(rb"<" + mark.encode() + rb"[^<>]*>", xml.write(parent))
    return xml.parse(before + plain + after)[place]


def _open(cipher: Cipher, keys: Sequence[SamlKey]) -> bytes | None:
    opened: bytes | None = None
    for content_key in _content_keys(cipher, keys):
        plain = _decipher(cipher, content_key)
        opened = plain if opened is None else opened
    return opened


def _content_keys(cipher: Cipher, keys: Sequence[SamlKey]) -> Iterator[bytes]:
    """One content key for each of our keys and each encrypted one: a random one where it does not open."""
    for key in keys:
        private = saml_keys.private(key)
        for each in cipher.keys:
            found = _unwrap(private, each)
            yield found if len(found) == cipher.key_length else secrets.token_bytes(cipher.key_length)


def _unwrap(private: rsa.RSAPrivateKey, key: CipherKey) -> bytes:
    oaep = padding.OAEP(padding.MGF1(_HASHES[key.mgf]), _HASHES[key.digest], label=None)
    try:
        return private.decrypt(key.value, oaep)
    except ValueError:
        return b""


def _decipher(cipher: Cipher, key: bytes) -> bytes | None:
    return _gcm(cipher.value, key) if cipher.authenticated else _cbc(cipher.value, key)


def _gcm(value: bytes, key: bytes) -> bytes | None:
    try:
        return AESGCM(key).decrypt(value[:_NONCE], value[_NONCE:], None)
    except (InvalidTag, ValueError):
        return None


def _cbc(value: bytes, key: bytes) -> bytes | None:
    """The last byte says how many bytes of padding there are, the others of them are arbitrary (§5.2)."""
    if len(value) < 2 * _BLOCK or len(value) % _BLOCK:
        return None
    opening = BlockCipher(algorithms.AES(key), modes.CBC(value[:_BLOCK])).decryptor()
    padded = opening.update(value[_BLOCK:]) + opening.finalize()
    size = padded[-1]
    return padded[:-size] if 0 < size <= _BLOCK else None


def _parse(plain: bytes, encrypted: Element) -> Element:
    """The one element in `plain`, in which prefixes may be used that are declared outside (§4.4)."""
    declared = b"".join(
        (f" xmlns:{prefix}=" if prefix else " xmlns=").encode() + quoteattr(uri).encode()
        for prefix, uri in encrypted.nsmap.items()
    )
    try:
        wrapped = xml.parse(b"<plain" + declared + b">" + plain + b"</plain>")
    except SignInError as error:
        if error.code == "too_large":
            raise
        raise _refused() from None
    if len(wrapped) != 1 or not xml.is_blank(wrapped):
        raise _refused()
    return wrapped[0]


def _ids(elements: Iterator[Element]) -> Iterator[str]:
    for each in elements:
        yield from (each.attrib[name] for name in ("ID", "Id", "id") if name in each.attrib)


def _refused() -> SignInError:
    return SignInError("encryption", "the assertion could not be decrypted with any key of ours")
