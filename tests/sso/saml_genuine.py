"""Genuine answers as the products send them, by name: each is accepted, or refusing the hostile ones proves nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from tests.sso import saml_encryption as enc
from tests.sso.saml_idp import (
    EXC,
    PERSISTENT,
    World,
    assertion,
    attribute,
    attributes,
    audience,
    conditions,
    confirmation,
    idp_of,
    response,
    sign,
    signed,
    statement,
    subject,
)

XSI = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'


@dataclass(frozen=True)
class Genuine:
    """`make` gives the document; `settings` is what the connection has to allow."""

    name: str
    make: Callable[[World], str]
    settings: dict[str, object] = field(default_factory=dict)
    world: Callable[[World], World] = lambda world: world


EITHER: dict[str, object] = {"want_assertions_signed": False}


def _of(**pieces: Callable[[World], str]) -> Callable[[World], str]:
    return lambda w: signed(w, response(w, assertion(w, **{name: make(w) for name, make in pieces.items()})))


def _entra(w: World) -> str:
    """Default namespaces throughout, and a signature without a prefix."""
    text = assertion(w).replace("<saml:", "<").replace("</saml:", "</").replace("xmlns:saml=", "xmlns=")
    return signed(w, response(w, text), prefix=None)


def _indented(w: World) -> str:
    root = etree.fromstring(response(w))
    etree.indent(root)
    return signed(w, etree.tostring(root).decode() + "\n")


def _keycloak(node: etree._Element) -> None:
    name = etree.Element(f"{{{enc.DS}}}KeyName")
    name.text = "FJ86GcF3jTbNLOco4NvZkUCIUmfYCqoqtOQeMfbhNlE"
    node[-1].insert(0, name)  # KeyInfo


def _listed(node: etree._Element) -> None:
    """As OASIS's own examples and some Java products do, for SignedInfo too."""
    inclusive = f"{{{EXC}}}InclusiveNamespaces"
    etree.SubElement(node[0][0], inclusive, PrefixList="xs samlp", nsmap={"ec": EXC})


def _many_groups(w: World) -> str:
    values = "".join(
        f'<saml:AttributeValue xmlns:xs="http://www.w3.org/2001/XMLSchema" {XSI} xsi:type="xs:string">'
        f"cn=group-{number:04},ou=groups,dc=example,dc=com</saml:AttributeValue>"
        for number in range(600)
    )
    return attributes(f'<saml:Attribute Name="groups">{values}</saml:Attribute>')


def _nested(w: World) -> str:
    inside = f'<saml:NameID Format="{PERSISTENT}" NameQualifier="{w.idp.entity_id}">t-1</saml:NameID>'
    return attributes(attribute("urn:oid:1.3.6.1.4.1.5923.1.1.1.10", inside), attribute("mail", "ada@example.com"))


def _sealed(w: World, method: str = "AES256_GCM", key: int = 0) -> str:
    return enc.encrypted(signed(w), w.keys[key], method)


def _own_prefixes(w: World) -> str:
    """As pysaml2 does: inside, the namespace of the document has another prefix, and the signature covers that."""
    inner = signed(w, assertion(w).replace("saml:", "own:").replace("xmlns:saml", "xmlns:own"))
    return response(w, enc.cipher(inner, w.keys[0]))


def _cbc(w: World, method: str = "AES128") -> str:
    """As pysaml2 does: the assertion inside is not signed, the Response is."""
    return sign(enc.encrypted(response(w), w.keys[0], method), "_r1", w.idp)


def _oaep11(w: World) -> str:
    transport = (
        f'<xenc:EncryptionMethod Algorithm="{enc.XENC11}rsa-oaep">'
        f'<ds:DigestMethod xmlns:ds="{enc.DS}" Algorithm="{enc.XENC}sha256"/>'
        f'<m:MGF xmlns:m="{enc.XENC11}" Algorithm="{enc.XENC11}mgf1sha256"/></xenc:EncryptionMethod>'
    )
    inner = signed(w, assertion(w))
    wrap = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), None)
    return response(w, enc.cipher(inner, w.keys[0], transport=transport, wrap=wrap))


def _fractions(w: World) -> str:
    moment = w.time(-5)[:-1]
    return signed(w, response(w, assertion(w, issued=f"{moment}.1234567Z"), issued=f"{moment}.7654321Z"))


def _offsets(w: World) -> str:
    return signed(w, response(w, assertion(w, issued=w.time(-5)[:-1] + "+00:00")))


def _later(w: World, seconds: float) -> World:
    return replace(w, now=w.now + timedelta(seconds=seconds))


GENUINE = (
    Genuine("the assertion is signed", lambda w: signed(w)),
    Genuine("the Response is signed", lambda w: signed(w, which=["_r1"]), EITHER),
    Genuine("both are signed", lambda w: signed(w, which=["_a1", "_r1"])),
    Genuine("a PrefixList of one (Okta)", lambda w: signed(w, prefix_list="xs")),
    Genuine("a PrefixList for SignedInfo", lambda w: signed(w, change=_listed)),
    Genuine("default namespaces (Entra ID)", _entra),
    Genuine("indented", _indented),
    Genuine("no KeyInfo", lambda w: signed(w, key_info=False)),
    Genuine("KeyName in KeyInfo (Keycloak)", lambda w: signed(w, change=_keycloak)),
    Genuine("SHA-512", lambda w: signed(w, algorithm="RSA_SHA512", digest="SHA512")),
    Genuine("ECDSA", lambda w: signed(w, algorithm="ECDSA_SHA256"), world=lambda w: replace(w, idp=idp_of("ec"))),
    Genuine(
        "two audiences",
        _of(conditions=lambda w: conditions(w, audience("https://other.example.net", w.addresses.entity_id))),
    ),
    Genuine("not ASCII", _of(attributes=lambda _: attributes(attribute("givenName", "Zoë Ødegård 李小龍")))),
    Genuine("600 groups", _of(attributes=_many_groups)),
    Genuine("no SessionIndex", _of(statement=lambda w: statement(w, f'AuthnInstant="{w.time(-5)}"'))),
    Genuine(
        "OneTimeUse",
        _of(conditions=lambda w: conditions(w, audience(w.addresses.entity_id) + "<saml:OneTimeUse/>")),
    ),
    Genuine(
        "two SubjectConfirmations",
        _of(
            subject=lambda w: subject(
                w,
                confirmations=confirmation(w, f'Recipient="https://other.example.net/acs" NotOnOrAfter="{w.time(300)}"')
                + confirmation(w),
            )
        ),
    ),
    Genuine("a clock 60 s ahead", lambda w: signed(_later(w, 60))),
    Genuine(
        "a clock 60 s behind, five seconds allowed",
        _of(
            conditions=lambda w: conditions(w, dates=f'NotBefore="{w.time(-65)}" NotOnOrAfter="{w.time(-60)}"'),
            subject=lambda w: subject(
                w,
                confirmations=confirmation(
                    w,
                    f'Recipient="{w.addresses.acs}" NotOnOrAfter="{w.time(-60)}" InResponseTo="{w.request_id}"',
                ),
            ),
        ),
    ),
    Genuine("seven digits of a second", _fractions),
    Genuine("an offset instead of Z", _offsets),
    Genuine("a NameID inside an attribute", _of(attributes=_nested)),
    Genuine("no attributes", _of(attributes=lambda _: "")),
    Genuine("two statements of attributes", _of(more=lambda _: attributes(attribute("title", "Dr")))),
    Genuine("conditions without dates", _of(conditions=lambda w: conditions(w, dates=""))),
    Genuine("encrypted by GCM", _sealed, {"want_encrypted": True}),
    Genuine("encrypted, with prefixes of its own", _own_prefixes),
    Genuine("encrypted by GCM of 128 bits", lambda w: _sealed(w, "AES128_GCM")),
    Genuine("encrypted to the old key", lambda w: _sealed(w, key=1)),
    Genuine("encrypted by OAEP with SHA-256", _oaep11),
    Genuine("encrypted by CBC in a signed Response", _cbc, EITHER),
    Genuine(
        "unsolicited, where that is allowed",
        lambda w: signed(w),
        {"allow_unsolicited": True},
        lambda w: replace(w, request_id=None),
    ),
    Genuine(
        "signed by the second of two certificates",
        lambda w: signed(w),
        world=lambda w: replace(w, certificates=(w.stranger.body, w.idp.body)),
    ),
)
