"""What people are called, and listed by."""

from __future__ import annotations

import pytest

from app.identity.naming import LISTED, group_sorted_by, name_of, sorted_by


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ({"displayName": "Ada", "givenName": "Augusta"}, "Ada"),
        ({"givenName": "Ada", "familyName": "Lovelace"}, "Ada Lovelace"),
        ({"userName": "ada", "emails.work": "ada@acme.example"}, "ada"),
        ({"emails.work": "ada@acme.example"}, "ada@acme.example"),
        ({}, "the id"),
    ],
)
def test_a_name_is_the_best_that_is_known(said: dict[str, str], name: str) -> None:
    assert name_of("the id", said) == name


def test_people_are_listed_by_folded_names() -> None:
    assert sorted_by({"displayName": "ÅSA Öberg", "familyName": "Öberg"}) == ("åsa öberg", "öberg")
    assert sorted_by({}) == ("", "")


def test_a_name_of_any_length_fits_an_index() -> None:
    """PostgreSQL refuses a b-tree row above some 2,700 bytes, and with it the whole write."""
    long = "\U0001f600" * 5_000
    assert all(len(name.encode()) <= 4 * LISTED for name in (*sorted_by({"displayName": long, "familyName": long}),))
    assert len(group_sorted_by(long)) == LISTED
