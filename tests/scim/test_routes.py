"""The protocol over HTTP, on the memory store: status, headers and bodies."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.schemas import LMS_USER
from scim.store import Features, Limits
from tests.scim.conftest import BASE

Make = Callable[..., dict[str, Any]]


def refused(answer: Any, status: int, scim_type: str | None = None) -> dict[str, Any]:
    body = answer.get_json(force=True)
    assert (answer.status_code, body.get("scimType"), body["status"]) == (status, scim_type, str(status))
    assert answer.content_type == "application/scim+json"
    assert body["detail"]
    return dict(body)


def test_a_user_reads_back_as_it_was_created(client: FlaskClient, user: Make) -> None:
    made = user(name={"givenName": "Ann"}, externalId="7")
    answer = client.get(f"{BASE}/Users/{made['id']}")
    assert answer.get_json() == made
    assert made["name"] == {"givenName": "Ann"}
    assert made["externalId"] == "7"
    assert (
        made["meta"]["location"] == answer.headers["Content-Location"] == f"http://localhost{BASE}/Users/{made['id']}"
    )
    assert made["meta"]["version"] == answer.headers["ETag"] == 'W/"1"'
    assert LMS_USER in made["schemas"]
    assert made[LMS_USER]["accountId"]


def test_create_answers_with_a_location(client: FlaskClient) -> None:
    answer = client.post(f"{BASE}/Users/", json={"userName": "x"}, headers={"Host": "id.example.org"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"http://id.example.org{BASE}/Users/{answer.get_json()['id']}"


def test_an_inactive_namesake_is_a_conflict_and_can_be_found(client: FlaskClient, user: Make) -> None:
    user("Ann@example.com", active=False)
    refused(client.post(f"{BASE}/Users", json={"userName": "ANN@example.com"}), 409, "uniqueness")
    found = client.get(f'{BASE}/Users?filter=userName+eq+"ann@EXAMPLE.com"&', headers={"User-Agent": ""}).get_json()
    assert found["totalResults"] == 1


def test_a_deleted_user_is_gone_and_leaves_groups_and_name(client: FlaskClient, user: Make, group: Make) -> None:
    made = user()
    staff = group("Staff", made["id"])
    assert client.delete(f"{BASE}/Users/{made['id']}").status_code == 204
    for method in ("get", "delete"):
        refused(getattr(client, method)(f"{BASE}/Users/{made['id']}"), 404)
    assert "members" not in client.get(f"{BASE}/Groups/{staff['id']}").get_json()
    assert user()["id"] != made["id"]


def test_put_clears_what_it_leaves_out_and_keeps_members_unless_named(
    client: FlaskClient, user: Make, group: Make
) -> None:
    made = user(title="T")
    answer = client.put(f"{BASE}/Users/{made['id']}?", json={"userName": "new", "groups": [], "id": "other"})
    assert answer.status_code == 200
    assert "title" not in answer.get_json()
    staff = group("Staff", made["id"])
    path = f"{BASE}/Groups/{staff['id']}"
    assert client.put(path, json={"displayName": "Crew"}).get_json()["members"][0]["value"] == made["id"]
    assert "members" not in client.put(path, json={"displayName": "Crew", "members": []}).get_json()


def test_patch_answers_200_for_users_and_204_for_groups(user: Make, group: Make, patch: Callable[..., Any]) -> None:
    made, staff = user(), group()
    replace = {"op": "replace", "path": "displayName", "value": "New"}
    assert patch(f"/Users/{made['id']}", replace).get_json()["displayName"] == "New"
    assert patch(f"/Groups/{staff['id']}", replace).status_code == 204
    answer = patch(f"/Groups/{staff['id']}?attributes=displayName", replace)
    assert set(answer.get_json()) == {"schemas", "id", "displayName"}


def test_a_tenant_may_want_204_for_users(store: MemoryStore, user: Make, patch: Callable[..., Any]) -> None:
    made = user()
    store.features = Features(user_patch_answers_204=True)
    assert patch(f"/Users/{made['id']}", {"op": "add", "path": "title", "value": "T"}).status_code == 204


def test_a_patch_without_effect_keeps_the_version(
    client: FlaskClient, user: Make, group: Make, patch: Callable[..., Any]
) -> None:
    made = user()
    staff = group("Staff", made["id"])
    assert patch(f"/Users/{made['id']}", {"op": "add", "path": "userName", "value": made["userName"]}).get_json() == {
        **made,
        "groups": [
            {"value": staff["id"], "$ref": staff["meta"]["location"], "display": "Staff", "type": "direct"},
        ],
    }
    patch(f"/Groups/{staff['id']}", {"op": "add", "path": "members", "value": [{"value": made["id"]}]})
    assert client.get(f"{BASE}/Groups/{staff['id']}").get_json() == staff


def test_a_refused_patch_changes_nothing(client: FlaskClient, user: Make, patch: Callable[..., Any]) -> None:
    made = user()
    answer = patch(
        f"/Users/{made['id']}",
        {"op": "add", "path": "title", "value": "T"},
        {"op": "replace", "path": "active", "value": "perhaps"},
    )
    refused(answer, 400, "invalidValue")
    assert client.get(f"{BASE}/Users/{made['id']}").get_json() == made


def test_an_unknown_member_refuses_all_and_touches_nobody(
    client: FlaskClient, user: Make, group: Make, patch: Callable[..., Any]
) -> None:
    ann, bob = user("ann"), user("bob")
    staff = group("Staff", ann["id"])
    for op in ("add", "replace"):
        answer = patch(f"/Groups/{staff['id']}", {"op": op, "path": "members", "value": [bob["id"], "nobody"]})
        assert "nobody" in refused(answer, 400, "invalidValue")["detail"]
    assert client.get(f"{BASE}/Groups/{staff['id']}").get_json() == staff
    gone = patch(f"/Groups/{staff['id']}", {"op": "remove", "path": 'members[value eq "nobody"]'})
    assert gone.status_code == 204


def test_drift_reaches_the_store(store: MemoryStore, user: Make, patch: Callable[..., Any]) -> None:
    made = user(colour="red")
    patch(f"/Users/{made['id']}", {"op": "replace", "value": {"adreses": "x", "title": "T"}})
    assert store.drift == ["colour", "adreses"]


def test_lists_page_sort_and_filter(client: FlaskClient, user: Make) -> None:
    for name, title in (("c", "x"), ("a", "y"), ("b", None)):
        user(name, title=title)

    def names(query: str) -> list[str]:
        answer = client.get(f"{BASE}/Users?{query}").get_json()
        assert answer["itemsPerPage"] == len(answer["Resources"])
        return [found["userName"] for found in answer["Resources"]]

    assert names("") == ["c", "a", "b"]
    assert names("startIndex=2&count=1") == ["a"]
    assert names("startIndex=0&count=-1") == []
    assert names("sortBy=userName&sortOrder=DESCENDING") == ["c", "b", "a"]
    assert names("sortBy=title") == ["c", "a", "b"]
    assert names("sortBy=title&sortOrder=descending") == ["b", "a", "c"]
    assert names('FILTER=title pr and userName ne "a"') == ["c"]
    assert names("aadOptscim062020&unknown=1&unknown=2") == ["c", "a", "b"]
    assert client.get(f"{BASE}/Users?count=0").get_json()["totalResults"] == 3
    assert client.get(f"{BASE}/Users?startIndex=3&count=5").get_json()["startIndex"] == 3


@pytest.mark.parametrize(
    ("query", "status", "scim_type"),
    [
        ('filter=foo eq "x"', 400, "invalidFilter"),
        ("filter=", 400, "invalidFilter"),
        ('filter=userName xx "a"', 400, "invalidFilter"),
        ('filter=password eq "a"', 403, "sensitive"),
        ('filter=active eq true&Filter=userName eq "a"', 400, "invalidSyntax"),
        ("count=ten", 400, "invalidValue"),
        ("sortBy=nothing", 400, "invalidPath"),
        ("sortOrder=up", 400, "invalidValue"),
        ("attributes=title&excludedAttributes=name", 400, "invalidValue"),
    ],
)
def test_a_bad_list_request(client: FlaskClient, query: str, status: int, scim_type: str) -> None:
    refused(client.get(f"{BASE}/Users?{query}"), status, scim_type)


def test_projection(client: FlaskClient, user: Make, group: Make) -> None:
    made = user(title="T", emails=[{"type": "work", "value": "w"}], manager="m")
    path = f"{BASE}/Users/{made['id']}"

    def shown(query: str) -> dict[str, Any]:
        return dict(client.get(f"{path}?{query}").get_json())

    always = {"schemas": made["schemas"], "id": made["id"]}
    assert shown("attributes=TITLE,nothing") == {**always, "title": "T"}
    assert shown("attributes=emails.value,emails.type")["emails"] == [{"value": "w", "type": "work"}]
    assert shown('attributes=emails[type eq "work"]')["emails"] == made["emails"]
    assert shown("attributes=manager.value,password")[made["schemas"][1]] == {"manager": {"value": "m"}}
    assert shown("excludedAttributes=id,title,emails.type,meta,manager") == {
        **{name: held for name, held in made.items() if name not in ("title", "meta", made["schemas"][1])},
        "emails": [{"value": "w"}],
    }
    staff = group("Staff", made["id"])
    lean = client.get(f"{BASE}/Groups/{staff['id']}?excludedAttributes=members").get_json()
    assert lean == {name: held for name, held in staff.items() if name != "members"}


def test_versions(client: FlaskClient, user: Make, patch: Callable[..., Any]) -> None:
    made = user()
    path = f"{BASE}/Users/{made['id']}"
    assert client.get(path, headers={"If-None-Match": 'W/"1"'}).status_code == 304
    assert client.get(path, headers={"If-None-Match": "*"}).status_code == 304
    title = {"op": "add", "path": "title", "value": "T"}
    refused(patch(f"/Users/{made['id']}", title, headers={"If-Match": 'W/"9"'}), 412)
    refused(client.put(path, json={"userName": "x"}, headers={"If-Match": '"stale"'}), 412)
    assert patch(f"/Users/{made['id']}", title, headers={"If-Match": 'W/"9", W/"1"'}).headers["ETag"] == 'W/"2"'
    refused(client.delete(path, headers={"If-Match": 'W/"1"'}), 412)
    assert client.get(path, headers={"If-None-Match": 'W/"1"'}).status_code == 200
    assert client.delete(path, headers={"If-Match": "*"}).status_code == 204
    refused(client.delete(path, headers={"If-Match": "*"}), 404)


@pytest.mark.parametrize(
    ("data", "content_type", "status", "scim_type"),
    [
        (b"{", "application/json", 400, "invalidSyntax"),
        (b"[]", "application/json", 400, "invalidSyntax"),
        (b"", "application/scim+json", 400, "invalidSyntax"),
        (b'{"userName":"\xff"}', "application/json", 400, "invalidSyntax"),
        (b'{"userName":NaN}', "application/json", 400, "invalidSyntax"),
        (b'{"userName":"a","userName":"b"}', "application/json; charset=utf-8", 400, "invalidSyntax"),
        (b'{"userName":"a\\u0000"}', "application/json", 400, "invalidValue"),
        (b'{"a":' * 40 + b"1" + b"}" * 40, "application/json", 400, "invalidSyntax"),
        (b'{"a":"' + b"x" * 1_048_576 + b'"}', "application/json", 413, None),
        (b"userName=a", "application/x-www-form-urlencoded", 415, None),
    ],
)
def test_a_bad_body(client: FlaskClient, data: bytes, content_type: str, status: int, scim_type: str | None) -> None:
    refused(client.post(f"{BASE}/Users", data=data, content_type=content_type), status, scim_type)
    assert client.get(f"{BASE}/Users").get_json()["totalResults"] == 0


def test_who_is_nobody_gets_401(app: Flask) -> None:
    stranger = app.test_client()
    for header in ({}, {"Authorization": "Basic eDp5"}, {"Authorization": "Bearer wrong"}):
        answer = stranger.get(f"{BASE}/Users", headers=header)
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    refused(stranger.get(f"{BASE}/Users", headers={"Authorization": "Bearer"}), 400, "invalidSyntax")


@pytest.mark.parametrize("path", ["/Nothing", "/Users/a/b", "/serviceConfiguration"])
def test_unknown_paths(client: FlaskClient, path: str) -> None:
    for method in ("GET", "POST", "DELETE"):
        refused(client.open(f"{BASE}{path}", method=method), 404)


@pytest.mark.parametrize(
    ("path", "method", "allow"),
    [
        ("/Schemas", "POST", "GET, HEAD"),
        ("/ServiceProviderConfig", "PUT", "GET, HEAD"),
        ("/Users", "PATCH", "GET, HEAD, POST"),
        ("/Groups/1", "POST", "GET, HEAD, PUT, PATCH, DELETE"),
        ("/Users/.search", "GET", "POST"),
        ("/Bulk", "GET", "POST"),
        ("/Users", "OPTIONS", "GET, HEAD, POST"),
    ],
)
def test_405_says_what_is_allowed(client: FlaskClient, path: str, method: str, allow: str) -> None:
    answer = client.open(f"{BASE}{path}", method=method)
    refused(answer, 405)
    assert answer.headers["Allow"] == allow


def test_me_is_not_offered(client: FlaskClient) -> None:
    refused(client.get(f"{BASE}/Me"), 501)


def test_discovery_is_readable_without_a_token_and_cannot_be_filtered(app: Flask) -> None:
    stranger = app.test_client()
    types = stranger.get(f"{BASE}/ResourceTypes").get_json()
    assert [found["endpoint"] for found in types["Resources"]] == ["/Users", "/Groups"]
    schemas = stranger.get(f"{BASE}/Schemas").get_json()
    assert schemas["totalResults"] == 4
    assert b"null" not in stranger.get(f"{BASE}/Schemas").data
    one = stranger.get(f"{BASE}/Schemas/{LMS_USER.lower()}").get_json()
    assert {attribute["mutability"] for attribute in one["attributes"]} == {"readOnly"}
    assert stranger.get(f"{BASE}/ServiceProviderConfig").get_json()["bulk"]["maxOperations"] == 1000
    refused(stranger.get(f'{BASE}/Schemas?filter=id eq "x"'), 403)
    refused(stranger.get(f"{BASE}/Schemas/urn:x"), 404)
    refused(stranger.get(f"{BASE}/ResourceTypes/Device"), 404)
    refused(stranger.get(f"{BASE}/Schemas", headers={"Authorization": "Bearer wrong"}), 401)


def test_search_by_post(client: FlaskClient, user: Make, group: Make) -> None:
    made, staff = user(displayName="Both"), group("Both")
    both = client.post(f"{BASE}/.search", json={"filter": 'displayName eq "both"'}).get_json()
    assert [found["id"] for found in both["Resources"]] == [made["id"], staff["id"]]
    one = client.post(f"{BASE}/Users/.search", json={"filter": 'displayName eq "both"', "attributes": ["userName"]})
    assert one.get_json()["Resources"] == [{"schemas": made["schemas"], "id": made["id"], "userName": made["userName"]}]
    refused(client.post(f"{BASE}/Users/.search", json={"filter": 'password eq "x"'}), 400, "invalidFilter")
    refused(client.post(f"{BASE}/Users/.search", json={"schemas": ["urn:x"]}), 400, "invalidSyntax")


def test_head_has_the_headers_and_no_body(client: FlaskClient, user: Make) -> None:
    answer = client.head(f"{BASE}/Users/{user()['id']}")
    assert (answer.status_code, answer.headers["ETag"], answer.data) == (200, 'W/"1"', b"")


class _Broken(MemoryDoorkeeper):
    def admit(self, token: str) -> Any:
        raise RuntimeError(f"{token}@example.com")


def test_an_unforeseen_failure_is_a_scim_500_and_its_log_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    app = Flask(__name__)
    app.register_blueprint(blueprint(_Broken({}), Limits()))
    with caplog.at_level(logging.ERROR, logger="scim.routes"):
        refused(app.test_client().get(f"{BASE}/Users", headers={"Authorization": "Bearer x"}), 500)
    assert "RuntimeError" in caplog.text
    assert "@example.com" not in caplog.text.replace("{token}@example.com", "")
    app.testing = True
    with pytest.raises(RuntimeError):
        app.test_client().get(f"{BASE}/Users", headers={"Authorization": "Bearer x"})
