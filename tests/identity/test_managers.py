from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from app.identity.managers import Managers, resolve
from app.identity.model import ManagerRef, OwnershipRule, Record

from .people import HUBSPOT, OKTA, WORKDAY, by_number, led_by, record, rules

FOUND = by_number(n1="ada", n2="bo", n3="cy")


def led(*refs: ManagerRef) -> Record:
    return record(WORKDAY, managers=refs)


def managers(*records: Record, ancestors: dict[str, frozenset[str]] | None = None) -> Managers:
    return resolve(records, FOUND, ancestors or {}, "anna", rules())


def test_many_managers_become_one_primary_and_the_others_are_kept() -> None:
    found = managers(led(led_by("1", "matrix"), led_by("2"), led_by("3", "functional", primary=True)))
    assert found.primary == "cy"
    assert found.by_kind == {"functional": ("cy",), "line": ("bo",), "matrix": ("ada",)}


def test_without_a_mark_the_line_manager_is_primary() -> None:
    assert managers(led(led_by("1", "functional"), led_by("2", "line"))).primary == "bo"


@given(st.permutations([led_by("3", "matrix"), led_by("2", "functional"), led_by("1", "matrix"), led_by("9")]))
def test_managers_without_a_mark_in_any_order_give_the_same_answer(refs: list[ManagerRef]) -> None:
    found = managers(led(*refs))
    assert found == managers(led(*sorted(refs, key=lambda ref: ref.keys)))
    assert found.primary == "bo"


def test_the_first_key_that_leads_to_somebody_names_the_manager() -> None:
    ref = ManagerRef(keys=(("email", "nobody@example.com"), ("employee:default", "2"), ("employee:default", "1")))
    assert managers(led(ref)).primary == "bo"


def test_a_manager_who_is_not_known_yet_is_remembered_by_his_keys() -> None:
    found = managers(led(led_by("9"), led_by("1", "matrix")))
    assert found.primary == "ada"
    assert [(namespace, value) for namespace, value, led in found.named if not led] == [("employee:default", "9")]
    assert found.named == (("employee:default", "1", True), ("employee:default", "9", False))


def test_a_cycle_is_refused_and_the_next_manager_counts() -> None:
    found = managers(led(led_by("1"), led_by("2", "matrix")), ancestors={"ada": frozenset({"zoe", "anna"})})
    assert (found.primary, found.refused) == ("bo", ("ada",))


def test_nobody_leads_himself() -> None:
    found = resolve([led(led_by("1"))], FOUND, {}, "ada", rules())
    assert (found.primary, found.by_kind, found.refused) == (None, {}, ("ada",))


def test_the_owner_of_the_attribute_decides_whose_managers_count() -> None:
    found = managers(record(OKTA, managers=(led_by("1"),)), led(led_by("2")))
    assert (found.primary, found.source_id, found.record_id) == ("bo", WORKDAY.id, "r-workday")


def test_silence_about_managers_passes_to_the_next_source_and_empty_wins() -> None:
    okta = record(OKTA, managers=(led_by("1"),))
    assert managers(okta, record(WORKDAY)).primary == "ada"
    empty = managers(okta, led())
    assert (empty.primary, empty.source_id) == (None, WORKDAY.id)


def test_an_active_record_speaks_before_an_inactive_one() -> None:
    ended = record(WORKDAY, id="a", active=False, managers=(led_by("1"),))
    current = record(WORKDAY, id="b", managers=(led_by("2"),))
    assert managers(ended, current).primary == managers(current, ended).primary == "bo"


def test_a_source_that_does_not_own_managers_names_none() -> None:
    by = rules(ownership={"manager": OwnershipRule(owners=("hris",))})
    assert resolve([record(HUBSPOT, managers=(led_by("1"),))], FOUND, {}, "anna", by) == Managers()
