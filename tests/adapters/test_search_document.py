"""The search document: what filters look in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.adapters.search_document import fold_value, instant, search_document
from scim.schemas import CORE_GROUP, CORE_USER, ENTERPRISE_USER, Attribute

TENANT = "0190a000-0000-7000-8000-000000000001"
SOURCE = "0190a000-0000-7000-8000-000000000002"


def made(kind: str, document: dict) -> dict:
    return search_document(kind, document, tenant_id=TENANT, source_id=SOURCE)


def test_names_are_lower_case_and_text_is_folded_unless_its_case_counts() -> None:
    found = made(
        "User",
        {
            "schemas": [CORE_USER, ENTERPRISE_USER],
            "userName": "Ada.Straße@Example.com",
            "externalId": "Ext-7",
            "active": False,
            "name": {"givenName": "ADA"},
            "emails": [{"value": "Ada@Example.com", "type": "Work", "primary": True}],
            "profileUrl": "https://example.com/Ada",
            ENTERPRISE_USER: {"employeeNumber": "E-77", "manager": {"value": "AbC"}},
        },
    )
    assert found == {
        "$t": TENANT,
        "$s": SOURCE,
        "schemas": [CORE_USER, ENTERPRISE_USER],
        "username": "ada.strasse@example.com",
        "externalid": "Ext-7",
        "active": False,
        "name": {"givenname": "ada"},
        "emails": [{"value": "ada@example.com", "type": "work", "primary": True}],
        "profileurl": "https://example.com/Ada",
        ENTERPRISE_USER.lower(): {"employeenumber": "e-77", "manager": {"value": "AbC"}},
    }


def test_what_is_hidden_computed_unknown_or_empty_stays_out() -> None:
    found = made(
        "User",
        {
            "userName": "ada",
            "id": "x",
            "meta": {"resourceType": "User"},
            "password": "secret",
            "groups": [{"value": "g"}],
            "shoeSize": 42,
            "title": "",
            "nickName": None,
            "emails": [],
            "phoneNumbers": [{"value": "", "type": None}],
            "name": {"givenName": ""},
            "urn:example:unknown": {"a": "b"},
        },
    )
    assert found == {"$t": TENANT, "$s": SOURCE, "username": "ada"}


def test_a_group_is_found_by_its_name() -> None:
    found = made("Group", {"schemas": [CORE_GROUP], "displayName": "Crew", "members": []})
    assert found == {"$t": TENANT, "$s": SOURCE, "schemas": [CORE_GROUP], "displayname": "crew"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-01T10:00:00Z", "2026-03-01T10:00:00.000000Z"),
        ("2026-03-01T10:00:00+02:00", "2026-03-01T08:00:00.000000Z"),
        ("2026-03-01T10:00:00.5", "2026-03-01T10:00:00.500000Z"),
        ("0001-01-01T00:00:00+05:00", "0001-01-01T00:00:00.000000Z"),
        ("9999-12-31T23:59:59-05:00", "9999-12-31T23:59:59.999999Z"),
        ("soon", "soon"),
    ],
)
def test_an_instant_has_one_spelling(text: str, expected: str) -> None:
    assert instant(text) == expected


@given(
    st.lists(
        st.datetimes(timezones=st.integers(-14, 14).map(lambda hours: timezone(timedelta(hours=hours)))).filter(
            lambda at: 1 < at.year < 9999
        ),
        min_size=2,
        max_size=6,
    )
)
def test_text_order_of_instants_is_time_order(moments: list[datetime]) -> None:
    assert sorted(moments, key=instant) == sorted(moments)
    assert len({instant(at) for at in moments}) == len({at.astimezone(UTC) for at in moments})


def test_numbers_and_truths_stay_as_they_are() -> None:
    assert fold_value(7, Attribute("size", "integer")) == 7
    assert fold_value(True, Attribute("active", "boolean")) is True
    assert fold_value("2026-03-01T10:00:00Z", Attribute("at", "dateTime")) == "2026-03-01T10:00:00.000000Z"
