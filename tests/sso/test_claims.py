"""Attributes and claims, as each provider names them, and what is not taken from them."""

from __future__ import annotations

from typing import Any

import pytest

from sso.claim_names import EMAIL_FORMAT
from sso.claims import Claimed, flat, read
from sso.connections import ClaimMap
from sso.errors import SignInError

ADA = Claimed("s-1", "ada", "ada@acme.example", "Ada", "Lovelace", "Ada Lovelace", "42", ("g1", "g2"))
SOAP = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims"
PERSISTENT = "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent"


def named(*names: str) -> dict[str, tuple[str, ...]]:
    values = [("ada",), ("ada@acme.example",), ("Ada",), ("Lovelace",), ("Ada Lovelace",), ("42",), ("g1", "g2")]
    return dict(zip(names, values, strict=True))


PROVIDERS = {
    "Okta": named("userName", "email", "firstName", "lastName", "displayName", "employeeNumber", "groups"),
    "Entra ID": named(
        f"{SOAP}/name",
        f"{SOAP}/emailaddress",
        f"{SOAP}/givenname",
        f"{SOAP}/surname",
        "http://schemas.microsoft.com/identity/claims/displayname",
        "employeeid",
        "http://schemas.microsoft.com/ws/2008/06/identity/claims/groups",
    ),
    "ADFS": named(
        f"{SOAP}/upn",
        f"{SOAP}/emailaddress",
        f"{SOAP}/givenname",
        f"{SOAP}/surname",
        "http://schemas.xmlsoap.org/claims/CommonName",
        "employeeID",
        "http://schemas.xmlsoap.org/claims/Group",
    ),
    "OneLogin": named(
        "User.Username", "User.email", "User.FirstName", "User.LastName", "displayName", "employee_number", "memberOf"
    ),
    "Shibboleth": named(
        "urn:oid:1.3.6.1.4.1.5923.1.1.1.6",
        "urn:oid:0.9.2342.19200300.100.1.3",
        "urn:oid:2.5.4.42",
        "urn:oid:2.5.4.4",
        "urn:oid:2.16.840.1.113730.3.1.241",
        "urn:oid:2.16.840.1.113730.3.1.3",
        "urn:oid:1.3.6.1.4.1.5923.1.5.1.1",
    ),
    "pysaml2": named(
        "urn:mace:dir:attribute-def:uid",
        "urn:mace:dir:attribute-def:mail",
        "urn:mace:dir:attribute-def:givenName",
        "urn:mace:dir:attribute-def:sn",
        "urn:mace:dir:attribute-def:displayName",
        "urn:mace:dir:attribute-def:employeeNumber",
        "urn:mace:dir:attribute-def:isMemberOf",
    ),
}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_names_that_saml_providers_use(provider: str) -> None:
    assert read(ClaimMap(), "saml", PROVIDERS[provider], "s-1", PERSISTENT) == ADA


def test_the_names_of_openid_connect() -> None:
    said = named("preferred_username", "email", "given_name", "family_name", "name", "employee_number", "groups")
    assert read(ClaimMap(), "oidc", said, "s-1") == ADA


def test_the_map_goes_first_and_alone() -> None:
    claim_map = ClaimMap(subject=("pid",), email=("work", "mail"), groups=("roles",))
    said = {"pid": ("p-1",), "mail": ("m@x.example",), "email": ("e@x.example",), "groups": ("g",)}
    found = read(claim_map, "saml", said, "s-1", PERSISTENT)
    assert (found.subject, found.email, found.groups) == ("p-1", "m@x.example", None)


@pytest.mark.parametrize(
    ("format_", "user_name", "email"),
    [
        (EMAIL_FORMAT, "ada@acme.example", "ada@acme.example"),
        ("urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified", "ada@acme.example", None),
        (None, "ada@acme.example", None),
        (PERSISTENT, None, None),
        ("urn:oasis:names:tc:SAML:2.0:nameid-format:transient", None, None),
    ],
)
def test_what_a_name_id_alone_says(format_: str | None, user_name: str | None, email: str | None) -> None:
    found = read(ClaimMap(), "saml", {}, "ada@acme.example", format_)
    assert (found.user_name, found.email, found.groups) == (user_name, email, None)
    assert read(ClaimMap(), "oidc", {}, "ada@acme.example").user_name is None


@pytest.mark.parametrize(
    ("said", "groups"),
    [
        ({}, None),
        ({"groups": []}, ()),
        ({"groups": ["a", "b", "a", " "]}, ("a", "b")),
        ({"groups": "a"}, ("a",)),
        ({"_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://x"}}}, None),
        ({"_claim_names": {"groups": "src1"}, "groups": ["a"]}, None),
        ({"_claim_names": {"other": "src1"}, "groups": ["a"]}, ("a",)),
        ({"hasgroups": True}, None),
        ({"hasgroups": True, "groups": []}, None),
    ],
)
def test_groups_that_are_not_told_are_not_none(said: dict[str, Any], groups: tuple[str, ...] | None) -> None:
    assert read(ClaimMap(), "oidc", flat(said), "s-1").groups == groups


def test_more_groups_than_a_saml_assertion_holds() -> None:
    link = {"http://schemas.microsoft.com/claims/groups.link": ("https://graph.example/…",)}
    assert read(ClaimMap(), "saml", link, "s-1").groups is None
    assert read(ClaimMap(groups=("roles",)), "saml", {**link, "roles": ("r",)}, "s-1").groups == ("r",)


@pytest.mark.parametrize("field", ["userName", "email", "firstName", "lastName", "displayName", "employeeNumber"])
def test_of_two_values_none_wins(field: str) -> None:
    with pytest.raises(SignInError, match="2 values") as caught:
        read(ClaimMap(), "saml", {field: ("ada@acme.example", "root@acme.example")}, "s-1")
    assert caught.value.code == "attributes"
    assert read(ClaimMap(), "saml", {field: ("a@acme.example", "a@acme.example", "")}, "s-1")


@pytest.mark.parametrize(
    "value",
    ["ada ", "\u202eada", "a\u200bda", "ada\n", "a\0da", "a" * 257, "\ud800", "\uff41da", "\ufb01nn", "\u017fam"],
)
@pytest.mark.parametrize("field", ["userName", "email", "employeeNumber"])
def test_a_name_is_never_trimmed_into_anothers(field: str, value: str) -> None:
    with pytest.raises(SignInError) as caught:
        read(ClaimMap(), "saml", {field: (value,)}, "s-1")
    assert caught.value.code == "attributes"


@pytest.mark.parametrize("subject", ["", "  ", "ada ", "ada\n", "\u202eada", "a" * 257, "\uff41da"])
def test_subjects_that_name_nobody(subject: str) -> None:
    with pytest.raises(SignInError) as caught:
        read(ClaimMap(), "saml", {}, subject)
    assert caught.value.code == "subject"


def test_a_mapped_subject_that_lacks_is_not_replaced() -> None:
    with pytest.raises(SignInError, match="pid") as caught:
        read(ClaimMap(subject=("pid",)), "saml", {"pid": ("",)}, "s-1")
    assert caught.value.code == "subject"


def test_what_is_shown_is_tidied() -> None:
    found = read(ClaimMap(), "saml", {"displayName": (" Ada\t\u202e Love\0lace ",), "firstName": (" ",)}, "s-1")
    assert (found.display_name, found.given_name) == ("Ada Lovelace", None)
    with pytest.raises(SignInError, match="1001 characters"):
        read(ClaimMap(), "saml", {"displayName": ("x" * 1001,)}, "s-1")


@pytest.mark.parametrize("value", ["ada", "a@b", "a b@c.example", "a@b@c.example", "ACME\\ada"])
def test_what_is_no_address_is_no_email(value: str) -> None:
    assert read(ClaimMap(), "saml", {"email": (value,)}, "s-1").email is None


def test_json_claims_as_values() -> None:
    said = {"a": "x", "b": ["x", 1, None, {"c": 2}], "t": True, "n": 7, "o": {"k": 1}, "z": None}
    assert flat(said) == {"a": ("x",), "b": ("x", "1"), "t": ("true",), "n": ("7",), "o": ("k",)}


@pytest.mark.parametrize("value", ["jürgen@acme.example", "ju\u0308rgen", "Γιώργος", "山田", "strauß", "한글", "Ολγα"])
def test_names_of_any_script_are_names(value: str) -> None:
    assert read(ClaimMap(), "saml", {"userName": (value,)}, "s-1").user_name == value


def test_a_name_id_that_is_no_name_serves_as_none() -> None:
    said = read(ClaimMap(subject=("pid",)), "saml", {"pid": ("p-1",)}, "\uff41da@acme.example", EMAIL_FORMAT)
    assert (said.user_name, said.email) == (None, None)
