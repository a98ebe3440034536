"""Each question to the provisioning log goes by an index, in the order of its pages."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa

from app.store import scim_requests
from app.store.engine import reading, writing
from app.store.scim_requests import Asked
from app.store.tenants import SourceRow, Tenant

SEEN = "01900000-0000-7000-8000-000000000007"

_FILL = sa.text("""
    INSERT INTO scim_requests (tenant_id, id, at, source_id, credential, method, path, kind, resource_id, resource_name,
        status, milliseconds, effect)
    SELECT :tenant, CAST('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0') AS uuid), now(), :source, 'push',
        CASE WHEN n % 100 = 0 THEN 'POST' ELSE 'GET' END, '/Users', 'User',
        '01900000-0000-7000-8000-' || lpad(to_hex(n % 3000), 12, '0'),
        CASE WHEN n % 100 = 0 THEN 'user' || n END, CASE WHEN n % 100 = 0 THEN 409 ELSE 200 END, 1, '{}'
    FROM generate_series(1, 20000) n
""")


@pytest.mark.parametrize(
    ("asked", "index"),
    [
        (Asked(), "pk_scim_requests"),
        (Asked(before=SEEN), "pk_scim_requests"),
        (Asked(since=datetime.now(UTC) - timedelta(hours=1)), "pk_scim_requests"),
        (Asked(source_id="01900000-0000-7000-8000-000000000000"), "ix_scim_requests_source"),
        (Asked(resources=[SEEN]), "ix_scim_requests_resource"),
        (Asked(resources=[SEEN], name="user700"), "ix_scim_requests_name"),
        (Asked(statuses=(400, 499)), "ix_scim_requests_failed"),
        (Asked(statuses=(503, 503)), "ix_scim_requests_failed"),
        (Asked(method="DELETE"), "ix_scim_requests_written"),
    ],
)
def test_a_question_goes_by_an_index(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, asked: Asked, index: str
) -> None:
    with writing(engine) as conn:
        conn.execute(_FILL, {"tenant": tenant.id, "source": okta.id})
    statements: list[tuple[str, object]] = []
    with reading(engine) as conn:
        conn.exec_driver_sql("ANALYZE scim_requests")
        sa.event.listen(
            conn, "before_cursor_execute", lambda _c, _cur, text, values, *_: statements.append((text, values))
        )
        scim_requests.page(conn, tenant.id, asked)
        [(text, values)] = statements
        plan = "\n".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {text}", values))
    assert index in plan, plan
    assert "Seq Scan on scim_requests" not in plan


def test_what_a_status_may_be() -> None:
    assert scim_requests.statuses("4XX") == (400, 499)
    assert scim_requests.statuses("409") == (409, 409)
    for wrong in ("", "x", "4x", "600", "40000", "4xx "):
        with pytest.raises(ValueError, match="409 or 4xx"):
            scim_requests.statuses(wrong)


def test_a_row_that_is_there_is_passed_over(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> None:
    row = {
        "tenant_id": tenant.id,
        "id": SEEN,
        "at": "2026-11-25T13:00:00Z",
        "source_id": okta.id,
        "credential": "push",
        "method": "GET",
        "path": "/Users",
        "status": 200,
        "milliseconds": 1.5,
        "effect": {},
    }
    with writing(engine) as conn:
        for _ in range(2):
            scim_requests.insert(conn, json.dumps([row]))
        assert [one["id"] for one in scim_requests.page(conn, tenant.id, Asked())] == [SEEN]
