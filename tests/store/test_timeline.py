from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.identity.writes import ByHand
from app.provisioning import new_id, provision
from app.store import scim_requests, sign_ins, timeline
from app.store import tables as t
from app.store.engine import dumps, reading
from app.store.sign_ins import Attempt
from app.store.tenants import SourceRow, Tenant
from tests.sync.groups import pushed


def requested(engine: sa.Engine, source: SourceRow, resource: str, method: str, status: int = 200) -> None:
    row: dict[str, Any] = {
        "tenant_id": source.tenant_id,
        "id": new_id(),
        "at": datetime.now(UTC),
        "source_id": source.id,
        "credential": "push",
        "method": method,
        "path": f"/Users/{resource}",
        "resource_id": resource,
        "status": status,
        "milliseconds": 1,
        "effect": {},
    }
    with reading(engine) as conn:
        scim_requests.insert(conn, dumps([row]))


@pytest.fixture
def ann(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> tuple[str, str]:
    """Her account and her record, with a story: made, signed in, asked about, suspended, refused twice."""
    record = pushed(engine, okta, "ann")["ann"]
    with reading(engine) as conn:
        account = str(conn.execute(sa.select(t.records.c.account_id)).scalar_one())
        sign_ins.write(conn, Attempt(tenant.id, "accepted", account_id=account, session_id=new_id()))
    requested(engine, okta, record, "GET")
    provision(engine, tenant.id, [ByHand(account, suspended=True)], actor="admin:1")
    requested(engine, okta, record, "PATCH", 409)
    with reading(engine) as conn:
        sign_ins.write(conn, Attempt(tenant.id, "refused", reason="inactive", account_id=account))
        sign_ins.write(conn, Attempt(tenant.id, "refused", reason="inactive", account_id=new_id()))
    return account, record


STORY = [
    ("sign-in", "refused"),
    ("request", "PATCH"),
    ("audit", "account.changed"),
    ("audit", "account.suspended"),
    ("sign-in", "accepted"),
    ("audit", "account.created"),
    ("audit", "record.created"),
]


def test_the_logs_tell_one_story(engine: sa.Engine, tenant: Tenant, ann: tuple[str, str]) -> None:
    with reading(engine) as conn:
        told = timeline.of_account(conn, tenant.id, ann[0])
    assert [(one.kind, one.what) for one in told.moments] == STORY
    assert told.after is None
    refused, patch, changed, suspended, *_ = told.moments
    assert refused.facts["reason"] == "inactive"
    assert (patch.actor, patch.facts["status"]) == ("okta", 409)
    assert (suspended.actor, changed.facts["attributes"]) == ("admin:1", ["status"])


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7])
def test_pages_leave_nothing_out_and_repeat_nothing(
    engine: sa.Engine, tenant: Tenant, ann: tuple[str, str], limit: int
) -> None:
    walked: list[tuple[str, str]] = []
    after, pages = None, 0
    with reading(engine) as conn:
        while pages == 0 or after is not None:
            told = timeline.of_account(conn, tenant.id, ann[0], after=after, limit=limit)
            assert len(told.moments) <= limit
            walked += [(one.kind, one.what) for one in told.moments]
            after, pages = told.after, pages + 1
        assert pages == -(-len(STORY) // limit)
        again = timeline.of_account(conn, tenant.id, ann[0], after="'; DROP TABLE audit,x,")
    assert walked == [(one.kind, one.what) for one in again.moments] == STORY


def test_subjects_and_strangers(engine: sa.Engine, tenant: Tenant, ann: tuple[str, str]) -> None:
    with reading(engine) as conn:
        assert len(timeline.of_subject(conn, tenant.id, ann[0]).moments) == 4
        assert timeline.of_account(conn, new_id(), ann[0]).moments == []
        assert timeline.of_account(conn, tenant.id, new_id()).moments == []
