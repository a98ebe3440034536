"""An identity provider for tests: it says anything, signs it as any product does, and encrypts it.

Pieces of XML are texts, so that a test can bend each: `assertion(world, subject=…)`, `response(world, …)`, then `sign`.
"""

from __future__ import annotations

import base64
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from urllib.parse import quote_plus

import xmlsec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID
from lxml import etree

from sso import saml_keys
from sso.connections import Addresses, ClaimMap, Connection, Saml, SamlKey
from sso.demands import Demands
from sso.saml import Expected

P = "urn:oasis:names:tc:SAML:2.0:protocol"
A = "urn:oasis:names:tc:SAML:2.0:assertion"
DS = "http://www.w3.org/2000/09/xmldsig#"
EXC = "http://www.w3.org/2001/10/xml-exc-c14n#"
PASSWORD = "urn:oasis:names:tc:SAML:2.0:ac:classes:PasswordProtectedTransport"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"
NAMESPACES = {"samlp": P, "saml": A, "ds": DS}


@dataclass(frozen=True)
class Idp:
    """A signing key with its certificate, PEM."""

    entity_id: str
    private: str
    certificate: str

    @property
    def body(self) -> str:
        """The certificate without its armour."""
        return "".join(self.certificate.splitlines()[1:-1])


def make_idp(kind: str = "rsa", entity_id: str = "https://idp.example.com/saml") -> Idp:
    private = rsa.generate_private_key(65537, 2048) if kind == "rsa" else ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idp.example.com")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=365))
        .sign(private, hashes.SHA256())
    )
    return Idp(
        entity_id,
        private.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
    )


idp_of = functools.cache(make_idp)
"""One of each kind for all tests: keys take long to make."""


@functools.cache
def our_key(name: str) -> SamlKey:
    return saml_keys.make(name, datetime.now(UTC))


@dataclass(frozen=True)
class World:
    """A connection, who answers it, and the request that is pending."""

    addresses: Addresses = field(default_factory=lambda: Addresses("https://sp.example.org", "c1"))
    idp: Idp = field(default_factory=lambda: idp_of("rsa"))
    stranger: Idp = field(default_factory=lambda: idp_of("rsa", "https://stranger.example.net"))
    keys: tuple[SamlKey, ...] = field(default_factory=lambda: (our_key("new"), our_key("old")))
    request_id: str | None = "_0123456789abcdef0123456789abcdef01234567"
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    settings: dict[str, object] = field(default_factory=dict)
    certificates: tuple[str, ...] = ()

    @property
    def connection(self) -> Connection:
        said: dict[str, object] = {
            "entity_id": self.idp.entity_id,
            "sso_url": "https://idp.example.com/sso",
            "slo_url": "https://idp.example.com/slo",
            "certificates": self.certificates or (self.idp.body,),
        }
        settings = Saml(**(said | self.settings))  # type: ignore[arg-type]
        return Connection("c1", "t1", "idp", "Example", "s1", settings, claims=ClaimMap())

    @property
    def expected(self) -> Expected | None:
        return None if self.request_id is None else Expected(self.request_id, Demands())

    def with_settings(self, **settings: object) -> World:
        return replace(self, settings=self.settings | settings)

    def time(self, seconds: float = 0) -> str:
        return (self.now + timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")


def answers(world: World) -> str:
    """The attribute InResponseTo, if a request is pending."""
    return "" if world.request_id is None else f' InResponseTo="{world.request_id}"'


def confirmation(world: World, data: str | None = None, method: str = "urn:oasis:names:tc:SAML:2.0:cm:bearer") -> str:
    said = f'Recipient="{world.addresses.acs}" NotOnOrAfter="{world.time(300)}"{answers(world)}'
    return (
        f'<saml:SubjectConfirmation Method="{method}">'
        f"<saml:SubjectConfirmationData {said if data is None else data}/></saml:SubjectConfirmation>"
    )


def subject(world: World, name_id: str | None = None, confirmations: str | None = None) -> str:
    named = f'<saml:NameID Format="{PERSISTENT}">ada-17</saml:NameID>' if name_id is None else name_id
    return f"<saml:Subject>{named}{confirmation(world) if confirmations is None else confirmations}</saml:Subject>"


def audience(*names: str) -> str:
    inside = "".join(f"<saml:Audience>{name}</saml:Audience>" for name in names)
    return f"<saml:AudienceRestriction>{inside}</saml:AudienceRestriction>"


def conditions(world: World, inside: str | None = None, dates: str | None = None) -> str:
    window = f'NotBefore="{world.time(-60)}" NotOnOrAfter="{world.time(300)}"' if dates is None else dates
    return (
        f"<saml:Conditions {window}>{audience(world.addresses.entity_id) if inside is None else inside}"
        "</saml:Conditions>"
    )


def statement(world: World, attributes: str | None = None, context: str | None = None) -> str:
    said = f'AuthnInstant="{world.time(-5)}" SessionIndex="_s1"' if attributes is None else attributes
    inside = f"<saml:AuthnContextClassRef>{PASSWORD}</saml:AuthnContextClassRef>" if context is None else context
    return f"<saml:AuthnStatement {said}><saml:AuthnContext>{inside}</saml:AuthnContext></saml:AuthnStatement>"


def attribute(name: str, *values: str) -> str:
    inside = "".join(f"<saml:AttributeValue>{value}</saml:AttributeValue>" for value in values)
    return f'<saml:Attribute Name="{name}">{inside}</saml:Attribute>'


def attributes(*each: str) -> str:
    return f"<saml:AttributeStatement>{''.join(each)}</saml:AttributeStatement>"


def assertion(world: World, **pieces: str) -> str:
    """Pieces: id, version, issued, issuer, signature, subject, conditions, statement, attributes, more, attrs."""
    usual = {
        "id": "_a1",
        "version": "2.0",
        "issued": world.time(-5),
        "attrs": "",
        "issuer": f"<saml:Issuer>{world.idp.entity_id}</saml:Issuer>",
        "signature": "",
        "subject": subject(world) if "subject" not in pieces else "",
        "conditions": conditions(world),
        "statement": statement(world),
        "attributes": attributes(attribute("email", "ada@example.com"), attribute("groups", "staff", "math")),
        "more": "",
    }
    if unknown := set(pieces) - set(usual):
        raise TypeError(f"no such pieces: {unknown}")
    said = usual | pieces
    return (
        f'<saml:Assertion xmlns:saml="{A}" xmlns:xs="http://www.w3.org/2001/XMLSchema"{said["attrs"]} '
        f'ID="{said["id"]}" '
        f'Version="{said["version"]}" IssueInstant="{said["issued"]}">{said["issuer"]}{said["signature"]}'
        f"{said['subject']}{said['conditions']}{said['statement']}{said['attributes']}{said['more']}</saml:Assertion>"
    )


def response(world: World, inside: str | None = None, **pieces: str) -> str:
    """Pieces: id, version, issued, attrs (Destination, InResponseTo), issuer, signature, extensions, status."""
    usual = {
        "id": "_r1",
        "version": "2.0",
        "issued": world.time(-5),
        "attrs": f' Destination="{world.addresses.acs}"{answers(world)}',
        "issuer": f"<saml:Issuer>{world.idp.entity_id}</saml:Issuer>",
        "signature": "",
        "extensions": "",
        "status": '<samlp:Status><samlp:StatusCode Value="urn:oasis:names:tc:SAML:2.0:status:Success"/></samlp:Status>',
    }
    if unknown := set(pieces) - set(usual):
        raise TypeError(f"no such pieces: {unknown}")
    said = usual | pieces
    return (
        f'<samlp:Response xmlns:samlp="{P}" xmlns:saml="{A}" ID="{said["id"]}" Version="{said["version"]}" '
        f'IssueInstant="{said["issued"]}"{said["attrs"]}>{said["issuer"]}{said["signature"]}{said["extensions"]}'
        f"{said['status']}{assertion(world) if inside is None else inside}</samlp:Response>"
    )


@dataclass(frozen=True)
class Style:
    """How a signature is made."""

    algorithm: str = "RSA_SHA256"
    digest: str = "SHA256"
    canonical: str = "EXCL_C14N"
    transforms: Sequence[str] = ("ENVELOPED", "EXCL_C14N")
    prefix_list: str | None = None
    key_info: bool = True
    prefix: str | None = "ds"
    change: Callable[[etree._Element], None] | None = None  # the Signature, before it is computed


def find(root: etree._Element, element_id: str) -> etree._Element:
    return next(each for each in root.iter() if each.get("ID") == element_id)


def sign(document: str, element_id: str, idp: Idp, style: Style = Style()) -> str:
    """The document with a signature in the element of that ID, after its Issuer."""
    root = etree.fromstring(document.encode())
    target = find(root, element_id)
    xmlsec.tree.add_ids(root, ["ID"])
    node = xmlsec.template.create(
        target, getattr(xmlsec.Transform, style.canonical), getattr(xmlsec.Transform, style.algorithm), ns=style.prefix
    )
    target.insert(1 if len(target) and target[0].tag == f"{{{A}}}Issuer" else 0, node)
    reference = xmlsec.template.add_reference(node, getattr(xmlsec.Transform, style.digest), uri=f"#{element_id}")
    for name in style.transforms:
        xmlsec.template.add_transform(reference, getattr(xmlsec.Transform, name))
    if style.prefix_list is not None:
        transform = reference.find(".//{*}Transform[last()]")
        etree.SubElement(transform, f"{{{EXC}}}InclusiveNamespaces", PrefixList=style.prefix_list, nsmap={"ec": EXC})
    if style.key_info:
        xmlsec.template.add_x509_data(xmlsec.template.ensure_key_info(node))
    if style.change is not None:
        style.change(node)
    context = xmlsec.SignatureContext()
    context.key = xmlsec.Key.from_memory(idp.private, xmlsec.KeyFormat.PEM)
    if style.key_info:
        context.key.load_cert_from_memory(idp.certificate, xmlsec.KeyFormat.PEM)
    context.sign(node)
    return etree.tostring(root).decode()


def signed(world: World, document: str | None = None, which: Sequence[str] = ("_a1",), **style: object) -> str:
    """A genuine answer: the assertion signed, or the elements of `which`, inner ones first."""
    text = response(world) if document is None else document
    for each in which:
        text = sign(text, each, world.idp, Style(**style))  # type: ignore[arg-type]
    return text


def form(document: str | bytes, relay_state: str | None = None, field: str = "SAMLResponse") -> bytes:
    """The body that a browser posts."""
    raw = document.encode() if isinstance(document, str) else document
    body = f"{field}={quote_plus(base64.b64encode(raw).decode())}"
    return (body if relay_state is None else f"{body}&RelayState={quote_plus(relay_state)}").encode()
