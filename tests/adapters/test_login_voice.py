"""What an assertion says in the account's terms."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from app.adapters import login_voice
from sso.assertion import Assertion, ProviderSession
from sso.connections import ClaimMap, Connection, Oidc, Saml

NOW = datetime(2026, 11, 25, tzinfo=UTC)
SAML = Connection("c", "t", "okta", "Okta", "s", Saml("https://idp.example", "https://idp.example/sso", ("x",)))
OIDC = replace(SAML, settings=Oidc("https://idp.example", "hub"))
SAID = Assertion(
    "c",
    "saml",
    "https://idp.example",
    "ada-17",
    "_a1",
    NOW,
    NOW,
    ProviderSession("ada-17"),
    user_name="ada",
    email="ada@acme.example",
    email_trusted=True,
    given_name="Ada",
    family_name=" ",
    employee_number="17",
    attributes={"mail": ("ada@acme.example",), "groups": ("staff",), "teams": ("math",), "exp": ("1",)},
)


def test_it_speaks_of_what_was_said_alone() -> None:
    spoken = login_voice.spoken(SAID)
    assert spoken.values == {
        "userName": "ada",
        "emails.work": "ada@acme.example",
        "givenName": "Ada",
        "employeeNumber": "17",
    }
    assert spoken.active
    assert spoken.vouched


def test_who_vouches_for_no_address_is_heard_so() -> None:
    assert not login_voice.spoken(replace(SAID, email_trusted=False)).vouched


def test_an_openid_provider_vouches_for_one_address() -> None:
    said = replace(SAID, protocol="oidc", user_name="Grace@acme.example")
    assert login_voice.spoken(said).values["userName"] == "ada@acme.example"
    for kept in (
        replace(said, user_name="ADA@acme.example"),
        replace(said, user_name="grace"),
        replace(said, email_trusted=False),  # then no address of it counts
        replace(said, protocol="saml"),
    ):
        assert login_voice.spoken(kept).values["userName"] == kept.user_name


def test_the_document_repeats_itself() -> None:
    """A login that says what the last one said writes nothing: no id, no time, no groups."""
    document = login_voice.document(SAML, SAID)
    assert document["subject"] == "ada-17"
    assert document["attributes"] == {"exp": ["1"], "mail": ["ada@acme.example"], "teams": ["math"]}
    later = replace(SAID, id="_a2", valid_until=NOW.replace(year=2027), groups=("staff", "new"))
    assert login_voice.document(SAML, later) == document
    of_oidc = login_voice.document(OIDC, replace(SAID, protocol="oidc"))
    assert sorted(of_oidc["attributes"]) == ["mail", "teams"]
    mapped = replace(SAML, claims=ClaimMap(groups=("teams",)))
    assert "teams" not in login_voice.document(mapped, SAID)["attributes"]


def test_it_is_never_large() -> None:
    many = {f"a{number}": ("v" * 10_000,) * 1_000 for number in range(1_000)}
    document = login_voice.document(SAML, replace(SAID, attributes=many))
    assert len(document["attributes"]) == login_voice.MOST_ATTRIBUTES
    assert all(len(values) == login_voice.MOST_VALUES for values in document["attributes"].values())
    assert all(len(values[0]) == login_voice.LONGEST_VALUE for values in document["attributes"].values())
