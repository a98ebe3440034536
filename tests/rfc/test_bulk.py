"""Bulk (RFC 7644 §3.7)."""

from __future__ import annotations

from typing import Any

import pytest
from werkzeug.test import TestResponse

from scim.bulk import BULK_REQUEST, BULK_RESPONSE
from tests.rfc.conftest import LOCAL, PATCH_OP, Door, refused


def bulk(door: Door, *operations: dict[str, Any], **more: Any) -> TestResponse:
    return door.send("POST", "/Bulk", {"schemas": [BULK_REQUEST], "Operations": list(operations), **more})


def results(door: Door, *operations: dict[str, Any], **more: Any) -> list[dict[str, Any]]:
    answer = bulk(door, *operations, **more)
    assert answer.status_code == 200, answer.text
    shown = answer.get_json()
    assert shown["schemas"] == [BULK_RESPONSE]
    assert all(isinstance(one["status"], str) for one in shown["Operations"])
    return list(shown["Operations"])


def post(path: str, bulk_id: str, **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def statuses(made: list[dict[str, Any]]) -> list[str]:
    return [one["status"] for one in made]


def members(door: Door, result: dict[str, Any]) -> list[str]:
    shown = door.read(result["location"].removeprefix(LOCAL))
    return [one["value"] for one in shown.get("members", [])]


def test_a_reference_may_point_back_and_forward(door: Door) -> None:
    crew, ann, deck = results(
        door,
        post("/Groups", "crew", displayName="Crew", members=[{"value": "bulkId:ann"}]),
        post("/Users", "ann", userName="ann"),
        post("/Groups", "deck", displayName="Deck", members=[{"value": "bulkId:ann"}, {"value": "bulkId:crew"}]),
    )
    assert statuses([crew, ann, deck]) == ["201"] * 3
    assert [one["bulkId"] for one in (crew, ann, deck)] == ["crew", "ann", "deck"]
    id = {one["bulkId"]: one["location"].rsplit("/", 1)[1] for one in (crew, ann, deck)}
    assert members(door, crew) == [id["ann"]]
    assert sorted(members(door, deck)) == sorted([id["ann"], id["crew"]])
    assert ann["version"] == 'W/"1"'


def test_a_circle_is_closed(door: Door) -> None:
    made = results(
        door,
        post("/Groups", "a", displayName="A", members=[{"value": "bulkId:b"}]),
        post("/Groups", "b", displayName="B", members=[{"value": "bulkId:c"}]),
        post("/Groups", "c", displayName="C", members=[{"value": "bulkId:a"}]),
    )
    assert statuses(made) == ["201"] * 3
    ids = [one["location"].rsplit("/", 1)[1] for one in made]
    assert [members(door, one) for one in made] == [[ids[1]], [ids[2]], [ids[0]]]


def test_a_reference_in_the_path(door: Door) -> None:
    patch = {
        "schemas": [PATCH_OP],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": "bulkId:ann"}]}],
    }
    made = results(
        door,
        {"method": "PATCH", "path": "/Groups/bulkId:crew", "data": patch},
        post("/Groups", "crew", displayName="Crew"),
        post("/Users", "ann", userName="ann"),
    )
    assert statuses(made) == ["204", "201", "201"]
    assert made[0]["location"] == made[1]["location"]
    assert members(door, made[1]) == [made[2]["location"].rsplit("/", 1)[1]]


def test_a_reference_as_manager(door: Door) -> None:
    enterprise = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
    made = results(
        door,
        post("/Users", "ann", userName="ann", **{enterprise: {"manager": {"value": "bulkId:boss"}}}),
        post("/Users", "boss", userName="boss"),
    )
    shown = door.read(made[0]["location"].removeprefix(LOCAL))
    assert shown[enterprise]["manager"]["value"] == made[1]["location"].rsplit("/", 1)[1]


def test_each_operation_has_its_own_outcome(door: Door) -> None:
    ann, bob = door.user("ann"), door.user("bob")
    made = results(
        door,
        {"method": "PUT", "path": f"/Users/{ann['id']}", "version": 'W/"1"', "data": {"userName": "ann", "title": "T"}},
        {"method": "PUT", "path": f"/Users/{ann['id']}", "version": 'W/"1"', "data": {"userName": "ann"}},
        {"method": "DELETE", "path": f"/Users/{bob['id']}"},
        {"method": "DELETE", "path": f"/Users/{bob['id']}"},
        post("/Users", "x", userName="ANN"),
        {"method": "GET", "path": f"/Users/{ann['id']}"},
    )
    assert statuses(made) == ["200", "412", "204", "404", "409", "405"]
    assert (made[0]["version"], made[0]["location"]) == ('W/"2"', ann["meta"]["location"])
    for one in made:
        failed = int(one["status"]) >= 400
        assert ("response" in one) == failed
        if failed:
            assert one["response"]["status"] == one["status"]
    assert made[4]["response"]["scimType"] == "uniqueness"
    assert "location" not in made[4]


@pytest.mark.parametrize(("limit", "done"), [(1, 2), (2, 4), (3, 5), (None, 5)])
def test_it_stops_after_as_many_errors_as_asked(door: Door, limit: int | None, done: int) -> None:
    operations = [
        post("/Users", "a", userName="ann"),
        post("/Users", "b"),
        post("/Users", "c", userName="cy"),
        post("/Users", "d", userName="ANN"),
        post("/Users", "e", userName="eve"),
    ]
    made = results(door, *operations, **({} if limit is None else {"failOnErrors": limit}))
    assert len(made) == done
    kept = {1: 1, 2: 2, 3: 3, None: 3}[limit]
    assert door.read("/Users")["totalResults"] == kept


def test_who_refers_to_a_failure_fails(door: Door) -> None:
    made = results(
        door,
        post("/Users", "a"),
        post("/Groups", "b", displayName="B", members=[{"value": "bulkId:a"}]),
        post("/Groups", "c", displayName="C", members=[{"value": "bulkId:nobody"}]),
    )
    assert statuses(made) == ["400", "409", "400"]
    assert door.read("/Groups")["totalResults"] == 0


def test_limits(door: Door) -> None:
    config = door.read("/ServiceProviderConfig")["bulk"]
    assert config == {"supported": True, "maxOperations": 6, "maxPayloadSize": 20_000}
    seven = [post("/Users", f"u{number}", userName=f"u{number}") for number in range(7)]
    assert "6" in refused(bulk(door, *seven), 413)
    assert "20000" in refused(bulk(door, post("/Users", "u", userName="u" * 20_000)), 413)
    assert door.read("/Users")["totalResults"] == 0


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"schemas": [BULK_REQUEST]},
        {"schemas": ["urn:x"], "Operations": []},
        {"schemas": [BULK_REQUEST], "Operations": [{"method": "POST", "path": "/Users", "data": {"userName": "a"}}]},
        {
            "schemas": [BULK_REQUEST],
            "Operations": [post("/Users", "a", userName="a"), post("/Users", "a", userName="b")],
        },
        {"schemas": [BULK_REQUEST], "Operations": [{"path": "/Users"}]},
        {"schemas": [BULK_REQUEST], "Operations": [], "failOnErrors": "one"},
    ],
)
def test_what_is_no_bulk_request(door: Door, body: dict[str, Any]) -> None:
    refused(door.send("POST", "/Bulk", body), 400, "invalidSyntax")
    assert door.read("/Users")["totalResults"] == 0
