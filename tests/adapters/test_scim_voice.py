"""A SCIM document in the account's terms."""

from __future__ import annotations

from typing import Any

import pytest

from app.adapters.scim_voice import spoken
from app.identity.attributes import is_known
from app.identity.model import ManagerRef, Source, SourceKind
from app.store.voices import decode, encode
from scim.schemas import ENTERPRISE_USER

OKTA = Source(id="0190a000-0000-7000-8000-000000000002", name="okta", kind=SourceKind.IDP, system="okta")
FULL: dict[str, Any] = {
    "userName": "ada@example.com",
    "displayName": "Ada L.",
    "nickName": "Ada",
    "profileUrl": "https://example.com/ada",
    "title": "Engineer",
    "userType": "Employee",
    "preferredLanguage": "en",
    "locale": "en-GB",
    "timezone": "Europe/London",
    "active": True,
    "name": {
        "formatted": "Dr Ada King Lovelace Jr",
        "givenName": "Ada",
        "middleName": "King",
        "familyName": "Lovelace",
        "honorificPrefix": "Dr",
        "honorificSuffix": "Jr",
    },
    "emails": [{"value": "ada@example.com", "type": "work", "primary": True}, {"value": "a@home.org", "type": "home"}],
    "phoneNumbers": [{"value": "+44 1", "type": "Mobile"}],
    "addresses": [{"type": "work", "locality": "London", "country": "GB", "primary": True}],
    "roles": [{"value": "Admin", "primary": True}, {"value": " Teacher "}],
    "entitlements": [{"value": "Course-7", "type": "course"}],
    ENTERPRISE_USER: {
        "employeeNumber": "E-77",
        "costCenter": "4130",
        "organization": "Analytical",
        "division": "Engines",
        "department": "R&D",
        "manager": {"value": "E-12"},
    },
}


def test_everything_that_a_document_can_say() -> None:
    said = spoken(FULL, OKTA)
    assert said.values == {
        "userName": "ada@example.com",
        "displayName": "Ada L.",
        "nickName": "Ada",
        "profileUrl": "https://example.com/ada",
        "title": "Engineer",
        "userType": "Employee",
        "preferredLanguage": "en",
        "locale": "en-GB",
        "timezone": "Europe/London",
        "formattedName": "Dr Ada King Lovelace Jr",
        "givenName": "Ada",
        "middleName": "King",
        "familyName": "Lovelace",
        "honorificPrefix": "Dr",
        "honorificSuffix": "Jr",
        "emails.work": "ada@example.com",
        "emails.home": "a@home.org",
        "phoneNumbers.mobile": "+44 1",
        "addresses.work": {"locality": "London", "country": "GB"},
        "employeeNumber": "E-77",
        "costCenter": "4130",
        "organization": "Analytical",
        "division": "Engines",
        "department": "R&D",
    }
    assert said.active
    assert said.roles == {"admin", "teacher"}
    assert said.entitlements == {"course-7"}
    assert said.managers == (ManagerRef((("employee:default", "e-12"),)),)
    assert all(is_known(name) for name in said.values)


def test_absent_null_and_empty_are_silence() -> None:
    silent = {
        "userName": "ada",
        "title": "",
        "nickName": None,
        "emails": [],
        "name": {},
        ENTERPRISE_USER: {"manager": {}},
    }
    said = spoken(silent, OKTA)
    assert said.values == {"userName": "ada"}
    assert said.managers is None
    assert said.active
    assert not said.roles


def test_inactive_is_said_aloud() -> None:
    assert not spoken({"userName": "ada", "active": False}, OKTA).active


@pytest.mark.parametrize(
    ("emails", "expected"),
    [
        ([{"value": "a"}], {"emails.work": "a"}),
        ([{"value": "a"}, {"value": "b", "primary": True}], {"emails.work": "b", "emails.other": "a"}),
        ([{"value": "a", "primary": True}, {"value": "b", "type": "work"}], {"emails.work": "b", "emails.other": "a"}),
        ([{"value": "a"}, {"value": "b"}], {"emails.other": "a"}),
        ([{"value": "a", "type": "WORK"}, {"value": "b", "type": "work", "primary": True}], {"emails.work": "b"}),
        ([{"type": "work"}, {"value": "b", "type": "work"}], {"emails.work": "b"}),
    ],
)
def test_elements_become_attributes_by_type(emails: list[dict[str, Any]], expected: dict[str, str]) -> None:
    assert spoken({"emails": emails}, OKTA).values == expected


@pytest.mark.parametrize(
    ("value", "keys"),
    [
        (
            "0190A000-0000-7000-8000-000000000009",
            (
                ("record", "0190a000-0000-7000-8000-000000000009"),
                ("employee:default", "0190a000-0000-7000-8000-000000000009"),
            ),
        ),
        ("Boss@Example.com", (("employee:default", "boss@example.com"), ("email", "boss@example.com"))),
        ("4711", (("employee:default", "4711"),)),
    ],
)
def test_a_manager_is_sought_by_every_key_that_the_value_can_be(value: str, keys: tuple[tuple[str, str], ...]) -> None:
    said = spoken({ENTERPRISE_USER: {"manager": {"value": value}}}, OKTA)
    assert said.managers == (ManagerRef(keys),)


def test_a_source_without_numbering_names_no_manager_by_number() -> None:
    source = Source(id="s", name="okta", kind=SourceKind.IDP, system="okta", employee_namespace=None)
    assert spoken({ENTERPRISE_USER: {"manager": {"value": "4711"}}}, source).managers is None


def test_the_voice_survives_its_column() -> None:
    said = spoken(FULL, OKTA)
    assert decode(encode(said)) == said
