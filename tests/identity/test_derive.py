from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from app.identity.derive import Derived, derive
from app.identity.model import Account, Lineage, Record, Rules, Status

from .people import ADMIN, HUBSPOT, LATER, NOW, OKTA, WORKDAY, by_number, grant, led_by, mapping, record, rules

FOUND = by_number(n1="ada", n2="bo")
MAPPED = rules(mappings=(mapping("m", "group", "g"),))


def derived(
    *records: Record,
    before: Account | None = None,
    by: Rules = MAPPED,
    now: datetime = NOW,
    ancestors: dict[str, frozenset[str]] | None = None,
) -> Derived:
    return derive(before, "anna", records, FOUND, ancestors or {}, by, now)


def anna(**changes: Any) -> Account:
    return replace(derived(ENROLLED, HIRED).account, **changes)


ENROLLED = record(OKTA, {"userName": "anna"}, groups=frozenset({"g"}))
HIRED = record(WORKDAY, {"title": "Head"}, managers=(led_by("1"), led_by("2", "matrix")))
FIRED = replace(HIRED, active=False)


def test_one_account_follows_from_what_all_sources_say() -> None:
    account = anna()
    assert account.status == Status.ACTIVE
    assert account.attributes == {"userName": "anna", "title": "Head", "manager": "ada"}
    assert account.roles == ("learner",)
    assert (account.manager_id, account.managers) == ("ada", {"line": ("ada",), "matrix": ("bo",)})
    assert account.lineage["manager"] == Lineage(WORKDAY.id, "r-workday", "owner hris", NOW)
    assert (account.affiliation, account.inactive_since) == ("employee", None)


def test_deriving_again_what_was_derived_changes_nothing() -> None:
    for records in ([ENROLLED, HIRED], [ENROLLED, FIRED], []):
        once = derived(*records).account
        assert derived(*records, before=once, now=LATER).account == once


def test_a_leaver_keeps_attributes_and_loses_the_effect_of_roles() -> None:
    account = derived(ENROLLED, FIRED, before=anna(), now=LATER).account
    assert (account.status, account.inactive_since) == (Status.INACTIVE, LATER)
    assert account.attributes["title"] == "Head"
    assert account.roles == ()
    assert [held.role for held in account.grants] == ["learner"]


def test_inactive_since_is_kept_while_inactive_and_cleared_on_return() -> None:
    left = derived(ENROLLED, FIRED).account
    assert derived(ENROLLED, FIRED, before=left, now=LATER).account.inactive_since == NOW
    assert derived(ENROLLED, HIRED, before=left, now=LATER).account.inactive_since is None


def test_what_was_decided_by_hand_stays() -> None:
    before = anna(
        manual={"title": "Queen"}, suspended=True, version=7, grants=(grant(ADMIN), grant(ADMIN, "mapping:gone"))
    )
    account = derived(ENROLLED, HIRED, before=before).account
    assert account.attributes["title"] == "Queen"
    assert (account.status, account.suspended, account.version) == (Status.INACTIVE, True, 7)
    assert [held.rule for held in account.grants] == ["hand", "mapping:m"]


def test_a_manager_set_by_hand_stays_above_the_sources() -> None:
    account = derived(ENROLLED, HIRED, before=anna(manual={"manager": "zoe"}), now=LATER).account
    assert (account.manager_id, account.attributes["manager"]) == ("zoe", "zoe")
    assert account.managers == {"line": ("ada",), "matrix": ("bo",)}
    assert account.lineage["manager"] == Lineage(None, None, "by hand", LATER)
    nobody = derived(ENROLLED, HIRED, before=anna(manual={"manager": None})).account
    assert nobody.manager_id is None
    assert "manager" not in nobody.attributes


def test_a_manager_by_hand_who_stands_below_is_refused() -> None:
    before = anna(manual={"manager": "zoe"})
    found = derived(HIRED, before=before, ancestors={"zoe": frozenset({"anna"})})
    assert (found.account.manager_id, found.managers.refused) == (None, ("zoe",))


def test_the_manager_of_a_retired_source_is_left_behind() -> None:
    by = rules(replace(WORKDAY, retired=True))
    account = derived(ENROLLED, HIRED, before=anna(), by=by, now=LATER).account
    assert (account.manager_id, account.managers) == ("ada", {"line": ("ada",), "matrix": ("bo",)})
    assert account.lineage["manager"] == Lineage(WORKDAY.id, "r-workday", "left behind", NOW)
    circle = derived(ENROLLED, HIRED, before=anna(), by=by, ancestors={"ada": frozenset({"anna"})})
    assert (circle.account.manager_id, circle.managers.refused) == (None, ("ada",))


def test_a_source_that_falls_silent_takes_its_manager_back() -> None:
    account = derived(ENROLLED, replace(HIRED, managers=None), before=anna()).account
    assert account.manager_id is None
    assert account.managers == {}
    assert "manager" not in account.lineage


def test_the_affiliation_is_the_live_one_and_employee_first() -> None:
    customer = record(HUBSPOT)
    assert derived(ENROLLED, customer).account.affiliation == "employee"
    assert derived(replace(ENROLLED, active=False), customer).account.affiliation == "customer"
    assert derived(replace(customer, active=False)).account.affiliation == "customer"


def test_an_attribute_mapping_sees_the_value_that_won() -> None:
    by = rules(mappings=(mapping("m", "attribute", "head", attribute="title"),))
    assert derived(record(OKTA, {"title": "clerk"}), HIRED, by=by).account.roles == ("learner",)


def test_the_standing_tells_why() -> None:
    assert "As employee: the HR system workday says inactive." in derived(ENROLLED, FIRED).standing.reasons
