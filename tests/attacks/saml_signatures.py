"""Attacks on signatures: missing, foreign, bent, weak, or made to keep the verifier busy for ever."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Final

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from lxml import etree

from tests.attacks.saml import Attack, attack
from tests.sso.saml_idp import DS, EXC, Style, World, assertion, form, response, sign, signed

EITHER: Final[dict[str, object]] = {"want_assertions_signed": False}
_SIGNATURE: Final = re.compile(r"<ds:Signature .*?</ds:Signature>", re.DOTALL)
_EXCLUSIVE: Final = f'<ds:Transform Algorithm="{EXC}"/>'


def attack_on_signature(name: str, codes: str, make: Callable[[World], str], **more: object) -> Attack:
    return attack(f"signature: {name}", codes, lambda w: form(make(w)), **more)


def bent(old: str, new: str, which: str = "_a1") -> Callable[[World], str]:
    """A genuine message with one text replaced after it was signed."""

    def make(w: World) -> str:
        document = signed(w, which=[which])
        assert old in document, f"{old} is not in the message"
        return document.replace(old, new, 1)

    return make


def _by_stranger(w: World, *, claims: str = "own") -> str:
    """Signed by a stranger, whose KeyInfo names itself, the genuine certificate, or both."""
    document = sign(response(w), "_a1", w.stranger)
    start, end = "<ds:X509Certificate>", "</ds:X509Certificate>"
    own, genuine = f"{start}{w.stranger.body}{end}", f"{start}{w.idp.body}{end}"
    said = {"own": own, "genuine": genuine, "both": genuine + own, "reversed": own + genuine}[claims]
    return re.sub(f"{start}.*?{end}", said, document, flags=re.DOTALL)


def _key_value(w: World) -> str:
    def change(node: etree._Element) -> None:
        info = xmlsec.template.ensure_key_info(node)
        xmlsec.template.add_key_value(info)

    return sign(response(w), "_a1", w.stranger, Style(key_info=False, change=change))


def _clone(w: World) -> str:
    """A stranger's certificate with the genuine one's names, serial number and dates."""
    genuine = x509.load_pem_x509_certificate(w.idp.certificate.encode())
    key = serialization.load_pem_private_key(w.stranger.private.encode(), None)
    clone = (
        x509.CertificateBuilder(genuine.issuer, genuine.subject, key.public_key(), genuine.serial_number)  # type: ignore[arg-type]
        .not_valid_before(genuine.not_valid_before_utc)
        .not_valid_after(genuine.not_valid_after_utc)
        .sign(key, hashes.SHA256())  # type: ignore[arg-type]
    )
    body = "".join(clone.public_bytes(serialization.Encoding.PEM).decode().splitlines()[1:-1])
    return _by_stranger(w).replace(w.stranger.body, body)


def _references(count: int, uri: str = "#_a1") -> Callable[[World], str]:
    one = (
        f'<ds:Reference URI="{uri}"><ds:Transforms><ds:Transform Algorithm="{DS}enveloped-signature"/>{_EXCLUSIVE}'
        '</ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/>'
        "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>"
    )
    return bent("</ds:SignedInfo>", one * count + "</ds:SignedInfo>")


def _moved(place: str) -> Callable[[World], str]:
    """The signature stands elsewhere."""

    def make(w: World) -> str:
        document = signed(w)
        found = _SIGNATURE.search(document)
        assert found is not None
        without = document.replace(found.group(), "", 1)
        return without.replace(place, found.group() + place, 1)

    return make


def _stripped(which: str, *changes: tuple[str, str]) -> Callable[[World], str]:
    """Both are signed; one signature is taken away and the content changed."""

    def make(w: World) -> str:
        document = signed(w, which=["_a1", "_r1"])
        found = _SIGNATURE.findall(document)
        assert len(found) == 2
        document = document.replace(found[0 if which == "_r1" else 1], "", 1)
        for old, new in changes:
            document = document.replace(old, new)
        return document

    return make


def _two_signed_infos(first: bool) -> Callable[[World], str]:
    def make(w: World) -> str:
        document = signed(w)
        info = document[document.index("<ds:SignedInfo>") : document.index("</ds:SignedInfo>") + 16]
        forged = re.sub("<ds:DigestValue>.*?</ds:DigestValue>", "<ds:DigestValue>AAAA</ds:DigestValue>", info)
        return document.replace(info, forged + info if first else info + forged).replace("ada-17", "eve")

    return make


def _second_digest(w: World) -> str:
    said = f'<ds:DigestValue xmlns:ds="{DS}">AAAA</ds:DigestValue>'
    status = "</samlp:Status>"
    return (
        signed(w).replace(status, f"<samlp:StatusDetail>{said}</samlp:StatusDetail>{status}").replace("ada-17", "eve")
    )


def _recomputed(w: World) -> str:
    """The digest fits the changed content; the signature does not fit the digest."""
    genuine, forged = signed(w), sign(response(w).replace("ada-17", "eve"), "_a1", w.stranger)
    digest = re.compile("<ds:DigestValue>.*?</ds:DigestValue>", re.DOTALL)
    value = digest.search(forged)
    assert value is not None
    return digest.sub(value.group(), genuine.replace("ada-17", "eve"))


def _flipped(w: World) -> str:
    def flip(found: re.Match[str]) -> str:
        raw = bytearray(base64.b64decode(found.group(1)))
        raw[10] ^= 1
        return f"<ds:SignatureValue>{base64.b64encode(raw).decode()}</ds:SignatureValue>"

    return re.sub("<ds:SignatureValue>(.*?)</ds:SignatureValue>", flip, signed(w), flags=re.DOTALL)


def _value(new: str) -> Callable[[World], str]:
    return lambda w: re.sub(
        "<ds:SignatureValue>.*?</ds:SignatureValue>",
        f"<ds:SignatureValue>{new}</ds:SignatureValue>",
        signed(w),
        flags=re.DOTALL,
    )


def _child_only(w: World) -> str:
    """The reference covers the subject only; the rest of the assertion is free."""
    document = response(w).replace("<saml:Subject>", '<saml:Subject ID="_s9">')
    return signed(w, document).replace('URI="#_a1"', 'URI="#_s9"')


ATTACKS: tuple[Attack, ...] = (
    attack_on_signature("none", "signature", lambda w: response(w)),
    attack_on_signature("none, either would do", "signature", lambda w: response(w), settings=EITHER),
    attack_on_signature(
        "all removed", "signature", lambda w: _SIGNATURE.sub("", signed(w, which=["_a1", "_r1"])), settings=EITHER
    ),
    attack_on_signature(
        "the assertion's removed, its content changed",
        "signature",
        _stripped("_a1", ("ada-17", "eve")),
        settings=EITHER,
    ),
    attack_on_signature(
        "the Response's removed, the assertion changed", "signature", _stripped("_r1", ("ada-17", "eve"))
    ),
    attack_on_signature(
        "only the Response's, the assertion's is demanded", "signature", lambda w: signed(w, which=["_r1"])
    ),
    attack_on_signature("content changed", "signature", bent("ada-17", "eve")),
    attack_on_signature(
        "content of a signed Response changed", "signature", bent("ada-17", "eve", "_r1"), settings=EITHER
    ),
    attack_on_signature("an attribute's value changed", "signature", bent(">staff<", ">administrators<")),
    attack_on_signature("digest computed anew", "signature", _recomputed),
    attack_on_signature("a bit of the value flipped", "signature", _flipped),
    attack_on_signature("an empty value", "signature", _value("")),
    attack_on_signature("a value of 300 KB", "signature", _value("A" * 300_000)),
    attack_on_signature(
        "no Reference",
        "signature",
        lambda w: re.sub("<ds:Reference .*?</ds:Reference>", "", signed(w), flags=re.DOTALL),
    ),
    attack_on_signature("an empty URI", "signature", bent('URI="#_a1"', 'URI=""')),
    attack_on_signature("no URI", "signature", bent(' URI="#_a1"', "")),
    attack_on_signature("the URI of another element", "signature", bent('URI="#_a1"', 'URI="#_r1"')),
    attack_on_signature("the URI of a child", "signature", _child_only),
    attack_on_signature("the URI of a file", "signature", bent('URI="#_a1"', 'URI="file:///etc/passwd"')),
    attack_on_signature("an XPointer", "signature", bent('URI="#_a1"', "URI=\"#xpointer(id('_a1'))\"")),
    attack_on_signature("a second Reference", "signature", _references(1)),
    attack_on_signature("a second Reference to a file", "signature", _references(1, "file:///etc/passwd")),
    attack_on_signature("a second Reference to an endless file", "signature", _references(1, "file:///dev/zero")),
    attack_on_signature("a second Reference to a URL", "signature", _references(1, "http://127.0.0.1:1/")),
    attack_on_signature("400 References", "signature too_large", _references(400)),
    attack_on_signature("5,000 References", "too_large", _references(5000)),
    attack_on_signature("two in one parent", "signature", lambda w: signed(w, which=["_a1", "_a1"])),
    attack_on_signature("in StatusDetail", "signature", _moved("</samlp:Status>")),
    attack_on_signature("in Conditions", "signature", _moved("</saml:Conditions>")),
    attack_on_signature("in an attribute", "signature malformed", _moved("</saml:AttributeValue>")),
    attack_on_signature(
        "in Extensions",
        "signature",
        lambda w: signed(w, response(w, extensions="<samlp:Extensions><x/></samlp:Extensions>")).replace(
            "<x/>", f'<ds:Signature xmlns:ds="{DS}"/>'
        ),
    ),
    attack_on_signature(
        "in a namespace that looks like it", "signature", bent(DS, "http://www.w3.org/2000/09/xmldsig")
    ),
    attack_on_signature(
        "one in a foreign namespace beside it",
        "signature",
        bent("<saml:Subject>", '<Signature xmlns="urn:x"/><saml:Subject>'),
    ),
    attack_on_signature("two SignedInfo, the forged one first", "signature", _two_signed_infos(True)),
    attack_on_signature("two SignedInfo, the forged one second", "signature", _two_signed_infos(False)),
    attack_on_signature("a comment in DigestValue", "malformed", bent("<ds:DigestValue>", "<ds:DigestValue><!--A-->")),
    attack_on_signature("CDATA in DigestValue", "malformed", bent("<ds:DigestValue>", "<ds:DigestValue><![CDATA[A]]>")),
    attack_on_signature("a second DigestValue elsewhere", "signature malformed", _second_digest),
    attack_on_signature(
        "two DigestValues", "signature", bent("</ds:Reference>", "<ds:DigestValue>AAAA</ds:DigestValue></ds:Reference>")
    ),
    attack_on_signature("an Object", "signature", bent("</ds:Signature>", "<ds:Object>x</ds:Object></ds:Signature>")),
    attack_on_signature(
        "a Manifest", "signature", bent("</ds:Signature>", "<ds:Object><ds:Manifest/></ds:Object></ds:Signature>")
    ),
    *(
        attack_on_signature(
            f"a stranger's, KeyInfo: {claims}", "signature", lambda w, claims=claims: _by_stranger(w, claims=claims)
        )
        for claims in ("own", "genuine", "both", "reversed")
    ),
    attack_on_signature("a stranger's, a cloned certificate", "signature", _clone),
    attack_on_signature("a stranger's, a KeyValue", "signature", _key_value),
    attack_on_signature(
        "a stranger's, no KeyInfo", "signature", lambda w: sign(response(w), "_a1", w.stranger, Style(key_info=False))
    ),
    attack_on_signature(
        "RetrievalMethod to a URL",
        "signature",
        bent("<ds:X509Data>", '<ds:RetrievalMethod URI="http://127.0.0.1:1/"/><ds:X509Data>'),
    ),
    attack_on_signature(
        "our issuer, another tenant's key", "signature", lambda w: sign(response(w), "_a1", w.stranger)
    ),
    attack_on_signature("a removed certificate", "signature", lambda w: signed(w), settings={"certificates": ()}),
    attack_on_signature(
        "an assertion without ID",
        "signature malformed",
        lambda w: signed(w, response(w, assertion(w))).replace(' ID="_a1"', ""),
    ),
)
