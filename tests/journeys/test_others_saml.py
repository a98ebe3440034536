"""The SAML identity provider of others does what it is told, as python3-saml on its own sees it."""

from __future__ import annotations

import datetime as dt
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from onelogin.saml2.auth import OneLogin_Saml2_Auth
from onelogin.saml2.idp_metadata_parser import OneLogin_Saml2_IdPMetadataParser
from onelogin.saml2.settings import OneLogin_Saml2_Settings

from tests.journeys import signing_in
from tests.journeys.browser import Browser
from tests.journeys.others import Other

pytestmark = pytest.mark.journey

SP: Final = "http://127.0.0.1:9"
ACS: Final = f"{SP}/acs"
SLO: Final = f"{SP}/slo"


@pytest.fixture(scope="module")
def settings(saml_idp: Other) -> dict[str, Any]:
    """The service provider's settings; the identity provider knows its metadata."""
    private, certificate = _key()
    idp = OneLogin_Saml2_IdPMetadataParser.parse_remote(f"{saml_idp.url}/metadata")["idp"]
    made = {
        "strict": True,
        "sp": {
            "entityId": f"{SP}/metadata",
            "assertionConsumerService": {"url": ACS},
            "singleLogoutService": {"url": SLO},
            "privateKey": private,
            "x509cert": certificate,
        },
        "idp": idp,
        "security": {
            "authnRequestsSigned": True,
            "logoutRequestSigned": True,
            "wantMessagesSigned": True,
            "requestedAuthnContext": False,
            "allowSingleLabelDomains": True,
        },
    }
    saml_idp.control(**signing_in.ASSERTION, sp=OneLogin_Saml2_Settings(_copy(made)).get_sp_metadata().decode())
    return made


def test_sign_in_and_what_is_wrong_on_demand(settings: dict[str, Any], saml_idp: Other, browser: Browser) -> None:
    saml_idp.control(people={"amara@quay.example": {"groups": ["teachers", "staff"]}})
    signed_in = _sign_in(settings, browser, "amara@quay.example")
    assert signed_in.get_errors() == [], signed_in.get_last_error_reason()
    assert signed_in.get_nameid() == "amara@quay.example"
    assert signed_in.get_attributes()["groups"] == ["teachers", "staff"]

    for wanted, found in [
        ({"audience": "https://other.example"}, "invalid_response"),
        ({"lifetime": -10}, "invalid_response"),
        ({"encrypt": "gcm"}, None),
        ({"encrypt": "cbc"}, None),
        ({"encrypt": "3des"}, None),
        ({"sign_with": 1}, "invalid_response"),
    ]:
        saml_idp.control(**wanted)
        assert (_sign_in(settings, browser, "").get_errors() or [None])[0] == found, wanted
        saml_idp.control(audience=None, lifetime=5, encrypt=None, sign_with=0)

    saml_idp.control(publish=[0, 1], sign_with=1)
    both = OneLogin_Saml2_IdPMetadataParser.parse_remote(f"{saml_idp.url}/metadata")["idp"]
    assert _sign_in({**settings, "idp": both}, browser, "").get_errors() == []
    saml_idp.control(publish=[0], sign_with=0)


def test_logout_both_ways(settings: dict[str, Any], saml_idp: Other, browser: Browser) -> None:
    signed_in = _sign_in(settings, browser, "amara@quay.example")
    left = browser.get(f"{saml_idp.url}/logout", stop=SLO)
    asked = _auth(settings, get=parse_qs(urlsplit(left.url).query))
    back = asked.process_slo(keep_local_session=True)
    assert (asked.get_errors(), back is not None) == ([], True)
    assert "signed out" in browser.get(back).text

    signed_in = _sign_in(settings, browser, "bela@quay.example")
    leave = signed_in.logout(
        return_to="there", name_id=signed_in.get_nameid(), session_index=signed_in.get_session_index()
    )
    left = browser.get(leave, stop=SLO)
    answered = _auth(settings, get=parse_qs(urlsplit(left.url).query))
    answered.process_slo(keep_local_session=True)
    assert answered.get_errors() == []
    assert saml_idp.events("logout asked")[-1]["ended"] == 1


def _sign_in(settings: dict[str, Any], browser: Browser, user: str) -> OneLogin_Saml2_Auth:
    page = browser.get(_auth(settings).login(return_to="there"))
    if "user" in page.forms[0].fields:
        page = browser.submit(page, page.forms[0], user=user)
    [form] = page.forms
    assert (form.action, form.fields["RelayState"]) == (ACS, "there")
    answered = _auth(settings, post={name: [value] for name, value in form.fields.items()})
    answered.process_response()
    return answered


def _auth(
    settings: dict[str, Any], *, get: dict[str, list[str]] | None = None, post: dict[str, list[str]] | None = None
) -> OneLogin_Saml2_Auth:
    path = "/slo" if get else "/acs"
    request = {"http_host": "127.0.0.1:9", "https": "off", "script_name": path}
    fields = {name: values[0] for name, values in (get or {}).items()}
    return OneLogin_Saml2_Auth(
        {**request, "get_data": fields, "post_data": {name: values[0] for name, values in (post or {}).items()}},
        _copy(settings),
    )


def _copy(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: dict(value) if isinstance(value, dict) else value for name, value in settings.items()}


def _key() -> tuple[str, str]:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "sp")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    form = serialization.PrivateFormat.TraditionalOpenSSL
    private = key.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption())
    return private.decode(), made.public_bytes(serialization.Encoding.PEM).decode()
