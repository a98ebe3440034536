from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from app.identity.claims import claims
from app.identity.matching import Match, match
from app.identity.model import Account, Record, Status

from .people import ADMIN, ENTRA, INSTRUCTOR, NOW, OKTA, PAIRED, WORKDAY, account, gone, grant, record, rules

NUMBER = ("employee:default", "employee", "7")
OTHER_NUMBER = ("employee:default", "employee", "8")
WORK = ("email", "employee", "anna@example.com")
ALIAS = ("email", "employee", "ab@example.com")

Key = tuple[str, str, str]
ANNA = record(WORKDAY, {"employeeNumber": "7", "emails.work": "anna@example.com", "emails.other": "ab@example.com"})
BY_EMAIL = record(WORKDAY, {"emails.work": "anna@example.com", "emails.other": "ab@example.com"})


def matched(
    arriving: Record,
    held: Mapping[str, set[Key]],
    accounts: Sequence[Account] = (),
    records: Mapping[str, Sequence[Record]] | None = None,
) -> Match:
    """Match against accounts (active unless given) that hold these keys."""
    people = {account_id: account(account_id) for account_id in held} | {person.id: person for person in accounts}
    keys = {key for of in held.values() for key in of}
    holders = {key: [account_id for account_id in held if key in held[account_id]] for key in keys}
    held_keys = {account_id: frozenset(of) for account_id, of in held.items()}
    claimed = claims(arriving, rules())
    return match(arriving, claimed, holders, people, records or {}, held_keys, rules(), NOW)


def is_new(found: Match, *doubtful: str) -> bool:
    return found.account_id is None and found.rule == "new" and found.doubtful == doubtful and bool(found.reason)


def test_the_link_comes_first_whatever_the_identifiers_say() -> None:
    linked = record(WORKDAY, ANNA.voice, account_id="linked")
    found = matched(linked, {"anna": {NUMBER, WORK}})
    assert (found.account_id, found.rule) == ("linked", "link")


@pytest.mark.parametrize(
    ("held", "rule"),
    [
        ({"anna": {NUMBER}, "b": {WORK}, "c": {ALIAS}}, "employee number"),
        ({"anna": {WORK}, "c": {ALIAS}}, "verified e-mail"),
        ({"anna": {ALIAS}}, "alias"),
    ],
)
def test_identifiers_are_asked_in_order_of_strength(held: dict[str, set[Key]], rule: str) -> None:
    found = matched(ANNA, held)
    assert (found.account_id, found.rule, found.doubtful) == ("anna", rule, ())


def test_whoever_nobody_knows_is_new() -> None:
    assert is_new(matched(ANNA, {}))


def test_a_weaker_identifier_never_joins_what_a_stronger_one_keeps_apart() -> None:
    found = matched(ANNA, {"anna": {OTHER_NUMBER, WORK}})
    assert is_new(found, "anna")
    assert "another employee number" in found.reason


def test_another_number_in_another_numbering_keeps_nobody_apart() -> None:
    found = matched(ANNA, {"anna": {("employee:group", "employee", "8"), WORK}})
    assert found.account_id == "anna"


def test_an_identifier_that_two_living_people_share_identifies_nobody() -> None:
    assert is_new(matched(BY_EMAIL, {"a": {WORK}, "b": {WORK}}))
    assert is_new(matched(ANNA, {"a": {NUMBER}, "b": {NUMBER}}))


def test_a_shared_mailbox_leaves_the_next_identifier_its_say() -> None:
    found = matched(BY_EMAIL, {"a": {WORK, ALIAS}, "b": {WORK}})
    assert (found.account_id, found.rule) == ("a", "alias")


def test_several_people_by_several_aliases_go_to_the_duplicates_inbox() -> None:
    voice = {"emails.other": "ab@example.com", "userName": "anna@example.com"}
    found = matched(record(WORKDAY, voice), {"b": {WORK}, "a": {ALIAS}})
    assert is_new(found, "a", "b")


def test_rehire_finds_the_old_account_by_its_number_however_long_ago() -> None:
    found = matched(ANNA, {"anna": {NUMBER}}, [gone("anna", 4000)])
    assert (found.account_id, found.rule) == ("anna", "employee number")


def test_a_number_identifies_its_living_holder_among_leavers() -> None:
    assert matched(ANNA, {"anna": {NUMBER}, "old": {NUMBER}}, [gone("old", 1)]).account_id == "anna"


def test_a_number_of_several_leavers_goes_to_the_duplicates_inbox() -> None:
    assert is_new(matched(ANNA, {"b": {NUMBER}, "a": {NUMBER}}, [gone("a", 100), gone("b", 1)]), "a", "b")


@pytest.mark.parametrize(("days", "found"), [(0, "anna"), (30, "anna"), (31, None)])
def test_after_30_days_inactive_an_account_is_not_found_by_email(days: int, found: str | None) -> None:
    assert matched(BY_EMAIL, {"anna": {WORK, ALIAS}}, [gone("anna", days)]).account_id == found


def test_an_address_taken_over_from_a_recent_leaver_is_a_doubt_and_later_is_not() -> None:
    held = {"anna": {WORK}, "old": {WORK}}
    assert is_new(matched(BY_EMAIL, held, [gone("old", 5)]), "anna", "old")
    assert matched(BY_EMAIL, held, [gone("old", 31)]).account_id == "anna"


def test_the_same_source_keeps_its_records_apart_unless_the_number_joins_them() -> None:
    sibling = {"anna": [record(WORKDAY, id="another")]}
    assert is_new(matched(BY_EMAIL, {"anna": {WORK}}, records=sibling), "anna")
    assert matched(ANNA, {"anna": {NUMBER}}, records=sibling).account_id == "anna"


def test_a_tombstone_and_another_source_keep_nobody_apart() -> None:
    others = {"anna": [record(WORKDAY, id="another", deleted=True), record(OKTA)]}
    assert matched(BY_EMAIL, {"anna": {WORK}}, records=others).account_id == "anna"


def test_email_alone_never_links_to_an_administrator() -> None:
    boss = account("boss", grants=(grant(ADMIN),))
    assert is_new(matched(BY_EMAIL, {"boss": {WORK}}, [boss]), "boss")
    assert is_new(matched(BY_EMAIL, {"boss": {ALIAS}}, [boss]), "boss")
    assert matched(ANNA, {"boss": {NUMBER}}, [boss]).account_id == "boss"


def test_email_alone_does_not_revive_an_administrator_either() -> None:
    boss = account("boss", status=Status.INACTIVE, inactive_since=NOW, grants=(grant(ADMIN, effective=False),))
    assert is_new(matched(BY_EMAIL, {"boss": {WORK}}, [boss]), "boss")


def test_an_instructor_is_found_by_email() -> None:
    teacher = account("teacher", grants=(grant(INSTRUCTOR), grant(ADMIN, effective=False)))
    assert matched(BY_EMAIL, {"teacher": {WORK}}, [teacher]).account_id == "teacher"


def test_a_holder_that_was_not_loaded_counts_as_a_living_stranger() -> None:
    claimed = claims(BY_EMAIL, rules())
    people = {"a": account("a")}
    found = match(BY_EMAIL, claimed, {WORK: ["a", "unloaded"]}, people, {}, {}, rules(), NOW)
    assert is_new(found)


def test_an_unverified_address_of_a_second_idp_links_to_nobody() -> None:
    assert is_new(matched(record(ENTRA, {"emails.work": "anna@example.com"}), {"anna": {WORK}}))


def test_the_answer_does_not_depend_on_the_order_of_holders() -> None:
    held = {"a": {WORK}, "b": {WORK}}
    reverse = dict(reversed(held.items()))
    assert matched(BY_EMAIL, held, [gone("a", 1)]) == matched(BY_EMAIL, reverse, [gone("a", 1)])


def test_the_reason_names_no_personal_value() -> None:
    for found in (matched(ANNA, {"anna": {WORK}}), matched(BY_EMAIL, {"a": {WORK}}, [gone("a", 1)])):
        assert "anna@example.com" not in found.reason


NAME = ("name:01-okta", "employee", "anna")
BY_NAME = record(OKTA, {"userName": "anna", "emails.work": "anna@example.com"})
WITH_PAIR = rules(PAIRED)


def by_name(
    arriving: Record,
    held: Mapping[str, set[Key]],
    accounts: Sequence[Account] = (),
    records: Mapping[str, Sequence[Record]] | None = None,
) -> Match:
    people = {account_id: account(account_id) for account_id in held} | {person.id: person for person in accounts}
    holders = {key: [one for one in held if key in held[one]] for of in held.values() for key in of}
    held_keys = {account_id: frozenset(of) for account_id, of in held.items()}
    return match(arriving, claims(arriving, WITH_PAIR), holders, people, records or {}, held_keys, WITH_PAIR, NOW)


def test_a_paired_name_stands_above_an_address_and_leads_to_an_administrator() -> None:
    admin = account("anna", grants=(grant(ADMIN),))
    found = by_name(BY_NAME, {"anna": {NAME}, "b": {WORK}}, [admin])
    assert (found.account_id, found.rule) == ("anna", "paired userName")


def test_a_paired_name_of_somebody_whom_the_source_knows_already_is_a_doubt() -> None:
    found = by_name(BY_NAME, {"anna": {NAME}}, records={"anna": [record(OKTA, {"userName": "renamed"}, id="other")]})
    assert is_new(found, "anna")


def test_a_paired_name_is_forgotten_like_an_address() -> None:
    assert by_name(BY_NAME, {"anna": {NAME}}, [gone("anna", 20)]).account_id == "anna"
    assert is_new(by_name(BY_NAME, {"anna": {NAME}}, [gone("anna", 40)]))
