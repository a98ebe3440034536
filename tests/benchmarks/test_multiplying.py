"""A multiplied tenant is the tenant that the write door would have written."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.adapters.doorkeeper import Doorkeeper
from benchmarks.multiplying import multiply
from benchmarks.roads import Sample, name
from benchmarks.seeding import seed
from scim.routes import blueprint
from scim.store import Limits

USERS, WRITTEN, NEWCOMERS = 60, 20, 3
TABLES = ("records", "accounts", "identifiers", "manager_keys", "grants")

# What the database numbers, or takes from the clock. Whose row it is is told by the names instead of the ids.
ANEW = {"at", "created_at", "updated_at", "version"}


def rows(engine: sa.Engine, tenant: str, table: str) -> list[str]:
    """The tenant's rows without what is their own; ids inside are called by what they name."""
    with engine.connect() as conn:
        people = conn.exec_driver_sql(
            "SELECT id::text, account_id::text, user_name, source_id::text FROM records WHERE tenant_id = %s", (tenant,)
        ).all()
        found = (
            conn.exec_driver_sql(f"SELECT to_jsonb(t) FROM {table} t WHERE tenant_id = %s", (tenant,)).scalars().all()
        )
    called = {tenant: "the tenant", people[0].source_id: "the source"}
    called |= {one.id: f"record of {one.user_name}" for one in people}
    called |= {one.account_id: f"account of {one.user_name}" for one in people}
    return sorted(json.dumps(_called(row, called), sort_keys=True) for row in found)


def _called(value: Any, called: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: _called(one, called) for key, one in value.items() if key not in ("at", "created_at", "updated_at")
        }
    if isinstance(value, list):
        return [_called(one, called) for one in value]
    return called.get(value, value) if isinstance(value, str) else value


@pytest.fixture
def tenants(engine: sa.Engine) -> tuple[Sample, Sample, str, str]:
    written = seed(engine, USERS, NEWCOMERS, small_groups=2)
    with engine.begin() as conn:
        conn.exec_driver_sql("UPDATE tenants SET name = 'written'")
    multiplied = seed(engine, USERS, NEWCOMERS, written=WRITTEN, small_groups=2)
    with engine.connect() as conn:
        ids = {one.name: one.id for one in conn.exec_driver_sql("SELECT name, id::text AS id FROM tenants")}
    return written, multiplied, ids["written"], ids[f"users-{USERS}"]


def test_its_rows_are_those_that_the_write_door_writes(engine: sa.Engine, tenants: Any) -> None:
    _, _, written, multiplied = tenants
    for table in TABLES:
        expected, found = rows(engine, written, table), rows(engine, multiplied, table)
        assert len(found) == len(expected)
        assert [one for one in found if one not in expected] == []
        assert bool(found) is (table not in ("manager_keys", "grants"))


def test_documents_are_the_same_texts(engine: sa.Engine, tenants: Any) -> None:
    _, _, written, multiplied = tenants
    of = "SELECT document::text FROM records WHERE tenant_id = %s ORDER BY user_name"
    with engine.connect() as conn:
        expected, found = (conn.exec_driver_sql(of, (tenant,)).scalars().all() for tenant in (written, multiplied))
    assert found == expected


def test_the_ledger_counts_them_and_no_number_is_given_twice(engine: sa.Engine, tenants: Any) -> None:
    _, _, written, multiplied = tenants
    with engine.connect() as conn:
        ledgers = conn.exec_driver_sql("SELECT tenant_id::text, next_event, counts FROM ledger").all()
        versions = (
            conn.exec_driver_sql("SELECT version FROM accounts WHERE tenant_id = %s", (multiplied,)).scalars().all()
        )
    told = {one.tenant_id: (one.next_event, sorted(one.counts.values())) for one in ledgers}
    assert told[multiplied] == told[written]
    assert sorted(versions) == list(range(1, USERS + NEWCOMERS + 1))


def test_the_large_group_has_everybody_and_ids_are_in_order(engine: sa.Engine, tenants: Any) -> None:
    _, sample, _, multiplied = tenants
    with engine.connect() as conn:
        of = "SELECT count(*) FROM members WHERE tenant_id = %s AND group_id = %s"
        assert conn.exec_driver_sql(of, (multiplied, sample.large_group)).scalar_one() == USERS
        order = "SELECT user_name FROM records WHERE tenant_id = %s ORDER BY {}, id"
        by_id, by_time = (
            conn.exec_driver_sql(order.format(by), (multiplied,)).scalars().all() for by in ("id", "created_at")
        )
    assert by_id == by_time


def test_the_server_takes_them_for_its_own(engine: sa.Engine, tenants: Any) -> None:
    _, sample, _, _ = tenants
    app = Flask("benchmark")
    app.register_blueprint(blueprint(Doorkeeper(engine), Limits()))
    client = FlaskClient(app)
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {sample.token}"
    known = f"{name('p', USERS - 1)}@quay.example"
    listed = client.get("/scim/v2/Users", query_string={"filter": f'emails.value eq "{known}"'}).get_json()
    assert listed["totalResults"] == 1
    [user] = listed["Resources"]
    assert user["externalId"] == f"00u-{name('p', USERS - 1)}"
    assert "large" in [group["display"] for group in user["groups"]]
    operation = {"op": "replace", "path": "active", "value": False}
    patch = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation]}
    assert client.patch(f"/scim/v2/Users/{user['id']}", json=patch).get_json()["active"] is False
    again = client.post("/scim/v2/Users", json={"userName": known.upper()})
    assert again.status_code == 409


def test_only_whole_rounds_are_made(engine: sa.Engine) -> None:
    with pytest.raises(ValueError, match="no multiple"):
        multiply(engine, "", "", 20, 50, "", 0)
