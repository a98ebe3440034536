from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.identity.claims import claims, known_by_pair
from app.identity.model import EMPTY, Rules, Source, SourceKind

from .people import ENTRA, HUBSPOT, LOGIN, OKTA, PAIRED, WORKDAY, record, rules


def claimed(
    source: Source, voice: dict[str, Any], by: Rules | None = None, **changes: Any
) -> list[tuple[str, str, int]]:
    found = claims(record(source, voice, **changes), by or rules(source))
    return [(claim.namespace, claim.value, claim.strength) for claim in found]


def test_claims_are_an_employee_number_a_verified_email_and_aliases_sorted_by_key() -> None:
    voice = {
        "userName": "Anna.Berg@Example.com",
        "emails.work": "anna@example.com",
        "emails.other": "ab@example.com",
        "employeeNumber": " A-7 ",
    }
    assert claimed(OKTA, voice) == [
        ("email", "ab@example.com", 3),
        ("email", "anna.berg@example.com", 3),
        ("email", "anna@example.com", 2),
        ("employee:default", "a-7", 1),
    ]


def test_an_address_that_is_work_address_and_user_name_is_claimed_once_as_the_stronger() -> None:
    assert claimed(OKTA, {"userName": "ANNA@example.com", "emails.work": "anna@example.com"}) == [
        ("email", "anna@example.com", 2)
    ]


def test_a_home_address_claims_nothing() -> None:
    assert claimed(OKTA, {"emails.home": "family@example.com"}) == []


def test_a_user_name_that_is_no_address_claims_nothing() -> None:
    assert claimed(OKTA, {"userName": "anna", "emails.work": "anna@localhost", "emails.other": "a b@example.com"}) == []


def test_each_source_declares_its_employee_number_namespace() -> None:
    voice = {"employeeNumber": 7}
    assert claimed(replace(WORKDAY, employee_namespace="group"), voice) == [("employee:group", "7", 1)]
    assert claimed(replace(WORKDAY, employee_namespace=None), voice) == []


@pytest.mark.parametrize(
    ("source", "verified"), [(OKTA, True), (WORKDAY, True), (ENTRA, False), (HUBSPOT, False), (LOGIN, False)]
)
def test_first_idp_and_hris_speak_for_unassigned_domains_and_nobody_else_does(source: Source, verified: bool) -> None:
    assert bool(claimed(source, {"emails.work": "anna@example.com"})) is verified


@pytest.mark.parametrize("source", [OKTA, ENTRA, WORKDAY, HUBSPOT, LOGIN])
def test_an_assigned_domain_belongs_to_its_source_alone(source: Source) -> None:
    for owner in (OKTA, ENTRA, WORKDAY, HUBSPOT, LOGIN):
        by = rules(assigned_domains={"example.com": owner.id})
        assert bool(claimed(source, {"emails.work": "anna@Example.com"}, by)) is (owner is source)


def test_a_source_with_domains_of_its_own_speaks_for_no_other() -> None:
    okta = replace(OKTA, domains=frozenset({"example.com"}))
    assert claimed(okta, {"emails.work": "a@example.com", "emails.other": "a@else.com"}) == [
        ("email", "a@example.com", 2)
    ]


def test_a_retired_first_idp_makes_room_for_the_next_and_its_people_are_still_found() -> None:
    by = rules(replace(OKTA, retired=True))
    for source in (OKTA, ENTRA):
        assert claimed(source, {"emails.work": "anna@example.com"}, by) == [("email", "anna@example.com", 2)]


def test_a_deleted_record_claims_nothing() -> None:
    assert claimed(OKTA, {"employeeNumber": "7", "emails.work": "anna@example.com"}, deleted=True) == []


def test_empty_and_strange_values_claim_nothing() -> None:
    assert claimed(OKTA, {"employeeNumber": EMPTY, "emails.work": None, "emails.other": {"value": "x@y.z"}}) == []


def test_the_affiliation_is_the_sources() -> None:
    hubspot = replace(HUBSPOT, domains=frozenset({"client.com"}))
    found = claims(record(hubspot, {"emails.work": "c@client.com"}), rules(hubspot))
    assert [claim.key for claim in found] == [("email", "customer", "c@client.com")]


def test_an_unknown_source_claims_nothing() -> None:
    stranger = Source("99", "stranger", SourceKind.HRIS, "csv")
    assert claims(record(stranger, {"employeeNumber": "7"}), rules()) == ()


def test_a_login_and_its_paired_source_claim_one_name() -> None:
    by = rules(PAIRED)
    assert claimed(OKTA, {"userName": " Anna "}, by) == [("name:01-okta", "anna", 0)]
    assert claimed(LOGIN, {"userName": "other"}, by, known_as=("anna", "s-1")) == [
        ("name:01-okta", "anna", 0),
        ("name:01-okta", "s-1", 0),
    ]
    assert claimed(ENTRA, {"userName": "anna"}, by) == claimed(OKTA, {"userName": "anna"}) == []
    assert claimed(LOGIN, {}, rules(), known_as=("anna",)) == [], "it is paired with nothing"
    assert claimed(OKTA, {"userName": "anna"}, rules(replace(PAIRED, retired=True))) == []
    assert claimed(LOGIN, {}, rules(replace(PAIRED, paired_source_id=WORKDAY.id)), known_as=("anna",)) == []


def test_the_name_is_claimed_in_the_paired_sources_affiliation() -> None:
    by = rules(replace(PAIRED, affiliation=HUBSPOT.affiliation))
    found = [claims(record(OKTA, {"userName": "a"}), by), claims(record(LOGIN, known_as=("a",)), by)]
    assert found[0] == found[1]


def test_a_login_speaks_for_the_domains_of_its_paired_source() -> None:
    voice = {"emails.work": "anna@example.com"}
    by = rules(PAIRED, assigned_domains={"example.com": OKTA.id, "other.example": ENTRA.id, "own.example": LOGIN.id})
    assert claimed(LOGIN, voice, by) == [("email", "anna@example.com", 2)]
    assert claimed(LOGIN, {"emails.work": "anna@unassigned.example"}, by)
    assert claimed(LOGIN, {"emails.work": "anna@own.example"}, by)
    assert not claimed(LOGIN, {"emails.work": "anna@other.example"}, by)
    not_the_first = rules(replace(LOGIN, paired_source_id=ENTRA.id))
    assert not claimed(LOGIN, voice, not_the_first)


def test_an_address_that_is_not_vouched_for_claims_nothing_and_a_number_does() -> None:
    voice = {"userName": "anna@example.com", "emails.work": "anna@example.com", "employeeNumber": "7"}
    assert claimed(LOGIN, voice, rules(PAIRED), vouched=False) == [("employee:default", "7", 1)]


def test_the_paired_sources_living_record_says_who_has_the_name() -> None:
    login = record(LOGIN, known_as=("anna", "s-1"))
    anna, subject = record(OKTA, {"userName": "ANNA"}), record(OKTA, {"userName": "s-1"}, id="second")
    by = rules(PAIRED)
    assert known_by_pair(login, [("b", subject), ("a", anna)], by) == "a"
    assert known_by_pair(login, [("b", subject)], by) == "b"
    assert (
        known_by_pair(login, [("a", replace(anna, deleted=True)), ("e", record(ENTRA, {"userName": "anna"}))], by)
        is None
    )
    assert known_by_pair(login, [("a", anna)], rules()) is None
