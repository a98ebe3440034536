"""What the reads cost: at 20,000 accounts each uses its index, under generic plans too."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from psycopg import sql

from app.store import feeds
from app.store.tenants import Tenant
from tests.api.people import account_id, fill

COUNT = 20_000
MIDDLE = COUNT // 2

READS: dict[str, Callable[[sa.Connection, str], Any]] = {
    "first page": lambda conn, tenant: feeds.accounts(conn, tenant, limit=100),
    "a page": lambda conn, tenant: feeds.accounts(conn, tenant, after=account_id(MIDDLE), limit=100),
    "status": lambda conn, tenant: feeds.accounts(conn, tenant, status="inactive", limit=100),
    "role": lambda conn, tenant: feeds.accounts(conn, tenant, role="instructor", limit=100),
    "role and status": lambda conn, tenant: feeds.accounts(
        conn, tenant, role="instructor", status="active", after=account_id(MIDDLE), limit=100
    ),
    "changed": lambda conn, tenant: feeds.changed(conn, tenant, after=MIDDLE, limit=100),
    "changed, status": lambda conn, tenant: feeds.changed(conn, tenant, after=MIDDLE, status="inactive", limit=100),
    "changed, role": lambda conn, tenant: feeds.changed(conn, tenant, after=MIDDLE, role="instructor", limit=100),
    "one": lambda conn, tenant: feeds.account(conn, tenant, account_id(MIDDLE)),
    "events": lambda conn, tenant: feeds.events(conn, tenant, after=MIDDLE, limit=100),
}


@pytest.fixture
def full(engine: sa.Engine, tenant: Tenant, other: Tenant) -> Tenant:
    fill(engine, tenant.id, COUNT)
    fill(engine, other.id, 200)
    with engine.connect() as conn:
        conn.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE accounts, grants, events, ledger")
    return tenant


def test_no_read_scans_a_table_of_people(engine: sa.Engine, full: Tenant) -> None:
    for mode in ("force_custom_plan", "force_generic_plan"):
        with engine.connect() as conn:
            conn.exec_driver_sql(f"SET LOCAL plan_cache_mode = {mode}")
            for name, read in READS.items():
                plan = _plan(conn, lambda read=read: read(conn, full.id))
                scanned = [node for node in _nodes(plan) if node["Node Type"] == "Seq Scan"]
                small = ("ledger", "aliases")  # of aliases there are none here
                people = [node["Relation Name"] for node in scanned if node["Relation Name"] not in small]
                assert people == [], f"{name}, {mode}"
                rows = max(node["Actual Rows"] * node["Actual Loops"] for node in _nodes(plan))
                assert rows <= 1500, f"{name}, {mode}: {rows} rows were touched"


def _plan(conn: sa.Connection, read: Callable[[], Any]) -> dict[str, Any]:
    """The plan of the one statement that `read` sends."""
    plans: list[dict[str, Any]] = []

    def explain(_conn: Any, cursor: Any, statement: str, values: dict[str, Any], *_rest: Any) -> tuple[str, Any]:
        # EXPLAIN of the statement itself is always planned for its values: only a prepared one obeys the mode.
        names = list(values)
        prepared = re.sub(r"%\((\w+)\)s", lambda found: f"${names.index(found[1]) + 1}", statement)
        given = sql.SQL(", ").join(map(sql.Literal, values.values()))
        cursor.execute(f"PREPARE reading AS {prepared}")
        cursor.execute(sql.SQL("EXPLAIN (ANALYZE, FORMAT JSON) EXECUTE reading ({})").format(given))
        plans.append(cursor.fetchone()[0][0]["Plan"])
        cursor.execute("DEALLOCATE reading")
        return statement, values

    sa.event.listen(conn, "before_cursor_execute", explain, retval=True)
    try:
        read()
    finally:
        sa.event.remove(conn, "before_cursor_execute", explain)
    assert len(plans) == 1
    return plans[0]


def _nodes(plan: dict[str, Any]) -> list[dict[str, Any]]:
    return [plan, *(node for inner in plan.get("Plans", ()) for node in _nodes(inner))]
