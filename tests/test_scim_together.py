"""Where two features of SCIM meet, through the whole application: what each does alone is tested beside its module."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters.asynchronous import Requests
from app.adapters.schemas import declare, remove
from app.adapters.scim_effects import words
from app.events.receivers import Registration, register
from app.factory import create_app
from app.outbound import LOOPBACK, Outbound
from app.settings import Settings
from app.store import credentials, scim_requests, tenants
from app.store.engine import reading, writing
from app.store.scim_requests import Asked
from app.store.tenant_settings import choose
from app.store.vault import Vault
from scim.schemas import LMS_USER
from tests.scim.declared import LEARNER, learner

ISSUER = "https://id.example.com"
BASE = f"{ISSUER}/scim/v2"
USERS, BULK = "/scim/v2/Users", "/scim/v2/Bulk"
CORE = "urn:ietf:params:scim:schemas:core:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
LATER = {"Prefer": "respond-async"}
Rows = Callable[[], list[dict[str, Any]]]


@pytest.fixture
def app(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("app.adapters.doorkeeper.REMEMBERED_SECONDS", 0.0)
    made = create_app(Settings(log_level="error", public_url=ISSUER), engine=engine)
    made.testing = True
    return made


@pytest.fixture
def client(app: Flask, engine: sa.Engine, okta: tenants.SourceRow) -> FlaskClient:
    with writing(engine) as conn:
        secret = credentials.issue(conn, okta.tenant_id, "scim_token", "push", source_id=okta.id).secret
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {secret}"
    return made


@pytest.fixture
def rows(app: Flask, engine: sa.Engine, tenant: tenants.Tenant) -> Rows:
    """The provisioning log, oldest first."""

    def read() -> list[dict[str, Any]]:
        app.extensions["scim_log"].flush()
        with reading(engine) as conn:
            return list(reversed(scim_requests.page(conn, tenant.id, Asked())))

    return read


@pytest.fixture
def heard(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    said = Registration("http://127.0.0.1:9/events", "lms", okta.id)
    register(engine, Vault([b"k" * 32]), Outbound(LOOPBACK), okta.tenant_id, said, actor="test")


def setting(engine: sa.Engine, tenant: tenants.Tenant, name: str, value: object) -> None:
    with writing(engine) as conn:
        choose(conn, tenant.id, name, str(value).lower())


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH_OP], "Operations": list(operations)}


def bulk(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [BULK_REQUEST], "Operations": list(operations)}


@pytest.mark.parametrize("shown", [True, False])
@pytest.mark.parametrize("declares", [True, False])
def test_what_a_write_answers_is_what_a_read_shows(
    engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow, client: FlaskClient, shown: bool, declares: bool
) -> None:
    """Without the read: POST and PATCH are answered from what the write door says."""
    setting(engine, tenant, "scim.account_extension", shown)
    if declares:
        declare(engine, tenant.id, "User", learner(), actor="test")
    body = {
        "schemas": [CORE, LMS_USER, LEARNER],
        "userName": "Ada@x.org",
        "title": "A",
        LMS_USER: {"accountId": "x", "status": "gone"},
        LEARNER: {"track": "sales", "region": "north", "pin": "1", "secret": "2", "level": 3},
    }
    answer = client.post(USERS, json=body)
    path = f"{USERS}/{answer.json['id']}"

    def agrees(answer: Any) -> None:
        read = client.get(path)
        assert answer.json == read.json
        assert answer.headers["ETag"] == read.headers["ETag"] == read.json["meta"]["version"]
        assert (LMS_USER in read.json, LMS_USER in read.json["schemas"]) == (shown, shown)
        assert (LEARNER in read.json, LEARNER in read.json["schemas"]) == (declares, declares)

    assert answer.status_code == 201
    agrees(answer)
    agrees(client.patch(path, json=patch({"op": "replace", "path": "title", "value": "B"})))
    agrees(client.patch(path, json=patch({"op": "replace", "path": "active", "value": False})))
    agrees(client.patch(path, json=patch({"op": "replace", "path": "title", "value": "B"})))
    assert client.post("/scim/v2/Groups", json={"displayName": "G", "members": [{"value": answer.json["id"]}]})
    agrees(client.patch(path, json=patch({"op": "add", "value": {f"{LEARNER}:track": "support"}})))
    agrees(client.put(path, json={**body, "title": "C"}))


def test_a_cursor_outlives_no_change_of_its_attributes_type(
    engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient
) -> None:
    """Its place is a value of the old type."""
    grade: dict[str, Any] = {"id": LEARNER, "name": "Learner", "attributes": [{"name": "grade", "type": "string"}]}
    declare(engine, tenant.id, "User", grade, actor="test")
    for name in "abc":
        client.post(USERS, json={"userName": name, LEARNER: {"grade": f"grade {name}"}})
    walk = {"sortBy": f"{LEARNER}:grade", "count": "1"}
    first = client.get(USERS, query_string={**walk, "cursor": ""})
    assert first.status_code == 200
    grade["attributes"][0]["type"] = "integer"
    declare(engine, tenant.id, "User", grade, actor="test", drop_values=True)
    again = client.get(USERS, query_string={**walk, "cursor": first.json["nextCursor"]})
    assert (again.status_code, again.json.get("scimType")) == (400, "invalidCursor")
    remove(engine, tenant.id, LEARNER, actor="test", drop_values=True)
    gone = client.get(USERS, query_string={**walk, "cursor": first.json["nextCursor"]})
    assert (gone.status_code, gone.json["scimType"]) == (400, "invalidPath")


@pytest.mark.usefixtures("heard")
def test_a_deferred_request_is_read_by_the_schemas_of_its_time(
    engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient
) -> None:
    """Declared when it was sent and gone when it is carried out: the value is reported as drift, the rest is done."""
    declare(engine, tenant.id, "User", learner(), actor="test")
    body = {"userName": "ada", "title": "A", LEARNER: {"track": "sales"}}
    answer = client.post(USERS, json=body, headers=LATER)
    assert answer.status_code == 202
    remove(engine, tenant.id, LEARNER, actor="test", drop_values=True)
    Requests(engine, BASE).drain()
    made = client.get(answer.headers["Location"]).json
    assert (made["title"], LEARNER in made, LEARNER in made["schemas"]) == ("A", False, False)


@pytest.mark.usefixtures("heard")
def test_the_log_says_that_a_request_was_deferred_and_then_what_it_did(
    engine: sa.Engine, client: FlaskClient, rows: Rows
) -> None:
    client.post(USERS, json={"userName": "ada"}, headers=LATER)
    post = {"method": "POST", "path": "/Users", "bulkId": "a", "data": {"userName": "bob"}}
    client.post(BULK, json=bulk(post), headers=LATER)
    client.post(USERS, json={"userName": "ADA"}, headers=LATER)

    def said() -> list[tuple[str, int, str]]:
        return [(row["path"], row["status"], words(row["effect"], row["method"], row["status"])) for row in rows()]

    assert said() == [(path, 202, "kept, to be carried out later") for path in ("/Users", "/Bulk", "/Users")]
    Requests(engine, BASE).drain()
    made, many, refused = said()[3:]
    assert made[:2] == ("/Users", 201)
    assert made[2].startswith("user created; account ")
    assert many[:2] == ("/Bulk", 200)
    assert many[2].startswith("1 operation; user created; account ")
    assert refused == ("/Users", 409, "refused")
    assert [row["scim_type"] for row in rows()][3:] == [None, None, "uniqueness"]


@pytest.mark.usefixtures("heard")
def test_what_a_tenants_schemas_hide_is_hidden_of_a_deferred_request_too(
    engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient, rows: Rows
) -> None:
    declare(engine, tenant.id, "User", learner(), actor="test")
    made = client.post(USERS, json={"userName": "ada", LEARNER: {"pin": "swordfish-1"}}, headers=LATER)
    body = patch({"op": "replace", "path": f"{LEARNER}:pin", "value": "swordfish-2"})
    client.patch(f"{USERS}/{made.headers['Set-Txn']}", json=body, headers=LATER)
    Requests(engine, BASE).drain()
    assert [row["status"] for row in rows()] == [202, 202, 201, 200]
    assert "swordfish" not in str(rows())


def test_a_tenant_without_a_log_has_none_of_deferred_requests(
    engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient, rows: Rows, heard: None
) -> None:
    setting(engine, tenant, "scim.log_days", 0)
    client.post(USERS, json={"userName": "ada"}, headers=LATER)
    Requests(engine, BASE).drain()
    assert rows() == []


def test_a_bulk_request_counts_as_one(engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient) -> None:
    setting(engine, tenant, "scim.requests_per_second", 2)
    posts = [
        {"method": "POST", "path": "/Users", "bulkId": f"b{number}", "data": {"userName": f"u{number}"}}
        for number in range(10)
    ]
    answer = client.post(BULK, json=bulk(*posts))
    assert [one["status"] for one in answer.json["Operations"]] == ["201"] * 10


def test_roles_and_declared_schemas_are_listed_beside_each_other(
    engine: sa.Engine, tenant: tenants.Tenant, client: FlaskClient
) -> None:
    setting(engine, tenant, "scim.roles_endpoint", True)
    declare(engine, tenant.id, "User", learner(), actor="test")
    types = {one["name"]: one for one in client.get("/scim/v2/ResourceTypes").json["Resources"]}
    assert list(types) == ["User", "Group", "Role"]
    assert LEARNER in [one["schema"] for one in types["User"]["schemaExtensions"]]
    assert "schemaExtensions" not in types["Role"]
    published = [one["id"] for one in client.get("/scim/v2/Schemas").json["Resources"]]
    assert {LEARNER, types["Role"]["schema"], LMS_USER} <= set(published)
    assert len(published) == len(set(published))
    assert client.get("/scim/v2/Roles", query_string={"sortBy": f"{LEARNER}:level"}).status_code == 400
    assert client.get("/scim/v2/Roles").json["totalResults"] > 0
