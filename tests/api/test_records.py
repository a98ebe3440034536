"""HR records over HTTP, through the write door, into accounts."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.api.schemas import PushSchema, RunSchema
from app.store import tenants
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant
from tests.api.conftest import Key

URL = "/api/v1/sources/hr/records"
MIA = {
    "id": "p-1",
    "employeeNumber": "1001",
    "status": "active",
    "email": "mia@acme.test",
    "displayName": "Mia",
    "title": "Trainer",
}

pytestmark = pytest.mark.usefixtures("hr")


def send(client: FlaskClient, headers: dict[str, str], *records: Any, url: str = URL, **query: str) -> Any:
    return client.post(url, json={"records": list(records)}, headers=headers, query_string=query)


def people(client: FlaskClient, headers: dict[str, str]) -> dict[str, dict[str, Any]]:
    """The accounts by name."""
    answer: Any = client.get("/api/v1/accounts", headers=headers).json
    return {one["attributes"]["displayName"]: one for one in answer["accounts"]}


def count(engine: sa.Engine, table: str) -> int:
    with engine.connect() as conn:
        return int(conn.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one())


def test_a_record_becomes_an_account_and_again_changes_nothing(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.post(URL, json=MIA, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.json is not None
    assert PushSchema().validate(answer.json) == {}
    (made,) = answer.json["records"]
    assert (made["id"], made["outcome"]) == ("p-1", "created")
    assert answer.json["dryRun"] is False
    shown = people(client, headers)["Mia"]
    assert shown["id"] == made["accountId"]
    assert shown["status"] == "active"
    assert shown["email"] == "mia@acme.test"
    again: Any = client.post(URL, json=MIA, headers=headers).json
    assert [(one["outcome"], one["accountId"]) for one in again["records"]] == [("unchanged", made["accountId"])]
    changed: Any = client.post(URL, json={**MIA, "title": "Head"}, headers=headers).json
    assert [one["outcome"] for one in changed["records"]] == ["updated"]
    assert people(client, headers)["Mia"]["attributes"]["title"] == "Head"


def test_null_empties_and_restricted_does_not(client: FlaskClient, headers: dict[str, str]) -> None:
    send(client, headers, MIA)
    assert send(client, headers, {**MIA, "title": None}).json["records"][0]["outcome"] == "updated"
    assert "title" not in people(client, headers)["Mia"]["attributes"]
    send(client, headers, {**MIA, "managers": [], "emails": {"home": "mia@home.test"}})
    hidden = {**MIA, "title": None, "emails": {"home": None}, "restricted": ["title", "emails.home"]}
    assert send(client, headers, hidden).status_code == 200
    held = people(client, headers)["Mia"]["attributes"]
    assert held["title"] == "Trainer"
    assert held["emails.home"] == "mia@home.test"


@pytest.mark.parametrize("silent", [{}, {"status": None, "restricted": ["status"]}])
def test_silence_about_the_status_revives_nobody(
    client: FlaskClient, headers: dict[str, str], silent: dict[str, Any]
) -> None:
    record = {name: value for name, value in MIA.items() if name != "status"}
    send(client, headers, {**record, "status": "terminated"})
    assert send(client, headers, {**record, **silent, "title": "Head"}).status_code == 200
    shown = people(client, headers)["Mia"]
    assert shown["status"] == "inactive"
    assert shown["attributes"]["employmentStatus"] == "terminated"
    assert shown["attributes"]["title"] == "Head"
    send(client, headers, {**record, "status": "active"})
    assert people(client, headers)["Mia"]["status"] == "active"


def test_many_in_their_order_with_managers(client: FlaskClient, headers: dict[str, str]) -> None:
    report = {"id": "p-2", "employeeNumber": "1002", "status": "active", "displayName": "Noa", "manager": "1001"}
    answer = send(client, headers, report, MIA)
    assert [one["id"] for one in answer.json["records"]] == ["p-2", "p-1"]
    shown = people(client, headers)
    assert shown["Noa"]["managerId"] == shown["Mia"]["id"]


def test_a_manager_is_found_by_the_sources_own_id_whoever_comes_first(
    client: FlaskClient, headers: dict[str, str]
) -> None:
    def led_by(name: str, key: str) -> dict[str, Any]:
        return {"id": name, "status": "active", "displayName": name, "managers": [{"id": key}]}

    send(client, headers, led_by("in one push", "p-1"), MIA, led_by("another", "p-9"))
    send(client, headers, led_by("after", "p-1"))
    shown = people(client, headers)
    assert shown["in one push"]["managerId"] == shown["after"]["managerId"] == shown["Mia"]["id"]
    assert shown["another"]["managerId"] is None
    send(client, headers, {"id": "p-9", "status": "active", "displayName": "late"})
    shown = people(client, headers)
    assert shown["another"]["managerId"] == shown["late"]["id"]


def test_a_termination_deactivates(client: FlaskClient, headers: dict[str, str]) -> None:
    send(client, headers, MIA)
    assert send(client, headers, {**MIA, "status": "terminated"}).status_code == 200
    assert people(client, headers)["Mia"]["status"] == "inactive"


def test_a_dry_run_tells_and_applies_nothing(client: FlaskClient, headers: dict[str, str], engine: sa.Engine) -> None:
    answer = send(client, headers, MIA, **{"dry-run": "true"})
    assert answer.status_code == 200
    assert PushSchema().validate(answer.json) == {}
    (planned,) = answer.json["records"]
    assert planned["outcome"] == "created"
    assert planned["accountId"] is None
    assert {"attribute": "title", "before": None, "after": "Trainer"} in planned["changes"]
    assert answer.json["held"] is None
    assert count(engine, "accounts") == count(engine, "records") == count(engine, "events") == 0
    assert client.post(URL, json=MIA, headers=headers, query_string={"dry-run": "yes"}).status_code == 400


def test_one_wrong_record_stops_all(client: FlaskClient, headers: dict[str, str], engine: sa.Engine) -> None:
    answer = send(client, headers, MIA, {"id": "p-2", "title": 5, "email": "x"})
    assert answer.status_code == 400
    assert answer.json["type"] == "urn:rollcall:problem:invalid-records"
    assert {(one["index"], one["id"], one["field"]) for one in answer.json["errors"]} == {
        (1, "p-2", "title"),
        (1, "p-2", "email"),
    }
    assert count(engine, "accounts") == count(engine, "records") == 0


@pytest.mark.parametrize(
    "body",
    [
        b"[]",
        b"5",
        b"null",
        b"{}",
        b'{"records": []}',
        b'{"records": {}}',
        b'{"records": [{"id": "1"}], "x": 1}',
        b"{,}",
    ],
)
def test_what_is_no_record_is_400(client: FlaskClient, headers: dict[str, str], body: bytes) -> None:
    answer = client.post(URL, data=body, content_type="application/json", headers=headers)
    assert answer.status_code == 400
    assert answer.content_type == "application/problem+json"


def test_more_than_a_chunk_is_413_with_the_limit(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = send(client, headers, *({"id": str(n)} for n in range(501)))
    assert answer.status_code == 413
    assert answer.json["type"] == "urn:rollcall:problem:too-many-records"
    assert "500" in answer.json["detail"]


def test_a_chunk_is_taken_at_once(client: FlaskClient, headers: dict[str, str], engine: sa.Engine) -> None:
    records = [{"id": str(n), "employeeNumber": str(n), "status": "active", "displayName": str(n)} for n in range(500)]
    answer = send(client, headers, *records)
    assert answer.status_code == 200
    assert [one["id"] for one in answer.json["records"]] == [str(n) for n in range(500)]
    assert {one["outcome"] for one in answer.json["records"]} == {"created"}
    assert count(engine, "accounts") == 500


def test_unknown_fields_are_reported_in_the_answer_and_kept_as_drift(
    client: FlaskClient, headers: dict[str, str], engine: sa.Engine
) -> None:
    answer = send(client, headers, {**MIA, "badge": "red", "restricted": []}, {"id": "p-2", "badge": 1})
    assert answer.json["drift"] == {"badge": 2}
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT path FROM drift")).scalars().all() == ["badge"]


def test_a_mass_leave_is_held(client: FlaskClient, headers: dict[str, str], engine: sa.Engine) -> None:
    records = [{"id": str(n), "employeeNumber": str(n), "status": "active", "displayName": str(n)} for n in range(20)]
    send(client, headers, *records)
    leavers = [{**record, "status": "terminated"} for record in records]
    planned = send(client, headers, *leavers, **{"dry-run": "true"})
    assert planned.status_code == 200
    assert planned.json["held"]
    answer = send(client, headers, *leavers)
    assert answer.status_code == 202
    assert RunSchema().validate(answer.json) == {}
    assert answer.json["state"] == "held"
    assert {one["status"] for one in people(client, headers).values()} == {"active"}
    with engine.connect() as conn:
        states = conn.execute(sa.text("SELECT state FROM runs WHERE id = :id"), {"id": answer.json["run"]})
        assert states.scalar_one() == "held"


def test_a_key_of_one_source_feeds_no_other(client: FlaskClient, key: Key, hr: SourceRow, okta: SourceRow) -> None:
    own = key(("records:write",), source_id=hr.id)
    assert send(client, own, MIA).status_code == 200
    answer = send(client, key(("records:write",), source_id=okta.id), MIA)
    assert answer.status_code == 403
    assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]


def test_only_open_hr_and_crm_sources_take_records(
    client: FlaskClient, headers: dict[str, str], okta: SourceRow, engine: sa.Engine, hr: SourceRow
) -> None:
    answer = send(client, headers, MIA, url="/api/v1/sources/okta/records")
    assert answer.status_code == 409
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE sources SET state = 'paused' WHERE id = :id"), {"id": hr.id})
    assert send(client, headers, MIA).status_code == 409
    assert count(engine, "records") == 0


@pytest.mark.parametrize("name", ["nothing", "HR", "%00", "hr%20", "x" * 300])
def test_an_unknown_source_is_404(client: FlaskClient, headers: dict[str, str], name: str) -> None:
    assert send(client, headers, MIA, url=f"/api/v1/sources/{name}/records").status_code == 404


def test_another_tenants_source_is_404(client: FlaskClient, key: Key, other: Tenant, engine: sa.Engine) -> None:
    assert send(client, key(of=other), MIA).status_code == 404
    with writing(engine) as conn:
        tenants.create_source(conn, other.id, "hr", kind="hris", system="bamboohr")
    assert send(client, key(of=other), MIA).status_code == 200
    assert people(client, key()) == {}
