"""The platform's roles as resources to be read, over HTTP on the memory store."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_models import Schema

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.roles import OKTA_ROLE
from scim.routes import blueprint
from scim.store import Features, Limits, Role
from tests.scim.conftest import BASE
from tests.scim.test_routes import refused

PLATFORM = (
    Role("learner", "Learner", "Takes courses."),
    Role("instructor", "Instructor", "x" * 1_200),
    Role("Course author", "author"),
)


@pytest.fixture
def store() -> MemoryStore:
    made = MemoryStore(Features(roles_endpoint=True))
    made.platform_roles = PLATFORM
    return made


def names(answer: Any) -> list[str]:
    assert answer.status_code == 200, answer.text
    return [found["id"] for found in answer.get_json()["Resources"]]


def test_a_role_is_shown_with_its_location(client: FlaskClient) -> None:
    listed = client.get(f"{BASE}/Roles").get_json()
    assert (listed["totalResults"], listed["startIndex"], listed["itemsPerPage"]) == (3, 1, 3)
    author, instructor, learner = listed["Resources"]
    assert learner == {
        "schemas": [OKTA_ROLE],
        "id": "learner",
        "displayName": "Learner",
        "description": "Takes courses.",
        "meta": {
            "resourceType": "Role",
            "location": f"http://localhost{BASE}/Roles/learner",
            "version": learner["meta"]["version"],
        },
    }
    assert len(instructor["description"]) == 1_000  # what Okta takes
    assert "description" not in author
    answer = client.get(author["meta"]["location"])
    assert answer.get_json() == author
    assert answer.headers["Content-Location"] == author["meta"]["location"]


def test_versions(client: FlaskClient, store: MemoryStore) -> None:
    version = client.get(f"{BASE}/Roles/learner").headers["ETag"]
    assert client.get(f"{BASE}/Roles/learner", headers={"If-None-Match": version}).status_code == 304
    store.platform_roles = (Role("learner", "Learner", "Takes courses, now and then."),)
    assert client.get(f"{BASE}/Roles/learner", headers={"If-None-Match": version}).status_code == 200


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["Course author", "instructor", "learner"]),
        ("startIndex=2&count=1", ["instructor"]),
        ("count=0", []),
        ('filter=displayName eq "LEARNER"', ["learner"]),
        ('filter=id eq "learner" or description co "x"', ["instructor", "learner"]),
        ('filter=id eq "LEARNER"', []),
        (f'filter={OKTA_ROLE}:displayName sw "a"', ["Course author"]),
        ("sortBy=displayName&sortOrder=descending", ["learner", "instructor", "Course author"]),
        ("sortBy=description&sortOrder=descending", ["Course author", "instructor", "learner"]),
    ],
)
def test_lists(client: FlaskClient, query: str, found: list[str]) -> None:
    assert names(client.get(f"{BASE}/Roles?{query}")) == found


def test_projection_search_and_cursor(client: FlaskClient) -> None:
    shown = client.get(f"{BASE}/Roles/learner?attributes=displayName").get_json()
    assert shown == {"schemas": [OKTA_ROLE], "id": "learner", "displayName": "Learner"}
    body = {"filter": 'displayName pr and not (id eq "learner")', "attributes": ["id"], "count": 1, "cursor": ""}
    first = client.post(f"{BASE}/Roles/.search", json=body).get_json()
    assert first["Resources"] == [{"schemas": [OKTA_ROLE], "id": "Course author"}]
    second = client.post(f"{BASE}/Roles/.search", json={**body, "cursor": first["nextCursor"]}).get_json()
    assert ([found["id"] for found in second["Resources"]], "nextCursor" in second) == (["instructor"], False)
    refused(client.get(f'{BASE}/Roles?filter=userName eq "x"'), 400, "invalidFilter")
    refused(client.get(f"{BASE}/Roles/LEARNER"), 404)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("POST", "/Roles", "GET, HEAD"),
        ("PUT", "/Roles/learner", "GET, HEAD"),
        ("PATCH", "/Roles/learner", "GET, HEAD"),
        ("DELETE", "/Roles/learner", "GET, HEAD"),
        ("GET", "/Roles/.search", "POST"),
    ],
)
def test_nobody_writes_roles(client: FlaskClient, method: str, path: str, allow: str) -> None:
    answer = client.open(f"{BASE}{path}", method=method, json={})
    refused(answer, 405)
    assert answer.headers["Allow"] == allow


def test_discovery_shows_them_behind_users_and_groups(app: Flask, client: FlaskClient) -> None:
    types = client.get(f"{BASE}/ResourceTypes").get_json()["Resources"]
    assert [found["endpoint"] for found in types] == ["/Users", "/Groups", "/Roles"]
    assert client.get(f"{BASE}/ResourceTypes/Role").get_json()["schema"] == OKTA_ROLE
    schema = client.get(f"{BASE}/Schemas/{OKTA_ROLE}").get_json()
    assert {one["name"]: one["mutability"] for one in schema["attributes"]} == {
        "displayName": "readOnly",
        "description": "readOnly",
    }
    assert OKTA_ROLE in [one["id"] for one in client.get(f"{BASE}/Schemas").get_json()["Resources"]]
    refused(app.test_client().get(f"{BASE}/Roles"), 401)


def test_a_validating_client_reads_them(app: Flask) -> None:
    client = WSGISCIMClient(app, base_url=f"http://localhost{BASE}", headers={"Authorization": "Bearer token"})
    client.discover()
    [model] = [one for one in client.provider.models if one.__name__ == "Role"]
    assert [found.id for found in client.query(model).resources] == ["Course author", "instructor", "learner"]
    assert client.query(Schema, OKTA_ROLE).id == OKTA_ROLE


def test_a_tenant_that_does_not_want_them_has_no_such_endpoint() -> None:
    made = Flask(__name__)
    made.testing = True
    made.register_blueprint(blueprint(MemoryDoorkeeper({"token": MemoryStore()}), Limits()))
    client = made.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    for method, path in (("GET", "/Roles"), ("POST", "/Roles"), ("GET", "/Roles/learner"), ("POST", "/Roles/.search")):
        refused(client.open(f"{BASE}{path}", method=method, json={}), 404)
    assert len(client.get(f"{BASE}/ResourceTypes").get_json()["Resources"]) == 2
    refused(client.get(f"{BASE}/Schemas/{OKTA_ROLE}"), 404)
