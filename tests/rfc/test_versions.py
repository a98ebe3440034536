"""Versions, locations and methods (RFC 7644 §3.1, §3.13, §3.14; RFC 9110)."""

from __future__ import annotations

import pytest

from tests.rfc.conftest import LOCAL, Door, refused

TITLE = {"op": "replace", "path": "title", "value": "T"}


def test_tags_are_weak_and_stand_in_meta(door: Door) -> None:
    made = door.send("POST", "/Users", {"userName": "ann"})
    assert made.headers["ETag"] == made.get_json()["meta"]["version"] == 'W/"1"'
    path = f"/Users/{made.get_json()['id']}"
    changed = door.patch(path, TITLE)
    assert changed.headers["ETag"] == changed.get_json()["meta"]["version"] == 'W/"2"'
    assert door.get(f"{path}?attributes=title").headers["ETag"] == 'W/"2"'


def test_if_none_match_on_get(door: Door) -> None:
    path = f"/Users/{door.user()['id']}"
    for known in ('W/"1"', '"1"', '"x", W/"1"', "*"):
        answer = door.get(path, If_None_Match=known)
        assert (answer.status_code, answer.data, answer.headers["ETag"]) == (304, b"", 'W/"1"')
    for other in ('W/"2"', '"abc"', '"x", "y"'):
        assert door.get(path, If_None_Match=other).status_code == 200


@pytest.mark.parametrize("kind", ["Users", "Groups"])
def test_if_match_on_writes(door: Door, kind: str) -> None:
    made = door.user() if kind == "Users" else door.group()
    name = {"userName": "eve"} if kind == "Users" else {"displayName": "Eve"}
    path = f"/{kind}/{made['id']}"
    add = {"op": "replace", "path": "displayName", "value": "N"}
    for stale in ('W/"7"', '"7", "8"', '"not-ours"'):
        refused(door.send("PUT", path, name, If_Match=stale), 412)
        refused(door.patch(path, add, If_Match=stale), 412)
        refused(door.send("DELETE", path, If_Match=stale), 412)
    assert door.read(path) == made
    assert door.patch(path, add, If_Match='"7", W/"1"').status_code in (200, 204)
    assert door.send("PUT", path, name, If_Match='W/"2"').status_code == 200
    assert door.send("DELETE", path, If_Match="*").status_code == 204
    for method in ("PUT", "PATCH", "DELETE"):
        refused(door.send(method, path, {**name, "Operations": [add]}, If_Match="*"), 404)


def test_if_none_match_on_writes(door: Door) -> None:
    """RFC 9110 §13.1.2: the write is done only where nothing of that version is there."""
    made = door.user()
    path = f"/Users/{made['id']}"
    for header in ("*", made["meta"]["version"]):
        refused(door.send("PUT", path, {"userName": "eve"}, If_None_Match=header), 412)
        refused(door.patch(path, TITLE, If_None_Match=header), 412)
        refused(door.send("DELETE", path, If_None_Match=header), 412)
    assert door.read(path) == made
    assert door.patch(path, TITLE, If_None_Match='W/"9"').status_code == 200


def test_if_match_on_get(door: Door) -> None:
    path = f"/Users/{door.user()['id']}"
    assert door.get(path, If_Match='W/"1"').status_code == 200
    refused(door.get(path, If_Match='W/"9"'), 412)


def test_without_an_effect_nothing_moves(door: Door) -> None:
    made = door.user(title="T")
    path = f"/Users/{made['id']}"
    assert door.patch(path, TITLE).get_json()["meta"] == made["meta"]
    assert door.send("PUT", path, {"userName": "ann", "title": "T"}).get_json()["meta"] == made["meta"]
    assert door.patch(path, {"op": "remove", "path": "nickName"}).get_json()["meta"] == made["meta"]


def test_locations_are_metas(door: Door) -> None:
    for kind, body in (("Users", {"userName": "ann"}), ("Groups", {"displayName": "Staff"})):
        made = door.send("POST", f"/{kind}", body)
        location = f"{LOCAL}/{kind}/{made.get_json()['id']}"
        assert made.headers["Location"] == made.get_json()["meta"]["location"] == location
        path = f"/{kind}/{made.get_json()['id']}"
        answers = [
            door.get(path),
            door.send("PUT", path, body),
            door.patch(f"{path}?attributes=meta", {"op": "replace", "path": "displayName", "value": "N"}),
        ]
        for answer in answers:
            assert answer.headers["Content-Location"] == answer.get_json()["meta"]["location"] == location


def test_put_never_creates(door: Door) -> None:
    refused(door.send("PUT", "/Users/0190a000-0000-7000-8000-000000000001", {"userName": "ann"}), 404)
    refused(door.send("PUT", "/Users/nobody", {"userName": "ann"}), 404)
    assert door.read("/Users")["totalResults"] == 0


@pytest.mark.parametrize(
    ("path", "allow"),
    [
        ("/Users", "GET, HEAD, POST"),
        ("/Groups", "GET, HEAD, POST"),
        ("/Users/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Groups/1", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/.search", "POST"),
        ("/Groups/.search", "POST"),
        ("/Bulk", "POST"),
        ("/", "GET, HEAD"),
        ("/Schemas", "GET, HEAD"),
        ("/Schemas/urn:x", "GET, HEAD"),
        ("/ResourceTypes", "GET, HEAD"),
        ("/ResourceTypes/User", "GET, HEAD"),
        ("/ServiceProviderConfig", "GET, HEAD"),
    ],
)
def test_a_method_that_is_not_possible_is_told_what_is(door: Door, path: str, allow: str) -> None:
    allowed = allow.split(", ")
    for method in ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"):
        if method not in allowed:
            answer = door.send(method, path)
            refused(answer, 405)
            assert answer.headers["Allow"] == allow


def test_head_is_get_without_its_body(door: Door) -> None:
    made = door.user()
    for path in ("/Users", f"/Users/{made['id']}", "/Schemas", "/ServiceProviderConfig"):
        shown, head = door.get(path), door.send("HEAD", path)
        assert (head.status_code, head.data, head.headers["Content-Type"]) == (200, b"", "application/scim+json")
        assert head.headers.get("ETag") == shown.headers.get("ETag")
        assert head.headers.get("Content-Location") == shown.headers.get("Content-Location")
    assert door.send("HEAD", "/Users/nobody").status_code == 404


def test_a_deleted_resource_is_gone_for_everything(door: Door) -> None:
    made = door.user()
    crew = door.group("Crew", made["id"])
    path = f"/Users/{made['id']}"
    assert door.send("DELETE", path).data == b""
    refused(door.get(path), 404)
    refused(door.send("PUT", path, {"userName": "ann"}), 404)
    refused(door.patch(path, TITLE), 404)
    refused(door.send("DELETE", path), 404)
    assert door.found('userName eq "ann"') == []
    assert "members" not in door.read(f"/Groups/{crew['id']}")
    assert door.user("ANN")["id"] != made["id"]  # its name is free, its id is not used again
