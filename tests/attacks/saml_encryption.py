"""Attacks by encryption: anybody can encrypt to us, so it proves nothing, and whatever fails must fail alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding

from tests.attacks.saml import Attack, attack
from tests.attacks.saml_signatures import EITHER
from tests.sso import saml_encryption as enc
from tests.sso.saml_idp import World, assertion, conditions, form, our_key, response, sign, signed, subject

PKCS1: Final = f'<xenc:EncryptionMethod Algorithm="{enc.XENC}rsa-1_5"/>'
TRIPLE: Final = f"{enc.XENC}tripledes-cbc"
CBC: Final = f"{enc.XENC}aes256-cbc"
_KEYS: Final = "</ds:KeyInfo>"


def _attack(name: str, codes: str, make: Callable[[World], str], **more: object) -> Attack:
    return attack(f"encryption: {name}", codes, lambda w: form(make(w)), **({"settings": EITHER} | more))


def _eve(w: World, **pieces: str) -> str:
    return assertion(w, **({"id": "_evil", "subject": subject(w, "<saml:NameID>eve</saml:NameID>")} | pieces))


def _plain(w: World) -> str:
    """A genuine, signed assertion by itself."""
    return signed(w, assertion(w))


def _genuine(w: World, **more: object) -> str:
    """A genuine ciphertext that may be bent; the assertion inside is signed."""
    return response(w, enc.cipher(_plain(w), w.keys[0], **more))  # type: ignore[arg-type]


def _bent(old: str, new: str, **more: object) -> Callable[[World], str]:
    def make(w: World) -> str:
        document = _genuine(w, **more)
        assert old in document
        return document.replace(old, new, 1)

    return make


def _reference(uri: str, transforms: str = "") -> Callable[[World], str]:
    """CipherReference in place of CipherValue: the message chooses what is read."""

    def make(w: World) -> str:
        said = f"<xenc:Transforms>{transforms}</xenc:Transforms>" if transforms else ""
        key = enc.key(w.keys[0])
        return response(w, enc.data(f'<xenc:CipherReference URI="{uri}">{said}</xenc:CipherReference>', key))

    return make


def _key_reference(w: World) -> str:
    document = _genuine(w)
    start = document.index("<xenc:CipherData><xenc:CipherValue>")
    end = document.index("</xenc:CipherData>", start)
    return document[:start] + '<xenc:CipherData><xenc:CipherReference URI="file:///dev/zero"/>' + document[end:]


def _swapped(w: World) -> str:
    """The ciphertext of a signed Response exchanged for another one."""
    document = sign(response(w, enc.cipher(assertion(w), w.keys[0], algorithm=CBC)), "_r1", w.idp)
    start, end = document.index("<saml:EncryptedAssertion"), document.index("</saml:EncryptedAssertion>")
    other = enc.cipher(_eve(w), w.keys[0], algorithm=CBC)
    return document[:start] + other.removesuffix("</saml:EncryptedAssertion>") + document[end:]


def _cbc_in_signed(cut: int) -> Callable[[World], str]:
    """CBC inside a Response that the provider signed over a ciphertext that does not open."""
    return lambda w: sign(response(w, enc.cipher(assertion(w), w.keys[0], algorithm=CBC, cut=cut)), "_r1", w.idp)


def _wrapped_inside(w: World) -> str:
    whole = _plain(w)
    name = "<saml:NameID>eve</saml:NameID>"
    data = f"<saml:Advice>{whole}</saml:Advice>"
    return response(
        w, enc.cipher(assertion(w, id="_e", subject=subject(w, name), conditions=conditions(w) + data), w.keys[0])
    )


def _doctype_inside(w: World) -> str:
    return response(w, enc.cipher(f"<!DOCTYPE x [<!ENTITY e 'eve'>]>{_plain(w)}", w.keys[0]))


def _comment_inside(w: World) -> str:
    return response(w, enc.cipher(_plain(w).replace("ada-17", "ada<!-- -->-17"), w.keys[0]))


def _other_signature(style: dict[str, str]) -> Callable[[World], str]:
    """What the guard refuses outside is refused inside too."""
    return lambda w: response(w, enc.cipher(signed(w, assertion(w), **style), w.keys[0]))


def _endless_reference_inside(w: World) -> str:
    plain = _plain(w).replace("</ds:SignedInfo>", '<ds:Reference URI="file:///dev/zero"/></ds:SignedInfo>')
    return response(w, enc.cipher(plain, w.keys[0]))


def _encrypted_name(w: World) -> str:
    inner = enc.data("<xenc:CipherReference URI='file:///dev/zero'/>", "")
    name = inner.replace("EncryptedAssertion", "EncryptedID")
    return signed(w, response(w, assertion(w, subject=subject(w, name))))


def _inside(make: Callable[[World], str]) -> Callable[[World], str]:
    return lambda w: response(w, enc.cipher(make(w), w.keys[0]))


def _xslt_reference() -> Callable[[World], str]:
    sheet = '<xsl:stylesheet version="1.0" xmlns:xsl="http://www.w3.org/1999/XSL/Transform"/>'
    return _reference(
        "",
        f'<ds:Transform xmlns:ds="{enc.DS}" Algorithm="http://www.w3.org/TR/1999/REC-xslt-19991116">{sheet}</ds:Transform>',
    )


ATTACKS: tuple[Attack, ...] = (
    _attack("a forged assertion without signature", "signature", _inside(_eve)),
    _attack(
        "a forged assertion of a stranger's key", "signature", _inside(lambda w: sign(assertion(w), "_a1", w.stranger))
    ),
    _attack(
        "a forged one beside a signed plain one",
        "malformed",
        lambda w: response(w, _plain(w) + enc.cipher(_eve(w), w.keys[0])),
    ),
    _attack(
        "a forged one before a signed plain one",
        "malformed",
        lambda w: response(w, enc.cipher(_eve(w), w.keys[0]) + _plain(w)),
    ),
    _attack(
        "two ciphertexts",
        "malformed",
        lambda w: response(w, enc.cipher(_plain(w), w.keys[0]) + enc.cipher(_eve(w), w.keys[0])),
    ),
    _attack(
        "two assertions in one, the forged one first", "encryption malformed", _inside(lambda w: _eve(w) + _plain(w))
    ),
    _attack(
        "two assertions in one, the forged one second", "encryption malformed", _inside(lambda w: _plain(w) + _eve(w))
    ),
    _attack("wrapping inside", "malformed signature", _wrapped_inside),
    _attack("a Response inside", "malformed encryption", _inside(lambda w: signed(w))),
    _attack(
        "an EncryptedAssertion inside", "malformed encryption", _inside(lambda w: enc.cipher(_plain(w), w.keys[0]))
    ),
    _attack("text inside", "encryption", _inside(lambda _: "hello")),
    _attack("nothing inside", "encryption", _inside(lambda _: "")),
    _attack("an end of the wrapper inside", "encryption", _inside(lambda w: f"</plain>{_plain(w)}<plain>")),
    _attack("a DOCTYPE inside", "encryption malformed", _doctype_inside),
    _attack("a comment inside", "encryption malformed", _comment_inside),
    _attack("SHA-1 inside", "algorithm", _other_signature({"algorithm": "RSA_SHA1"})),
    _attack("inclusive canonicalisation inside", "algorithm", _other_signature({"canonical": "C14N"})),
    _attack("a Reference to an endless file inside", "signature", _endless_reference_inside),
    _attack(
        "the ID of the Response inside",
        "encryption malformed",
        _inside(lambda w: signed(w, assertion(w, id="_r1"), which=["_r1"])),
    ),
    _attack("the ciphertext of a signed Response exchanged", "signature", _swapped),
    _attack(
        "to a key that is not ours", "encryption", lambda w: response(w, enc.cipher(_plain(w), our_key("foreign")))
    ),
    _attack("RSA PKCS#1 v1.5", "encryption", lambda w: _genuine(w, transport=PKCS1, wrap=padding.PKCS1v15())),
    _attack("PKCS#1 v1.5 that is called OAEP", "encryption", lambda w: _genuine(w, wrap=padding.PKCS1v15())),
    _attack("Triple DES", "encryption", _bent(f"{enc.XENC11}aes256-gcm", TRIPLE)),
    _attack("an unknown cipher", "encryption", _bent(f"{enc.XENC11}aes256-gcm", "urn:x")),
    _attack("another key length than is said", "encryption", _bent("aes256-gcm", "aes128-gcm")),
    _attack("CBC in an unsigned Response", "encryption", lambda w: _genuine(w, algorithm=CBC)),
    _attack(
        "CBC in an unsigned Response, the last block changed", "encryption", lambda w: _genuine(w, algorithm=CBC, cut=1)
    ),
    _attack("CBC in a signed Response, padding of 0", "encryption", _cbc_in_signed(0x80)),
    _attack("GCM, the last byte changed", "encryption", lambda w: _genuine(w, cut=1)),
    _attack("no ciphertext", "encryption", lambda w: response(w, enc.data("<xenc:CipherValue/>", ""))),
    _attack(
        "a short ciphertext",
        "encryption",
        lambda w: response(
            w,
            enc.data(
                "<xenc:CipherValue>AAAA</xenc:CipherValue>",
                "<xenc:EncryptedKey xmlns:xenc='"
                + enc.XENC
                + "'>"
                + enc.OAEP
                + "<xenc:CipherData><xenc:CipherValue>AAAA</xenc:CipherValue></xenc:CipherData></xenc:EncryptedKey>",
            ),
        ),
    ),
    _attack("CipherReference to a file", "encryption", _reference("file:///etc/passwd")),
    _attack("CipherReference to an endless file", "encryption", _reference("file:///dev/zero")),
    _attack("CipherReference to a URL", "encryption", _reference("http://127.0.0.1:1/")),
    _attack("CipherReference to the same document", "encryption", _reference("#_r1")),
    _attack("CipherReference through XSLT", "encryption", _xslt_reference()),
    _attack("CipherReference for the key", "encryption", _key_reference),
    _attack(
        "RetrievalMethod", "encryption", lambda w: _genuine(w, info='<ds:RetrievalMethod URI="http://127.0.0.1:1/"/>')
    ),
    _attack(
        "RetrievalMethod to the same document",
        "encryption",
        lambda w: _genuine(w, info='<ds:RetrievalMethod URI="#_k1"/>'),
    ),
    _attack("500 EncryptedKeys", "encryption", lambda w: _genuine(w, keys=500)),
    _attack("five EncryptedKeys", "encryption", lambda w: _genuine(w, keys=5)),
    _attack(
        "no EncryptedKey",
        "encryption",
        lambda w: response(w, enc.data("<xenc:CipherValue>AAAA</xenc:CipherValue>", "")),
    ),
    _attack(
        "OAEPparams",
        "encryption",
        lambda w: _genuine(
            w, transport=enc.OAEP[:-2] + ("><xenc:OAEPparams>AAAA</xenc:OAEPparams></xenc:EncryptionMethod>")
        ),
    ),
    _attack(
        "OAEP by MD5",
        "encryption",
        lambda w: _genuine(
            w,
            transport=enc.OAEP[:-2]
            + (f'><ds:DigestMethod xmlns:ds="{enc.DS}" Algorithm="{enc.DS}md5"/></xenc:EncryptionMethod>'),
        ),
    ),
    _attack(
        "another hash than is said",
        "encryption",
        lambda w: _genuine(w, wrap=padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)),
    ),
    _attack("an encrypted NameID", "encryption", _encrypted_name, settings={}),
    _attack(
        "an assertion in the clear where encryption is demanded",
        "encryption",
        lambda w: signed(w),
        settings={"want_encrypted": True},
    ),
)
