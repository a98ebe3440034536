"""Entra ID provisions a team: accounts, roles, lineage, audit and events agree at each step."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import sqlalchemy as sa
import uuid_utils

from app.identity.model import Status
from app.store import tables, tenants
from app.store.engine import writing
from tests.journeys import agreement, clients

pytestmark = pytest.mark.journey

PEOPLE = [f"person{number:02}" for number in range(50)]
TEACHERS = 20
DEACTIVATE = {"op": "Replace", "path": "active", "value": "False"}
REACTIVATE = {"op": "Replace", "path": "active", "value": "True"}


def test_entra_provisions_a_team(
    idp: Callable[[], clients.Client], engine: sa.Engine, tenant: tenants.Tenant, entra: tenants.SourceRow
) -> None:
    client = idp()
    ids = {name: _create(client, name) for name in PEOPLE}
    _agree(engine, tenant, teaching=set(), inactive=set())
    assert agreement.audited(engine, tenant.id, "record.created") == len(PEOPLE)

    group_id = client.send("POST", "/Groups", clients.group("Teachers")).json()["id"]
    _map_to_instructor(engine, tenant.id, entra.id, group_id)
    for name in PEOPLE[:TEACHERS]:
        assert client.patch(f"/Groups/{group_id}", clients.members("Add", [ids[name]])).status_code == 204
    _agree(engine, tenant, teaching=set(PEOPLE[:TEACHERS]), inactive=set())

    gone, come = PEOPLE[:5], PEOPLE[30:33]
    for name in gone:
        assert client.patch(f"/Groups/{group_id}", clients.members("Remove", [ids[name]])).status_code == 204
    assert client.patch(f"/Groups/{group_id}", clients.members("Add", [ids[name] for name in come])).ok
    teaching = set(PEOPLE[5:TEACHERS]) | set(come)
    _agree(engine, tenant, teaching=teaching, inactive=set())

    leaver = PEOPLE[10]
    assert client.patch(f"/Users/{ids[leaver]}", DEACTIVATE).json()["active"] is False
    _agree(engine, tenant, teaching=teaching - {leaver}, inactive={leaver})
    shown = client.send("GET", f"/Groups/{group_id}").json()["members"]
    assert {member["value"] for member in shown} == {ids[name] for name in teaching}, "the leaver stays a member"

    assert client.patch(f"/Users/{ids[leaver]}", REACTIVATE).json()["active"] is True
    _agree(engine, tenant, teaching=teaching, inactive=set())


def _create(client: clients.Client, name: str) -> str:
    asked = client.send("GET", "/Users", filter=f'userName eq "{name}@quay.example"')
    assert asked.json()["totalResults"] == 0
    made = client.send("POST", "/Users", clients.person(name))
    assert made.status_code == 201
    return str(made.json()["id"])


def _map_to_instructor(engine: sa.Engine, tenant_id: str, source_id: str, group_id: str) -> None:
    mapping = {
        "tenant_id": tenant_id,
        "id": str(uuid_utils.uuid7()),
        "kind": "group",
        "source_id": source_id,
        "group_id": group_id,
        "role": "instructor",
    }
    with writing(engine) as conn:
        conn.execute(sa.insert(tables.mappings).values(**mapping))
        tenants.raise_revision(conn, tenant_id)


def _agree(engine: sa.Engine, tenant: tenants.Tenant, *, teaching: set[str], inactive: set[str]) -> None:
    accounts = agreement.accounts_by_name(engine, tenant.id)
    assert set(accounts) == {f"{name}@quay.example" for name in PEOPLE}
    for name in PEOPLE:
        account = accounts[f"{name}@quay.example"]
        assert account.roles == (("instructor",) if name in teaching else ())
        assert account.status == (Status.INACTIVE if name in inactive else Status.ACTIVE)
        assert account.attributes["displayName"] == name.title()
    agreement.check(engine, tenant.id)
