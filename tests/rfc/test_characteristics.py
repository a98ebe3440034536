"""mutability, returned, uniqueness, required and types by operation (RFC 7643 §2, §3; RFC 7644 §3.3, §3.5)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.rfc.conftest import BASE, PATCH_OP, Door, refused

CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LMS = "urn:rollcall:params:scim:schemas:lms:2.0:User"


# --- readOnly --------------------------------------------------------------------------------------------------------


def test_what_is_read_only_is_ignored_in_post_and_put(door: Door) -> None:
    foreign = {"id": "mine", "meta": {"created": "2001-01-01T00:00:00Z", "version": "x"}, "groups": [{"value": "g"}]}
    made = door.user("ann", **foreign, **{LMS: {"roles": ["admin"], "status": "gone"}})
    assert made["id"] != "mine"
    assert made["meta"]["created"] > "2020"
    assert "groups" not in made
    assert "admin" not in made[LMS].get("roles", [])
    put = door.send("PUT", f"/Users/{made['id']}", {"userName": "ann", **foreign}).get_json()
    assert (put["id"], put["meta"]) == (made["id"], made["meta"])


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "replace", "path": "id", "value": "x"},
        {"op": "remove", "path": "id"},
        {"op": "replace", "path": "meta.created", "value": "2001-01-01T00:00:00Z"},
        {"op": "add", "path": "meta", "value": {"version": "x"}},
        {"op": "add", "path": "groups", "value": [{"value": "g"}]},
        {"op": "remove", "path": "groups"},
        {"op": "replace", "path": f"{LMS}:roles", "value": ["admin"]},
        {"op": "replace", "path": f"{ENTERPRISE}:manager.displayName", "value": "Boss"},
    ],
)
def test_patching_what_is_read_only_is_refused(door: Door, operation: dict[str, Any]) -> None:
    made = door.user("ann", **{ENTERPRISE: {"manager": {"value": "m"}}})
    refused(
        door.patch(f"/Users/{made['id']}", {"op": "add", "path": "title", "value": "T"}, operation), 400, "mutability"
    )
    assert door.read(f"/Users/{made['id']}") == made


def test_a_pathless_patch_may_carry_the_resource_itself(door: Door) -> None:
    """Okta sends a group's own id; what reads back equal is no change."""
    made = door.user("ann")
    value = {"id": made["id"], "schemas": made["schemas"], "meta": made["meta"], "title": "T"}
    assert door.patch(f"/Users/{made['id']}", {"op": "replace", "value": value}).get_json()["title"] == "T"


# --- immutable, required ---------------------------------------------------------------------------------------------


def test_a_member_is_replaced_and_never_changed(door: Door) -> None:
    ann, bob = door.user("ann"), door.user("bob")
    crew = door.group("Crew", ann["id"])
    path = f"/Groups/{crew['id']}"
    for operation in (
        {"op": "replace", "path": f'members[value eq "{ann["id"]}"].value', "value": bob["id"]},
        {"op": "replace", "path": f'members[value eq "{ann["id"]}"].type', "value": "Group"},
        {"op": "remove", "path": f'members[value eq "{ann["id"]}"].value'},
    ):
        refused(door.patch(path, operation), 400, "mutability")
    assert [one["value"] for one in door.read(path)["members"]] == [ann["id"]]


@pytest.mark.parametrize("name", ["userName", "displayName"])
def test_what_is_required_must_be_there_and_stay(door: Door, name: str) -> None:
    kind = "Users" if name == "userName" else "Groups"
    for body in ({}, {name: None}, {name: ""}):
        refused(door.send("POST", f"/{kind}", body), 400, "invalidValue")
    made = door.user() if kind == "Users" else door.group()
    path = f"/{kind}/{made['id']}"
    refused(door.send("PUT", path, {"externalId": "x"}), 400, "invalidValue")
    refused(door.patch(path, {"op": "remove", "path": name}), 400, "mutability")
    for value in (None, ""):
        refused(door.patch(path, {"op": "replace", "path": name, "value": value}), 400, "invalidValue")
        refused(door.patch(path, {"op": "replace", "value": {name: value}}), 400, "invalidValue")
    assert door.read(path) == made


# --- writeOnly, returned ---------------------------------------------------------------------------------------------


def test_a_password_is_accepted_and_never_kept_or_shown(door: Door) -> None:
    made = door.send("POST", "/Users?attributes=password,userName", {"userName": "ann", "password": "S3cret!"})
    assert (made.status_code, "S3cret" in made.text) == (201, False)
    path = f"/Users/{made.get_json()['id']}"
    version = door.get(path).headers["ETag"]
    for answer in (
        door.patch(path, {"op": "replace", "path": "password", "value": "An0ther!"}),
        door.patch(path, {"op": "add", "value": {"password": "An0ther!"}}),
        door.send("PUT", path, {"userName": "ann", "password": "An0ther!"}),
        door.get(f"{path}?attributes=password"),
        door.get("/Users?attributes=password"),
    ):
        assert answer.status_code == 200, answer.text
        assert "password" not in answer.text.replace("schemas", "")
    assert door.get(path).headers["ETag"] == version


def test_what_is_always_returned_survives_every_projection(door: Door) -> None:
    made = door.user("ann")
    for query in ("attributes=title", "excludedAttributes=id,schemas", "attributes=nothing"):
        assert {"id", "schemas"} <= set(door.read(f"/Users/{made['id']}?{query}"))


# --- uniqueness ------------------------------------------------------------------------------------------------------


def test_a_user_name_is_unique_whatever_its_case(door: Door) -> None:
    door.user("ann")
    bob = door.user("bob")
    path = f"/Users/{bob['id']}"
    refused(door.send("POST", "/Users", {"userName": "ANN"}), 409, "uniqueness")
    refused(door.send("PUT", path, {"userName": "Ann"}), 409, "uniqueness")
    refused(door.patch(path, {"op": "replace", "path": "userName", "value": "aNN"}), 409, "uniqueness")
    assert door.read(path) == bob
    assert door.send("PUT", path, {"userName": "BOB"}).get_json()["userName"] == "BOB"  # its own, in another case


def test_an_external_id_may_be_used_twice(door: Door) -> None:
    assert door.user("ann", externalId="7")["externalId"] == door.user("bob", externalId="7")["externalId"]


# --- values ----------------------------------------------------------------------------------------------------------


def test_null_and_empty_are_unassigned(door: Door) -> None:
    made = door.user("ann", title=None, nickName="", emails=[], name={}, phoneNumbers=[{}], displayName="A")
    assert {"title", "nickName", "emails", "name", "phoneNumbers"}.isdisjoint(made)
    path = f"/Users/{made['id']}"
    for value in (None, "", []):
        door.patch(path, {"op": "add", "path": "nickName", "value": "N"})
        assert "nickName" not in door.patch(path, {"op": "replace", "path": "nickName", "value": value}).get_json()


def test_names_are_taken_in_any_case_and_shown_as_in_the_schema(door: Door) -> None:
    body = {"USERNAME": "ann", "Name": {"GIVENNAME": "Ann"}, ENTERPRISE.upper(): {"Department": "D"}}
    made = door.send("POST", "/Users", body).get_json()
    assert (made["userName"], made["name"], made[ENTERPRISE]) == ("ann", {"givenName": "Ann"}, {"department": "D"})
    shown = door.patch(f"/Users/{made['id']}", {"OP": "Replace", "Path": "NAME.familyname", "VALUE": "Lee"}).get_json()
    assert shown["name"] == {"givenName": "Ann", "familyName": "Lee"}


@pytest.mark.parametrize(
    "body",
    [
        {"userName": "ann", "USERNAME": "eve"},
        {"userName": "ann", "name": {"givenName": "A", "GivenName": "B"}},
        {"userName": "ann", "emails": [{"value": "a@x", "Value": "b@x"}]},
        {"userName": "ann", ENTERPRISE: {"department": "A", "DEPARTMENT": "B"}},
        {"userName": "ann", ENTERPRISE: {"department": "A"}, ENTERPRISE.lower(): {"department": "B"}},
        {"userName": "ann", "nic\u212aName": "A"},
        {"userName": "ann", "tïtle": "A"},
        {"userName": "ann", "name": {"givenNäme": "A"}},
    ],
)
def test_a_name_twice_or_not_in_ascii_is_refused(door: Door, body: dict[str, Any]) -> None:
    refused(door.send("POST", "/Users", body), 400, "invalidSyntax")
    made = door.user("bob")
    refused(door.send("PUT", f"/Users/{made['id']}", body), 400, "invalidSyntax")
    refused(door.patch(f"/Users/{made['id']}", {"op": "replace", "value": body}), 400, "invalidSyntax")
    assert door.read("/Users")["Resources"] == [made]


def test_a_path_that_is_not_in_ascii_is_refused(door: Door) -> None:
    made = door.user("ann")
    for path in ("nic\u212aName", "tïtle", 'emails[typ\u00e9 eq "work"]'):
        answer = door.patch(f"/Users/{made['id']}", {"op": "replace", "path": path, "value": "x"})
        refused(answer, 400, "invalidPath")
    assert door.read(f"/Users/{made['id']}") == made


@pytest.mark.parametrize(
    "body",
    [
        {"active": "perhaps"},
        {"active": 1},
        {"title": {"value": "T"}},
        {"title": True},
        {"name": "Ann"},
        {"emails": [5]},
        {"emails": [{"primary": "perhaps", "value": "a@x"}]},
        {"emails": [{"value": "a@x", "primary": True}, {"value": "b@x", "primary": True}]},
        {ENTERPRISE: "Harbour"},
        {ENTERPRISE: {"manager": 7}},
    ],
)
def test_a_wrong_type_is_refused_and_nothing_of_it_kept(door: Door, body: dict[str, Any]) -> None:
    refused(door.send("POST", "/Users", {"userName": "ann", **body}), 400, "invalidValue")
    made = door.user("bob", title="T")
    path = f"/Users/{made['id']}"
    refused(door.send("PUT", path, {"userName": "bob", **body}), 400, "invalidValue")
    refused(door.patch(path, {"op": "replace", "value": {"nickName": "N", **body}}), 400, "invalidValue")
    assert door.read("/Users")["Resources"] == [made]


def test_there_is_one_primary_value_at_most(door: Door) -> None:
    made = door.user("ann", emails=[{"value": "a@x", "primary": True}, {"value": "b@x"}])
    path = f"/Users/{made['id']}"
    shown = door.patch(path, {"op": "replace", "path": 'emails[value eq "b@x"].primary', "value": True}).get_json()
    assert [(one["value"], one.get("primary", False)) for one in shown["emails"]] == [("a@x", False), ("b@x", True)]
    shown = door.patch(path, {"op": "add", "path": "emails", "value": [{"value": "c@x", "primary": True}]}).get_json()
    assert [one["value"] for one in shown["emails"] if one.get("primary")] == ["c@x"]
    two = [{"value": "d@x", "primary": True}, {"value": "e@x", "primary": True}]
    refused(door.patch(path, {"op": "add", "path": "emails", "value": two}), 400, "invalidValue")
    refused(door.patch(path, {"op": "replace", "path": "emails.primary", "value": True}), 400, "invalidValue")
    assert door.read(path)["emails"] == shown["emails"]


# --- PATCH -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("operation", "scim_type"),
    [
        ({"op": "remove"}, "noTarget"),
        ({"op": "remove", "value": {"title": "T"}}, "noTarget"),
        ({"op": "replace", "path": 'emails[value sw "z"].type', "value": "work"}, "noTarget"),
        ({"op": "replace", "path": "emails[type eq", "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 'title[value eq "x"]', "value": "x"}, "invalidPath"),
        ({"op": "replace", "path": 7, "value": "x"}, "invalidPath"),
        ({"op": "move", "path": "title", "value": "x"}, "invalidSyntax"),
        ({"path": "title", "value": "x"}, "invalidSyntax"),
        ({"op": "replace", "path": "title"}, "invalidValue"),
        ({"op": "add", "value": "x"}, "invalidValue"),
        ({"op": "add", "path": "title", "value": ["a", "b"]}, "invalidValue"),
    ],
)
def test_each_mistake_in_a_patch_has_its_keyword(door: Door, operation: dict[str, Any], scim_type: str) -> None:
    made = door.user("ann", emails=[{"value": "a@x", "type": "work"}])
    path = f"/Users/{made['id']}"
    refused(door.patch(path, {"op": "add", "path": "nickName", "value": "N"}, operation), 400, scim_type)
    assert door.read(path) == made  # all or nothing


@pytest.mark.parametrize("path", ["foo", "title.value", "name.foo", "emails.foo"])
def test_a_path_to_nothing_is_refused_unless_something_else_was_meant(door: Door, path: str) -> None:
    made = door.user("ann")
    stray = {"op": "replace", "path": path, "value": "x"}
    refused(door.patch(f"/Users/{made['id']}", stray), 400, "invalidPath")
    assert door.read(f"/Users/{made['id']}") == made
    shown = door.patch(f"/Users/{made['id']}", stray, {"op": "add", "path": "nickName", "value": "N"}).get_json()
    assert shown["nickName"] == "N"  # Entra sends attributes that nobody has: drift


def test_what_is_no_patch_op(door: Door) -> None:
    path = f"/Users/{door.user('ann')['id']}"
    for body in (
        {"Operations": []},
        {"schemas": ["urn:x"], "Operations": [{"op": "add", "value": {}}]},
        {"title": "T"},
    ):
        refused(door.send("PATCH", path, {"schemas": [PATCH_OP]} | body), 400, "invalidSyntax")
    many = [{"op": "add", "path": "title", "value": str(number)} for number in range(6)]
    assert "5" in refused(door.patch(path, *many), 413)


def test_a_patch_with_a_projection_answers_with_the_resource_whatever_the_tenant_wants(door: Door) -> None:
    made = door.user("ann")
    path = f"/Users/{made['id']}"
    door.configure("scim.user_patch_answers_204", True)
    silent = door.patch(path, {"op": "add", "path": "title", "value": "T"})
    assert (silent.status_code, silent.data, silent.headers["ETag"]) == (204, b"", 'W/"2"')
    shown = door.patch(f"{path}?attributes=title", {"op": "add", "path": "title", "value": "U"})
    assert (shown.status_code, shown.get_json()["title"]) == (200, "U")
    shown = door.patch(f"{path}?excludedAttributes=meta", {"op": "add", "path": "title", "value": "V"})
    assert (shown.status_code, shown.get_json()["title"], "meta" in shown.get_json()) == (200, "V", False)


def test_add_replace_and_remove_by_the_letter(door: Door) -> None:
    made = door.user("ann", emails=[{"value": "a@x", "type": "work"}, {"value": "b@x", "type": "home"}])
    path = f"/Users/{made['id']}"

    def emails(*operations: dict[str, Any]) -> list[str]:
        answer = door.patch(path, *operations)
        assert answer.status_code == 200, answer.text
        return [f"{one['value']} {one.get('type')}" for one in answer.get_json().get("emails", [])]

    assert emails({"op": "add", "path": "emails", "value": {"value": "a@x", "type": "work"}}) == [
        "a@x work",
        "b@x home",
    ]
    assert emails({"op": "add", "path": "emails", "value": [{"value": "c@x"}]})[-1] == "c@x None"
    assert emails({"op": "replace", "path": 'emails[type eq "home"]', "value": {"value": "d@x"}})[1] == "d@x home"
    assert emails({"op": "remove", "path": 'emails[type eq "home"]'}) == ["a@x work", "c@x None"]
    assert emails({"op": "remove", "path": 'emails[type eq "nowhere"]'}) == ["a@x work", "c@x None"]
    assert emails({"op": "remove", "path": 'emails[value eq "c@x" or value eq "a@x"]'}) == []
    shown = door.patch(path, {"op": "add", "path": "name", "value": {"givenName": "A"}})
    shown = door.patch(path, {"op": "add", "path": "name", "value": {"familyName": "B"}})
    assert shown.get_json()["name"] == {"givenName": "A", "familyName": "B"}
    added = {"op": "add", "value": {f"{ENTERPRISE}:department": "D"}}
    assert ENTERPRISE in door.patch(path, added).get_json()["schemas"]
    assert ENTERPRISE not in door.patch(path, {"op": "remove", "path": ENTERPRISE}).get_json()["schemas"]


def test_a_body_names_its_schema(door: Door) -> None:
    group = "urn:ietf:params:scim:schemas:core:2.0:Group"
    refused(door.send("POST", "/Users", {"schemas": [group], "userName": "ann"}), 400, "invalidSyntax")
    assert door.user("ann", schemas=[CORE, "urn:vendor:of:their:own"])["schemas"][0] == CORE
    raw = json.dumps({"userName": "bob"}).replace('"bob"', '"bob", "userName": "eve"')
    answer = door.client.post(f"{BASE}/Users", data=raw, content_type="application/scim+json")
    refused(answer, 400, "invalidSyntax")
