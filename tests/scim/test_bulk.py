"""Bulk: references in any order, circles, failures and limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Flask
from flask.testing import FlaskClient

from scim.bulk import BULK_REQUEST
from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Limits
from tests.scim.conftest import BASE


def send(client: FlaskClient, *operations: dict[str, Any], **more: Any) -> Any:
    return client.post(f"{BASE}/Bulk", json={"schemas": [BULK_REQUEST], "Operations": list(operations), **more})


def post(path: str, bulk_id: str, **data: Any) -> dict[str, Any]:
    return {"method": "POST", "path": path, "bulkId": bulk_id, "data": data}


def results(answer: Any) -> list[dict[str, Any]]:
    assert answer.status_code == 200, answer.text
    return list(answer.get_json()["Operations"])


def test_a_reference_may_point_forward(client: FlaskClient) -> None:
    group, user = results(
        send(
            client,
            post("/Groups", "g", displayName="Staff", members=[{"value": "bulkId:u"}]),
            post("/Users", "u", userName="ann"),
        )
    )
    assert (group["status"], user["status"], group["bulkId"], user["bulkId"]) == ("201", "201", "g", "u")
    members = client.get(group["location"]).get_json()["members"]
    assert user["location"].endswith(members[0]["value"])


def test_a_circle_is_resolved(client: FlaskClient) -> None:
    made = results(
        send(
            client,
            post("/Groups", "a", displayName="A", members=[{"value": "bulkId:b"}]),
            post("/Groups", "b", displayName="B", members=[{"value": "bulkId:a"}]),
        )
    )
    assert [one["status"] for one in made] == ["201", "201"]
    first, second = (client.get(one["location"]).get_json() for one in made)
    assert first["members"][0]["value"] == second["id"]
    assert second["members"][0]["value"] == first["id"]
    assert made[0]["version"] == first["meta"]["version"]


def test_all_methods(client: FlaskClient, user: Callable[..., dict[str, Any]]) -> None:
    ann, bob, eve = user("ann"), user("bob"), user("eve")
    patch = {"Operations": [{"op": "add", "path": "title", "value": "T"}]}
    made = results(
        send(
            client,
            {"method": "PATCH", "path": f"/Users/{ann['id']}", "data": patch},
            {"method": "put", "path": f"/Users/{bob['id']}", "version": 'W/"1"', "data": {"userName": "rob"}},
            {"method": "DELETE", "path": f"/Users/{eve['id']}"},
            {"method": "DELETE", "path": f"/Users/{bob['id']}", "version": 'W/"1"'},
        )
    )
    assert [one["status"] for one in made] == ["200", "200", "204", "412"]
    assert made[2]["location"] == eve["meta"]["location"]
    assert client.get(f"{BASE}/Users/{bob['id']}").get_json()["userName"] == "rob"


def test_each_failure_has_its_own_error(client: FlaskClient) -> None:
    made = results(
        send(
            client,
            post("/Users", "u", userName="ann"),
            post("/Users", "v", userName="ANN"),
            post("/Groups", "g", displayName="G", members=[{"value": "bulkId:v"}]),
            post("/Groups", "h", displayName="H", members=[{"value": "bulkId:none"}]),
            post("/Nothing", "n"),
            {"method": "GET", "path": "/Users/1"},
        )
    )
    assert [one["status"] for one in made] == ["201", "409", "409", "400", "404", "405"]
    assert made[1]["response"]["scimType"] == "uniqueness"
    assert "location" not in made[1]


def test_it_stops_after_that_many_errors(client: FlaskClient) -> None:
    made = results(send(client, post("/Users", "a"), post("/Users", "b", userName="ann"), failOnErrors=1))
    assert [one["status"] for one in made] == ["400"]
    assert client.get(f"{BASE}/Users").get_json()["totalResults"] == 0


def test_what_is_no_bulk_request(client: FlaskClient) -> None:
    twice = post("/Users", "a", userName="x")
    for answer in (
        client.post(f"{BASE}/Bulk", json={"Operations": {}}),
        client.post(f"{BASE}/Bulk", json={"schemas": ["urn:x"], "Operations": []}),
        send(client, {"method": "POST", "path": "/Users"}),
        send(client, twice, twice),
        send(client, failOnErrors=0),
    ):
        assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidSyntax")


def test_too_many_operations() -> None:
    app = Flask(__name__)
    app.register_blueprint(blueprint(MemoryDoorkeeper({"t": MemoryStore()}), Limits(bulk_operations=1)))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer t"
    answer = send(client, post("/Users", "a", userName="a"), post("/Users", "b", userName="b"))
    assert answer.status_code == 413
    assert "at most 1 " in answer.get_json()["detail"]
