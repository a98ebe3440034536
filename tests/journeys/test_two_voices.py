"""The identity provider and HR change one person at the same time: no update is lost, whoever comes first."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest
import sqlalchemy as sa

from app.store import tenants
from tests.journeys import agreement, clients
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

CHANGES = 500
NUMBER = "E-1"
EMAIL = "nora@quay.example"


def test_scim_and_hr_change_one_person(
    running: Server,
    idp: Callable[[], clients.Client],
    engine: sa.Engine,
    tenant: tenants.Tenant,
    entra: tenants.SourceRow,
    hr: tenants.SourceRow,
) -> None:
    provider = idp()
    with clients.api(engine, running.url, tenant, "records:write") as payroll:
        made = provider.send(
            "POST", "/Users", clients.person("nora", **{clients.ENTERPRISE: {"employeeNumber": NUMBER}})
        )
        id = made.json()["id"]
        clients.at_once([partial(_speak_scim, provider, id), partial(_speak_hr, payroll)])

    [account] = agreement.accounts_by_name(engine, tenant.id).values()
    last = CHANGES - 1
    assert account.attributes["displayName"] == f"Nora {last}", "the identity provider owns the name"
    assert account.attributes["title"] == f"Keeper of lock {last}", "HR owns the job"
    assert account.attributes["department"] == f"Locks {last}", "HR owns it even where SCIM speaks too"
    assert account.lineage["displayName"].source_id == entra.id
    assert {account.lineage[name].source_id for name in ("title", "department")} == {hr.id}
    agreement.check(engine, tenant.id)


def _speak_scim(client: clients.Client, id: str) -> None:
    for number in range(CHANGES):
        _spread(client, number)
        said = {"displayName": f"Nora {number}", f"{clients.ENTERPRISE}:department": f"Canals {number}"}
        assert client.patch(f"/Users/{id}", {"op": "replace", "value": said}).status_code == 200


def _spread(client: clients.Client, number: int) -> None:
    """Two connections of one web worker would be answered one after the other: both change now and then."""
    if number % 20 == 0:
        client.reconnect()


def _speak_hr(client: clients.Client) -> None:
    for number in range(CHANGES):
        _spread(client, number)
        record = {
            "id": "w-1",
            "status": "active",
            "employeeNumber": NUMBER,
            "email": EMAIL,
            "title": f"Keeper of lock {number}",
            "department": f"Locks {number}",
        }
        # Whoever loses the race for the person too often is told 202, queued: then it is said again.
        answers = (client.send("POST", "/sources/hr/records", record) for _ in range(5))
        answer = next((one for one in answers if one.status_code != 202), None)
        assert answer is not None
        assert answer.status_code == 200, answer.text
