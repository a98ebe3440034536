"""Several clients do the same thing at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import pytest
import sqlalchemy as sa

from app.store import tables, tenants
from app.store.engine import reading
from tests.journeys import agreement, clients
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

ROUNDS = 20
MEMBERS = 200
CLIENTS = 8


def test_two_clients_create_one_person(
    idp: Callable[[], clients.Client], engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    pair = idp(), idp()
    for number in range(ROUNDS):
        wanted = clients.person(f"twin{number:02}")
        _spread(pair)
        answers = clients.at_once([partial(client.send, "POST", "/Users", wanted) for client in pair])
        assert sorted(answer.status_code for answer in answers) == [201, 409]
        [refused] = [answer.json() for answer in answers if answer.status_code == 409]
        assert refused["scimType"] == "uniqueness"
    assert _numbers(engine, tenant.id) == (ROUNDS, ROUNDS)
    agreement.check(engine, tenant.id)


def test_two_sources_create_one_person(
    running: Server,
    engine: sa.Engine,
    tenant: tenants.Tenant,
    entra: tenants.SourceRow,
    okta: tenants.SourceRow,
) -> None:
    """Two records, and one account: the employee number says that it is the same person."""
    with clients.scim(engine, running.url, entra) as one, clients.scim(engine, running.url, okta) as other:
        for number in range(ROUNDS):
            wanted = clients.person(f"pair{number:02}", **{clients.ENTERPRISE: {"employeeNumber": f"E-{number}"}})
            _spread((one, other))
            answers = clients.at_once([partial(client.send, "POST", "/Users", wanted) for client in (one, other)])
            assert [answer.status_code for answer in answers] == [201, 201]
    assert _numbers(engine, tenant.id) == (2 * ROUNDS, ROUNDS)
    agreement.check(engine, tenant.id)


def test_eight_clients_fill_one_group(
    idp: Callable[[], clients.Client], engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    many = [idp() for _ in range(CLIENTS)]
    shares = clients.in_shares([f"member{number:03}" for number in range(MEMBERS)], CLIENTS)
    group_id = many[0].send("POST", "/Groups", clients.group("Everybody")).json()["id"]

    def join(client: clients.Client, names: list[str]) -> None:
        ids = [client.send("POST", "/Users", clients.person(name)).json()["id"] for name in names]
        for id in ids:
            assert client.patch(f"/Groups/{group_id}", clients.members("Add", [id])).status_code == 204

    clients.at_once([partial(join, client, names) for client, names in zip(many, shares, strict=True)])

    shown = many[0].send("GET", f"/Groups/{group_id}").json()
    assert len({member["value"] for member in shown["members"]}) == len(shown["members"]) == MEMBERS
    assert shown["meta"]["version"] == f'W/"{MEMBERS + 1}"', "each addition made one version"
    agreement.check(engine, tenant.id)


def _spread(many: Iterable[clients.Client]) -> None:
    """Two connections of one web worker would be answered one after the other: each round has new ones."""
    for client in many:
        client.reconnect()


def _numbers(engine: sa.Engine, tenant_id: str) -> tuple[int, int]:
    with reading(engine) as conn:
        records, accounts = (
            conn.execute(sa.select(sa.func.count()).select_from(table).where(table.c.tenant_id == tenant_id)).scalar()
            for table in (tables.records, tables.accounts)
        )
    assert records is not None
    assert accounts is not None
    return records, accounts
