"""Each attribute or claim that a test brought: what it serves, or why it serves nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sso.assertion import Assertion, ProviderSession
from sso.claim_names import EMAIL_FORMAT
from sso.connections import ClaimMap, Connection
from sso.reports import Said, said
from tests.sso.desk import ENTRA, NOW, OKTA


def made(connection: Connection, subject: str, **more: Any) -> Assertion:
    at_provider = more.pop("at_provider", ProviderSession(subject))
    facts = {"issuer": "https://idp.example", "subject": subject, "id": "a1", "provider_session": at_provider}
    return Assertion(
        connection.id, connection.kind, valid_until=NOW + timedelta(minutes=5), authenticated_at=NOW, **facts, **more
    )


def by_name(found: tuple[Said, ...]) -> dict[str, Said]:
    return {one.name: one for one in found}


def test_the_usual_names_and_those_that_nobody_knows() -> None:
    values = {"firstName": ("Ada",), "mail": ("ada@acme.example",), "email": ("a@acme.example",), "shoeSize": ("38",)}
    found = said(OKTA, values, made(OKTA, "ada", email="a@acme.example", email_trusted=True))
    named = by_name(found)
    assert (named["firstName"].state, named["firstName"].serves) == ("mapped", ("given_name",))
    assert (named["email"].state, named["email"].serves) == ("mapped", ("email",))
    assert (named["mail"].state, named["mail"].note) == ("ignored", "email comes before it")
    assert named["shoeSize"].state == "unknown"
    assert named["NameID"].serves == ("subject",)
    assert [one.state for one in found] == sorted(
        (one.state for one in found), key=["mapped", "unknown", "ignored"].index
    )


def test_a_claim_map_goes_before_the_usual_names() -> None:
    connection = replace(OKTA, claims=ClaimMap(subject=("uid",), groups=("lmsGroups",)))
    values = {"uid": ("ada",), "lmsGroups": ("a", "b"), "groups": ("c",)}
    named = by_name(said(connection, values, made(connection, "ada", groups=("a", "b"))))
    assert named["uid"].serves == ("subject", "user_name")
    assert named["lmsGroups"].serves == ("groups",)
    assert named["groups"].state == "unknown"
    assert named["NameID"].state == "ignored"


def test_a_name_id_that_is_an_address_serves_for_what_no_attribute_says() -> None:
    at_provider = ProviderSession("ada@acme.example", format=EMAIL_FORMAT)
    assertion = made(
        OKTA, "ada@acme.example", at_provider=at_provider, user_name="ada@acme.example", email="ada@acme.example"
    )
    [name_id] = said(OKTA, {}, assertion)
    assert name_id.serves == ("subject", "user_name", "email")


def test_claims_about_the_token_are_ignored_by_name() -> None:
    values = {"iss": ("https://entra.example",), "nonce": ("n",), "sub": ("s",), "email": ("ada@acme.example",)}
    named = by_name(said(ENTRA, values, made(ENTRA, "s", email="ada@acme.example")))
    assert named["nonce"].state == named["iss"].state == "ignored"
    assert named["sub"].serves == ("subject",)
    assert named["email"].note == "the provider does not vouch for it: nobody is found by it"


def test_in_a_directory_the_oid_is_the_subject() -> None:
    values = {"sub": ("s",), "tid": ("t",), "oid": ("o",)}
    named = by_name(said(ENTRA, values, made(ENTRA, "t/o")))
    assert named["oid"].serves == ("subject",)
    assert (named["sub"].state, named["tid"].state) == ("ignored", "ignored")


def test_groups_that_are_too_many_are_not_taken() -> None:
    values = {"groups": ("a",), "hasgroups": ("true",)}
    named = by_name(said(ENTRA, values, made(ENTRA, "s", groups=None)))
    assert "not the whole one" in named["groups"].note
    assert named["hasgroups"].state == "ignored"


def test_what_could_not_be_taken_is_shown_all_the_same() -> None:
    named = by_name(said(OKTA, {"email": ("a@acme.example", "b@acme.example")}))
    assert named["email"].values == ("a@acme.example", "b@acme.example")
