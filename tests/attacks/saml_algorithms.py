"""Attacks by algorithms: too weak, keyed with what everybody knows, or made to keep the verifier busy for ever."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Final

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from lxml import etree

from tests.attacks.saml import Attack
from tests.attacks.saml_signatures import attack_on_signature, bent
from tests.sso.saml_idp import DS, EXC, World, find, response, signed

INCLUSIVE: Final = "http://www.w3.org/TR/2001/REC-xml-c14n-20010315"
XPATH: Final = "http://www.w3.org/TR/1999/REC-xpath-19991116"
XSLT: Final = "http://www.w3.org/TR/1999/REC-xslt-19991116"
MORE: Final = "http://www.w3.org/2001/04/xmldsig-more#"
_ENVELOPED: Final = f'<ds:Transform Algorithm="{DS}enveloped-signature"/>'
_EXCLUSIVE: Final = f'<ds:Transform Algorithm="{EXC}"/>'
_METHOD: Final = f'<ds:SignatureMethod Algorithm="{MORE}rsa-sha256"/>'
_CANONICAL: Final = f'<ds:CanonicalizationMethod Algorithm="{EXC}"/>'


def _style(name: str, codes: str, **style: object) -> Attack:
    """What only the provider itself could sign, and must not."""
    return attack_on_signature(name, codes, lambda w: signed(w, **style))


def _hmac(algorithm: str, key: Callable[[World], bytes], more: str = "") -> Callable[[World], str]:
    """Keyed with what everybody knows."""

    def make(w: World) -> str:
        root = etree.fromstring(response(w).encode())
        target = find(root, "_a1")
        xmlsec.tree.add_ids(root, ["ID"])
        node = xmlsec.template.create(target, xmlsec.Transform.EXCL_C14N, xmlsec.Transform.HMAC_SHA256, ns="ds")
        target.insert(1, node)
        reference = xmlsec.template.add_reference(node, xmlsec.Transform.SHA256, uri="#_a1")
        xmlsec.template.add_transform(reference, xmlsec.Transform.ENVELOPED)
        xmlsec.template.add_transform(reference, xmlsec.Transform.EXCL_C14N)
        context = xmlsec.SignatureContext()
        context.key = xmlsec.Key.from_binary_data(xmlsec.KeyData.HMAC, key(w) or b"\0")
        context.sign(node)
        method = f'<ds:SignatureMethod Algorithm="{MORE}hmac-sha256"/>'
        document = etree.tostring(root).decode()
        assert method in document
        return document.replace(method, f'<ds:SignatureMethod Algorithm="{algorithm}">{more}</ds:SignatureMethod>')

    return make


def _public(w: World) -> bytes:
    key = x509.load_pem_x509_certificate(w.idp.certificate.encode()).public_key()
    return key.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def _transforms(inside: str) -> Callable[[World], str]:
    """Other transforms in a message that was signed genuinely: a verifier runs them before it knows the key."""
    return bent(_EXCLUSIVE, inside)


def _xslt(body: str) -> str:
    return (
        f'<ds:Transform Algorithm="{XSLT}"><xsl:stylesheet version="1.0" '
        f'xmlns:xsl="http://www.w3.org/1999/XSL/Transform">{body}</xsl:stylesheet></ds:Transform>'
    )


def _loop() -> str:
    calls = '<xsl:call-template name="t"><xsl:with-param name="n" select="$n - 1"/></xsl:call-template>' * 2
    return _xslt(
        '<xsl:template name="t"><xsl:param name="n"/><xsl:if test="$n &gt; 0">' + calls + "</xsl:if></xsl:template>"
        '<xsl:template match="/"><xsl:call-template name="t"><xsl:with-param name="n" select="30"/>'
        "</xsl:call-template></xsl:template>"
    )


def _xpath(expression: str) -> str:
    return f'<ds:Transform Algorithm="{XPATH}"><ds:XPath>{expression}</ds:XPath></ds:Transform>'


def _prefixes(count: int, *, inclusive: bool = False) -> Callable[[World], str]:
    def make(w: World) -> str:
        names = " ".join(f"n{n}" for n in range(count))
        document = signed(w).replace(_EXCLUSIVE, _inclusive_list(names), 1)
        if inclusive:
            document = signed(w).replace(EXC, INCLUSIVE)
        said = "".join(f' xmlns:n{n}="urn:n{n}"' for n in range(count))
        return document.replace("<samlp:Response ", f"<samlp:Response{said} ", 1)

    return make


def _inclusive_list(names: str) -> str:
    return (
        f'<ds:Transform Algorithm="{EXC}"><ec:InclusiveNamespaces xmlns:ec="{EXC}" PrefixList="{names}"/>'
        "</ds:Transform>"
    )


ATTACKS: tuple[Attack, ...] = (
    attack_on_signature(
        "HMAC keyed with the PEM", "algorithm", _hmac(f"{MORE}hmac-sha256", lambda w: w.idp.certificate.encode())
    ),
    attack_on_signature(
        "HMAC keyed with the base64", "algorithm", _hmac(f"{MORE}hmac-sha256", lambda w: w.idp.body.encode())
    ),
    attack_on_signature(
        "HMAC keyed with the DER", "algorithm", _hmac(f"{MORE}hmac-sha256", lambda w: base64.b64decode(w.idp.body))
    ),
    attack_on_signature("HMAC keyed with the public key", "algorithm", _hmac(f"{MORE}hmac-sha256", _public)),
    attack_on_signature("HMAC keyed with nothing", "algorithm", _hmac(f"{MORE}hmac-sha256", lambda _: b"")),
    attack_on_signature(
        "HMACOutputLength 0",
        "algorithm",
        _hmac(f"{DS}hmac-sha1", lambda _: b"x", "<ds:HMACOutputLength>0</ds:HMACOutputLength>"),
    ),
    attack_on_signature("the algorithm none", "algorithm", bent(_METHOD, '<ds:SignatureMethod Algorithm="none"/>')),
    attack_on_signature("no algorithm", "algorithm", bent(_METHOD, "<ds:SignatureMethod/>")),
    attack_on_signature("RSA-MD5", "algorithm", bent(_METHOD, f'<ds:SignatureMethod Algorithm="{MORE}rsa-md5"/>')),
    attack_on_signature("DSA", "algorithm", bent(_METHOD, f'<ds:SignatureMethod Algorithm="{DS}dsa-sha1"/>')),
    attack_on_signature(
        "HMACOutputLength in RSA",
        "signature",
        bent(_METHOD, _METHOD[:-2] + "><ds:HMACOutputLength>0</ds:HMACOutputLength></ds:SignatureMethod>"),
    ),
    _style("RSA-SHA1", "algorithm", algorithm="RSA_SHA1"),
    _style("SHA-1 digest", "algorithm", digest="SHA1"),
    _style("both SHA-1", "algorithm", algorithm="RSA_SHA1", digest="SHA1"),
    _style("inclusive canonicalisation of SignedInfo", "algorithm", canonical="C14N"),
    attack_on_signature(
        "WithComments of SignedInfo", "algorithm", bent(_CANONICAL, _CANONICAL.replace(EXC, f"{EXC}WithComments"))
    ),
    _style("inclusive canonicalisation", "algorithm", transforms=("ENVELOPED", "C14N")),
    attack_on_signature("WithComments", "algorithm", _transforms(f'<ds:Transform Algorithm="{EXC}WithComments"/>')),
    _style("no canonicalisation", "signature algorithm", transforms=("ENVELOPED",)),
    attack_on_signature(
        "transforms in the other order",
        "algorithm",
        bent(
            f"{_ENVELOPED}\n{_EXCLUSIVE}",
            f"{_EXCLUSIVE}{_ENVELOPED}",
        ),
    ),
    _style("three transforms", "signature algorithm", transforms=("ENVELOPED", "EXCL_C14N", "EXCL_C14N")),
    attack_on_signature(
        "no enveloped-signature",
        "signature algorithm",
        bent(f'<ds:Transform Algorithm="{DS}enveloped-signature"/>', ""),
    ),
    attack_on_signature(
        "XPath that leaves everything out", "algorithm", _transforms(_xpath("not(ancestor-or-self::*)"))
    ),
    attack_on_signature(
        "XPath of cubic cost", "algorithm", _transforms(_xpath("count(//*[count(//*[count(//*)>0])>0])>0"))
    ),
    attack_on_signature(
        "XSLT with a constant result",
        "algorithm",
        _transforms(_xslt('<xsl:template match="/">constant</xsl:template>')),
    ),
    attack_on_signature("XSLT that never ends", "algorithm", _transforms(_loop())),
    attack_on_signature(
        "XSLT that reads a file",
        "algorithm",
        _transforms(
            _xslt('<xsl:template match="/"><xsl:copy-of select="document(\'file:///etc/passwd\')"/></xsl:template>')
        ),
    ),
    attack_on_signature("base64 as a transform", "algorithm", _transforms(f'<ds:Transform Algorithm="{DS}base64"/>')),
    attack_on_signature("200 transforms", "signature algorithm", _transforms(_EXCLUSIVE * 200)),
    attack_on_signature("2,000 transforms", "signature algorithm", _transforms(_EXCLUSIVE * 2000)),
    attack_on_signature("a PrefixList of 1,000 and as many namespaces", "too_large", _prefixes(1000)),
    attack_on_signature("a PrefixList of 3,000 and as many namespaces", "too_large", _prefixes(3000)),
    attack_on_signature(
        "a PrefixList of 1,000", "algorithm", bent(_EXCLUSIVE, _inclusive_list(" ".join(f"n{n}" for n in range(1000))))
    ),
    attack_on_signature(
        "a PrefixList of 1,000 for SignedInfo",
        "algorithm",
        bent(
            _CANONICAL,
            _inclusive_list(" ".join(f"n{n}" for n in range(1000))).replace(
                "ds:Transform", "ds:CanonicalizationMethod"
            ),
        ),
    ),
    attack_on_signature(
        "inclusive canonicalisation over 1,000 namespaces", "too_large", _prefixes(1000, inclusive=True)
    ),
)
