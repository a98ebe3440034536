"""What signing in leaves behind goes when it is of no more use, along an index, and not too much at once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import (
    console_links,
    console_sessions,
    flows,
    forgetting,
    passkeys,
    provider_tables,
    sessions,
    sign_in_tables,
    sign_in_tests,
    sign_ins,
    tenant_settings,
    tenants,
)
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing
from app.store.flows import NewPending
from app.store.sessions import NewSession
from app.sync.sweep import sweep

CONNECTION = str(uuid4())


def _fill(engine: sa.Engine, tenant_id: str) -> str:
    """One of each; returns the session's id."""
    now = datetime.now(UTC)
    with writing(engine) as conn:
        flows.keep(conn, tenant_id, "/", {})
        flows.ask(conn, NewPending(tenant_id, CONNECTION, str(uuid4()), "b", "/"))
        flows.spend(conn, tenant_id, CONNECTION, str(uuid4()), now + timedelta(minutes=5))
        sign_in_tests.keep(conn, tenant_id, str(uuid4()), CONNECTION, "browser", {"checks": []})
        sign_ins.write(conn, sign_ins.Attempt(tenant_id, "accepted"))
        return sessions.begin(conn, NewSession(tenant_id, str(uuid4()), CONNECTION, str(uuid4()), "s", now)).id


def _counts(engine: sa.Engine) -> list[int]:
    with reading(engine) as conn:
        return [conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one() for table in _TIMES]


def _age(engine: sa.Engine, by: timedelta) -> None:
    with writing(engine) as conn:
        for table, time in _TIMES.items():
            conn.execute(sa.update(table).values({time: table.c[time] - by}))


_TIMES: dict[sa.Table, str] = {
    sign_in_tables.flows: "expires_at",
    sign_in_tables.pending_logins: "expires_at",
    sign_in_tables.used_messages: "until",
    sign_in_tables.sign_in_tests: "expires_at",
    sign_in_tables.sign_ins: "at",
    sign_in_tables.sessions: "expires_at",
}


def _forget(engine: sa.Engine, limit: int = 100) -> int:
    with reading(engine) as conn:
        return forgetting.forget(conn, limit)


def test_each_kind_has_its_time(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    _fill(engine, tenant.id)
    assert _forget(engine) == 0
    _age(engine, timedelta(hours=2))
    assert _forget(engine) == 4
    assert _counts(engine) == [0, 0, 0, 0, 1, 1]
    _age(engine, timedelta(days=29))
    assert _forget(engine) == 0
    _age(engine, timedelta(days=2))
    assert _forget(engine) == 2
    assert _counts(engine) == [0, 0, 0, 0, 0, 0]


def test_a_tenant_says_how_long_its_log_is(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
        tenant_settings.choose(conn, tenant.id, "sign_in.log_days", "1")
    _fill(engine, tenant.id)
    _fill(engine, other.id)
    _age(engine, timedelta(days=2))
    _forget(engine)
    with reading(engine) as conn:
        assert conn.execute(sa.select(sign_in_tables.sign_ins.c.tenant_id)).scalars().all() == [other.id]


def test_a_session_stays_while_an_authorization_lives_by_it(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    id = _fill(engine, tenant.id)
    row: dict[str, Any] = {"id": str(uuid4()), "client_id": str(uuid4()), "session_id": id, "account_id": str(uuid4())}
    with writing(engine) as conn:
        conn.execute(
            sa.insert(provider_tables.authorizations).values(
                tenant_id=tenant.id, scopes=["openid"], created_at=datetime.now(UTC), **row
            )
        )
    _age(engine, timedelta(days=60))
    _forget(engine)
    assert _counts(engine)[-1] == 1


def test_no_more_than_a_bounded_number_goes_at_once(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    for _ in range(3):
        _fill(engine, tenant.id)
    _age(engine, timedelta(days=60))
    assert _forget(engine, 2) == 12
    assert _forget(engine, 2) == 6


@pytest.mark.parametrize(("second", "left"), [(0, 0), (30, 1)])
def test_the_sweep_does_it_once_a_minute(engine: sa.Engine, tenant: tenants.Tenant, second: int, left: int) -> None:
    _fill(engine, tenant.id)
    _age(engine, timedelta(days=60))
    sweep(engine, datetime.now(UTC).replace(second=second))
    assert _counts(engine) == [left] * len(_TIMES)


def test_each_kind_is_found_by_an_index(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        for table in _TIMES:
            conn.exec_driver_sql(f"ANALYZE {table.name}")
        conn.exec_driver_sql("SET enable_seqscan = off")
        try:
            for statement, table in zip(forgetting._ALL, _TIMES, strict=True):
                text = statement.sql.decode().replace("$1", "5000")
                plan = "\n".join(row[0] for row in conn.exec_driver_sql(f"EXPLAIN {text}"))
                assert re.search(r"Index Cond: \(\((x_1\.)?tenant_id = n\.id\) AND", plan), f"{table.name}: {plan}"
        finally:
            conn.exec_driver_sql("RESET enable_seqscan")


def test_the_consoles_leftovers_go_too(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with writing(engine) as conn:
        passkeys.ask(conn, "browser", "sign in", b"challenge", None)
        link = console_links.issue(conn, tenant.id, "scim", "test", timedelta(days=1))
        console_sessions.begin(conn, NewConsoleSession(tenant.id, "set-up link", link_id=link.id))

    def left(days: int) -> list[int]:
        age = f"- interval '{days} days'"
        with writing(engine) as conn:
            for table, time in _CONSOLE.items():
                conn.exec_driver_sql(f"UPDATE {table} SET {time} = {time} {age}")
        _forget(engine)
        with reading(engine) as conn:
            return [conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in _CONSOLE]

    assert left(0) == [1, 1, 1]
    assert left(2) == [0, 1, 1]
    assert left(31) == [0, 0, 1]
    assert left(150) == [0, 0, 0]


_CONSOLE = {"console_challenges": "expires_at", "console_sessions": "expires_at", "console_links": "created_at"}
