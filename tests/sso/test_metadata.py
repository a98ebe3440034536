"""Identity providers' metadata is read for what it says and no more; ours is signed and complete."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from lxml import etree

from sso import certificates, metadata, saml_library
from sso.metadata import Endpoint, MetadataError
from tests.sso.saml_idp import Idp, World, idp_of, sign

NOW = datetime.now(UTC).replace(microsecond=0)
MD = 'xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" xmlns:ds="http://www.w3.org/2000/09/xmldsig#"'
REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"
IDP = "https://idp.example.com/saml"


def _key(idp: Idp, use: str = ' use="signing"') -> str:
    body = "\n".join(idp.certificate.splitlines()[1:-1])  # wrapped, as most are
    return (
        f"<md:KeyDescriptor{use}><ds:KeyInfo><ds:X509Data><ds:X509Certificate>\n{body}\n</ds:X509Certificate>"
        "</ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
    )


def _service(name: str, binding: str, url: str, more: str = "") -> str:
    return f'<md:{name} Binding="{binding}" Location="{url}"{more}/>'


SSO = _service("SingleSignOnService", REDIRECT, "https://idp.example.com/sso")


def _role(inside: str | None = None, attributes: str = "") -> str:
    said = _key(idp_of("rsa")) + SSO if inside is None else inside
    return (
        f'<md:IDPSSODescriptor{attributes} protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{said}</md:IDPSSODescriptor>"
    )


def _entity(inside: str | None = None, entity_id: str = IDP, attributes: str = "") -> str:
    said = _role() if inside is None else inside
    return f'<md:EntityDescriptor {MD} entityID="{entity_id}"{attributes}>{said}</md:EntityDescriptor>'


def _read(document: str, **more: object) -> metadata.IdpMetadata:
    return metadata.read(document.encode(), now=NOW, **more)  # type: ignore[arg-type]


def test_a_provider_is_read() -> None:
    role = _role(
        _key(idp_of("rsa"))
        + _key(idp_of("ec"), "")
        + _service(
            "SingleLogoutService", POST, "https://idp.example.com/slo", ' ResponseLocation="https://idp.example.com/r"'
        )
        + "<md:NameIDFormat>urn:oasis:names:tc:SAML:2.0:nameid-format:persistent</md:NameIDFormat>"
        + _service("SingleSignOnService", "urn:oasis:names:tc:SAML:2.0:bindings:SOAP", "https://idp.example.com/soap")
        + _service("SingleSignOnService", POST, "https://idp.example.com/post")
        + SSO,
        ' WantAuthnRequestsSigned="1"',
    )
    found = _read(_entity(role))
    assert found.entity_id == IDP
    assert found.sso == (
        Endpoint("post", "https://idp.example.com/post"),
        Endpoint("redirect", "https://idp.example.com/sso"),
    )
    assert found.sso_by().binding == "redirect"
    assert found.slo == (Endpoint("post", "https://idp.example.com/slo", "https://idp.example.com/r"),)
    assert found.slo_by() == found.slo[0]
    assert [each.body for each in found.certificates] == [idp_of("rsa").body, idp_of("ec").body]
    assert found.wants_signed_requests
    assert (found.signed, found.trusted, found.valid_until) == (False, False, None)


def test_comments_and_other_roles_are_passed_over() -> None:
    other = (
        '<md:RoleDescriptor xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:type="fed:X" xmlns:fed="urn:f"/>'
    )
    found = _read(f"<?xml version='1.0' encoding='UTF-8'?><!-- made today -->{_entity(other + _role())}")
    assert found.sso[0].url == "https://idp.example.com/sso"


def test_the_wanted_one_of_many_is_read() -> None:
    many = f"<md:EntitiesDescriptor {MD}>{_entity()}{_entity(entity_id='https://other.example.com')}</md:EntitiesDescriptor>"
    assert _read(many, entity_id="https://other.example.com").entity_id == "https://other.example.com"
    with pytest.raises(MetadataError, match="say which"):
        _read(many)
    with pytest.raises(MetadataError, match="found none"):
        _read(many, entity_id="x']|//*[a='")


@pytest.mark.parametrize("seconds", [60, -60])
def test_the_earliest_end_counts(seconds: int) -> None:
    soon, late = NOW + timedelta(seconds=seconds), NOW + timedelta(days=9)
    inner = _entity(attributes=f' validUntil="{late.isoformat()}"')
    document = f'<md:EntitiesDescriptor {MD} validUntil="{soon.isoformat()}">{inner}</md:EntitiesDescriptor>'
    if seconds > 0:
        assert _read(document).valid_until == soon
    else:
        with pytest.raises(MetadataError, match="valid until"):
            _read(document)


@pytest.mark.parametrize("signer", ["rsa", "stranger"])
def test_a_signature_counts_by_the_pinned_key(signer: str) -> None:
    by = idp_of("rsa") if signer == "rsa" else idp_of("rsa", "https://stranger.example.net")
    found = _read(sign(_entity(attributes=' ID="_m1"'), "_m1", by), trusted=[idp_of("rsa").body])
    assert found.signed
    assert found.trusted is (signer == "rsa")


def test_changed_metadata_is_not_trusted() -> None:
    document = sign(_entity(attributes=' ID="_m1"'), "_m1", idp_of("rsa")).replace("/sso", "/evil")
    assert not _read(document, trusted=[idp_of("rsa").body]).trusted


@pytest.mark.parametrize(
    ("document", "words"),
    [
        ("", "not well-formed"),
        ("<html/>", "found none"),
        (_entity("<md:SPSSODescriptor/>"), "found none"),
        (f"<!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]>{_entity()}", "DOCTYPE"),
        (_entity(_role(_key(idp_of("rsa")))), "SingleSignOnService"),
        (_entity(_role(_key(idp_of("rsa"), ' use="encryption"') + SSO)), "signing certificate"),
        (_entity(_role(SSO)), "signing certificate"),
        (_entity(_role(_key(idp_of("rsa")).replace("MII", "!!!") + SSO)), "no certificate"),
        (_entity(entity_id=""), "entityID"),
        (_entity(_role().replace("https://idp.example.com/sso", "javascript:alert(1)")), "https address"),
        (_entity(_role().replace("https://idp.example.com/sso", "http://idp.example.com/sso")), "https address"),
        (_entity(_role().replace("https://idp.example.com/sso", "https://[x/sso")), "https address"),
        (_entity(_role().replace("SAML:2.0:protocol", "SAML:1.1:protocol")), "SAML 2.0"),
        ("<a>" * 300 + "</a>" * 300, "depth"),
    ],
)
def test_what_is_no_provider_is_refused_with_the_reason(document: str, words: str) -> None:
    with pytest.raises(MetadataError, match=words):
        _read(document)


def test_plain_http_is_for_this_machine() -> None:
    found = _read(_entity(_role().replace("https://idp.example.com", "http://127.0.0.1:9000")))
    assert found.sso[0].url == "http://127.0.0.1:9000/sso"


def test_ours_is_valid_and_signed() -> None:
    world = World()
    document = metadata.ours(world.addresses, world.keys, world.connection, NOW)
    root = etree.fromstring(document)
    saml_library.check_schema(root)
    assert root.get("entityID") == world.addresses.entity_id
    ours = [certificates.read(key.certificate).body for key in world.keys]
    signature = root.find("{http://www.w3.org/2000/09/xmldsig#}Signature")
    assert signature is not None
    assert saml_library.is_signed(signature, ours[:1])
    published = [
        (each.getparent().getparent().getparent().get("use"), each.text)
        for each in root.iter("{http://www.w3.org/2000/09/xmldsig#}X509Certificate")
        if each.getparent().getparent().getparent().get("use")
    ]
    assert published == [("signing", ours[0]), ("signing", ours[1]), ("encryption", ours[0])]
    locations = [each.get("Location") for each in root.iter() if each.get("Location")]
    assert locations == [world.addresses.slo, world.addresses.slo, world.addresses.acs]
