from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.identity.folding import fold, spelled, words


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@pytest.mark.parametrize(
    ("one", "other"),
    [("ANNA@Example.com ", "anna@example.com"), ("Straße", "STRASSE"), ("\uff41nna", "anna"), ("e\u0301", "É")],
)
def test_spellings_that_people_take_for_one_are_equal(one: str, other: str) -> None:
    assert fold(one) == fold(other)


def test_a_number_is_spelled_and_a_truth_is_not() -> None:
    assert [spelled(value) for value in (1001, " 7 ", "", True, None, ["7"])] == ["1001", "7", None, None, None, None]


def test_a_list_is_met_by_each_of_its_elements() -> None:
    assert words(["Sales ", 7, True, None]) == {"sales", "7", "true"}
