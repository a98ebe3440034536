"""The whole SCIM door on the real store: conformance, tenants kept apart, bad tokens, the account that users show."""

from __future__ import annotations

import uuid

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient
from scim2_client.engines.wsgi import WSGISCIMClient
from scim2_tester import check_server

from app.store import credentials, tenant_settings, tenants
from app.store import tables as t
from app.store.engine import writing
from scim.patch import PATCH_OP
from scim.schemas import CORE_USER, LMS_USER

BASE = "/scim/v2"


def test_scim2_tester_passes_in_full(engine, app, tenant, okta) -> None:
    with writing(engine) as conn:
        settings = {"scim": {"account_extension": False}}
        conn.execute(sa.update(t.tenants).where(t.tenants.c.id == tenant.id).values(settings=settings))
        token = credentials.issue(conn, tenant.id, "scim_token", "test", source_id=okta.id).secret
    client = WSGISCIMClient(app, base_url=f"http://localhost{BASE}", headers={"Authorization": f"Bearer {token}"})
    results = check_server(client)
    assert len(results) > 120
    assert [found.reason for found in results if found.status.name in ("ERROR", "CRITICAL")] == []


def test_a_user_shows_its_account_and_its_groups(connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    user = client.post(f"{BASE}/Users", json={"userName": "ada@x.org"}).get_json()
    client.post(f"{BASE}/Groups", json={"displayName": "Staff", "members": [{"value": user["id"]}]})
    seen = client.get(f"{BASE}/Users/{user['id']}").get_json()
    assert seen[LMS_USER]["status"] == "active"
    assert seen[LMS_USER]["accountId"] != user["id"]
    assert [group["display"] for group in seen["groups"]] == ["Staff"]


def test_another_tenants_ids_do_not_exist(engine, connect, tenant, okta) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        foreign = tenants.create_source(conn, other.id, "okta", kind="idp", system="okta")
    mine, theirs = connect(tenant, okta), connect(other, foreign)
    user = mine.post(f"{BASE}/Users", json={"userName": "ada@x.org"}).get_json()
    group = mine.post(f"{BASE}/Groups", json={"displayName": "Staff"}).get_json()
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "replace", "path": "displayName", "value": "X"}],
    }
    for path in (f"/Users/{user['id']}", f"/Groups/{group['id']}"):
        assert theirs.get(BASE + path).status_code == 404
        assert theirs.patch(BASE + path, json=patch).status_code == 404
        assert theirs.delete(BASE + path).status_code == 404
    named = theirs.post(f"{BASE}/Groups", json={"displayName": "S", "members": [{"value": user["id"]}]})
    assert (named.status_code, named.get_json()["scimType"]) == (400, "invalidValue")
    assert theirs.get(f"{BASE}/Users").get_json()["totalResults"] == 0
    assert mine.get(BASE + f"/Users/{user['id']}").get_json()["meta"]["version"] == 'W/"1"'


def test_a_token_that_is_not_one_is_refused_in_scims_words(app, connect, tenant, okta) -> None:
    client = app.test_client()
    for header in (None, "Bearer nonsense", "Bearer " + "x" * 5000, "Basic YTpi"):
        answer = client.get(f"{BASE}/Users", headers={"Authorization": header} if header else {})
        assert answer.status_code == 401
        assert answer.content_type == "application/scim+json"
        assert answer.get_json()["status"] == "401"
        assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_what_is_not_understood_is_counted_as_drift(engine, connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    for name in ("a", "b"):
        assert client.post(f"{BASE}/Users", json={"userName": name, "adreses": "x"}).status_code == 201
    with engine.connect() as conn:
        [row] = conn.execute(sa.select(t.drift))
    assert (row.path, row.times) == ("adreses", 2)


def test_totals_without_a_filter_come_from_the_ledger(connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    ids = [client.post(f"{BASE}/Users", json={"userName": f"u{n}"}).get_json()["id"] for n in range(3)]
    client.delete(f"{BASE}/Users/{ids[0]}")
    page = client.get(f"{BASE}/Users?startIndex=2&count=1").get_json()
    assert (page["totalResults"], [one["id"] for one in page["Resources"]]) == (2, [ids[2]])
    beyond = client.get(f"{BASE}/Users?startIndex=9").get_json()
    assert (beyond["totalResults"], beyond["Resources"]) == (2, [])


def test_text_that_the_database_cannot_hold_is_refused(connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    for name in ("a\x00b", "n" * 513):
        answer = client.post(f"{BASE}/Users", json={"userName": name})
        assert (answer.status_code, answer.get_json()["scimType"]) == (400, "invalidValue"), answer.text
    raw = client.post(f"{BASE}/Users", data=b'{"userName": "\\ud800"}', content_type="application/scim+json")
    assert raw.status_code == 400


STRANGER = "01900000-0000-7000-8000-000000000000"


def members(client: FlaskClient, group: str) -> set[str]:
    return {one["value"] for one in client.get(f"{BASE}/Groups/{group}").get_json().get("members", [])}


def test_a_tenant_leaves_unknown_members_out_and_sees_them_as_drift(engine, connect, tenant, okta) -> None:
    with writing(engine) as conn:
        tenant_settings.choose(conn, tenant.id, "scim.unknown_members_ignored", "true")
    client = connect(tenant, okta)
    ada, bob = (client.post(f"{BASE}/Users", json={"userName": name}).get_json()["id"] for name in ("ada", "bob"))
    stale = [{"value": STRANGER}, {"value": "no id at all"}]
    made = client.post(f"{BASE}/Groups", json={"displayName": "Staff", "members": [{"value": ada}, *stale]})
    group = made.get_json()["id"]
    assert members(client, group) == {ada}
    patch = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{"op": "add", "path": "members", "value": [{"value": bob}, *stale]}],
    }
    assert client.patch(f"{BASE}/Groups/{group}", json=patch).status_code == 204
    assert members(client, group) == {ada, bob}
    patch["Operations"][0]["value"] = stale
    before = client.get(f"{BASE}/Groups/{group}").headers["ETag"]
    assert client.patch(f"{BASE}/Groups/{group}", json=patch).status_code == 204
    assert client.get(f"{BASE}/Groups/{group}").headers["ETag"] == before
    put = {"displayName": "Staff", "members": [{"value": bob}, *stale]}
    assert client.put(f"{BASE}/Groups/{group}", json=put).status_code == 200
    assert members(client, group) == {bob}
    with engine.connect() as conn:
        counted = conn.execute(sa.select(t.drift.c.path, t.drift.c.times)).all()
    assert [tuple(one) for one in counted] == [("members.value of nobody", 4)]


def test_by_default_an_unknown_member_refuses_the_request(connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    for stranger in (STRANGER, "no id at all"):
        refused = client.post(f"{BASE}/Groups", json={"displayName": "Staff", "members": [{"value": stranger}]})
        assert (refused.status_code, refused.get_json()["scimType"]) == (400, "invalidValue")
    assert client.get(f"{BASE}/Groups").get_json()["totalResults"] == 0


def test_a_filter_by_memberships_or_account_asks_about_each_row(connect, tenant, okta) -> None:
    client = connect(tenant, okta)
    ada, bob = (client.post(f"{BASE}/Users", json={"userName": name}).get_json()["id"] for name in ("ada", "bob"))
    for name, id in (("Crew", ada), ("Staff", bob)):
        client.post(f"{BASE}/Groups", json={"displayName": name, "members": [{"value": id}]})

    def found(path: str, text: str) -> list[str]:
        answer = client.get(f"{BASE}{path}", query_string={"filter": text}).get_json()
        return [one.get("userName") or one["displayName"] for one in answer["Resources"]]

    assert found("/Groups", f'members.value eq "{bob}"') == ["Staff"]
    assert found("/Groups", f'not (members.value eq "{bob}")') == ["Crew"]
    assert found("/Users", 'groups.display eq "crew"') == ["ada"]
    account = client.get(f"{BASE}/Users/{bob}").get_json()[LMS_USER]["accountId"]
    assert found("/Users", f'{LMS_USER}:accountId eq "{account}" and {LMS_USER}:status eq "active"') == ["bob"]


@pytest.mark.parametrize("shown", [True, False])
def test_a_user_just_made_is_answered_as_it_reads(engine, connect, tenant, okta, shown) -> None:
    """Beside somebody whom HR knows, with a role by title, an unlisted extension and text that must be escaped."""
    settings = {"scim": {"account_extension": shown}}
    with writing(engine) as conn:
        conn.execute(sa.update(t.tenants).where(t.tenants.c.id == tenant.id).values(settings=settings))
        conn.execute(sa.insert(t.roles).values(tenant_id=tenant.id, name="tutor", rank=5))
        mapping = {"kind": "attribute", "attribute": "title", "value": "tutor", "role": "tutor"}
        conn.execute(sa.insert(t.mappings).values(tenant_id=tenant.id, id=str(uuid.uuid4()), **mapping))
        conn.exec_driver_sql("UPDATE tenants SET revision = revision + 1")
    client = connect(tenant, okta)
    for number, said in enumerate([{}, {"title": "Tutor"}, {"active": False, "displayName": 'A "\\" \u00df\u2028'}]):
        body = {"schemas": [CORE_USER, LMS_USER], "userName": f"u{number}@x.org", **said}
        made = client.post(f"{BASE}/Users", json=body)
        assert made.status_code == 201
        read = client.get(f"{BASE}/Users/{made.json['id']}")
        assert made.json == read.json
        assert made.headers["ETag"] == read.headers["ETag"]
        assert (LMS_USER in made.json) is shown
        operations = [
            {"op": "add", "path": "title", "value": "Tutor"},
            {"op": "replace", "path": "active", "value": True},
        ]
        group = {"displayName": f"g{number}", "members": [{"value": made.json["id"]}]}
        assert client.post(f"{BASE}/Groups", json=group).status_code == 201
        patched = client.patch(
            f"{BASE}/Users/{made.json['id']}", json={"schemas": [PATCH_OP], "Operations": operations}
        )
        read = client.get(f"{BASE}/Users/{made.json['id']}")
        assert patched.status_code == 200
        assert patched.json == read.json
        assert patched.headers["ETag"] == read.headers["ETag"] != made.headers["ETag"]
        assert read.json["groups"][0]["display"] == f"g{number}"


def test_a_time_reads_back_as_the_write_answered_it(connect, tenant, okta, engine) -> None:
    """PostgreSQL writes 12:00:00.120000 as 12:00:00.12."""
    client = connect(tenant, okta)
    id = client.post(f"{BASE}/Users", json={"userName": "ada"}).get_json()["id"]
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE records SET created_at = '2026-03-01T12:00:00.12Z', updated_at = '2026-03-01Z'"))
    meta = client.get(f"{BASE}/Users/{id}").get_json()["meta"]
    assert (meta["created"], meta["lastModified"]) == ("2026-03-01T12:00:00.120000Z", "2026-03-01T00:00:00.000000Z")
