from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.identity.writes import BusyError
from app.provisioning import new_id
from app.store import runs as store
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync import runs
from app.sync.imports import submit
from tests.sync.people import change, count, hired, map_title


class Killed(BaseException):
    """The worker's process ends here."""


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 2)


@pytest.fixture
def accounts(engine: sa.Engine, tenant: Tenant, hr: SourceRow) -> list[str]:
    """Five accounts, and a mapping by which none of them was derived yet."""
    submit(engine, tenant.id, hr, [hired(number) for number in range(5)], actor="test")
    map_title(engine, tenant.id, "Trainer", "instructor")
    with reading(engine) as conn:
        return list(conn.execute(sa.select(t.accounts.c.id).order_by(t.accounts.c.id)).scalars())


def queue(engine: sa.Engine, tenant: Tenant, account_ids: list[str]) -> str:
    with writing(engine) as conn:
        return store.queue(
            conn, tenant.id, kind="mapping", actor="test", account_ids=account_ids, summary={"accounts": 5}
        )


def state(engine: sa.Engine, tenant: Tenant, run_id: str) -> tuple[str, int, int]:
    with reading(engine) as conn:
        run = store.find(conn, tenant.id, run_id)
    return run.state, run.position, run.total


def instructors(engine: sa.Engine) -> int:
    with reading(engine) as conn:
        return len(conn.execute(sa.select(t.accounts.c.id).where(t.accounts.c.roles.contains(["instructor"]))).all())


def test_a_run_derives_its_accounts_again(engine: sa.Engine, tenant: Tenant, accounts: list[str]) -> None:
    run_id = queue(engine, tenant, accounts)
    assert state(engine, tenant, run_id) == ("queued", 0, 5)
    assert runs.drain(engine) == 1
    assert state(engine, tenant, run_id) == ("complete", 5, 5)
    assert instructors(engine) == 5


@pytest.mark.usefixtures("small_chunks")
def test_a_killed_run_goes_on_where_it_stopped(
    engine: sa.Engine, tenant: Tenant, accounts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = queue(engine, tenant, accounts)
    through, seen = runs.provision, list[int]()

    def dies_in_the_second_chunk(engine: sa.Engine, tenant_id: str, writes: Any, **options: Any) -> Any:
        done = through(engine, tenant_id, writes, **options)
        seen.append(len(writes))
        if len(seen) == 2:
            raise Killed  # after COMMIT, before the position moved
        return done

    monkeypatch.setattr(runs, "provision", dies_in_the_second_chunk)
    with pytest.raises(Killed):
        runs.drain(engine)
    assert state(engine, tenant, run_id) == ("running", 2, 5)
    assert instructors(engine) == 4
    events = count(engine, t.events)
    assert runs.drain(engine) == 0  # its worker may be alive still
    change(engine, t.runs, updated_at=datetime.now(UTC) - timedelta(seconds=store.STALLED_SECONDS + 1))
    assert runs.drain(engine) == 1
    assert state(engine, tenant, run_id) == ("complete", 5, 5)
    assert seen == [2, 2, 2, 1]
    assert instructors(engine) == 5
    assert count(engine, t.events) == events + 1  # the chunk that was done twice told nothing twice


@pytest.mark.usefixtures("small_chunks")
def test_a_worker_that_was_thought_dead_stops(
    engine: sa.Engine, tenant: Tenant, accounts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = queue(engine, tenant, accounts)
    through = runs.provision

    def overtaken(engine: sa.Engine, tenant_id: str, writes: Any, **options: Any) -> Any:
        change(engine, t.runs, worker="another")
        return through(engine, tenant_id, writes, **options)

    monkeypatch.setattr(runs, "provision", overtaken)
    assert runs.drain(engine) == 0
    assert state(engine, tenant, run_id) == ("running", 0, 5)


def test_a_change_that_fails_is_told_and_the_others_are_done(
    engine: sa.Engine, tenant: Tenant, accounts: list[str]
) -> None:
    run_id = queue(engine, tenant, [*accounts[:2], new_id(), *accounts[2:]])
    assert runs.drain(engine) == 1
    assert state(engine, tenant, run_id) == ("complete", 6, 6)
    assert instructors(engine) == 5
    with reading(engine) as conn:
        (failed,) = store.due(conn, store.find(conn, tenant.id, run_id), 0, 10)
    assert failed.number == 3
    assert failed.outcome is not None
    assert failed.outcome.startswith("failed: There is no such record")


def test_a_run_whose_people_others_hold_is_put_back(
    engine: sa.Engine, tenant: Tenant, accounts: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = queue(engine, tenant, accounts)

    def busy(*_args: Any, **_options: Any) -> Any:
        raise BusyError("held")

    with monkeypatch.context() as patched:
        patched.setattr(runs, "provision", busy)
        assert runs.drain(engine) == 0
    assert state(engine, tenant, run_id) == ("queued", 0, 5)
    assert runs.finish(engine, run_id)
    assert not runs.finish(engine, run_id)


def test_a_group_no_longer_shows_a_run_that_is_over(
    engine: sa.Engine, tenant: Tenant, okta: SourceRow, accounts: list[str]
) -> None:
    run_id = queue(engine, tenant, accounts)
    now = datetime.now(UTC)
    with writing(engine) as conn:
        conn.execute(
            sa.insert(t.groups).values(
                tenant_id=tenant.id,
                id=new_id(),
                source_id=okta.id,
                display_name="Trainers",
                pending_run_id=run_id,
                created_at=now,
                updated_at=now,
            )
        )
    runs.drain(engine)
    with reading(engine) as conn:
        assert conn.execute(sa.select(t.groups.c.pending_run_id)).scalar_one() is None
