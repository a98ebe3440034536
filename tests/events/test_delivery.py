"""Receivers hear what happened, in its order, once; whoever does not answer keeps its place and holds up nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from cryptography.exceptions import InvalidSignature
from flask.testing import FlaskClient

from app.events import delivery as module
from app.events.delivery import Delivery, wait_after
from app.store import receivers, tenants
from app.store.engine import reading, writing
from scim.events import URIS
from tests.events.conftest import AUDIENCE, ISSUER, Clock
from tests.events.receiver import Receiver, listening, verified

USERS, GROUPS = "/scim/v2/Users", "/scim/v2/Groups"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Hears = Callable[..., str]

# RFC 9967 as published: what is offered is among these, in lower case.
REGISTERED = {
    f"urn:ietf:params:scim:event:{name}"
    for name in """
        feed:add feed:remove prov:create:notice prov:create:full prov:put:notice prov:put:full prov:patch:notice
        prov:patch:full prov:delete prov:activate prov:deactivate misc:asyncresp
    """.split()  # noqa: SIM905
}


def _create(client: FlaskClient, user_name: str = "ann@example.com", /, **more: Any) -> str:
    answer = client.post(USERS, json={"userName": user_name, **more})
    assert answer.status_code == 201, answer.text
    return answer.get_json()["id"]


def _patch(client: FlaskClient, path: str, *operations: dict[str, Any]) -> None:
    answer = client.patch(path, json={"schemas": [PATCH_OP], "Operations": list(operations)})
    assert answer.status_code in (200, 204), answer.text


def test_the_uris_are_the_registered_ones() -> None:
    assert set(URIS) <= REGISTERED
    assert all(uri == uri.lower() for uri in URIS)


def test_a_life_is_told_in_its_order(client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears) -> None:
    hears(receiver)
    ann = _create(client, name={"givenName": "Ann", "familyName": "Lee"}, title="Trainer")
    body = {"userName": "ann@example.com", "title": "Lead", "name": {"givenName": "Ann", "familyName": "Ray"}}
    client.put(f"{USERS}/{ann}", json=body)
    client.put(f"{USERS}/{ann}", json=body)  # the same again is no event
    _patch(client, f"{USERS}/{ann}", {"op": "add", "path": f"{ENTERPRISE}:department", "value": "Safety"})
    _patch(client, f"{USERS}/{ann}", {"op": "replace", "path": "active", "value": False})
    _patch(client, f"{USERS}/{ann}", {"op": "replace", "path": "active", "value": True})
    client.delete(f"{USERS}/{ann}")
    delivery.drain()
    uri = f"/Users/{ann}"
    assert receiver.told == [
        ("prov:create:notice", uri),
        ("prov:put:notice", uri),
        ("prov:patch:notice", uri),
        ("prov:patch:notice", uri),
        ("prov:deactivate", uri),
        ("prov:patch:notice", uri),
        ("prov:activate", uri),
        ("prov:delete", uri),
    ]
    payloads = [one.payload for one in receiver.taken]
    assert payloads[0] == {"version": 'W/"1"', "attributes": ["name.familyName", "name.givenName", "title", "userName"]}
    assert payloads[1] == {"version": 'W/"2"', "attributes": ["name.familyName", "title"]}
    assert payloads[2]["attributes"] == [f"{ENTERPRISE}:department"]
    assert (payloads[3]["attributes"], payloads[4], payloads[7]) == (["active"], {}, {})
    txns = [one.claims["txn"] for one in receiver.taken]
    assert txns[3] == txns[4]
    assert len(set(txns)) == 6
    assert len({one.claims["jti"] for one in receiver.taken}) == 8


def test_groups_are_told_too(client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears) -> None:
    ann = _create(client)
    hears(receiver)
    made = client.post(GROUPS, json={"displayName": "Staff"}).get_json()
    path, uri = f"{GROUPS}/{made['id']}", f"/Groups/{made['id']}"
    _patch(client, path, {"op": "add", "path": "members", "value": [{"value": ann}]})
    _patch(client, path, {"op": "add", "path": "members", "value": [{"value": ann}]})  # she is there
    client.put(path, json={"displayName": "Team", "members": []})
    client.delete(path)
    delivery.drain()
    names = ["prov:create:notice", "prov:patch:notice", "prov:put:notice", "prov:delete"]
    assert receiver.told == [(name, uri) for name in names]
    attributes = [one.payload.get("attributes") for one in receiver.taken]
    assert attributes == [["displayName"], ["members"], ["displayName", "members"], None]
    assert [one.payload.get("version") for one in receiver.taken] == ['W/"1"', 'W/"2"', 'W/"3"', None]


def test_the_version_is_the_etag(client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears) -> None:
    hears(receiver)
    ann = _create(client)
    _patch(client, f"{USERS}/{ann}", {"op": "replace", "path": "title", "value": "Lead"})
    delivery.drain()
    assert receiver.taken[-1].payload["version"] == client.get(f"{USERS}/{ann}").headers["ETag"]


def test_a_token_is_verified_with_the_published_keys(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears
) -> None:
    hears(receiver, token="s3cret")
    ann = _create(client)
    delivery.drain()
    jwks = client.get("/.well-known/jwks.json")
    [request] = receiver.taken
    header, claims = verified(request.token, jwks.get_json())
    assert header["typ"] == "secevent+jwt"
    assert claims["iss"] == ISSUER
    assert claims["aud"] == [AUDIENCE]
    assert claims["sub_id"] == {"format": "scim", "uri": f"/Users/{ann}"}
    assert claims.keys().isdisjoint({"sub", "exp"})
    assert request.headers["content-type"] == "application/secevent+jwt"
    assert request.headers["authorization"] == "Bearer s3cret"
    forged = request.token[:-4] + ("AAAA" if request.token[-4:] != "AAAA" else "BBBB")
    with pytest.raises(InvalidSignature):
        verified(forged, jwks.get_json())


def test_no_personal_data_leaves(client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears) -> None:
    hears(receiver)
    ann = _create(client, externalId="x-ann-lee", displayName="Ann Lee", emails=[{"value": "ann@example.com"}])
    client.post(GROUPS, json={"displayName": "Works council", "members": [{"value": ann, "display": "Ann Lee"}]})
    _patch(client, f"{USERS}/{ann}", {"op": "replace", "path": "displayName", "value": "Ann Ray"})
    client.delete(f"{USERS}/{ann}")
    delivery.drain()
    said = json.dumps([one.claims for one in receiver.taken])
    assert len(receiver.taken) == 4
    for value in ("ann@example.com", "Ann Lee", "Ann Ray", "x-ann-lee", "Works council"):
        assert value not in said


def test_the_external_id_is_told_when_it_is_asked_for(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears
) -> None:
    hears(receiver, external_id=True)
    ann = _create(client, externalId="x-1")
    client.delete(f"{USERS}/{ann}")
    delivery.drain()
    assert [one.claims["sub_id"].get("externalId") for one in receiver.taken] == ["x-1", "x-1"]


def test_only_what_was_chosen_is_told(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears
) -> None:
    hears(receiver, events=["prov:delete", "urn:ietf:params:scim:event:prov:deactivate"])
    ann = _create(client)
    _patch(client, f"{USERS}/{ann}", {"op": "replace", "path": "active", "value": False})
    client.delete(f"{USERS}/{ann}")
    delivery.drain()
    assert [name for name, _ in receiver.told] == ["prov:deactivate", "prov:delete"]


def test_what_was_before_is_not_told(client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears) -> None:
    _create(client)
    hears(receiver)
    delivery.drain()
    assert receiver.tried == []


def test_sources_and_tenants_are_kept_apart(
    engine: sa.Engine, connect: Any, delivery: Delivery, okta: Any, entra: Any, hears: Hears
) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        theirs = tenants.create_source(conn, other.id, "okta", kind="idp", system="okta")
    with listening(Receiver()) as one, listening(Receiver()) as all_, listening(Receiver()) as foreign:
        hears(one, okta)
        hears(all_, None, tenant_id=okta.tenant_id)
        hears(foreign, theirs)
        made = {source.id: _create(connect(source), f"{source.id}@example.com") for source in (okta, entra, theirs)}
        delivery.drain()
        assert [uri for _, uri in one.told] == [f"/Users/{made[okta.id]}"]
        assert [uri for _, uri in all_.told] == [f"/Users/{made[okta.id]}", f"/Users/{made[entra.id]}"]
        assert [uri for _, uri in foreign.told] == [f"/Users/{made[theirs.id]}"]


@pytest.mark.parametrize("status", [500, 200, 302, 400, 401])
def test_all_but_202_is_tried_again_in_order(
    status: int, client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears, clock: Clock
) -> None:
    hears(receiver)
    receiver.answer = lambda number: (status if number <= 2 else 202, b"", {"Location": receiver.url})
    first, second = _create(client, "a"), _create(client, "b")
    for tried in (1, 2, 4):
        delivery.drain()
        assert len(receiver.tried) == tried
        delivery.drain()  # too early
        assert len(receiver.tried) == tried
        clock.pass_(seconds=20)
    assert [uri for _, uri in receiver.told] == [f"/Users/{first}", f"/Users/{second}"]
    assert len({one.claims["jti"] for one in receiver.tried}) == 2  # a repetition is the same token


def test_a_failure_waits_and_says_why(
    engine: sa.Engine, client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears, clock: Clock
) -> None:
    id = hears(receiver)
    said = json.dumps({"err": "invalid_audience", "description": "ann@example.com"}).encode()
    receiver.answer = lambda _: (400, said, {"Retry-After": "600"})
    ann = _create(client)
    delivery.drain()
    delivery.drain()
    assert len(receiver.tried) == 1
    clock.pass_(seconds=590)
    delivery.drain()
    assert len(receiver.tried) == 1
    with reading(engine) as conn:
        found = receivers.find(conn, _tenant(engine), id)
    assert (found.failures, found.failure) == (1, "status 400 instead of 202: invalid_audience")
    receiver.answer = lambda _: (202, b"", {})
    clock.pass_(seconds=20)
    delivery.drain()
    assert receiver.told == [("prov:create:notice", f"/Users/{ann}")]
    with reading(engine) as conn:
        found = receivers.find(conn, _tenant(engine), id)
    assert (found.failures, found.failure, found.next_at, found.waiting) == (0, None, None, 0)


def test_a_dead_receiver_loses_nothing_and_holds_up_nobody(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears, clock: Clock
) -> None:
    with listening(Receiver()) as dead:
        hears(dead)
    hears(receiver)
    made = [_create(client, name) for name in "abc"]
    delivery.drain()
    assert [uri for _, uri in receiver.told] == [f"/Users/{id}" for id in made]
    clock.pass_(minutes=1)
    with listening(dead):
        delivery.drain()
    assert dead.told == receiver.told


def test_a_crash_between_push_and_position_repeats_the_same_token(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears, monkeypatch: pytest.MonkeyPatch
) -> None:
    hears(receiver)
    ann = _create(client)

    def crash(*_: object) -> bool:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(module.receivers, "moved", crash)
        with pytest.raises(KeyboardInterrupt):
            delivery.drain()
    with writing(delivery.engine) as conn:
        conn.exec_driver_sql("UPDATE receivers SET claimed_at = claimed_at - interval '3 minutes'")
    delivery.drain()
    assert receiver.told == [("prov:create:notice", f"/Users/{ann}")] * 2
    assert len({one.claims["jti"] for one in receiver.taken}) == 1


def test_a_worker_that_lost_its_receiver_stops(
    client: FlaskClient, delivery: Delivery, receiver: Receiver, hears: Hears
) -> None:
    hears(receiver)
    for name in "abc":
        _create(client, name)

    def taken_over(number: int) -> tuple[int, bytes, dict[str, str]]:
        if number == 2:
            with writing(delivery.engine) as conn:
                conn.exec_driver_sql("UPDATE receivers SET worker = 'another'")
        return 202, b"", {}

    receiver.answer = taken_over
    delivery.drain()
    assert len(receiver.taken) == 2


def test_what_hr_says_is_no_scim_resource(
    engine: sa.Engine, delivery: Delivery, receiver: Receiver, hears: Hears, tenant: Any, hr: Any
) -> None:
    from app.sync import imports

    hears(receiver, None, tenant_id=tenant.id)
    record = {"id": "p-1", "employeeNumber": "1", "status": "active"}
    imports.submit(engine, tenant.id, hr, [record], actor="test")
    delivery.drain()
    assert receiver.tried == []


def test_waiting_grows_to_a_quarter_of_an_hour() -> None:
    waits = [wait_after(failures, jitter=lambda: 0.5) for failures in (0, 1, 2, 7, 8, 1000)]
    assert waits == [5, 10, 20, 640, 900, 900]
    assert wait_after(0, 60.0) == 60
    assert wait_after(0, 1e9) == 3600
    assert wait_after(0, -5.0, jitter=lambda: 0.5) == 5
    assert (wait_after(0, jitter=lambda: 0.0), wait_after(0, jitter=lambda: 1.0)) == (4.0, pytest.approx(6.0))


def _tenant(engine: sa.Engine) -> str:
    with reading(engine) as conn:
        return tenants.find(conn, "acme").id
