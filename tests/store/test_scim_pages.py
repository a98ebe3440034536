"""What the pages of provisioning read: bounded, by the partial indexes, under the plans that the engine asks for."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
import sqlalchemy as sa

from app.store import credentials, scim_health, scim_requests, source_reads
from app.store.engine import reading
from app.store.scim_requests import Asked
from app.store.tenants import SourceRow
from tests.api.test_plans import _nodes, _plan

COUNT = 20_000
READS: dict[str, Callable[[sa.Connection, SourceRow], Any]] = {
    "failed, none of them": lambda conn, okta: scim_requests.page(conn, okta.tenant_id, Asked(statuses=(500, 599))),
    "refused": lambda conn, okta: scim_requests.page(conn, okta.tenant_id, Asked(statuses=(400, 499), limit=51)),
    "written": lambda conn, okta: scim_requests.page(conn, okta.tenant_id, Asked(method="PATCH", limit=51)),
    "of a source": lambda conn, okta: scim_requests.page(conn, okta.tenant_id, Asked(source_id=okta.id, limit=51)),
    "health": lambda conn, okta: scim_health.listing(conn, okta.tenant_id, datetime.now(UTC)),
    "sources": lambda conn, okta: source_reads.overview(conn, okta.tenant_id),
    "credentials": lambda conn, okta: credentials.living(conn, okta.tenant_id, ["scim_token", "api_key"]),
}
_REQUESTS = sa.text("""
    INSERT INTO scim_requests (tenant_id, id, at, source_id, credential, method, path, kind, status, milliseconds,
        effect)
    SELECT :tenant, CAST(lpad(to_hex(CAST(extract(epoch FROM x.at) * 1000 AS bigint)), 12, '0') || '7000'
        || '8' || lpad(to_hex(n), 15, '0') AS uuid), x.at, :source, 'okta',
        CASE WHEN n % 200 = 0 THEN 'PATCH' ELSE 'GET' END, '/Users', 'User',
        CASE WHEN n % 100 = 0 THEN 409 ELSE 200 END, 5, '{}'
    FROM generate_series(1, :count) n, LATERAL (SELECT now() - n * interval '1 second' AS at) x
""")
_TOKENS = sa.text("""
    INSERT INTO credentials (tenant_id, id, kind, name, source_id, hash, hint)
    SELECT :tenant, gen_random_uuid(), 'access_token', 'x', :source, sha256(CAST(CAST(n AS text) AS bytea)), 'rc_at_'
    FROM generate_series(1, :count) n
""")


@pytest.fixture
def full(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> SourceRow:
    """A source with many requests, beside one without any."""
    with engine.begin() as conn:
        values = {"tenant": okta.tenant_id, "source": okta.id, "count": COUNT}
        conn.execute(_REQUESTS, values)
        conn.execute(_TOKENS, values)
    with engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE scim_requests, credentials")
    return okta


def test_no_read_goes_through_the_log_or_the_access_tokens(engine: sa.Engine, full: SourceRow) -> None:
    for name, read in READS.items():
        with engine.connect() as conn:
            plan = _plan(conn, lambda read=read, conn=conn: read(conn, full))
        rows = max(
            (node["Actual Rows"] + node.get("Rows Removed by Filter", 0)) * node["Actual Loops"]
            for node in _nodes(plan)
        )
        assert rows <= scim_health.MOST_COUNTED, f"{name}: {rows} rows were touched"


def test_what_is_rare_is_looked_for_a_stretch_at_a_time(engine: sa.Engine, full: SourceRow) -> None:
    asked = Asked(source_id=full.id, method="DELETE", limit=50)
    with reading(engine) as conn:
        found = scim_requests.stretch(conn, full.tenant_id, asked, looked=5_000)
        assert (found.rows, found.back_to is not None) == ([], True)
        pages = 1
        while found.following is not None:
            again = Asked(source_id=full.id, method="DELETE", limit=50, before=found.following)
            found = scim_requests.stretch(conn, full.tenant_id, again, looked=5_000)
            pages += 1
    assert pages == 4


def test_the_health_of_a_source_is_counted_to_a_thousand(engine: sa.Engine, full: SourceRow) -> None:
    with reading(engine) as conn:
        [one] = scim_health.listing(conn, full.tenant_id, datetime.now(UTC))
    assert (one.asked, one.refused, one.is_capped) == (1_000, 10, True)
    assert one.last is not None
    assert one.last.status == 200
