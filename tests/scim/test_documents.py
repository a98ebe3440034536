"""Whatever arrives becomes the one shape that is stored."""

from __future__ import annotations

from typing import Any

import pytest

from scim.documents import normalise
from scim.errors import InvalidSyntax, InvalidValue, ScimError
from scim.schemas import CORE_GROUP, CORE_USER, ENTERPRISE_USER, LMS_USER
from scim.store import Member


def stored(**body: Any) -> dict[str, Any]:
    return normalise("User", {"userName": "ann", **body}).document


@pytest.mark.parametrize(
    ("body", "name", "value"),
    [
        ({"ACTIVE": "True"}, "active", True),
        ({"title": ""}, "title", None),
        ({"title": None, "addresses": None, "roles": [], "name": {"givenName": None}}, "name", None),
        (
            {"emails": {"value": "a", "Type": "work", "primary": "true"}},
            "emails",
            [{"value": "a", "type": "work", "primary": True}],
        ),
        ({"emails": "a"}, "emails", [{"value": "a"}]),
        ({"externalId": 7}, "externalId", "7"),
        ({"password": "secret", "id": "x", "meta": {}, "groups": [{"value": "g"}]}, "password", None),
        ({ENTERPRISE_USER.upper(): {"employeeNumber": 5}}, ENTERPRISE_USER, {"employeeNumber": "5"}),
        ({ENTERPRISE_USER: {"manager": "m"}}, ENTERPRISE_USER, {"manager": {"value": "m"}}),
        ({ENTERPRISE_USER: {"manager": [{"value": "m"}]}}, ENTERPRISE_USER, {"manager": {"value": "m"}}),
        ({ENTERPRISE_USER: {"manager": {"managerId": "m"}}}, ENTERPRISE_USER, {"manager": {"value": "m"}}),
        ({ENTERPRISE_USER: {"manager": ""}}, ENTERPRISE_USER, None),
        (
            {"manager": None, "urn:scim:schemas:extension:enterprise:2.0": {"department": "D"}},
            ENTERPRISE_USER,
            {"department": "D"},
        ),
        ({ENTERPRISE_USER + ":department": "D"}, ENTERPRISE_USER, {"department": "D"}),
        ({LMS_USER: {"accountId": "forged"}}, LMS_USER, None),
        ({"phoneNumbers": [{"value": "+1 (555) 01"}]}, "phoneNumbers", [{"value": "+1 (555) 01"}]),
    ],
)
def test_shape(body: dict[str, Any], name: str, value: Any) -> None:
    assert stored(**body).get(name) == value


def test_schemas_say_what_is_there() -> None:
    legacy = ["urn:scim:schemas:core:2.0", "urn:scim:schemas:extension:enterprise:2.0"]
    assert stored(schemas=legacy)["schemas"] == [CORE_USER, LMS_USER]
    assert stored(schemas=[], manager="m")["schemas"] == [CORE_USER, ENTERPRISE_USER, LMS_USER]


def test_what_is_unknown_is_listed_as_it_was_sent() -> None:
    body = {
        "displayName": "Staff",
        "schemas": [CORE_GROUP, "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"],
        "Colour": "red",
        "urn:x:Group": {"a": 1},
    }
    assert normalise("Group", body).ignored == (body["schemas"][1], "Colour", "urn:x:Group:a")


def test_members_leave_the_document() -> None:
    body = {"displayName": "Staff", "members": ["a", {"value": "b", "displayName": "B", "$ref": None, "type": "user"}]}
    incoming = normalise("Group", body)
    assert "members" not in incoming.document
    assert incoming.members == (Member("a"), Member("b", "User", "B"))
    assert normalise("Group", {"displayName": "Staff"}).members is None
    assert normalise("Group", {"displayName": "Staff", "members": None}).members == ()


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ({"userName": ""}, InvalidValue),
        ({"userName": {"a": 1}}, InvalidValue),
        ({"userName": "a", "UserName": "b"}, InvalidSyntax),
        ({"userName": "a", "name": {"givenName": "A", "GIVENNAME": "B"}}, InvalidSyntax),
        ({"userName": "a", "active": "maybe"}, InvalidValue),
        ({"userName": "a", "name": "Ann Lee"}, InvalidValue),
        ({"userName": "a", "name": 1.5, "name.givenName": "Ann"}, InvalidValue),
        ({"userName": "a", "emails": [{"value": ["x"]}]}, InvalidValue),
        ({"userName": "a", "emails": [{"primary": True}, {"primary": "true"}]}, InvalidValue),
        ({"userName": "a", ENTERPRISE_USER: "x"}, InvalidValue),
        ({"userName": "a", "schemas": [CORE_GROUP]}, InvalidSyntax),
        ({"userName": "a", "schemas": [5]}, InvalidSyntax),
    ],
)
def test_error(body: dict[str, Any], error: type[ScimError]) -> None:
    with pytest.raises(error):
        normalise("User", body)


def test_the_complaint_names_the_place() -> None:
    with pytest.raises(InvalidValue, match=r"^emails\.primary must be true or false\.$"):
        stored(emails=[{"value": "a", "primary": "perhaps"}])
