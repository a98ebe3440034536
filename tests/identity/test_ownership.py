from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.identity.model import EMPTY, Account, Lineage, OwnershipRule, Record, Rules, Source
from app.identity.ownership import own, voices

from .people import ENTRA, HUBSPOT, LATER, LOGIN, NOW, OKTA, WORKDAY, account, record, rules


def owned(*records: Record, by: Rules | None = None, manual: dict[str, Any] | None = None) -> dict[str, Any]:
    return own(records, manual or {}, None, by or rules(), NOW)[0]


def owner(attribute: str, *owners: str, create_only: tuple[str, ...] = ()) -> Rules:
    return rules(ownership={attribute: OwnershipRule(owners, create_only)})


def after(*records: Record, by: Rules | None = None, before: Account | None = None) -> Account:
    """The account as these records make it, in the steps that `own` takes part in."""
    values, lineage = own(records, {}, before, by or rules(), LATER if before else NOW)
    return account(attributes=values, lineage=lineage)


def test_hr_owns_the_job_and_the_idp_owns_the_login() -> None:
    okta = record(OKTA, {"userName": "anna", "title": "clerk"})
    workday = record(WORKDAY, {"userName": "A7", "title": "Head of Sales"})
    assert owned(okta, workday) == {"userName": "anna", "title": "Head of Sales"}


def test_silence_passes_to_the_next_source() -> None:
    assert owned(record(OKTA, {"title": "clerk"}), record(WORKDAY)) == {"title": "clerk"}


@pytest.mark.parametrize("nothing", [EMPTY, None])
def test_empty_wins_like_a_value_and_leaves_its_lineage(nothing: Any) -> None:
    records = [record(OKTA, {"title": "clerk"}), record(WORKDAY, {"title": nothing})]
    values, lineage = own(records, {}, None, rules(), NOW)
    assert values == {}
    assert lineage == {"title": Lineage(WORKDAY.id, "r-workday", "owner hris", NOW)}


def test_emails_are_owned_per_type() -> None:
    by = rules(
        ownership={"emails": OwnershipRule(("idp", "hris")), "emails.home": OwnershipRule(("hris",))},
    )
    okta = record(OKTA, {"emails.work": "w@okta", "emails.home": "h@okta"})
    workday = record(WORKDAY, {"emails.work": "w@hr", "emails.home": "h@hr", "emails.other": "o@hr"})
    assert owned(okta, workday, by=by) == {"emails.work": "w@okta", "emails.home": "h@hr", "emails.other": "o@hr"}


def test_a_source_that_is_not_among_the_owners_never_speaks() -> None:
    assert owned(record(HUBSPOT, {"title": "VP"}), by=owner("title", "hris", "idp")) == {}


def test_a_source_can_be_named_before_its_kind() -> None:
    records = [record(OKTA, {"title": "okta"}), record(ENTRA, {"title": "entra"})]
    assert owned(*records, by=owner("title", "entra", "idp")) == {"title": "entra"}


def test_an_active_record_speaks_before_an_inactive_and_a_deleted_one_of_the_same_owner() -> None:
    deleted = record(OKTA, {"title": "deleted"}, id="a", deleted=True)
    inactive = record(OKTA, {"title": "inactive"}, id="b", active=False)
    active = record(ENTRA, {"title": "active"}, id="c")
    assert owned(deleted, inactive, active) == {"title": "active"}
    assert owned(deleted, inactive) == {"title": "inactive"}


def test_an_ended_job_in_hr_still_speaks_before_the_idp() -> None:
    records = [record(OKTA, {"title": "clerk"}), record(WORKDAY, {"title": "Head"}, active=False)]
    assert owned(*records) == {"title": "Head"}


def test_among_equals_the_older_source_and_record_win() -> None:
    records = [
        record(ENTRA, {"title": "entra"}),
        record(OKTA, {"title": "b"}, id="b"),
        record(OKTA, {"title": "a"}, id="a"),
    ]
    assert owned(*records) == owned(*records[::-1]) == {"title": "a"}


def test_value_maps_turn_codes_into_the_lms_names() -> None:
    workday = replace(WORKDAY, value_maps={"department": {"12": "Sales"}, "emails": {"x": "mapped"}})
    records = [record(workday, {"department": 12, "emails.work": "x", "title": "12", "division": True})]
    assert owned(*records, by=rules(workday)) == {
        "department": "Sales",
        "emails.work": "mapped",
        "title": "12",
        "division": True,
    }
    assert owned(record(workday, {"department": ["12", "13"]}), by=rules(workday)) == {"department": ["Sales", "13"]}


def test_a_value_set_by_hand_stays_until_it_is_taken_back() -> None:
    workday = record(WORKDAY, {"title": "Head"})
    values, lineage = own([workday], {"title": "Queen", "nickName": None}, None, rules(), NOW)
    assert values == {"title": "Queen"}
    assert lineage == {name: Lineage(None, None, "by hand", NOW) for name in ("title", "nickName")}
    assert owned(workday) == {"title": "Head"}


def test_an_attribute_that_nobody_owns_is_not_the_accounts() -> None:
    assert owned(record(OKTA, {"shoeSize": 42})) == {}


def test_the_manager_is_resolved_elsewhere() -> None:
    assert owned(record(WORKDAY, {"manager": "text"})) == {}


def test_the_table_of_the_product_holds_where_the_tenant_says_nothing() -> None:
    okta, workday = record(OKTA, {"title": "clerk"}), record(WORKDAY, {"title": "Head"})
    assert owned(okta, workday, by=rules(ownership={})) == {"title": "Head"}


@pytest.mark.parametrize("other", [record(OKTA), record(WORKDAY), record(HUBSPOT), record(OKTA, deleted=True)])
def test_a_login_owns_nothing_once_a_source_of_another_kind_has_a_record(other: Record) -> None:
    login = record(LOGIN, {"nickName": "annie"})
    assert owned(login) == {"nickName": "annie"}
    assert owned(login, other) == {}
    assert owned(login, other, by=rules(replace(rules().sources[other.source_id], retired=True))) == {}


def test_lineage_keeps_its_time_while_source_record_and_value_do() -> None:
    first = after(record(WORKDAY, {"title": "Head", "division": "A"}))
    second = after(record(WORKDAY, {"title": "Head", "division": "B"}), before=first)
    assert second.lineage["title"].at == NOW
    assert second.lineage["division"].at == LATER
    taken_over = after(record(WORKDAY, {"title": "Head"}, id="second job"), before=first)
    assert taken_over.lineage["title"].at == LATER


def retired(source: Source) -> Rules:
    return rules(replace(source, retired=True))


def test_where_nobody_else_speaks_a_retired_sources_last_value_is_left_behind() -> None:
    workday = record(WORKDAY, {"title": "Head", "division": "A"})
    left = after(workday, record(OKTA, {"division": "B"}), before=after(workday), by=retired(WORKDAY))
    assert left.attributes == {"title": "Head", "division": "B"}
    assert left.lineage["title"] == Lineage(WORKDAY.id, "r-workday", "left behind", NOW)
    assert left.lineage["division"].source_id == OKTA.id
    assert after(workday, before=left, by=retired(WORKDAY)).attributes["title"] == "Head"


def test_a_retired_sources_voice_does_not_count_for_a_new_account() -> None:
    assert owned(record(WORKDAY, {"title": "Head"}), by=retired(WORKDAY)) == {}


def test_silence_of_a_living_source_leaves_nothing_behind() -> None:
    before = after(record(WORKDAY, {"title": "Head"}))
    assert after(record(WORKDAY), before=before).attributes == {}


CREATE = owner("userName", "idp", "hris", create_only=("idp",))


def test_a_create_only_owner_gives_a_first_value_and_never_changes_it() -> None:
    first = after(record(OKTA, {"userName": "anna"}), by=CREATE)
    assert first.lineage["userName"].rule == "first value from idp"
    second = after(record(OKTA, {"userName": "anna.new"}), by=CREATE, before=first)
    assert second.attributes == {"userName": "anna"}
    assert after(record(OKTA, {"userName": "anna.new"}), by=CREATE, before=second).lineage == first.lineage


def test_another_owner_may_change_what_a_create_only_one_gave() -> None:
    records = [record(OKTA, {"userName": "anna"}), record(WORKDAY, {"userName": "A7"})]
    first = after(records[0], by=CREATE)
    assert after(*records, by=CREATE, before=first).attributes == {"userName": "A7"}


def test_the_create_only_owner_that_came_first_keeps_its_value_against_another() -> None:
    entra, okta = record(ENTRA, {"userName": "e"}), record(OKTA, {"userName": "o"})
    first = after(entra, by=CREATE)
    assert after(entra, okta, by=CREATE, before=first).attributes == {"userName": "e"}


def test_voices_name_the_winner_first_and_why_each_other_lost() -> None:
    records = [
        record(LOGIN, {"title": "login"}),
        record(ENTRA, {"title": "entra"}),
        record(OKTA, {"title": "okta"}, active=False),
        record(OKTA, {"title": EMPTY}, id="r-okta-2", active=False),
        record(WORKDAY, {"title": "Head"}),
        record(HUBSPOT, {"title": "VP"}),
    ]
    said = voices("title", records, {}, owner("title", "hris", "idp", "login"))
    assert [(voice.value, voice.wins, voice.why) for voice in said] == [
        ("Head", True, ""),
        ("entra", False, "idp comes after hris"),
        ("okta", False, "idp comes after hris"),
        (EMPTY, False, "idp comes after hris"),
        ("VP", False, "hubspot is not among the owners of title"),
        ("login", False, "a login owns nothing once a source of another kind has a record"),
    ]


def test_voices_of_one_owner_tell_which_standing_or_age_decided() -> None:
    records = [
        record(OKTA, {"title": "1"}),
        record(ENTRA, {"title": "2"}),
        record(ENTRA, {"title": "3"}, id="x", deleted=True),
    ]
    assert [voice.why for voice in voices("title", records, {}, rules())] == [
        "",
        "both are idp and active: the older id wins",
        "its record is deleted, the winner's is active",
    ]


def test_voices_against_a_hand_and_of_the_retired() -> None:
    said = voices("title", [record(WORKDAY, {"title": "Head"})], {"title": "Queen"}, rules())
    assert [(voice.source_id, voice.rule, voice.wins) for voice in said] == [
        (None, "by hand", True),
        (WORKDAY.id, "owner hris", False),
    ]
    assert said[1].why == "a value set by hand stays until it is taken back"
    (left,) = voices("title", [record(WORKDAY, {"title": "Head"})], {}, retired(WORKDAY))
    assert (left.wins, left.why) == (False, "its source is retired")


def test_voices_of_create_only_owners_tell_why_they_lost() -> None:
    entra, okta = record(ENTRA, {"userName": "e"}), record(OKTA, {"userName": "o"})
    before = after(entra, by=CREATE)
    assert [voice.why for voice in voices("userName", [okta, entra], {}, CREATE, before)] == [
        "",
        "idp gave the first value",
    ]
    said = voices("userName", [okta, record(WORKDAY, {"userName": "w"})], {}, CREATE, before)
    assert [voice.why for voice in said] == ["", "idp may only give a first value"]
