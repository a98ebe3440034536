"""What we send an identity provider: signed over the bytes as sent, with everything escaped."""

from __future__ import annotations

import base64
import zlib
from urllib.parse import parse_qs, unquote_plus, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding
from lxml import etree

from sso import saml, saml_library
from sso.bindings import Form, Redirect, new_request_id
from sso.demands import Demands
from tests.sso.saml_idp import NAMESPACES, World, our_key


def _request(world: World, demands: Demands = Demands()) -> Redirect | Form:  # noqa: B008 - frozen
    return saml.login_request(
        world.connection,
        world.addresses,
        world.keys,
        request_id="_id1",
        relay_state="st&te",
        demands=demands,
        now=world.now,
    )


def _redirected(world: World, demands: Demands = Demands()) -> etree._Element:  # noqa: B008
    sent = _request(world, demands)
    assert isinstance(sent, Redirect)
    query = parse_qs(urlsplit(sent.url).query)
    return etree.fromstring(zlib.decompress(base64.b64decode(query["SAMLRequest"][0]), -15))


def test_a_redirect_is_signed_over_its_own_bytes() -> None:
    sent = _request(World())
    assert isinstance(sent, Redirect)
    signed, _, signature = urlsplit(sent.url).query.partition("&Signature=")
    assert [each.partition("=")[0] for each in signed.split("&")] == ["SAMLRequest", "RelayState", "SigAlg"]
    public = x509.load_pem_x509_certificate(our_key("new").certificate.encode()).public_key()
    public.verify(  # type: ignore[union-attr, call-arg]
        base64.b64decode(unquote_plus(signature)), signed.encode(), padding.PKCS1v15(), hashes.SHA256()
    )


def test_an_address_with_a_query_keeps_it() -> None:
    sent = _request(World().with_settings(sso_url="https://idp.example.com/sso?tenant=1"))
    assert isinstance(sent, Redirect)
    assert sent.url.startswith("https://idp.example.com/sso?tenant=1&SAMLRequest=")


def test_the_request_says_who_asks_and_where_the_answer_goes() -> None:
    world = World()
    root = _redirected(world)
    saml_library.check_schema(root)
    assert root.get("ID") == "_id1"
    assert root.get("Destination") == "https://idp.example.com/sso"
    assert root.get("AssertionConsumerServiceURL") == world.addresses.acs
    assert root.get("ForceAuthn") is None
    assert root.findtext("saml:Issuer", namespaces=NAMESPACES) == world.addresses.entity_id
    assert root.find("samlp:RequestedAuthnContext", NAMESPACES) is None


def test_a_form_carries_its_signature_inside() -> None:
    sent = _request(World().with_settings(sso_binding="post"))
    assert isinstance(sent, Form)
    assert sent.action == "https://idp.example.com/sso"
    assert sent.fields["RelayState"] == "st&te"
    root = etree.fromstring(base64.b64decode(sent.fields["SAMLRequest"]))
    saml_library.check_schema(root)
    body = "".join(our_key("new").certificate.splitlines()[1:-1])
    signature = root.find("ds:Signature", NAMESPACES)
    assert signature is not None
    assert saml_library.is_signed(signature, [body])
    stranger = "".join(our_key("old").certificate.splitlines()[1:-1])
    assert not saml_library.is_signed(signature, [stranger])


@pytest.mark.parametrize(
    ("demands", "settings", "expected"),
    [
        (Demands(), {"contexts": ("urn:a",)}, ["urn:a"]),
        (Demands(contexts=("urn:b", "urn:c")), {"contexts": ("urn:a",)}, ["urn:b", "urn:c"]),
        (Demands(contexts=("urn:b",)), {"contexts": ("urn:a",), "demand_context": True}, ["urn:a"]),
        (Demands(contexts=('<x y="&">',)), {}, ['<x y="&">']),
    ],
)
def test_contexts_are_asked_for(demands: Demands, settings: dict[str, object], expected: list[str]) -> None:
    root = _redirected(World().with_settings(**settings), demands)
    asked = root.findall("samlp:RequestedAuthnContext/saml:AuthnContextClassRef", NAMESPACES)
    assert [each.text for each in asked] == expected


def test_a_new_login_and_a_format_are_asked_for() -> None:
    root = _redirected(World().with_settings(name_id_format="urn:f&g"), Demands(force=True))
    assert root.get("ForceAuthn") == "true"
    policy = root.find("samlp:NameIDPolicy", NAMESPACES)
    assert policy is not None
    assert policy.get("Format") == "urn:f&g"


def test_request_ids_are_new_and_are_names() -> None:
    made = {new_request_id() for _ in range(100)}
    assert len(made) == 100
    assert all(each.startswith("_") and len(each) == 41 for each in made)
