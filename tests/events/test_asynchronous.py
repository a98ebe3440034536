"""Prefer: respond-async (RFC 9967 §2.5.1): accepted, carried out once and in order, completion told as an event."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters import asynchronous as module
from app.adapters.asynchronous import Requests
from app.events.delivery import Delivery
from app.store import async_requests, audit, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.outward_tables import async_requests as table
from scim.events import ASYNC
from tests.events.conftest import ISSUER, Clock
from tests.events.receiver import Receiver

BASE = f"{ISSUER}/scim/v2"
USERS, GROUPS, BULK = "/scim/v2/Users", "/scim/v2/Groups", "/scim/v2/Bulk"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
BULK_REQUEST = "urn:ietf:params:scim:api:messages:2.0:BulkRequest"
ERROR = "urn:ietf:params:scim:api:messages:2.0:Error"
LATER = {"Prefer": "respond-async"}


@pytest.fixture
def requests(engine: sa.Engine, clock: Clock) -> Requests:
    return Requests(engine, BASE, now=clock)


@pytest.fixture
def finish(requests: Requests, delivery: Delivery, receiver: Receiver) -> Callable[[], list[dict[str, Any]]]:
    """Carry out and deliver everything; the claims of the completions."""

    def run() -> list[dict[str, Any]]:
        requests.drain()
        delivery.drain()
        return [one.claims for one in receiver.taken if one.uri == ASYNC]

    return run


@pytest.fixture(autouse=True)
def _heard(hears: Callable[..., str], receiver: Receiver) -> None:
    hears(receiver)


def _result(claims: dict[str, Any]) -> dict[str, Any]:
    return claims["events"][ASYNC]


def _group(member: str) -> dict[str, Any]:
    return {"displayName": "X", "members": [{"value": member}]}


def _waiting(engine: sa.Engine) -> int:
    with reading(engine) as conn:
        return conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one()


def _crash_after(monkeypatch: pytest.MonkeyPatch, requests: Requests) -> None:
    """The worker dies when everything was done and before that is noted; two minutes pass."""

    def die(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module.store, "complete", die)
        with pytest.raises(KeyboardInterrupt):
            requests.drain()
    with writing(requests.engine) as conn:
        conn.exec_driver_sql("UPDATE async_requests SET claimed_at = claimed_at - interval '3 minutes'")


def test_a_create_is_accepted_and_told_when_it_is_done(client: FlaskClient, finish: Any, receiver: Receiver) -> None:
    answer = client.post(USERS, json={"userName": "ann", "password": "hunter2"}, headers=LATER)
    assert (answer.status_code, answer.data, answer.headers.get("Content-Type")) == (202, b"", None)
    assert answer.headers["Preference-Applied"] == "respond-async"
    txn, location = answer.headers["Set-Txn"], answer.headers["Location"]
    assert client.get(location).status_code == 404
    [claims] = finish()
    assert claims["txn"] == txn
    assert claims["sub_id"] == {"format": "scim", "uri": location.removeprefix(BASE)}
    assert _result(claims) == {"method": "POST", "location": location, "status": "201", "version": 'W/"1"'}
    made = client.get(location)
    assert (made.status_code, made.get_json()["userName"], made.headers["ETag"]) == (200, "ann", 'W/"1"')
    assert [(one.uri.split(":", 5)[5], one.claims["txn"]) for one in receiver.taken] == [
        ("prov:create:notice", txn),
        ("misc:asyncresp", txn),
    ]


def test_each_method(client: FlaskClient, finish: Any) -> None:
    ann = client.post(USERS, json={"userName": "ann"}).get_json()["id"]
    group = client.post(GROUPS, json={"displayName": "Staff"}, headers=LATER).headers["Location"]
    client.put(f"{USERS}/{ann}", json={"userName": "ann", "title": "Lead"}, headers=LATER)
    body = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "members", "value": [{"value": ann}]}]}
    client.patch(group, json=body, headers=LATER)
    client.delete(f"{USERS}/{ann}", headers=LATER)
    results = [_result(claims) for claims in finish()]
    assert [(one["method"], one["status"], one.get("version")) for one in results] == [
        ("POST", "201", 'W/"1"'),
        ("PUT", "200", 'W/"2"'),
        ("PATCH", "204", None),
        ("DELETE", "204", None),
    ]
    assert client.get(f"{USERS}/{ann}").status_code == 404


def test_a_refusal_is_told_in_full(client: FlaskClient, finish: Any) -> None:
    ann = client.post(USERS, json={"userName": "ann"}).get_json()["id"]
    taken = client.post(USERS, json={"userName": "ANN"}, headers=LATER)
    stale = client.put(f"{USERS}/{ann}", json={"userName": "ann"}, headers={**LATER, "If-Match": 'W/"7"'})
    client.delete(f"{USERS}/nobody", headers=LATER)
    conflict, failed, gone = finish()
    assert _result(conflict)["status"] == "409"
    assert "location" not in _result(conflict)
    assert _result(conflict)["response"]["scimType"] == "uniqueness"
    assert _result(conflict)["response"]["schemas"] == [ERROR]
    assert conflict["sub_id"]["uri"] == taken.headers["Location"].removeprefix(BASE)
    assert (_result(failed)["status"], failed["txn"]) == ("412", stale.headers["Set-Txn"])
    assert _result(failed)["location"] == f"{BASE}/Users/{ann}"
    assert (_result(gone)["status"], gone["sub_id"]["uri"]) == ("404", "/Users/nobody")


def test_bulk_has_a_completion_for_each_operation(client: FlaskClient, finish: Any) -> None:
    operations = [
        {"method": "POST", "path": "/Groups", "bulkId": "g", "data": _group("bulkId:u")},
        {"method": "POST", "path": "/Users", "bulkId": "u", "data": {"userName": "ann", "password": "hunter2"}},
        {"method": "POST", "path": "/Users", "bulkId": "v", "data": {"userName": "ann"}},
        {"method": "DELETE", "path": "/Users/nobody"},
        {"method": "DELETE", "path": "/Users/nobody"},
    ]
    body = {"schemas": [BULK_REQUEST], "failOnErrors": 2, "Operations": operations}
    answer = client.post(BULK, json=body, headers={"Prefer": "respond-async, wait=60"})
    assert (answer.status_code, answer.headers.get("Location")) == (202, None)
    told = finish()
    assert [claims["txn"] for claims in told] == [f"{answer.headers['Set-Txn']}:{index}" for index in range(5)]
    assert [_result(claims)["status"] for claims in told] == ["201", "201", "409", "404", "409"]
    assert [_result(claims).get("bulkId") for claims in told] == ["g", "u", "v", None, None]
    made = _result(told[0])["location"]
    assert made.endswith(told[0]["sub_id"]["uri"])
    assert len(client.get(made).get_json()["members"]) == 1
    assert told[2]["sub_id"]["uri"] == "/Bulk"


def test_no_password_is_kept(client: FlaskClient, engine: sa.Engine) -> None:
    ann = client.post(USERS, json={"userName": "ann"}).get_json()["id"]
    urn = "urn:ietf:params:scim:schemas:core:2.0:User"
    secret = {"userName": "bo", "Password": "hunter2", f"{urn}:password": "hunter2"}
    operations = [
        {"op": "replace", "path": "password", "value": "hunter2"},
        {"op": "replace", "path": f"{urn}:password", "value": "hunter2"},
        {"op": "replace", "value": {"password": "hunter2", "title": "Lead"}},
    ]
    patch = {"schemas": [PATCH_OP], "Operations": operations}
    bulk = [
        {"method": "POST", "path": "/Users", "bulkId": "1", "data": secret},
        {"method": "PATCH", "path": f"/Users/{ann}", "data": patch},
    ]
    for method, path, body in (
        ("POST", USERS, secret),
        ("PATCH", f"{USERS}/{ann}", patch),
        ("POST", BULK, {"schemas": [BULK_REQUEST], "Operations": bulk}),
    ):
        assert client.open(path, method=method, json=body, headers=LATER).status_code == 202
    with reading(engine) as conn:
        kept = [row.body for row in conn.execute(sa.select(table.c.body).order_by(table.c.id))]
    assert "hunter2" not in json.dumps(kept)
    assert kept[0]["userName"] == "bo"
    assert kept[1]["Operations"][2]["value"] == {"title": "Lead"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", USERS, "{", 400),
        ("POST", USERS, "{}", 400),
        ("POST", USERS, '{"userName": 7, "active": "perhaps"}', 400),
        ("PATCH", f"{USERS}/1", '{"schemas": [], "Operations": []}', 400),
        ("POST", BULK, '{"schemas": [], "Operations": []}', 400),
        ("POST", BULK, json.dumps({"schemas": [BULK_REQUEST], "Operations": [{}] * 1001}), 413),
    ],
)
def test_what_is_wrong_in_any_case_is_said_at_once(
    client: FlaskClient, engine: sa.Engine, method: str, path: str, body: str, status: int
) -> None:
    headers = {**LATER, "Content-Type": "application/scim+json"}
    assert client.open(path, method=method, data=body, headers=headers).status_code == status
    assert _waiting(engine) == 0


def test_a_stranger_is_refused_at_once(app: Flask, engine: sa.Engine) -> None:
    headers = {**LATER, "Authorization": "Bearer nobody"}
    assert app.test_client().post(USERS, json={"userName": "ann"}, headers=headers).status_code == 401
    assert _waiting(engine) == 0


@pytest.mark.parametrize("prefer", ["wait=10, respond-async", "RESPOND-ASYNC; x=1, wait=1", "return=minimal", ""])
def test_who_waits_is_answered_within_that_time(client: FlaskClient, engine: sa.Engine, prefer: str) -> None:
    assert client.post(USERS, json={"userName": "ann"}, headers={"Prefer": prefer}).status_code == 201
    assert _waiting(engine) == 0


@pytest.mark.parametrize("prefer", ["respond-async, wait=0", "Respond-Async", 'return=minimal, respond-async; a="b"'])
def test_the_preference_in_other_forms(client: FlaskClient, prefer: str) -> None:
    assert client.post(USERS, json={"userName": "ann"}, headers={"Prefer": prefer}).status_code == 202


def test_without_a_receiver_it_is_done_at_once(connect: Any, entra: Any, hears: Any, receiver: Receiver) -> None:
    client = connect(entra)
    assert client.post(USERS, json={"userName": "ann"}, headers=LATER).status_code == 201
    hears(receiver, entra, events=["prov:delete"])
    assert client.post(USERS, json={"userName": "bo"}, headers=LATER).status_code == 201
    assert client.get("/scim/v2/ServiceProviderConfig").get_json()["securityEvents"]["asyncRequest"] == "none"
    hears(receiver, entra)
    assert client.post(USERS, json={"userName": "cy"}, headers=LATER).status_code == 202
    assert client.get("/scim/v2/ServiceProviderConfig").get_json()["securityEvents"]["asyncRequest"] == "request"


def test_a_source_that_asks_for_too_much_is_answered_at_once(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(async_requests, "MOST_WAITING", 2)
    answers = [client.post(USERS, json={"userName": name}, headers=LATER).status_code for name in "abc"]
    assert answers == [202, 202, 201]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_a_crash_after_the_effect_repeats_nothing(
    client: FlaskClient,
    engine: sa.Engine,
    requests: Requests,
    finish: Any,
    monkeypatch: pytest.MonkeyPatch,
    method: str,
) -> None:
    """The effect is there once, its answer is that of the first attempt, and what others did since stays."""
    path = USERS
    body: dict[str, Any] | None = {"userName": "ann", "title": "Lead"}
    headers = dict(LATER)
    if method != "POST":
        path = f"{USERS}/{client.post(USERS, json={'userName': 'ann'}).get_json()['id']}"
        headers["If-Match"] = 'W/"1"'
    if method == "PATCH":
        body = {"schemas": [PATCH_OP], "Operations": [{"op": "add", "path": "title", "value": "Lead"}]}
    location = client.open(path, method=method, json=body, headers=headers).headers["Location"]
    _crash_after(monkeypatch, requests)
    if method != "DELETE":
        assert client.put(location, json={"userName": "ann", "title": "Head"}).status_code == 200
    [claims] = finish()
    status = {"POST": "201", "DELETE": "204"}.get(method, "200")
    assert (_result(claims)["status"], _waiting(engine)) == (status, 0)
    if method != "DELETE":
        assert client.get(location).get_json()["title"] == "Head"
        assert client.get(USERS).get_json()["totalResults"] == 1
    with reading(engine) as conn:
        assert audit.verify(conn, _tenant(engine))[1] is None


def test_a_crash_within_bulk_goes_on_where_it_was(
    client: FlaskClient, engine: sa.Engine, requests: Requests, finish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    operations = [
        {"method": "POST", "path": "/Users", "bulkId": str(place), "data": {"userName": f"u{place}"}}
        for place in range(4)
    ]
    operations.append({"method": "POST", "path": "/Groups", "bulkId": "g", "data": _group("bulkId:0")})
    client.post(BULK, json={"schemas": [BULK_REQUEST], "Operations": operations}, headers=LATER)
    real, calls = async_requests.keep_claim, list[int]()

    def die(*more: Any) -> bool:
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return real(*more)

    with monkeypatch.context() as patched:
        patched.setattr(module.store, "keep_claim", die)
        with pytest.raises(KeyboardInterrupt):
            requests.drain()
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE async_requests SET claimed_at = claimed_at - interval '3 minutes'")
    told = finish()
    assert [_result(claims)["status"] for claims in told] == ["201"] * 5
    assert client.get(USERS).get_json()["totalResults"] == 4
    assert len(client.get(_result(told[4])["location"]).get_json()["members"]) == 1


def test_a_worker_that_lost_the_request_tells_nothing(
    client: FlaskClient, engine: sa.Engine, requests: Requests, finish: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.post(USERS, json={"userName": "ann"}, headers=LATER)
    real = async_requests.complete

    def overtaken(conn: sa.Connection, *more: Any) -> bool:
        conn.exec_driver_sql("UPDATE async_requests SET worker = 'another'")
        return real(conn, *more)

    with monkeypatch.context() as patched:
        patched.setattr(module.store, "complete", overtaken)
        requests.drain()
    assert _waiting(engine) == 1
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE async_requests SET claimed_at = claimed_at - interval '3 minutes'")
    assert len(finish()) == 1


def test_others_in_the_way_are_waited_for(
    client: FlaskClient, requests: Requests, finish: Any, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    from app.adapters import scim_store
    from app.identity.writes import BusyError

    client.post(USERS, json={"userName": "ann"}, headers=LATER)
    client.post(USERS, json={"userName": "bo"}, headers=LATER)

    def busy(*_: object, **__: object) -> None:
        raise BusyError("others")

    with monkeypatch.context() as patched:
        patched.setattr(scim_store, "provision", busy)
        requests.drain()
    assert finish() == []  # the second waits for the first
    clock.pass_(seconds=6)
    assert [_result(claims)["status"] for claims in finish()] == ["201", "201"]


def test_a_source_that_was_paused_meanwhile_is_refused(client: FlaskClient, engine: sa.Engine, finish: Any) -> None:
    client.post(USERS, json={"userName": "ann"}, headers=LATER)
    with writing(engine) as conn:
        conn.execute(sa.update(t.sources).values(state="paused"))
    [claims] = finish()
    assert _result(claims)["status"] == "403"


def test_a_defect_is_told_as_500(client: FlaskClient, finish: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from app.adapters import scim_store

    client.post(USERS, json={"userName": "ann"}, headers=LATER)

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("ann")

    monkeypatch.setattr(scim_store, "provision", broken)
    [claims] = finish()
    assert _result(claims)["status"] == "500"
    assert "ann" not in json.dumps(_result(claims))


def test_the_answer_stands_where_it_can_be_erased(client: FlaskClient, engine: sa.Engine, finish: Any) -> None:
    client.post(GROUPS, json={"displayName": "X", "members": [{"value": "ann@example.com"}]}, headers=LATER)
    finish()
    with reading(engine) as conn:
        row = conn.execute(sa.select(t.audit).where(t.audit.c.action == async_requests.COMPLETED)).one()
    assert "ann@example.com" in json.dumps(row.personal)
    assert "ann@example.com" not in json.dumps(row.facts)


def _tenant(engine: sa.Engine) -> str:
    with reading(engine) as conn:
        return tenants.find(conn, "acme").id
