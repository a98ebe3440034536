"""What a connection's settings may be."""

from __future__ import annotations

from typing import Any

import pytest

from app.adapters.connection_schemas import BadConnectionError, check_domain, parse, parse_claims, plain
from sso.connections import ClaimMap, Oidc, Saml
from tests.certificates import body, certificate

SAML: dict[str, Any] = {"entity_id": "https://idp.example/saml", "sso_url": "https://idp.example/sso"}
OIDC: dict[str, Any] = {"issuer": "https://idp.example", "client_id": "abc"}


def _saml(**more: Any) -> dict[str, Any]:
    return {**SAML, "certificates": [certificate()], **more}


def test_saml_settings_are_read_and_stored_without_defaults() -> None:
    pem = certificate()
    said = _saml(certificates=[pem, body(pem)], slo_url="https://idp.example/slo", contexts=["urn:a"])
    parsed = parse("saml", said)
    assert parsed == Saml(
        "https://idp.example/saml",
        "https://idp.example/sso",
        (body(pem),),
        slo_url="https://idp.example/slo",
        contexts=("urn:a",),
    )
    assert plain(parsed).keys() == {"entity_id", "sso_url", "certificates", "slo_url", "contexts"}
    assert parse("saml", plain(parsed)) == parsed


def test_openid_settings_are_read_and_stored_without_defaults() -> None:
    parsed = parse("oidc", {**OIDC, "max_age": 3600, "tenants": ["t1"], "scopes": ["openid", "groups"]})
    assert parsed == Oidc("https://idp.example", "abc", max_age=3600, tenants=("t1",), scopes=("openid", "groups"))
    assert parse("oidc", plain(parsed)) == parsed


def test_plain_http_is_for_loopback_only() -> None:
    assert parse("saml", _saml(sso_url="http://127.0.0.1:8000/sso"))
    assert parse("oidc", {**OIDC, "issuer": "http://localhost:8000"})
    with pytest.raises(BadConnectionError, match="sso_url: plain http is for loopback only"):
        parse("saml", _saml(sso_url="http://idp.example/sso"))


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"entity_id": ""}, "entity_id: it is empty"),
        ({"entity_id": " https://idp.example"}, "entity_id: .* white space"),
        ({"entity_id": "x" * 1025}, "entity_id: .*1024"),
        ({"entity_id": None}, "entity_id"),
        ({"sso_url": "javascript:alert(1)"}, "sso_url: expected an address"),
        ({"slo_url": "file:///etc/passwd"}, "slo_url: expected an address"),
        ({"sso_url": "https://user:word@idp.example/"}, "sso_url: .*user"),
        ({"certificates": []}, "certificates: a connection needs"),
        ({"certificates": ["abc"]}, "certificates: this is no certificate"),
        ({"sso_binding": "soap"}, "sso_binding"),
        ({"demand_context": True}, "demand_context: it demands one"),
        ({"relay_states": ["/courses"]}, "relay_states: they are for logins that nobody asked for"),
        ({"allow_unsolicited": True, "relay_states": ["//evil.example"]}, "relay_states: expected a path"),
        ({"allow_unsolicited": True, "relay_states": ["/\\evil.example"]}, "relay_states: expected a path"),
        ({"allow_unsolicited": True, "relay_states": ["https://evil.example"]}, "relay_states: expected a path"),
        ({"skew": 301}, "skew"),
        ({"skew": -1}, "skew"),
        ({"secure": False}, "secure: there is no such setting"),
    ],
)
def test_saml_settings_that_cannot_be(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadConnectionError, match=sentence):
        parse("saml", _saml(**wrong))


def test_without_a_certificate_there_is_no_connection() -> None:
    with pytest.raises(BadConnectionError, match="certificates"):
        parse("saml", SAML)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"issuer": ""}, "issuer"),
        ({"issuer": "http://idp.example"}, "issuer: plain http"),
        ({"issuer": "https://idp.example?x=1"}, "issuer: an issuer has no query"),
        ({"issuer": "https://idp.example/#x"}, "issuer: .*fragment"),
        ({"issuer": "https://idp.example/{tenantid}/v2.0"}, "tenants: an issuer of many tenants"),
        ({"issuer": "https://{tenantid}.example/{tenantid}", "tenants": ["t"]}, "once at most"),
        ({"client_id": ""}, "client_id"),
        ({"auth_method": "magic"}, "auth_method"),
        ({"scopes": ["profile"]}, "scopes: without openid"),
        ({"scopes": []}, "scopes"),
        ({"max_age": -1}, "max_age"),
        ({"response_mode": "fragment"}, "response_mode"),
        ({"skew": "180"}, "skew"),
    ],
)
def test_openid_settings_that_cannot_be(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadConnectionError, match=sentence):
        parse("oidc", {**OIDC, **wrong})


def test_there_are_two_kinds() -> None:
    with pytest.raises(BadConnectionError, match="saml or oidc"):
        parse("ldap", {})


def test_claims() -> None:
    parsed = parse_claims({"email": ["mail", "email"], "groups": ["memberOf"]})
    assert parsed == ClaimMap(email=("mail", "email"), groups=("memberOf",))
    assert plain(parsed) == {"email": ["mail", "email"], "groups": ["memberOf"]}
    with pytest.raises(BadConnectionError, match="emial: there is no such setting"):
        parse_claims({"emial": ["mail"]})


def test_domains() -> None:
    assert check_domain(" Acme.EXAMPLE. ") == "acme.example"
    for wrong in ("acme", "@acme.example", "acme..example", ""):
        with pytest.raises(BadConnectionError, match="is not a domain name"):
            check_domain(wrong)
