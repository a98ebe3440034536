"""PATCH as a pure function: RFC 7644 §3.5.2, and the shapes that identity providers really send."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from scim import errors
from scim.patch import Patched, apply, read_operations
from scim.schemas import CORE_GROUP, CORE_USER, ENTERPRISE_USER, LMS_USER
from scim.store import Document, Limits, Member, MemberChange

WORK = {"type": "work", "value": "w@x", "primary": True}
ANN: Document = {
    "schemas": [CORE_USER, LMS_USER],
    "userName": "ann",
    "active": True,
    "name": {"givenName": "Ann", "familyName": "Lee"},
    "emails": [WORK],
}
STAFF: Document = {"schemas": [CORE_GROUP], "displayName": "Staff"}


def run(*operations: dict[str, Any], kind: Any = "User", document: Document = ANN, **options: Any) -> Patched:
    before = copy.deepcopy(document)
    read, _ = read_operations({"Operations": list(operations)}, Limits())
    try:
        return apply(kind, document, read, **options)
    finally:
        assert document == before


def members(*operations: dict[str, Any], present: tuple[Member, ...] = ()) -> MemberChange:
    return run(*operations, kind="Group", document=STAFF, present=lambda: present).members


@pytest.mark.parametrize(
    ("operation", "name", "value"),
    [
        ({"op": "Replace", "path": "active", "value": "False"}, "active", False),
        ({"op": "add", "path": "active", "value": "false"}, "active", False),
        ({"OP": "REPLACE", "Path": "Active", "Value": False}, "active", False),
        ({"op": "replace", "value": {"active": False}}, "active", False),
        ({"op": "replace", "path": "displayName", "value": 7}, "displayName", "7"),
        ({"op": "replace", "path": "name.givenName", "value": ""}, "name", {"familyName": "Lee"}),
        (
            {"op": "replace", "path": "name", "value": {"givenName": "B"}},
            "name",
            {"givenName": "B", "familyName": "Lee"},
        ),
        ({"op": "remove", "path": "name"}, "name", None),
        ({"op": "replace", "path": "name", "value": None}, "name", None),
        ({"op": "replace", "value": {"name.givenName": "B"}}, "name", {"givenName": "B", "familyName": "Lee"}),
        ({"op": "add", "value": {f"{CORE_USER}:title": "T"}}, "title", "T"),
        ({"op": "add", "value": {f"{ENTERPRISE_USER}:employeeNumber": "1"}}, ENTERPRISE_USER, {"employeeNumber": "1"}),
        ({"op": "add", "value": {ENTERPRISE_USER: {"Department": "D"}}}, ENTERPRISE_USER, {"department": "D"}),
        ({"op": "add", "path": ENTERPRISE_USER, "value": {"department": "D"}}, ENTERPRISE_USER, {"department": "D"}),
        ({"op": "add", "path": f"{ENTERPRISE_USER}.department", "value": "D"}, ENTERPRISE_USER, {"department": "D"}),
        ({"op": "add", "path": "manager", "value": "7"}, ENTERPRISE_USER, {"manager": {"value": "7"}}),
        (
            {"op": "Add", "path": f"{ENTERPRISE_USER}:manager", "value": [{"$ref": "r", "value": "7"}]},
            ENTERPRISE_USER,
            {"manager": {"$ref": "r", "value": "7"}},
        ),
        (
            {"op": "replace", "path": "emails", "value": {"value": "n", "type": "work"}},
            "emails",
            [{"value": "n", "type": "work"}],
        ),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": "n"}, "emails", [{**WORK, "value": "n"}]),
        ({"op": "add", "path": "emails", "value": [{"value": "W@X"}]}, "emails", [{**WORK, "value": "W@X"}]),
        (
            {"op": "Add", "path": 'emails[type eq "home"].value', "value": "h"},
            "emails",
            [WORK, {"type": "home", "value": "h"}],
        ),
        (
            {"op": "add", "path": 'emails[type eq "home"]', "value": {"value": "h", "primary": "True"}},
            "emails",
            [{**WORK, "primary": False}, {"type": "home", "value": "h", "primary": True}],
        ),
        (
            {"op": "add", "path": 'addresses[type eq "work"].country', "value": "c"},
            "addresses",
            [{"type": "work", "country": "c"}],
        ),
        (
            {"op": "replace", "path": 'roles[primary eq "True"].display', "value": "d"},
            "roles",
            [{"primary": True, "display": "d"}],
        ),
        ({"op": "replace", "path": 'emails[type eq "work"].value', "value": ""}, "emails", None),
        ({"op": "remove", "path": 'emails[type eq "work"].value', "value": "other"}, "emails", None),
        ({"op": "remove", "path": 'emails[type eq "home"]'}, "emails", [WORK]),
        ({"op": "remove", "path": "emails", "value": [{"value": "w@x"}]}, "emails", None),
        (
            {"op": "Add", "path": "roles", "value": [{"value": '{"id":"0","value":"25","displayName":"R"}'}]},
            "roles",
            [{"value": "25", "display": "R"}],
        ),
    ],
)
def test_effect(operation: dict[str, Any], name: str, value: Any) -> None:
    assert run(operation).document.get(name) == value


@pytest.mark.parametrize("value", ["", None, [], [{"value": ""}]])
def test_an_empty_manager_clears_the_manager(value: Any) -> None:
    document = {**ANN, ENTERPRISE_USER: {"manager": {"value": "7"}}}
    patched = run({"op": "Replace", "path": f"{ENTERPRISE_USER}:manager", "value": value}, document=document)
    assert ENTERPRISE_USER not in patched.document
    assert patched.document["schemas"] == [CORE_USER, LMS_USER]


def test_a_new_manager_does_not_keep_the_reference_of_the_old_one() -> None:
    document = {**ANN, ENTERPRISE_USER: {"manager": {"value": "7", "$ref": "…/7"}}}
    patched = run({"op": "replace", "path": "manager", "value": {"value": "8"}}, document=document)
    assert patched.document[ENTERPRISE_USER]["manager"] == {"value": "8"}


def test_a_new_extension_is_listed_in_schemas() -> None:
    patched = run({"op": "add", "path": "manager", "value": "7"})
    assert patched.document["schemas"] == [CORE_USER, ENTERPRISE_USER, LMS_USER]


def test_a_second_operation_finds_the_element_that_the_first_one_made() -> None:
    emails = run(
        {"op": "add", "path": 'emails[type eq "home"].value', "value": "h"},
        {"op": "replace", "path": 'emails[type eq "home"].display', "value": "d"},
    ).document["emails"]
    assert emails == [WORK, {"type": "home", "value": "h", "display": "d"}]


def test_what_is_unknown_is_listed_and_the_rest_is_done() -> None:
    patched = run(
        {"op": "replace", "path": "adreses", "value": "x"},
        {"op": "replace", "value": {"urn:x:custom:User": {"A": 1}, "zz": 1, "title": "T", "id": "own", "groups": []}},
        {"op": "add", "path": "roles", "value": [{"value": "r", "displayName": "R"}]},
    )
    assert patched.document["title"] == "T"
    assert patched.document["roles"] == [{"value": "r"}]
    assert patched.ignored == ("adreses", "urn:x:custom:User:A", "zz", "roles.displayName")


def test_what_stands_beside_op_is_listed() -> None:
    _, beside = read_operations({"Operations": [{"op": "add", "name": "n", "path": "title", "value": "T"}]}, Limits())
    assert beside == ("Operations.name",)


@pytest.mark.parametrize(
    ("operation", "error"),
    [
        ({"op": "remove"}, errors.NoTarget),
        ({"op": "move", "path": "title", "value": "x"}, errors.InvalidSyntax),
        ({"op": "add", "value": "x"}, errors.InvalidValue),
        ({"op": "add", "path": "title"}, errors.InvalidValue),
        ({"op": "add", "path": 5, "value": 1}, errors.InvalidPath),
        ({"op": "add", "path": "nothing", "value": 1}, errors.InvalidPath),
        ({"op": "add", "path": "emails[type", "value": 1}, errors.InvalidPath),
        ({"op": "add", "path": 'emails[foo eq "x"].value', "value": "x"}, errors.InvalidFilter),
        ({"op": "replace", "path": 'emails[type ne "work"].value', "value": "x"}, errors.NoTarget),
        ({"op": "replace", "path": "active", "value": "perhaps"}, errors.InvalidValue),
        ({"op": "replace", "path": "emails.primary", "value": "555-1234"}, errors.InvalidValue),
        ({"op": "add", "path": "emails", "value": [{"primary": True}, {"primary": True}]}, errors.InvalidValue),
        ({"op": "remove", "path": "userName"}, errors.Mutability),
        ({"op": "replace", "path": "userName", "value": ""}, errors.InvalidValue),
        ({"op": "replace", "path": "id", "value": "x"}, errors.Mutability),
        ({"op": "replace", "value": {"groups": [{"value": "g"}]}}, errors.Mutability),
        ({"op": "add", "path": f"{LMS_USER}:roles", "value": ["admin"]}, errors.Mutability),
        ({"op": "replace", "value": {"title": "a", "Title": "b"}}, errors.InvalidSyntax),
    ],
)
def test_error(operation: dict[str, Any], error: type[errors.ScimError]) -> None:
    with pytest.raises(error):
        run(operation)


@pytest.mark.parametrize(
    "body",
    [{}, {"Operations": []}, {"Operations": {}}, {"Operations": ["x"]}, {"schemas": [CORE_USER], "Operations": [{}]}],
)
def test_what_is_no_patch_op(body: dict[str, Any]) -> None:
    with pytest.raises(errors.InvalidSyntax):
        read_operations(body, Limits())


def test_too_many_operations() -> None:
    with pytest.raises(errors.PayloadTooLarge, match="at most 1 op"):
        read_operations({"Operations": [{"op": "remove", "path": "title"}] * 2}, Limits(patch_operations=1))


A, B, C = Member("a"), Member("b"), Member("c")


@pytest.mark.parametrize(
    ("operations", "change"),
    [
        ([{"op": "Add", "path": "members", "value": [{"$ref": None, "value": "a"}]}], MemberChange(add=(A,))),
        ([{"op": "add", "path": "members", "value": {"value": "a"}}], MemberChange(add=(A,))),
        ([{"op": "add", "path": "members", "value": "a"}], MemberChange(add=(A,))),
        ([{"op": "add", "value": {"members": ["a", "b"]}}], MemberChange(add=(A, B))),
        ([{"op": "Remove", "path": "members", "value": [{"$ref": None, "value": "a"}]}], MemberChange(remove=("a",))),
        ([{"op": "Remove", "path": "members", "value": []}], MemberChange()),
        ([{"op": "remove", "path": 'members[value eq "a"]'}], MemberChange(remove=("a",))),
        ([{"op": "remove", "path": 'members[value eq "a" or value eq "b"]'}], MemberChange(remove=("a", "b"))),
        ([{"op": "remove", "path": "members"}], MemberChange(replace=())),
        ([{"op": "replace", "path": "members", "value": ["a"]}], MemberChange(replace=(A,))),
        ([{"op": "replace", "value": {"id": "g", "displayName": "New"}}], MemberChange()),
        (
            [{"op": "remove", "path": 'members[value eq "a"]'}, {"op": "add", "path": "members", "value": ["b"]}],
            MemberChange(add=(B,), remove=("a",)),
        ),
        (
            [{"op": "remove", "path": "members"}, {"op": "add", "path": "members", "value": ["b"]}],
            MemberChange(replace=(B,)),
        ),
        (
            [{"op": "add", "path": "members", "value": ["b"]}, {"op": "remove", "path": 'members[value eq "b"]'}],
            MemberChange(remove=("b",)),
        ),
    ],
)
def test_members_are_folded_into_one_change(operations: list[dict[str, Any]], change: MemberChange) -> None:
    assert members(*operations) == change


def test_another_filter_looks_at_the_members_that_are_there() -> None:
    there = (Member("a", "User"), Member("g", "Group"))
    assert members({"op": "remove", "path": 'members[type eq "Group"]'}, present=there) == MemberChange(remove=("g",))


def test_a_member_cannot_change_and_needs_a_value() -> None:
    with pytest.raises(errors.Mutability):
        members({"op": "replace", "path": 'members[value eq "a"].value', "value": "b"})
    with pytest.raises(errors.InvalidValue):
        members({"op": "add", "path": "members", "value": [{"display": "x"}]})
