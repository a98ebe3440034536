"""Places in answers."""

from __future__ import annotations

from typing import Any

import pytest

from app.checking.places import ENTERPRISE, Includes, at, same

BODY = {
    "active": False,
    "emails": [{"type": "home", "value": "h"}, {"type": "work", "value": "w"}],
    "name": {"givenName": "Ann"},
    "title": "",
    "members": [{"value": "1"}, {"value": "2"}],
    ENTERPRISE: {"manager": {"value": "m"}},
}


@pytest.mark.parametrize(
    ("place", "found"),
    [
        ("active", False),
        ("name.givenName", "Ann"),
        ("name.middleName", None),
        ("title", None),
        ("emails[work].value", "w"),
        ("emails[other].value", None),
        ("emails#", 2),
        ("roles#", 0),
        ("members.value", frozenset({"1", "2"})),
        ("roles.value", None),
        ("enterprise:manager.value", "m"),
        ("enterprise:department", None),
    ],
)
def test_a_place_is_read(place: str, found: object) -> None:
    assert at(BODY, place) == found
    assert type(at(BODY, place)) is type(found)


def test_nothing_is_read_of_no_body() -> None:
    assert at(None, "name.givenName") is None
    assert at(None, "Resources#") == 0
    assert at([], "enterprise:department") is None


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        (1, 1, True),
        (1, True, False),
        ("1", 1, False),
        ("False", False, False),
        (None, None, True),
        (frozenset("ab"), frozenset("ba"), True),
        (frozenset("ab"), frozenset("a"), False),
        (frozenset("abc"), Includes(frozenset("ab")), True),
        (frozenset("b"), Includes(frozenset("ab")), False),
        (None, Includes(frozenset("ab")), False),
        (None, frozenset("ab"), False),
    ],
)
def test_values_are_compared_with_their_type(found: Any, expected: Any, equal: bool) -> None:
    assert same(found, expected) is equal
