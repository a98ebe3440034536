"""Each limit of a request: what is just within it is taken, one more is refused with its own error."""

from __future__ import annotations

import json
from typing import Any

import pytest
from flask.testing import FlaskClient

from scim.store import Limits
from tests.scim.conftest import BASE, PATCH_OP

LIMITS = Limits()
BULK = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"


def filtered(client: FlaskClient, text: str) -> Any:
    return client.post(f"{BASE}/Users/.search", json={"filter": text})


def padded(length: int) -> str:
    head = 'userName eq "'
    return head + "a" * (length - len(head) - 1) + '"'


def clauses(number: int) -> str:
    return " or ".join(["id pr"] * number)


def nested(depth: int) -> str:
    return "(" * depth + "id pr" + ")" * depth


def not_nested(depth: int) -> str:
    return "not (" * depth + "id pr" + ")" * depth


def bracketed(depth: int) -> str:
    return "emails[" + "(" * (depth - 1) + "type pr" + ")" * (depth - 1) + "]"


@pytest.mark.parametrize(
    ("made", "limit", "said"),
    [
        (padded, LIMITS.filter_length, f"at most {LIMITS.filter_length} characters"),
        (clauses, LIMITS.filter_clauses, f"at most {LIMITS.filter_clauses} clauses"),
        (nested, LIMITS.filter_depth, f"at most {LIMITS.filter_depth} levels"),
        (not_nested, LIMITS.filter_depth, f"at most {LIMITS.filter_depth} levels"),
        (bracketed, LIMITS.filter_depth, f"at most {LIMITS.filter_depth} levels"),
    ],
)
def test_a_filter(client: FlaskClient, made: Any, limit: int, said: str) -> None:
    assert filtered(client, made(limit)).status_code == 200
    refused = filtered(client, made(limit + 1))
    assert (refused.status_code, refused.get_json()["scimType"]) == (400, "invalidFilter")
    assert said in refused.get_json()["detail"]


def test_the_filter_of_a_path(client: FlaskClient, user: Any, patch: Any) -> None:
    def path(number: int) -> str:
        return "emails[" + " or ".join(["type pr"] * number) + "]"

    found = f"/Users/{user(emails=[{'type': 'work', 'value': 'a@x.org'}])['id']}"
    assert patch(found, {"op": "remove", "path": path(LIMITS.filter_clauses)}).status_code == 200
    refused = patch(found, {"op": "remove", "path": path(LIMITS.filter_clauses + 1)})
    assert (refused.status_code, refused.get_json()["scimType"]) == (400, "invalidPath")
    assert "clauses" in refused.get_json()["detail"]


def test_the_operations_of_a_patch(client: FlaskClient, user: Any, patch: Any) -> None:
    found = f"/Users/{user()['id']}"
    operation = {"op": "replace", "path": "title", "value": "T"}
    assert patch(found, *[operation] * LIMITS.patch_operations).status_code == 200
    refused = patch(found, *[operation] * LIMITS.patch_operations, {"op": "replace", "path": "title", "value": "U"})
    assert refused.status_code == 413
    assert f"at most {LIMITS.patch_operations} operations" in refused.get_json()["detail"]
    assert client.get(f"{BASE}{found}").get_json()["title"] == "T"


def test_the_operations_of_a_bulk(client: FlaskClient) -> None:
    def send(number: int) -> Any:
        operations = [{"method": "DELETE", "path": "/Users/nobody"}] * number
        return client.post(f"{BASE}/Bulk", json={"schemas": [BULK], "Operations": operations})

    assert send(LIMITS.bulk_operations).status_code == 200
    refused = send(LIMITS.bulk_operations + 1)
    assert refused.status_code == 413
    assert str(LIMITS.bulk_operations) in refused.get_json()["detail"]


def test_the_size_of_a_body(client: FlaskClient) -> None:
    def send(size: int) -> Any:
        frame = json.dumps({"schemas": [PATCH_OP], "Operations": [{"op": "add", "value": {"title": ""}}]})
        data = frame.replace('"title": ""', '"title": "' + "a" * (size - len(frame)) + '"')
        assert len(data) == size
        return client.patch(f"{BASE}/Users/nobody", data=data, content_type="application/scim+json")

    assert send(LIMITS.body).status_code == 404
    refused = send(LIMITS.body + 1)
    assert refused.status_code == 413
    assert f"at most {LIMITS.body} bytes" in refused.get_json()["detail"]


def test_the_nesting_of_a_body(client: FlaskClient) -> None:
    def send(depth: int) -> Any:
        inner = '{"a":' * (depth - 1) + "1" + "}" * (depth - 1)
        data = f'{{"userName": "deep{depth}", "x": {inner}}}'
        return client.post(f"{BASE}/Users", data=data, content_type="application/scim+json")

    assert send(LIMITS.json_depth).status_code == 201
    refused = send(LIMITS.json_depth + 1)
    assert (refused.status_code, refused.get_json()["scimType"]) == (400, "invalidSyntax")
    assert f"{LIMITS.json_depth} levels" in refused.get_json()["detail"]


def test_the_length_of_a_page(client: FlaskClient, user: Any) -> None:
    for number in range(LIMITS.page + 1):
        user(f"u{number}")
    for count, shown in ((None, LIMITS.default_page), (LIMITS.page, LIMITS.page), (LIMITS.page + 1, LIMITS.page)):
        query = {} if count is None else {"count": count}
        page = client.get(f"{BASE}/Users", query_string=query).get_json()
        assert (page["totalResults"], page["itemsPerPage"]) == (LIMITS.page + 1, shown)
