from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from app.identity.by_hand import adjusted, told
from app.identity.model import EMPTY, Grant
from app.identity.writes import ByHand, NotByHandError
from tests.identity.people import ADMIN, INSTRUCTOR, account, grant, rules

ANNA = account(grants=(grant(INSTRUCTOR, "mapping:m1"), grant(ADMIN)), manual={"title": "Boss"})


def test_values_are_set_and_taken_back() -> None:
    after = adjusted(ANNA, ByHand("anna", values={"nickName": " Ann ", "locale": EMPTY}), rules())
    assert after.manual == {"title": "Boss", "nickName": "Ann", "locale": None}
    assert adjusted(after, ByHand("anna", taken_back=frozenset({"title", "locale"})), rules()).manual == {
        "nickName": "Ann"
    }


def test_roles_by_hand_stand_beside_those_of_mappings() -> None:
    after = adjusted(ANNA, ByHand("anna", given=frozenset({("instructor", "course:c1")})), rules())
    assert set(after.grants) == {*ANNA.grants, Grant("instructor", "course:c1", "hand")}
    again = adjusted(after, ByHand("anna", taken=frozenset({("admin", "tenant")})), rules())
    assert set(again.grants) == {grant(INSTRUCTOR, "mapping:m1"), Grant("instructor", "course:c1", "hand")}


def test_what_is_not_said_stays() -> None:
    suspended = replace(ANNA, suspended=True)
    assert adjusted(suspended, ByHand("anna", values={"title": "Chief"}), rules()).suspended
    assert not adjusted(suspended, ByHand("anna", suspended=False), rules()).suspended


@pytest.mark.parametrize(
    ("write", "says"),
    [
        (ByHand("anna", values={"shoeSize": "42"}), "no account has an attribute shoeSize"),
        (ByHand("anna", values={"emails": "a@x.org"}), "no account has an attribute emails"),
        (ByHand("anna", values={"title": ""}), "a text of"),
        (ByHand("anna", values={"title": "x" * 1_001}), "a text of"),
        (ByHand("anna", values={"title": "a\0b"}), "a text of"),
        (ByHand("anna", values={"title": ["a"]}), "a text of"),
        (ByHand("anna", values={"startDate": "tomorrow"}), "a day like"),
        (ByHand("anna", values={"manager": "ben"}), "the id of an account"),
        (ByHand("anna", values={"addresses.work": {"planet": "Mars"}}), "an object of texts"),
        (ByHand("anna", taken_back=frozenset({"locale"})), "no value that was set by hand"),
        (ByHand("anna", given=frozenset({("pope", "tenant")})), "no role pope; there are admin, instructor, learner"),
        (ByHand("anna", given=frozenset({("admin", "moon:1")})), "is no scope"),
        (ByHand("anna", taken=frozenset({("instructor", "tenant")})), "a mapping gives it"),
        (ByHand("anna", taken=frozenset({("learner", "tenant")})), "does not hold it"),
    ],
)
def test_what_cannot_be_decided_is_refused(write: ByHand, says: str) -> None:
    with pytest.raises(NotByHandError, match=f"(?i){says}"):
        adjusted(ANNA, write, rules())


def test_an_address_and_a_day_are_taken() -> None:
    values: dict[str, Any] = {"addresses.work": {"locality": "Bern"}, "endDate": "2026-12-31"}
    assert adjusted(ANNA, ByHand("anna", values=values), rules()).manual == {"title": "Boss", **values}


def test_each_decision_is_told_with_its_reason() -> None:
    write = ByHand(
        "anna",
        values={"title": "Chief", "locale": EMPTY},
        taken_back=frozenset({"nickName"}),
        given=frozenset({("admin", "tenant")}),
        taken=frozenset({("learner", "tenant")}),
        suspended=True,
        note="asked by phone",
    )
    acts = list(told(write))
    assert [act.action for act in acts] == [
        "account.value_set",
        "account.value_set",
        "account.value_taken_back",
        "account.role_given",
        "account.role_taken",
        "account.suspended",
    ]
    assert all(act.personal["note"] == "asked by phone" for act in acts)
    assert (acts[0].facts, acts[0].personal["locale"]) == ({"attribute": "locale"}, None)
    assert acts[1].personal["title"] == "Chief"
    assert [act.action for act in told(ByHand("anna", suspended=False))] == ["account.reinstated"]
