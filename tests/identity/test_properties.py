"""What holds for any people in any order: the same words make the same account, and deriving again changes nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from app.identity.changes import diff
from app.identity.derive import derive
from app.identity.events import events
from app.identity.explain import explain
from app.identity.lifecycle import standing
from app.identity.managers import resolve
from app.identity.model import EMPTY, Account, ManagerRef, OwnershipRule, Record, Rules
from app.identity.ownership import own, voices

from .people import ENTRA, HUBSPOT, INSTRUCTOR, LATER, LOGIN, NOW, OKTA, WORKDAY, account, by_number, mapping, rules

SOURCES = (OKTA, ENTRA, WORKDAY, HUBSPOT, LOGIN)
FOUND = by_number(n1="ada", n2="bo", n3="anna", n4="cy")
ANCESTORS = {"cy": frozenset({"anna"})}

values = st.sampled_from([EMPTY, None, "a", "b", "D1", 7, ["a", "D1"]])
attributes = st.sampled_from(["title", "userName", "emails.work", "emails.home", "nickName", "shoeSize"])
refs = st.builds(
    ManagerRef,
    keys=st.lists(st.tuples(st.just("employee:default"), st.sampled_from("12345")), min_size=1, max_size=2).map(tuple),
    kind=st.sampled_from(["line", "matrix", "functional"]),
    primary=st.booleans(),
)
managers = st.none() | st.lists(refs, max_size=3).map(tuple)


@st.composite
def people(draw: st.DrawFn) -> list[Record]:
    """All records of one person."""
    return [
        Record(
            id=f"r{number}",
            source_id=draw(st.sampled_from(SOURCES)).id,
            account_id=None,
            active=draw(st.booleans()),
            voice=draw(st.dictionaries(attributes, values, max_size=4)),
            managers=draw(managers),
            groups=frozenset(draw(st.sets(st.sampled_from(["g1", "g2"])))),
            deleted=draw(st.booleans()),
        )
        for number in range(draw(st.integers(0, 5)))
    ]


@st.composite
def tenants(draw: st.DrawFn) -> Rules:
    entries = st.lists(st.sampled_from(["idp", "hris", "crm", "login", "entra", "okta"]), unique=True, max_size=4).map(
        tuple
    )
    ownership = draw(st.dictionaries(attributes | st.just("manager"), st.builds(OwnershipRule, entries, entries)))
    retired = draw(st.sets(st.sampled_from([source.id for source in SOURCES]), max_size=2))
    maps = {"title": {"D1": "Sales", "7": "Seven"}}
    return rules(
        *(replace(source, retired=source.id in retired, value_maps=maps) for source in SOURCES),
        ownership=ownership,
        mappings=(mapping("m1", "group", "g1"), mapping("m2", "attribute", "sales", INSTRUCTOR, attribute="title")),
        highest_role_wins=draw(st.booleans()),
    )


def derived(before: Account | None, records: list[Record], by: Rules, now: Any = NOW) -> Account:
    return derive(before, "anna", records, FOUND, ANCESTORS, by, now).account


@given(people(), tenants(), st.data())
def test_the_order_of_records_never_decides(records: list[Record], by: Rules, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(records))
    before = derived(None, data.draw(people()), by)
    assert own(records, {}, before, by, LATER) == own(shuffled, {}, before, by, LATER)
    assert resolve(records, FOUND, ANCESTORS, "anna", by) == resolve(shuffled, FOUND, ANCESTORS, "anna", by)
    assert standing(records, False, by) == standing(shuffled, False, by)
    assert derived(before, records, by, LATER) == derived(before, shuffled, by, LATER)


@given(people(), people(), tenants(), tenants())
def test_deriving_again_changes_nothing(past: list[Record], records: list[Record], then: Rules, by: Rules) -> None:
    once = derived(derived(None, past, then), records, by, LATER)
    again = derived(once, records, by, LATER.replace(year=2027))
    assert again == once
    assert events(once, again, diff(once, again)) == ()


@given(people(), tenants())
def test_every_value_has_the_lineage_of_the_voice_that_wins(records: list[Record], by: Rules) -> None:
    person = derived(None, records, by)
    for name in set(person.attributes) - {"manager"}:
        winner, *others = voices(name, records, {}, by)
        assert winner.wins
        assert not any(voice.wins for voice in others)
        assert (winner.source_id, winner.record_id) == (person.lineage[name].source_id, person.lineage[name].record_id)
        assert winner.value == person.attributes[name]
        assert all(voice.why for voice in others)


@given(people(), tenants())
def test_nobody_leads_himself_or_his_superior(records: list[Record], by: Rules) -> None:
    found = resolve(records, FOUND, ANCESTORS, "anna", by)
    leaders = {leader for ids in found.by_kind.values() for leader in ids}
    assert not leaders & {"anna", "cy"}
    assert found.primary in leaders | {None}
    assert (found.primary is None) == (not leaders)


@settings(max_examples=50)
@given(people(), tenants())
def test_every_account_can_be_explained(records: list[Record], by: Rules) -> None:
    found = derive(account(manual={"title": "x"}), "anna", records, FOUND, ANCESTORS, by, NOW)
    told = explain(found.account, records, by, found.standing).as_dict()
    assert {reason["name"] for reason in told["attributes"]} == set(found.account.lineage)
