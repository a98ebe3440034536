"""scim2-tester, in process, over the memory store."""

from __future__ import annotations

from flask import Flask
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.schemas import LMS_USER
from scim.store import Features, Limits, Role


def check(app: Flask) -> list[object]:
    client = WSGISCIMClient(app, base_url="http://localhost/scim/v2", headers={"Authorization": "Bearer token"})
    results = check_server(client)
    assert len(results) > 120
    return [found.data for found in results if found.status.name in ("ERROR", "CRITICAL")]


def test_scim2_tester_passes_in_full_where_users_do_not_show_their_account() -> None:
    app = Flask(__name__)
    app.testing = True
    store = MemoryStore(Features(account_extension=False))
    app.register_blueprint(blueprint(MemoryDoorkeeper({"token": store}), Limits()))
    assert check(app) == []


def test_with_the_account_only_the_patches_of_its_read_only_extension_fail(app: Flask) -> None:
    """The suite patches every extension as a whole and takes each for writable; ours is read-only throughout."""
    bad = check(app)
    assert [data["urn"] for data in bad if isinstance(data, dict)] == [LMS_USER] * 3


def test_the_memory_store_leaves_unknown_members_out_when_told_to() -> None:
    store = MemoryStore(Features(unknown_members_ignored=True))
    app = Flask(__name__)
    app.register_blueprint(blueprint(MemoryDoorkeeper({"token": store}), Limits()))
    body = {"displayName": "Staff", "members": [{"value": "nobody"}]}
    made = app.test_client().post("/scim/v2/Groups", json=body, headers={"Authorization": "Bearer token"})
    assert (made.status_code, "members" in made.get_json()) == (201, False)
    assert store.drift == ["members.value of nobody"]


def test_with_the_roles_the_suite_fails_only_where_it_writes_them() -> None:
    """It takes every resource type for writable; users, groups and discovery pass as without."""
    app = Flask(__name__)
    app.testing = True
    store = MemoryStore(Features(account_extension=False, roles_endpoint=True))
    store.platform_roles = (Role("learner", "Learner"),)
    app.register_blueprint(blueprint(MemoryDoorkeeper({"token": store}), Limits()))
    client = WSGISCIMClient(app, base_url="http://localhost/scim/v2", headers={"Authorization": "Bearer token"})
    bad = [found for found in check_server(client) if found.status.name in ("ERROR", "CRITICAL")]
    assert {(found.resource_type, found.reason) for found in bad} == {("Role", "POST is not possible here.")}
