"""New rules are saved here: what was shown still holds, then everything in one short transaction, with nobody else.

    shown list ─▶ who moved since? ─▶ weighed again, the same ─▶ the run's list is stored, not yet begun
                                                                     └─▶ rules alone ─▶ who moved meanwhile? the same
                                                                     ─▶ rules, revision, run, history, audit ─▶ COMMIT

While the rules are held alone nobody can write people. So nobody is worked out there but who moved in the last moment:
the work on 100,000 people is done before, under no lock (decision 0028).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Protocol

import psycopg
import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.writes import BusyError
from app.provisioning import CHUNK
from app.store import rules as rulebook
from app.store import runs as runs_store
from app.store import since
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.tenants import raise_revision
from app.sync import jobs, runs
from app.sync.mapping_changes import MappingError
from app.sync.mapping_people import Scales, Turn
from app.sync.mapping_work import Standing, standing_of

ROUNDS: Final = 3  # in which somebody else's writes may cross the saving

RULES_CHANGED: Final = "The rules were changed since it was worked out."


class MovedError(Exception):
    """What was shown may differ by now: work it out again. `passing`: it may hold all the same; try once more."""

    def __init__(self, why: str, *, passing: bool = False) -> None:
        super().__init__(why)
        self.passing = passing


class LastAdministratorError(MappingError):
    """Nobody would administer the tenant any more; nothing was saved."""


class Shown(Protocol):
    """A list that was shown, in memory or stored. See `mapping_work.Work`."""

    turn: Turn

    @property
    def as_of(self) -> int: ...

    @property
    def others(self) -> bool | None: ...

    @property
    def total(self) -> int: ...

    @property
    def removes_last(self) -> bool: ...

    def of(self, conn: sa.Connection, account_ids: Collection[str], /) -> dict[str, Standing]: ...

    def ask_others(self, conn: sa.Connection, tenant_id: str, /) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class Act:
    """What is saved: `write` the rules, given the new revision and the run; it answers with the audit entry.

    `queue` stores the run of everybody concerned in the state it is given, and answers with its id.
    """

    actor: str
    now: datetime
    counts: Mapping[str, int]
    write: Callable[[sa.Connection, int, str | None], Entry]
    queue: Callable[[sa.Connection, str], str]


def settle(engine: sa.Engine, tenant_id: str, shown: Shown, act: Act) -> tuple[int, str | None]:
    """Save. Returns the new revision, and the run that derives; nobody was told of it yet.

    Raises:
        MovedError: the list may be another by now. Nothing was saved.
        LastAdministratorError: nobody would administer the tenant any more. Nothing was saved.
        BusyError: others write people of the tenant; try again.
    """
    if shown.removes_last:
        raise LastAdministratorError("Nobody would administer the tenant any more. Nothing was saved.")
    with reading(engine) as conn:
        as_of = check(conn, tenant_id, shown, shown.as_of)
        prepared = act.queue(conn, "preparing") if shown.total > CHUNK else None
    try:
        return _settled(engine, tenant_id, shown, act, as_of, prepared)
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise BusyError("Others are writing people of the tenant. Nothing was saved; try again.") from error
        raise
    except BaseException:
        if prepared is not None:
            with reading(engine) as conn:
                runs_store.drop_prepared(conn, tenant_id, prepared)
        raise


def _settled(
    engine: sa.Engine, tenant_id: str, shown: Shown, act: Act, as_of: int, prepared: str | None
) -> tuple[int, str | None]:
    with writing(engine) as conn:
        rules = rulebook.hold(conn, tenant_id, alone=True)
        check(conn, tenant_id, shown, as_of, most=CHUNK)
        if shown.others is not None and shown.ask_others(conn, tenant_id) != shown.others:
            raise MovedError("Other administrators came or went.")
        revision = raise_revision(conn, tenant_id)
        run_id = prepared
        if run_id is None and shown.total:
            run_id = act.queue(conn, "queued")
        entry = act.write(conn, revision, run_id)
        if run_id is not None:
            runs_store.begin(conn, tenant_id, run_id, {"counts": dict(act.counts), "revision": revision})
        provisioning.save(conn, tenant_id, Decision(), rules, act.actor, act.now, [entry])
    return revision, run_id


def follow(engine: sa.Engine, run_id: str | None, total: int, *, wait: bool) -> str:
    """After COMMIT: derive up to one chunk here (all with `wait`), else tell a worker. Returns complete or queued."""
    if run_id is None or ((wait or total <= CHUNK) and runs.finish(engine, run_id)):
        return "complete"
    jobs.wake(engine)
    return "queued"


def check(conn: sa.Connection, tenant_id: str, shown: Shown, as_of: int, most: int | None = None) -> int:
    """Whether all is as it was at `as_of`; returns the number up to which it is. `most` people are weighed again.

    Raises:
        MovedError: it is not, or it cannot be told.
    """
    now = since.next_number(conn, tenant_id)
    if rulebook.current(conn, tenant_id).revision != shown.turn.rules.revision:
        raise MovedError(RULES_CHANGED)
    moved = since.stirred(conn, tenant_id, as_of) if now > as_of else set()
    if moved is None or (most is not None and len(moved) > most):
        raise MovedError("Too much happened since it was worked out.", passing=most is not None)
    _compare(conn, tenant_id, shown, sorted(moved))
    return now


def _compare(conn: sa.Connection, tenant_id: str, shown: Shown, moved: Sequence[str]) -> None:
    if not moved:
        return
    then: Mapping[str, Standing] = shown.of(conn, moved)
    now: dict[str, Any] = {
        one.account_id: standing_of(one)
        for one in Scales(conn, tenant_id, shown.turn).weigh(moved)
        if one.outcome.concerned
    }
    nothing: Standing = ((), None)
    for account_id in moved:
        before, after = then.get(account_id), now.get(account_id)
        # Whoever is concerned no longer and was to gain or lose nothing, is merely derived once too often.
        if before != after and not (after is None and before == nothing):
            raise MovedError("The list differs from the one that was shown.")
