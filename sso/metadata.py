"""SAML metadata, theirs and ours (SAML 2.0 Metadata). Fetching, keeping and comparing it is not known here.

    document ──limits──▶ tree ──▶ the one identity provider in it ──▶ IdpMetadata
    our addresses and keys ──▶ ours ──▶ a signed EntityDescriptor

A key without `use` serves both uses; one for encryption only never signs anything for us.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from ipaddress import ip_address
from typing import Final, Literal
from urllib.parse import urlsplit

from sso import certificates, guard_signature, saml_library, xml
from sso.certificates import Certificate, CertificateError
from sso.connections import Addresses, Binding, Connection, Saml, SamlKey
from sso.errors import SignInError
from sso.saml_names import DSIG, GCM, METADATA, OAEP, POST, PROTOCOL, REDIRECT, ds, md
from sso.saml_times import instant
from sso.xml import Element, Limits, children, local

# Federations publish all of their members in one document.
LIMITS: Final = Limits(octets=10_000_000, nodes=400_000, namespaces=200_000, comments=True)
LONGEST_ENTITY_ID: Final = 1_024
MOST_CERTIFICATES: Final = 20

_BINDINGS: Final[dict[str, Binding]] = {REDIRECT: "redirect", POST: "post"}


class MetadataError(ValueError):
    """This document describes no identity provider that can be used. The message says why, for an administrator."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where messages go, and where answers to theirs go if elsewhere."""

    binding: Binding
    url: str
    response_url: str | None = None


@dataclass(frozen=True, slots=True)
class IdpMetadata:
    """An identity provider, as its metadata describes it.

    `signed` is whether a signature stands around it; `trusted` whether that signature holds by a certificate that was
    handed in. `sso` and `slo` hold redirect and POST only, in the document's order.
    """

    entity_id: str
    sso: tuple[Endpoint, ...]
    slo: tuple[Endpoint, ...]
    certificates: tuple[Certificate, ...]
    valid_until: datetime | None = None
    wants_signed_requests: bool = False
    signed: bool = False
    trusted: bool = False
    name_id_formats: tuple[str, ...] = field(default=())

    def sso_by(self, wanted: Binding = "redirect") -> Endpoint:
        """The sign-in address by the binding that is wanted, else by the other one."""
        return next((each for each in self.sso if each.binding == wanted), self.sso[0])

    def slo_by(self, wanted: Binding = "redirect") -> Endpoint | None:
        """The sign-out address, likewise, if there is any."""
        return next((each for each in self.slo if each.binding == wanted), self.slo[0] if self.slo else None)


def read(document: bytes, *, entity_id: str | None = None, now: datetime, trusted: Sequence[str] = ()) -> IdpMetadata:
    """The identity provider that a document describes.

    Args:
        entity_id: which one, where there are several.
        trusted: certificates (PEM, no armour) that may have signed the document.

    Raises:
        MetadataError: it is not metadata, is out of date, or lacks what signing in needs.
    """
    try:
        root = xml.parse(document, LIMITS)
        signed, holds = _signature(root, trusted)
        entity, until = _entity(root, entity_id)
        found = _provider(entity, until, signed=signed, trusted=holds)
    except SignInError as error:
        raise MetadataError(error.detail) from None
    if found.valid_until is not None and found.valid_until <= now:
        raise MetadataError(f"the metadata was valid until {found.valid_until.isoformat()}")
    return found


def _signature(root: Element, trusted: Sequence[str]) -> tuple[bool, bool]:
    found = children(root, ds("Signature"))
    if not found or local(root) not in ("EntityDescriptor", "EntitiesDescriptor"):
        return False, False
    if not trusted:
        return True, False
    try:
        guard_signature.check_one(found[0], root)
    except SignInError:  # of a kind that is not verified: as good as a stranger's
        return True, False
    return True, saml_library.is_signed(found[0], trusted)


def _entity(root: Element, entity_id: str | None) -> tuple[Element, datetime | None]:
    """The entity that is wanted, with the earliest end of what encloses it."""
    found = [
        (entity, until)
        for entity, until in _entities(root, None)
        if children(entity, md("IDPSSODescriptor")) and entity_id in (None, entity.get("entityID"))
    ]
    if not found:
        wanted = "an identity provider" if entity_id is None else f"the identity provider {entity_id[:200]}"
        raise MetadataError(f"expected {wanted} (EntityDescriptor with IDPSSODescriptor), found none")
    if len(found) > 1:
        names = ", ".join(sorted({(entity.get("entityID") or "")[:120] for entity, _ in found})[:5])
        raise MetadataError(f"found {len(found)} identity providers ({names}); say which entity ID is meant")
    return found[0]


def _entities(element: Element, until: datetime | None) -> Iterator[tuple[Element, datetime | None]]:
    stated = element.get("validUntil")
    if stated is not None:
        moment = instant(stated, "validUntil")
        until = moment if until is None else min(until, moment)
    if element.tag == md("EntityDescriptor"):
        yield element, until
    elif element.tag == md("EntitiesDescriptor"):
        for child in element:
            yield from _entities(child, until)


def _provider(entity: Element, until: datetime | None, *, signed: bool, trusted: bool) -> IdpMetadata:
    name = entity.get("entityID") or ""
    if not 0 < len(name) <= LONGEST_ENTITY_ID or name != name.strip():
        raise MetadataError("expected an entityID")
    roles = [
        each
        for each in children(entity, md("IDPSSODescriptor"))
        if PROTOCOL in (each.get("protocolSupportEnumeration") or "").split()
    ]
    if len(roles) != 1:
        raise MetadataError(f"expected one IDPSSODescriptor for SAML 2.0, found {len(roles)}")
    role = roles[0]
    if (stated := role.get("validUntil")) is not None:
        until = min(filter(None, (until, instant(stated, "validUntil"))))
    sso = tuple(_endpoints(role, "SingleSignOnService"))
    if not sso:
        raise MetadataError("expected a SingleSignOnService by redirect or POST, found none")
    return IdpMetadata(
        entity_id=name,
        sso=sso,
        slo=tuple(_endpoints(role, "SingleLogoutService")),
        certificates=_certificates(role),
        valid_until=until,
        wants_signed_requests=role.get("WantAuthnRequestsSigned") in ("true", "1"),
        signed=signed,
        trusted=trusted,
        name_id_formats=tuple(xml.text(each).strip() for each in children(role, md("NameIDFormat"))),
    )


def _endpoints(role: Element, name: str) -> Iterator[Endpoint]:
    for each in children(role, md(name)):
        binding = _BINDINGS.get(each.get("Binding") or "")
        if binding is not None:
            response = each.get("ResponseLocation")
            yield Endpoint(binding, _address(each.get("Location")), None if response is None else _address(response))


def _address(url: str | None) -> str:
    """https, or http on this machine: people's browsers are sent there."""
    try:
        parts = urlsplit(url or "")
    except ValueError:
        parts = urlsplit("")
    safe = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
    if not url or not safe or not parts.hostname or parts.fragment or any(not "!" <= sign <= "~" for sign in url):
        raise MetadataError(f"expected an https address, found {(url or 'none')[:120]}")
    return url


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def _certificates(role: Element) -> tuple[Certificate, ...]:
    """Every certificate whose key may sign, once, in the document's order."""
    found: dict[str, Certificate] = {}
    trouble = "the document names none"
    for descriptor in children(role, md("KeyDescriptor")):
        if descriptor.get("use") not in (None, "signing"):
            continue
        for each in descriptor.iter(ds("X509Certificate")):
            try:
                read = certificates.read(xml.text(each))
            except CertificateError as error:
                trouble = str(error)
                continue
            found.setdefault(read.body, read)
    if not found:
        raise MetadataError(f"expected a signing certificate: {trouble}")
    if len(found) > MOST_CERTIFICATES:
        raise MetadataError(f"expected at most {MOST_CERTIFICATES} signing certificates, found {len(found)}")
    return tuple(found.values())


def ours(addresses: Addresses, keys: Sequence[SamlKey], connection: Connection, now: datetime) -> bytes:
    """Our metadata for one connection, signed. `keys` are ours: the first signs, all are published.

    The encryption key is the first one's only: what is still encrypted to another is opened all the same. It has no
    end: providers that read it once would stop at that day.
    """
    del now
    settings = connection.settings
    wants = not isinstance(settings, Saml) or settings.want_assertions_signed
    root = xml.make(
        md("EntityDescriptor"),
        {"ID": f"_{connection.id}", "entityID": addresses.entity_id, "cacheDuration": "P1D"},
        {"md": METADATA, "ds": DSIG},
    )
    role = xml.add(
        root,
        md("SPSSODescriptor"),
        {
            "AuthnRequestsSigned": "true",
            "WantAssertionsSigned": "true" if wants else "false",
            "protocolSupportEnumeration": PROTOCOL,
        },
    )
    for key in keys:
        _publish(role, key, "signing")
    for key in keys[:1]:
        descriptor = _publish(role, key, "encryption")
        for algorithm in (*GCM, OAEP):
            xml.add(descriptor, md("EncryptionMethod"), {"Algorithm": algorithm})
    for binding in (REDIRECT, POST):
        xml.add(role, md("SingleLogoutService"), {"Binding": binding, "Location": addresses.slo})
    if isinstance(settings, Saml) and settings.name_id_format:
        xml.add(role, md("NameIDFormat"), content=settings.name_id_format)
    service = {"Binding": POST, "Location": addresses.acs, "index": "0", "isDefault": "true"}
    xml.add(role, md("AssertionConsumerService"), service)
    return saml_library.sign(xml.write(root), keys[0]) if keys else xml.write(root)


def _publish(role: Element, key: SamlKey, use: Literal["signing", "encryption"]) -> Element:
    descriptor = xml.add(role, md("KeyDescriptor"), {"use": use})
    data = xml.add(xml.add(descriptor, ds("KeyInfo")), ds("X509Data"))
    xml.add(data, ds("X509Certificate"), content=certificates.read(key.certificate).body)
    return descriptor
