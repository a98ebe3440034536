"""What waits is used once, by whom it belongs to, and not for ever."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import sqlalchemy as sa

from app.store import flows, sign_in_tables, tenants
from app.store.engine import reading, writing
from app.store.flows import Flow, NewPending

CONNECTION = str(uuid4())


def _asked(tenant: tenants.Tenant) -> NewPending:
    return NewPending(
        tenant.id, CONNECTION, "id-1", "cookie", "/next", demands={"force": True}, nonce="n", verifier="v"
    )


def test_a_flow_is_seen_often_and_taken_once(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        key = flows.keep(conn, tenant.id, "/oauth/authorize?a=b", {"force": True})
        expected = Flow("/oauth/authorize?a=b", {"force": True})
        assert flows.peek(conn, tenant.id, key) == flows.peek(conn, tenant.id, key) == expected
        assert flows.peek(conn, str(uuid4()), key) is None
        assert flows.take(conn, tenant.id, key) == expected
        assert flows.take(conn, tenant.id, key) is None


def test_a_flow_does_not_last(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        key = flows.keep(conn, tenant.id, "/", {})
        conn.execute(sa.update(sign_in_tables.flows).values(expires_at=sa.func.now()))
        assert flows.peek(conn, tenant.id, key) is None
        assert flows.take(conn, tenant.id, key) is None


def test_a_request_is_answered_once_by_the_browser_that_asked(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        flows.ask(conn, _asked(tenant))
        assert flows.answer(conn, tenant.id, CONNECTION, "id-1", "other cookie") is None
        assert flows.asked_elsewhere(conn, tenant.id, CONNECTION, "id-1")
        assert flows.answer(conn, tenant.id, str(uuid4()), "id-1", "cookie") is None
        assert flows.answer(conn, str(uuid4()), CONNECTION, "id-1", "cookie") is None
        found = flows.answer(conn, tenant.id, CONNECTION, "id-1", "cookie")
        assert found is not None
        assert (found.purpose, found.return_to, found.demands) == ("login", "/next", {"force": True})
        assert (found.nonce, found.verifier) == ("n", "v")
        assert "n='" not in repr(found)
        assert flows.answer(conn, tenant.id, CONNECTION, "id-1", "cookie") is None
        assert not flows.asked_elsewhere(conn, tenant.id, CONNECTION, "id-1")


def test_a_request_waits_ten_minutes(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        flows.ask(conn, _asked(tenant))
        late = sign_in_tables.pending_logins.c.expires_at - timedelta(minutes=10)
        conn.execute(sa.update(sign_in_tables.pending_logins).values(expires_at=late))
        assert flows.answer(conn, tenant.id, CONNECTION, "id-1", "cookie") is None


def test_of_many_who_answer_at_once_one_is_heard(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        flows.ask(conn, _asked(tenant))

    def one(_number: int) -> bool:
        with reading(engine) as conn:
            return flows.answer(conn, tenant.id, CONNECTION, "id-1", "cookie") is not None

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1


def test_of_many_who_spend_at_once_one_may(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)

    def one(_number: int) -> bool:
        with writing(engine) as conn:
            return flows.spend(conn, tenant.id, CONNECTION, "assertion-1", until)

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(one, range(16))) == 1
    with reading(engine) as conn:
        assert flows.spend(conn, tenant.id, CONNECTION, "assertion-2", until)
        assert flows.spend(conn, tenant.id, str(uuid4()), "assertion-1", until)


def test_what_was_spent_in_a_login_that_failed_is_not_spent(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    until = datetime.now(UTC) + timedelta(minutes=5)

    def fails() -> None:
        with writing(engine) as conn:
            flows.spend(conn, tenant.id, CONNECTION, "assertion-1", until)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    with reading(engine) as conn:
        assert flows.spend(conn, tenant.id, CONNECTION, "assertion-1", until)


def test_a_browser_waits_while_its_request_does(engine: sa.Engine, tenant: tenants.Tenant) -> None:
    with reading(engine) as conn:
        flows.ask(conn, _asked(tenant))
        assert flows.waits(conn, tenant.id, CONNECTION, "cookie")
        assert not flows.waits(conn, tenant.id, CONNECTION, "another")
        assert not flows.waits(conn, tenant.id, str(uuid4()), "cookie")
        assert not flows.waits(conn, str(uuid4()), CONNECTION, "cookie")
        conn.execute(sa.update(sign_in_tables.pending_logins).values(purpose="logout"))
        assert not flows.waits(conn, tenant.id, CONNECTION, "cookie")
        conn.execute(sa.update(sign_in_tables.pending_logins).values(purpose="login", expires_at=sa.func.now()))
        assert not flows.waits(conn, tenant.id, CONNECTION, "cookie")
