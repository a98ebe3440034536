"""Merging and splitting as values: what an account is derived from, and whom others are led by."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from app.identity.decide import Kept, People
from app.identity.merging import blended, merged, split, with_leader
from app.identity.merging_evidence import AGREES, DIFFERS, evidence
from app.identity.merging_shown import compared, gained
from app.identity.model import Account, Grant, Lineage, Record, Status

from .people import HUBSPOT, NOW, OKTA, WORKDAY, account, record, rules

GONE = replace(WORKDAY, retired=True)


def kept(of: Record, to: str, *claimed: tuple[str, str, str]) -> Kept:
    return Kept(replace(of, account_id=to), 1, None, None, {}, frozenset(claimed), NOW)


def people(**of: list[Kept]) -> People:
    """Accounts by their id, with these records, as they would be stored."""
    known = People(records={id: {one.record.id: one for one in mine} for id, mine in of.items()})
    known.accounts = {id: Account(id, Status.ACTIVE) for id in of}
    for id, mine in of.items():
        for key in {key for one in mine for key in one.claimed}:
            known.holders[key] = tuple(sorted({*known.holders.get(key, ()), id}))
    return known


def left_behind(id: str, **values: Any) -> Account:
    """What a retired HR system said last."""
    lineage = {name: Lineage(GONE.id, "r-workday", "owner hris", NOW) for name in values}
    return Account(id, Status.ACTIVE, attributes=values, lineage=lineage)


def test_what_a_retired_source_left_behind_is_kept_from_both() -> None:
    one, other = left_behind("a", title="Coder"), left_behind("b", title="Chief", costCenter="7")
    both = blended(one, other, rules(GONE))
    assert both.attributes == {"title": "Coder", "costCenter": "7"}


def test_what_a_retired_source_left_behind_goes_with_its_record() -> None:
    known = people(a=[kept(record(GONE, {"title": "Chief"}), "a"), kept(record(OKTA, {"nickName": "A"}), "a")])
    known.accounts["a"] = left_behind("a", title="Chief")
    decision = split(known, "a", "new", ["r-workday"], rules(GONE), NOW)
    assert decision.accounts["a"][1].account.attributes == {"nickName": "A"}
    assert decision.accounts["new"][1].account.attributes == {"title": "Chief"}


def test_roles_by_hand_come_along_and_mapped_ones_are_derived() -> None:
    one = account(id="a", grants=(Grant("learner", "tenant", "hand"),))
    other = account(id="b", grants=(Grant("admin", "course:1", "hand"), Grant("instructor", "tenant", "mapping:1")))
    found = {grant.key for grant in blended(one, other, rules()).grants}
    assert found == {("learner", "tenant", "hand"), ("admin", "course:1", "hand")}


def test_nobody_is_led_by_hand_by_himself() -> None:
    one = account(id="a", manual={"manager": "b"}, manager_id="b")
    assert blended(one, account(id="b"), rules()).manual == {}
    assert blended(one, account(id="b"), rules()).manager_id is None


def test_the_later_of_two_ends_counts() -> None:
    early = account(id="a", status=Status.INACTIVE, inactive_since=NOW.replace(year=2020))
    late = account(id="b", status=Status.INACTIVE, inactive_since=NOW)
    assert blended(early, late, rules()).inactive_since == NOW


def test_an_identifier_is_held_by_who_is_left() -> None:
    key = ("email", "employee", "a@x.org")
    known = people(a=[kept(record(OKTA), "a", key)], b=[kept(record(WORKDAY), "b", key)])
    assert merged(known, "a", "b", rules(), NOW).holders == {key: ("a",)}
    assert split(known, "a", "new", ["r-workday"], rules(), NOW).holders == {key: ("a", "new")}


def test_a_leader_is_replaced_wherever_he_stands() -> None:
    led = account(
        id="c",
        manager_id="b",
        attributes={"manager": "b", "title": "b"},
        manual={"manager": "b"},
        managers={"line": ("b", "a"), "matrix": ("d",)},
    )
    turned = with_leader(led, "b", "a")
    assert (turned.manager_id, turned.manual, turned.managers) == (
        "a",
        {"manager": "a"},
        {"line": ("a",), "matrix": ("d",)},
    )
    assert turned.attributes == {"manager": "a", "title": "b"}


def test_accounts_are_compared_side_by_side() -> None:
    one = account(id="a", attributes={"title": "Coder"}, grants=(Grant("learner", "tenant", "hand"),))
    other = account(id="b", attributes={"nickName": "B"})
    shown = {item.attribute: (item.first, item.second, item.third) for item in compared(one, other, one)}
    assert (shown["title"], shown["nickName"]) == (("Coder", None, "Coder"), (None, "B", None))
    assert [(item.role, item.scope) for item in gained(other, one)] == [("learner", "tenant")]
    assert gained(one, other) == ()


def test_numbers_of_two_numberings_are_no_contradiction() -> None:
    one = [kept(record(OKTA, {"title": "COO"}), "a", ("employee:us", "employee", "1"))]
    other = [kept(record(HUBSPOT, {"title": "coo"}), "b", ("employee:eu", "employee", "2"))]
    found = {(item.what, item.numbering): item.verdict for item in evidence(one, other, rules())}
    assert found == {
        ("employeeNumber", "eu"): "one-sided",
        ("employeeNumber", "us"): "one-sided",
        ("title", ""): AGREES,
    }
    same = [kept(record(HUBSPOT), "b", ("employee:us", "employee", "2"))]
    assert evidence(one, same, rules())[0].verdict == DIFFERS
