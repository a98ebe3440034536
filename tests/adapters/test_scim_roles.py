"""From a role that an identity provider writes to one in the learning platform, and the platform's roles at /Roles."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.factory import create_app
from app.store import credentials, tenant_settings
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from scim.roles import OKTA_ROLE
from scim.schemas import LMS_USER

BASE = "/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
PACKED = json.dumps({"id": "3f2b", "value": "App.Pilot", "displayName": "Pilot"})
SINGLE = 'roles[primary eq "True"].value'
TYPE = "WindowsAzureActiveDirectoryRole"


@pytest.fixture
def client(engine: sa.Engine, connect: Any, tenant: Tenant, okta: SourceRow) -> FlaskClient:
    """Its tenant gives instructors' rights for App.Pilot, and managers' for the entitlement seat."""
    lines = [Change("set", "role", "App.Pilot", "instructor"), Change("set", "entitlement", "seat", "manager")]
    save(engine, tenant.id, lines, actor="eve")
    made: FlaskClient = connect(tenant, okta)
    return made


def held(client: FlaskClient, id: str) -> list[str]:
    found: list[str] = client.get(f"{BASE}/Users/{id}").get_json()[LMS_USER].get("roles", [])
    return sorted(found)


@pytest.mark.parametrize(
    "role",
    [
        {"primary": True, "type": TYPE, "value": "App.Pilot"},
        {"primary": "False", "type": TYPE, "displayName": "Pilot", "value": "app.pilot"},
        {"value": PACKED},
    ],
)
def test_a_role_of_a_new_user_counts(client: FlaskClient, role: dict[str, Any]) -> None:
    made = client.post(f"{BASE}/Users", json={"userName": "ada", "roles": [role]})
    assert made.status_code == 201, made.text
    assert held(client, made.get_json()["id"]) == ["instructor"]


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (
            {"op": "Replace", "path": SINGLE, "value": "App.Pilot"},
            {"op": "Replace", "path": SINGLE, "value": "App.Docker"},
        ),
        ({"op": "Add", "path": SINGLE, "value": "App.Pilot"}, {"op": "Remove", "path": SINGLE}),
        ({"op": "Add", "path": "roles", "value": [{"value": PACKED}]}, {"op": "Remove", "path": "roles"}),
        (
            {"op": "replace", "path": "roles", "value": [{"primary": False, "type": TYPE, "value": "App.Pilot"}]},
            {"op": "replace", "path": "roles", "value": []},
        ),
        (
            {"op": "replace", "value": {"roles": [{"value": "App.Pilot", "display": "Pilot"}]}},
            {"op": "remove", "path": 'roles[value eq "App.Pilot"]'},
        ),
    ],
)
def test_each_expression_of_entra_gives_and_takes(
    client: FlaskClient, given: dict[str, Any], taken: dict[str, Any]
) -> None:
    id = client.post(f"{BASE}/Users", json={"userName": "ada"}).get_json()["id"]
    for operation, wanted in ((given, ["instructor"]), (taken, [])):
        body = {"schemas": [PATCH_OP], "Operations": [operation]}
        answer = client.patch(f"{BASE}/Users/{id}", json=body)
        assert answer.status_code == 200, answer.text
        assert held(client, id) == wanted


def test_an_entitlement_counts_too(client: FlaskClient) -> None:
    body = {"userName": "ada", "entitlements": [{"value": "seat", "display": "Seat", "type": "license"}]}
    made = client.post(f"{BASE}/Users", json=body).get_json()
    assert held(client, made["id"]) == ["manager"]
    assert client.put(f"{BASE}/Users/{made['id']}", json={"userName": "ada", "entitlements": []}).status_code == 200
    assert held(client, made["id"]) == []


def test_what_is_found_at_roles_can_be_given(engine: sa.Engine, connect: Any, tenant: Tenant, okta: SourceRow) -> None:
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "scim.roles_endpoint", "true")
    client = connect(tenant, okta)
    listed = client.get(f"{BASE}/Roles?count=100").get_json()
    assert [found["id"] for found in listed["Resources"]] == ["admin", "instructor", "learner", "manager"]
    assert all(found["schemas"] == [OKTA_ROLE] and found["displayName"] for found in listed["Resources"])
    role = client.get(f"{BASE}/Roles/instructor").get_json()
    save(engine, tenant.id, [Change("set", "role", role["id"], "instructor")], actor="eve")
    body = {"userName": "ada", "roles": [{"value": role["id"], "display": role["displayName"]}]}
    assert held(client, client.post(f"{BASE}/Users", json=body).get_json()["id"]) == ["instructor"]


def test_a_tenant_without_the_setting_has_no_roles_endpoint(connect: Any, tenant: Tenant, okta: SourceRow) -> None:
    assert connect(tenant, okta).get(f"{BASE}/Roles").status_code == 404


def test_roles_and_the_root_through_the_whole_application(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    """With the provisioning log that looks at every request."""
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "scim.roles_endpoint", "true")
        token = credentials.issue(conn, tenant.id, "scim_token", "test", source_id=okta.id).secret
    app = create_app(engine=engine)
    app.testing = True
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    for path in ("/Roles", "/Roles/learner", "/Roles?cursor&count=2", "/", "/?sortBy=id", "/Users?cursor"):
        assert client.get(BASE + path).status_code == 200, path
    assert client.delete(f"{BASE}/Roles/learner").status_code == 405
    assert client.get("/scim/v1/Users").get_json()["scimType"] == "invalidVers"
