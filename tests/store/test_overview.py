from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.provisioning import new_id
from app.store import credentials, drift, overview, runs, sign_ins
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.ids import lowest_id
from app.store.outward_tables import receivers
from app.store.overview import Count, Hour, requests_by_hour, sign_ins_by_hour
from app.store.provider_tables import clients, logouts
from app.store.scim_request_table import scim_requests
from app.store.sign_in_tables import connections
from app.store.sign_in_tables import sign_ins as attempts
from app.store.sign_ins import Attempt
from app.store.tenants import SourceRow, Tenant, create
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from tests.sync.groups import grouped, pushed

NOW = datetime.now(UTC)


def look(engine: sa.Engine, tenant: Tenant) -> overview.Overview:
    with reading(engine) as conn:
        return overview.overview(conn, tenant.id, datetime.now(UTC))


def insert(engine: sa.Engine, table: sa.Table, **values: Any) -> None:
    with writing(engine) as conn:
        conn.execute(sa.insert(table).values(**values))


def request(engine: sa.Engine, source: SourceRow, at: datetime, status: int, scim_type: str | None = None) -> None:
    id = lowest_id(at)[:19] + str(uuid4())[19:]
    row = {"credential": "push", "method": "POST", "path": "/Users", "milliseconds": 1, "effect": {}}
    known = {"tenant_id": source.tenant_id, "id": id, "at": at, "source_id": source.id, **row}
    insert(engine, scim_requests, **known, status=status, scim_type=scim_type)


def test_of_an_empty_tenant_nothing_needs_attention(engine: sa.Engine, tenant: Tenant) -> None:
    seen = look(engine, tenant)
    assert not any((seen.held_runs, seen.failed_runs, seen.expiring, seen.receivers, seen.logouts, seen.metadata))
    assert seen.duplicates == seen.unmapped_groups == seen.drift == Count(0)
    assert (seen.refused_requests, seen.refused_sign_ins, seen.resources) == ([], [], {})


def test_runs_that_wait_or_failed(engine: sa.Engine, tenant: Tenant) -> None:
    with writing(engine) as conn:
        for state in ("held", "failed", "complete"):
            runs.add(conn, tenant.id, kind="import", state=state, actor="a", payloads=[], summary={"of": state})
        old = {"created_at": NOW - timedelta(days=8)}
        lost = runs.add(conn, tenant.id, kind="import", state="failed", actor="a", payloads=[], summary={})
        conn.execute(sa.update(t.runs).where(t.runs.c.id == lost).values(**old))
    seen = look(engine, tenant)
    assert [run.summary["of"] for run in (*seen.held_runs, *seen.failed_runs)] == ["held", "failed"]


def test_secrets_that_end(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    with writing(engine) as conn:

        def issue(name: str, kind: credentials.Kind, days: float | None, **more: Any) -> str:
            ends = None if days is None else NOW + timedelta(days=days)
            return credentials.issue(conn, tenant.id, kind, name, expires_at=ends, **more).id

        issue("soon", "scim_token", 3, source_id=okta.id)
        issue("later", "api_key", 31)
        issue("over", "api_key", -1)
        issue("long over", "api_key", -8)
        issue("token", "access_token", 1)
        gone = issue("gone", "api_key", 2)
        credentials.revoke(conn, tenant.id, gone, "api_key")
        client = issue("client", "client", None, source_id=okta.id)
        issue("client", "client_secret", 5, source_id=okta.id, client_id=client)
        issue("client", "client_secret", 90, source_id=okta.id, client_id=client)
    found = look(engine, tenant).expiring
    assert [(one.name, one.kind, one.source, one.replaced) for one in found] == [
        ("over", "api_key", None, False),
        ("soon", "scim_token", "okta", False),
        ("client", "client_secret", "okta", True),
    ]


def test_who_fails_to_hear(engine: sa.Engine, tenant: Tenant) -> None:
    row = {"tenant_id": tenant.id, "audience": "a", "events": [], "position": 0}
    insert(engine, receivers, **row, id=new_id(), url="https://a.test", failures=3, failure="refused (503)")
    insert(engine, receivers, **row, id=new_id(), url="https://b.test")
    client = new_id()
    insert(engine, clients, tenant_id=tenant.id, id=client, name="lms", redirect_uris=[])
    for failure in ("timed out", "timed out", None):
        known = {"tenant_id": tenant.id, "session_id": new_id(), "client_id": client, "account_id": new_id()}
        insert(engine, logouts, **known, next_at=NOW, failure=failure)
    known = {"tenant_id": tenant.id, "title": "T", "kind": "saml", "source_id": new_id()}
    insert(engine, connections, **known, id=new_id(), name="okta", refresh_failure="not signed")
    insert(engine, connections, **known, id=new_id(), name="entra")
    seen = look(engine, tenant)
    assert [(one.name, one.failure, one.times) for one in (*seen.receivers, *seen.logouts, *seen.metadata)] == [
        ("https://a.test", "refused (503)", Count(3)),
        ("lms", "timed out", Count(2)),
        ("okta", "not signed", Count(1)),
    ]


def test_refusals_of_a_day_by_reason(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    for status, scim_type in ((409, "uniqueness"), (409, "uniqueness"), (404, None), (200, None)):
        request(engine, okta, NOW - timedelta(hours=1), status, scim_type)
    request(engine, okta, NOW - timedelta(hours=25), 500)
    with reading(engine) as conn:
        codes = [sign_ins.write(conn, Attempt(tenant.id, "refused", reason="expired")) for _ in range(2)]
        sign_ins.write(conn, Attempt(tenant.id, "refused", reason="audience"))
        sign_ins.write(conn, Attempt(tenant.id, "accepted"))
    seen = look(engine, tenant)
    assert [(one.reason, one.times) for one in seen.refused_requests] == [("409 uniqueness", 2), ("404", 1)]
    assert [(one.reason, one.times) for one in seen.refused_sign_ins] == [("expired", 2), ("audience", 1)]
    assert seen.refused_sign_ins[0].last == codes[-1]
    assert (seen.refused_requests_at_least, seen.refused_sign_ins_at_least) == (False, False)


def test_groups_drift_duplicates_and_resources(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    pushed(engine, okta, "ann", "ben")
    for name in ("Trainers", "Staff", "Others"):
        grouped(engine, okta, name)
    save(engine, tenant.id, [Change("set", "group", "Staff", "instructor", source="okta")], actor="test")
    drift.report(engine, tenant.id, okta.id, ["a", "b"])
    row = {"record_id": new_id(), "account_id": new_id(), "candidates": [], "reason": "r"}
    for state in (*["open"] * (overview.COUNTED + 5), "merged"):
        insert(engine, t.duplicates, tenant_id=tenant.id, id=new_id(), **row, state=state)
    seen = look(engine, tenant)
    assert (seen.unmapped_groups, seen.drift) == (Count(2), Count(2))
    assert seen.duplicates == Count(overview.COUNTED, at_least=True)
    assert seen.resources == {"okta": {"users": 2, "groups": 0}}
    with writing(engine) as conn:
        other = create(conn, "other")
    assert look(engine, other).unmapped_groups == Count(0)


def test_how_busy_it_was_by_the_hour(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    for hours, status in ((0, 200), (0, 409), (1, 201), (47, 200), (48, 200)):
        request(engine, okta, at - timedelta(hours=hours), status)
    for hours, outcome in ((0, "accepted"), (3, "refused"), (3, "accepted"), (60, "refused")):
        known = {"tenant_id": tenant.id, "id": new_id(), "code": new_id()}
        insert(engine, attempts, **known, at=at - timedelta(hours=hours), outcome=outcome)
    with reading(engine) as conn:
        requests = requests_by_hour(conn, tenant.id, at)
        signed = sign_ins_by_hour(conn, tenant.id, at)
    assert len(requests) == len(signed) == 48
    assert requests[-1] == Hour(at.replace(minute=0), Count(1), Count(1))
    assert [one.well.number for one in requests] == [1, *[0] * 45, 1, 1]
    assert signed[-4] == Hour(at.replace(minute=0) - timedelta(hours=3), Count(1), Count(1))
    assert sum(one.well.number + one.refused.number for one in signed) == 3


def test_of_a_busy_hour_a_part_is_counted(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    at = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)
    rows = [
        {"tenant_id": tenant.id, "id": new_id(), "code": str(number), "at": at, "outcome": "accepted"}
        for number in range(overview.AN_HOUR + 1)
    ]
    with writing(engine) as conn:
        conn.execute(sa.insert(attempts), rows)
    with reading(engine) as conn:
        [hour] = sign_ins_by_hour(conn, tenant.id, at, hours=1)
    assert (hour.well, hour.refused) == (Count(overview.AN_HOUR, at_least=True), Count(0))
