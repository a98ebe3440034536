"""A connection that is held: used again, in nobody's way, and let go when it is broken or old."""

from __future__ import annotations

from collections.abc import Iterator
from threading import Thread

import pytest
import sqlalchemy as sa

from app.store import held
from app.store.driver import Statement
from app.store.engine import make_engine
from app.store.held import Held

PID = Statement("SELECT pg_backend_pid() AS pid")


@pytest.fixture
def own(database_url: str) -> Iterator[sa.Engine]:
    made = make_engine(database_url, pool_size=2)
    yield made
    made.dispose()


def pid(conn: sa.Connection) -> int:
    return int(PID.value(conn, {}))


def test_it_is_used_again_and_stays_out_of_the_pool(own: sa.Engine) -> None:
    holder = Held(own, hold=True)
    assert holder.read(pid) == holder.read(pid)
    with own.connect() as other:
        assert pid(other) != holder.read(pid)
    holder._let_go()


def test_whoever_comes_meanwhile_takes_another(own: sa.Engine) -> None:
    holder, found = Held(own, hold=True), []

    def question(conn: sa.Connection) -> int:
        thread = Thread(target=lambda: found.append(holder.read(pid)))
        thread.start()
        thread.join()
        return pid(conn)

    assert holder.read(question) not in found
    assert len(found) == 1
    holder._let_go()


def test_after_an_error_the_next_read_is_on_a_good_one(own: sa.Engine) -> None:
    holder = Held(own, hold=True)
    first = holder.read(pid)
    with own.connect() as other:
        other.exec_driver_sql("SELECT pg_terminate_backend(%s)", (first,))
    with pytest.raises(sa.exc.OperationalError):
        holder.read(pid)
    assert holder.read(pid) != first
    holder._let_go()


def test_it_goes_back_to_the_pool_when_it_is_old(own: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(held, "HELD_SECONDS", 0.0)
    holder = Held(own, hold=True)
    holder.read(pid)
    holder.read(pid)
    assert own.pool.checkedout() == 1  # type: ignore[attr-defined]
    holder._let_go()
    assert own.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_of_a_pool_of_one_nothing_is_held(database_url: str) -> None:
    one = make_engine(database_url, pool_size=1)
    Held(one, hold=True).read(pid)
    assert one.pool.checkedout() == 0  # type: ignore[attr-defined]
    one.dispose()
