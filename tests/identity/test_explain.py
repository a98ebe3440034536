from __future__ import annotations

import json
from dataclasses import replace

from app.identity.derive import derive
from app.identity.explain import AttributeReason, Explanation, Lost, explain
from app.identity.guards import KEPT
from app.identity.model import EMPTY, Account, Record, Rules

from .people import (
    ADMIN,
    INSTRUCTOR,
    NOW,
    OKTA,
    WORKDAY,
    by_number,
    grant,
    led_by,
    mapping,
    record,
    rules,
)

BY = rules(
    mappings=(
        mapping("g", "group", "g-1", INSTRUCTOR),
        mapping("a", "attribute", "head", attribute="title", source_id=WORKDAY.id),
        mapping("e", "entitlement", "gold"),
    )
)
OKTA_ANNA = record(
    OKTA,
    {"title": "clerk", "nickName": EMPTY},
    groups=frozenset({"g-1"}),
    entitlements=frozenset({"gold"}),
    managers=(led_by("2"),),
)
HR_ANNA = record(WORKDAY, {"title": "Head", "nickName": "Annie"}, managers=(led_by("1"),))
RECORDS = [OKTA_ANNA, HR_ANNA]


def explained(
    records: list[Record] = RECORDS, by: Rules = BY, before: Account | None = None, now: Account | None = None
) -> Explanation:
    found = derive(before, "anna", records, by_number(n1="ada", n2="bo"), {}, by, NOW)
    return explain(now or found.account, records, by, found.standing, {"g-1": "Teachers"})


def attribute(explanation: Explanation, name: str) -> AttributeReason:
    return next(reason for reason in explanation.attributes if reason.name == name)


def test_each_attribute_tells_who_won_since_when_and_what_lost() -> None:
    assert attribute(explained(), "title") == AttributeReason(
        name="title",
        value="Head",
        source="workday",
        record_id="r-workday",
        rule="owner hris",
        since=NOW,
        lost=(Lost("okta", "r-okta", "clerk", "idp comes after hris"),),
    )


def test_an_empty_winner_is_shown_with_what_it_silenced() -> None:
    reason = attribute(explained(), "nickName")
    assert (reason.value, reason.source) == (None, "okta")
    assert [lost.value for lost in reason.lost] == ["Annie"]


def test_the_manager_tells_which_names_lost() -> None:
    reason = attribute(explained(), "manager")
    assert (reason.value, reason.source) == ("ada", "workday")
    assert reason.lost == (
        Lost("okta", "r-okta", [{"kind": "line", "keys": [["employee:default", "2"]]}], "idp comes after hris"),
    )


def test_each_role_tells_the_rule_that_gave_it() -> None:
    assert {(role.role, role.effective, role.why) for role in explained().roles} == {
        ("instructor", True, "Member of the group Teachers."),
        ("learner", False, "title of workday is head; without effect, because another role ranks higher there."),
        ("learner", False, "Has the entitlement gold; without effect, because another role ranks higher there."),
    }


def test_roles_without_a_mapping_tell_where_they_come_from() -> None:
    account = derive(None, "anna", RECORDS, {}, {}, BY, NOW).account
    grants = (
        grant(ADMIN),
        grant(ADMIN, KEPT),
        grant(ADMIN, "mapping:gone"),
        replace(grant(ADMIN), role="x", effective=False),
    )
    assert [role.why for role in explained(now=replace(account, grants=grants)).roles] == [
        "Given by hand.",
        "Kept, because no other administrator would remain.",
        "Given by a mapping that is gone.",
        "Given by hand; without effect, because the tenant has no such role.",
    ]


def test_the_status_tells_its_reasons_and_roles_their_lack_of_effect() -> None:
    explanation = explained([OKTA_ANNA, replace(HR_ANNA, active=False)])
    assert explanation.status == "inactive"
    assert "As employee: the HR system workday says inactive." in explanation.status_reasons
    assert {role.why for role in explanation.roles} == {
        "Member of the group Teachers; without effect while the account is inactive.",
        "Has the entitlement gold; without effect while the account is inactive.",
    }


def test_what_was_left_behind_is_not_its_own_loser() -> None:
    before = derive(None, "anna", RECORDS, {}, {}, BY, NOW).account
    reason = attribute(explained([HR_ANNA], rules(replace(WORKDAY, retired=True)), before), "title")
    assert (reason.value, reason.source, reason.rule, reason.lost) == ("Head", "workday", "left behind", ())


def test_a_hand_beats_every_source() -> None:
    start = derive(None, "anna", RECORDS, {}, {}, BY, NOW).account
    explanation = explained(before=replace(start, manual={"title": "Queen", "manager": "zoe"}))
    for name, value in (("title", "Queen"), ("manager", "zoe")):
        reason = attribute(explanation, name)
        assert (reason.value, reason.source, len(reason.lost)) == (value, "by hand", 2)
        assert {lost.why for lost in reason.lost} == {"a value set by hand stays until it is taken back"}


def test_a_word_that_came_after_the_account_was_derived_says_so() -> None:
    old = derive(None, "anna", [OKTA_ANNA], {}, {}, BY, NOW).account
    reason = attribute(explained(now=old), "title")
    assert (reason.value, reason.lost[0].why) == ("clerk", "it was said after the account was last derived")


def test_the_explanation_is_json() -> None:
    told = explained().as_dict()
    assert json.loads(json.dumps(told)) == told
    assert told["attributes"][-1]["since"] == NOW.isoformat()
    assert told["managers"] == {"line": ["ada"]}
