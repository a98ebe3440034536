"""The provisioning log on the real store: what each request did, and no secret in any column."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters import scim_log
from app.adapters.doorkeeper import Doorkeeper
from app.adapters.schemas import declare
from app.adapters.scim_effects import words
from app.adapters.scim_log import ScimLog
from app.provisioning import new_id
from app.store import credentials, scim_requests, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.scim_requests import Asked
from app.store.tenant_settings import choose
from scim.routes import blueprint
from scim.store import Limits
from tests.scim.declared import LEARNER

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Rows = Callable[..., list[dict[str, Any]]]


@pytest.fixture
def log(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> ScimLog:
    """A log that is written only when it is asked for."""
    made = ScimLog(engine)
    monkeypatch.setattr(made, "_ensure_thread", lambda: None)
    return made


@pytest.fixture
def client(engine: sa.Engine, log: ScimLog, okta: tenants.SourceRow) -> FlaskClient:
    app = Flask(__name__)
    app.testing = True
    app.register_blueprint(blueprint(Doorkeeper(engine), Limits(), observer=log))
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token(engine, okta)}"
    return made


@pytest.fixture
def rows(engine: sa.Engine, log: ScimLog, tenant: tenants.Tenant) -> Rows:
    """What the log holds of the tenant, oldest first."""

    def read(**asked: Any) -> list[dict[str, Any]]:
        log.flush()
        with reading(engine) as conn:
            return list(reversed(scim_requests.page(conn, tenant.id, Asked(**asked))))

    return read


def token(engine: sa.Engine, source: tenants.SourceRow) -> str:
    with writing(engine) as conn:
        return credentials.issue(conn, source.tenant_id, "scim_token", "push", source_id=source.id).secret


def patch(*operations: dict[str, Any]) -> dict[str, Any]:
    return {"schemas": [PATCH], "Operations": list(operations)}


def said(row: dict[str, Any]) -> str:
    return words(row["effect"], row["method"], row["status"])


@pytest.mark.parametrize("more", ["", "?sortBy=displayName", "?count=1&cursor="])
def test_a_search_over_all_kinds_says_what_it_found(client: FlaskClient, rows: Rows, more: str) -> None:
    client.post("/scim/v2/Users", json={"userName": "ada@x.org"})
    client.post("/scim/v2/Groups", json={"displayName": "Crew"})
    assert client.get(f"/scim/v2/{more}").get_json()["totalResults"] == 2
    assert said(rows()[-1]) == "2 of Users and Groups found"


def test_a_users_life_is_told_in_words(client: FlaskClient, rows: Rows, okta: tenants.SourceRow) -> None:
    agent = {"User-Agent": "Okta SCIM Client 1.0.0"}
    made = client.post("/scim/v2/Users", json={"userName": "Ada@x.org", "title": "A"}, headers=agent).get_json()
    path = f"/scim/v2/Users/{made['id']}"
    client.patch(path, json=patch({"op": "replace", "path": "title", "value": "B"}))
    client.patch(path, json=patch({"op": "replace", "path": "title", "value": "B"}))
    client.patch(path, json=patch({"op": "replace", "path": "active", "value": False}))
    client.get(path)
    client.get('/scim/v2/Users?filter=userName eq "ada@x.org" and not (title eq "B")')
    client.delete(path)
    client.get(path)
    found = rows()
    account = made["urn:rollcall:params:scim:schemas:lms:2.0:User"]["accountId"]
    assert [(row["method"], row["status"]) for row in found] == [
        ("POST", 201),
        ("PATCH", 200),
        ("PATCH", 200),
        ("PATCH", 200),
        ("GET", 200),
        ("GET", 200),
        ("DELETE", 204),
        ("GET", 404),
    ]
    assert [said(row) for row in found] == [
        f"user created; account {account}: new, active",
        f'user updated; title: "A" → "B"; account {account}: changed title',
        "nothing changed",
        f"user updated; active: nothing → false; account {account}: active → inactive",
        "read",
        "0 of Users found where userName eq … and not (title eq …)",
        "user deleted",
        "refused",
    ]
    first, last = found[0], found[-1]
    assert (first["source"], first["credential"], first["user_agent"]) == ("okta", "push", agent["User-Agent"])
    assert {row["resource_id"] for row in found} == {made["id"], None}
    assert (first["resource_name"], first["kind"], first["path"]) == ("ada@x.org", "User", "/Users")
    assert last["detail"] == f"There is no User with the id '{made['id']}'."
    assert all(row["milliseconds"] > 0 for row in found)


def test_a_groups_members_and_their_roles(
    engine: sa.Engine, client: FlaskClient, rows: Rows, okta: tenants.SourceRow
) -> None:
    ids = [client.post("/scim/v2/Users", json={"userName": name}).get_json()["id"] for name in ("a", "b", "c")]
    group = client.post("/scim/v2/Groups", json={"displayName": "Staff"}).get_json()["id"]
    give_role(engine, okta, group)
    add = patch({"op": "add", "path": "members", "value": [{"value": id} for id in ids[:2]]})
    assert client.patch(f"/scim/v2/Groups/{group}", json=add).status_code == 204
    swap = [{"value": ids[0]}, {"value": ids[2]}]
    client.put(f"/scim/v2/Groups/{group}", json={"displayName": "Crew", "members": swap})
    client.delete(f"/scim/v2/Groups/{group}")
    created, added, swapped, deleted = rows()[3:]
    assert said(created) == "group created"
    assert said(added).startswith("group updated; 2 members added; 2 accounts changed; account ")
    assert said(added).count("gained instructor") == 2
    [change] = swapped["effect"]["changes"]
    assert (change["attributes"], change["added"], change["removed"]) == ({"displayName": ["Staff", "Crew"]}, 1, 1)
    assert sorted(next(iter(one.keys() - {"id"})) for one in change["accounts"]) == ["rolesGained", "rolesLost"]
    assert said(deleted).startswith("group deleted; 2 members removed; 2 accounts changed")


def test_refusals_say_why(client: FlaskClient, rows: Rows) -> None:
    client.post("/scim/v2/Users", json={"userName": "ada"})
    client.post("/scim/v2/Users", json={"userName": "ADA", "adreses": 1})
    client.get('/scim/v2/Users?filter=shoeSize eq "9"')
    client.post("/scim/v2/Users", data=b"{not json", content_type="application/scim+json")
    taken, unknown, garbage = rows(statuses=(400, 499))
    assert (taken["scim_type"], taken["resource_name"], taken["resource_id"]) == ("uniqueness", "ada", None)
    assert unknown["scim_type"] == "invalidFilter"
    assert garbage["scim_type"] == "invalidSyntax"
    assert rows(resources=[], name="Ada") != []


def test_what_nobody_understood_is_named(client: FlaskClient, rows: Rows) -> None:
    client.post("/scim/v2/Users", json={"userName": "ada", "adreses": "x"})
    [row] = rows()
    assert said(row).endswith("; not understood: adreses")


def test_a_bulk_request_is_one_row_with_its_effects(client: FlaskClient, rows: Rows) -> None:
    post = [
        {"method": "POST", "path": "/Users", "bulkId": str(n), "data": {"userName": name, "password": "S3cret-bulk"}}
        for n, name in enumerate(["a", "b", "a"])
    ]
    schema = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
    client.post("/scim/v2/Bulk", json={"schemas": [schema], "Operations": post})
    [row] = rows()
    assert row["effect"]["operations"]["refusals"][0]["scimType"] == "uniqueness"
    assert said(row).startswith("3 operations, 1 refused; user created;")


def test_a_paused_source_is_logged_and_a_stranger_is_not(
    engine: sa.Engine, client: FlaskClient, rows: Rows, okta: tenants.SourceRow, log: ScimLog
) -> None:
    client.get("/scim/v2/Users", headers={"Authorization": "Bearer rc_scim_unknown"})
    with writing(engine) as conn:
        conn.execute(sa.update(t.sources).values(state="paused"))
    assert client.get("/scim/v2/Users").status_code == 403
    [row] = rows()
    assert (row["status"], row["source"]) == (403, "okta")


def test_a_tenant_may_want_no_log(engine: sa.Engine, client: FlaskClient, rows: Rows, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        choose(conn, tenant.id, "scim.log_days", "0")
    client.get("/scim/v2/Users")
    assert rows() == []


SECRETS = ("S3cret-one", "S3cret-two", "S3cret-three", "S3cret-four", "S3cret-five", "S3cret-six", "S3cret-seven")


def test_no_secret_ever_stands_in_the_table(
    engine: sa.Engine, client: FlaskClient, log: ScimLog, okta: tenants.SourceRow
) -> None:
    bearer = token(engine, okta)
    one, two, three, four, five, six, seven = SECRETS
    urn = "urn:ietf:params:scim:schemas:core:2.0:User:password"
    made = client.post("/scim/v2/Users", json={"userName": "ada", "password": one, "title": f"Bearer {bearer}"})
    path = f"/scim/v2/Users/{made.get_json()['id']}"
    for operation in (
        {"op": "replace", "path": "password", "value": two},
        {"op": "replace", "path": urn, "value": two},
        {"op": "replace", "value": {"PASSWORD": three, urn: three, "clientSecret": three, "title": bearer}},
        {"op": "replace", "path": "password", "value": {"deep": [two]}},
        {"op": "add", "path": "roles", "value": [{"value": f'{{"password": "{four}"}}'}]},
        {"op": "replace", "path": "title", "value": "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ4In0.c2lnbmF0dXJl"},
        {"op": "add", "path": f'password[value eq "{five}"]', "value": five},
    ):
        client.patch(path, json=patch(operation))
    twice = f'{{"schemas":["{PATCH}"],"Operations":[{{"op":"add","path":"password","path":"title","value":"{six}"}}]}}'
    client.patch(path, data=twice, content_type="application/scim+json")
    client.post("/scim/v2/Users", data=f'{{"password": "{six}"', content_type="application/scim+json")
    search = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": f'password eq "{seven}"'}
    client.post("/scim/v2/Users/.search", json=search)
    client.post("/scim/v2/.search", json={**search, "filter": f"password eq {seven}"})
    client.get(f'/scim/v2/Users?filter=password eq "{seven}"')
    client.get(f"/scim/v2/Users/{bearer}", headers={"User-Agent": bearer})
    log.flush()
    with reading(engine) as conn:
        found = conn.execute(sa.text("SELECT r::text FROM scim_requests r")).scalars().all()
    assert len(found) == 14
    text = "\n".join(found)
    leaked = [secret for secret in (*SECRETS, bearer, bearer[8:], "c2lnbmF0dXJl") if secret in text]
    assert leaked == []
    assert '""password"":""***""' in text


def test_a_full_queue_counts_what_it_drops(
    client: FlaskClient, rows: Rows, log: ScimLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[dict[str, Any]] = []
    monkeypatch.setattr(scim_log, "MOST_WAITING", 2)
    monkeypatch.setattr(scim_log._log, "warning", lambda _event, **values: told.append(values), raising=False)
    for _ in range(5):
        assert client.get("/scim/v2/Users").status_code == 200
    assert len(rows()) == 2
    assert told == [{"times": 3}]


def test_a_batch_with_rests_in_it_is_whole(client: FlaskClient, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    rests: list[float] = []
    monkeypatch.setattr(scim_log, "AT_A_STRETCH", 2)
    monkeypatch.setattr(scim_log.time, "sleep", rests.append)
    for _ in range(5):
        client.get("/scim/v2/Users")
    assert (len(rows()), len(rests)) == (5, 2)


def test_a_database_that_does_not_answer_costs_no_row(
    client: FlaskClient, rows: Rows, log: ScimLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    def gone(*_: object) -> None:
        raise sa.exc.OperationalError("", {}, Exception())

    client.get("/scim/v2/Users")
    with monkeypatch.context() as away:
        away.setattr(scim_requests, "insert", gone)
        log.flush()
    assert len(rows()) == 1


def test_the_thread_writes_by_itself(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    app = Flask(__name__)
    app.register_blueprint(blueprint(Doorkeeper(engine), Limits(), observer=ScimLog(engine)))
    app.test_client().get("/scim/v2/Users", headers={"Authorization": f"Bearer {token(engine, okta)}"})
    count = sa.select(sa.func.count()).select_from(t.scim_requests)
    for _ in range(200):
        with reading(engine) as conn:
            if conn.execute(count).scalar_one():
                return
            conn.execute(sa.text("SELECT pg_sleep(0.05)"))
    raise AssertionError("nothing was written")


def test_old_rows_are_forgotten_by_each_tenants_days(engine: sa.Engine, client: FlaskClient, rows: Rows) -> None:
    for _ in range(3):
        client.get("/scim/v2/Users")
    assert len(rows()) == 3
    later = datetime.now(UTC).replace(year=datetime.now(UTC).year + 1)
    with writing(engine) as conn:
        assert scim_requests.forget(conn, datetime.now(UTC), 30) == 0
        assert scim_requests.forget(conn, later, 30, limit=2) == 2
        conn.execute(sa.update(t.tenants).values(settings={"scim": {"log_days": 1000}}))
        assert scim_requests.forget(conn, later, 30) == 0
    assert len(rows()) == 1


def give_role(engine: sa.Engine, source: tenants.SourceRow, group: str) -> None:
    with writing(engine) as conn:
        mapping = {
            "tenant_id": source.tenant_id,
            "id": new_id(),
            "kind": "group",
            "source_id": source.id,
            "group_id": group,
            "role": "instructor",
        }
        conn.execute(sa.insert(t.mappings).values(**mapping))
        tenants.raise_revision(conn, source.tenant_id)


def test_what_a_tenants_schemas_hide_is_hidden_here(engine, client, rows, okta) -> None:
    declare(engine, okta.tenant_id, "User", learner_with_a_hidden_part(), actor="test")
    body = {"userName": "ada@x.org", LEARNER: {"phrase": "swordfish-1", "locker": [{"code": "swordfish-2", "row": 7}]}}
    made = client.post("/scim/v2/Users", json=body).get_json()
    operations = [
        {"op": "Replace", "path": f"{LEARNER}:phrase", "value": "swordfish-3"},
        {"op": "Replace", "path": f"{LEARNER}:locker[row eq 7].code", "value": "swordfish-4"},
        {"op": "replace", "value": {f"{LEARNER}:Phrase": "swordfish-5"}},
    ]
    body = {"schemas": [PATCH], "Operations": operations}
    assert client.patch(f"/scim/v2/Users/{made['id']}", json=body).status_code == 200
    written = str(rows())
    assert "swordfish" not in written
    assert "'row': 7" in written


def learner_with_a_hidden_part() -> dict[str, Any]:
    hidden = {"name": "code", "returned": "never"}
    locker = {"name": "locker", "type": "complex", "multiValued": True}
    return {
        "id": LEARNER,
        "attributes": [
            {"name": "phrase", "mutability": "writeOnly"},
            {**locker, "subAttributes": [hidden, {"name": "row", "type": "integer"}]},
        ],
    }
