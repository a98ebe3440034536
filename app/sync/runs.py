"""Runs are carried out here: chunk by chunk through the write door, from where the last worker stopped.

claim ─▶ 500 changes ─▶ write door ─▶ COMMIT ─▶ position ─▶ … ─▶ complete
              │             └ one is refused: each of them alone; the refused ones keep why
              └ not as planned under the locks: dropped with a sentence, the others go on

A worker that is killed between COMMIT and position does its last chunk twice: the second time nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import Any

import sqlalchemy as sa
from marshmallow import ValidationError

from app.identity.model import Rules
from app.identity.writes import BusyError, Outcome, Rederive, RefusedError, Write
from app.provisioning import CHUNK, new_id, provision
from app.sources import hr
from app.store import plans
from app.store import rules as rulebook
from app.store import runs as store
from app.store.engine import reading, writing
from app.store.runs import Run, RunChange
from app.sync.effects import LOSSES, effect

# What one change may fail with while the others go on; whatever else is raised stops the run, which is then resumed.
FAILURES = (RefusedError, ValidationError, LookupError, ValueError, sa.exc.DataError, sa.exc.IntegrityError)


class NotPlannedError(Exception):
    """Under the locks it turned out that these writes (by place) would not do what was planned."""

    def __init__(self, places: Mapping[int, str]) -> None:
        super().__init__(f"{len(places)} changes differ from the plan")
        self.places = places


def drain(engine: sa.Engine) -> int:
    """Carry out every run that is due. Returns how many came to their end."""
    worker, ended, left = new_id(), 0, set[str]()
    while (run := _claimed(engine, worker, left=left)) is not None:
        if _carried_out(engine, run, worker):
            ended += 1
        else:
            left.add(run.id)
    return ended


def finish(engine: sa.Engine, run_id: str) -> bool:
    """Carry out this one run now. False: another worker has it, or others hold its people; it goes on later."""
    worker = new_id()
    run = _claimed(engine, worker, only=run_id)
    return run is not None and _carried_out(engine, run, worker)


def _claimed(engine: sa.Engine, worker: str, *, only: str | None = None, left: Collection[str] = ()) -> Run | None:
    with reading(engine) as conn:
        return store.claim(conn, worker, only=only, left=left)


def _carried_out(engine: sa.Engine, run: Run, worker: str) -> bool:
    position = run.position
    if run.summary.get("everybody"):
        with writing(engine) as conn:
            if not plans.list_everybody(conn, run, worker):
                return False
    while True:
        with reading(engine) as conn:
            changes = store.due(conn, run, position, CHUNK)
        if not changes:
            break
        try:
            outcomes = _apply(engine, run, changes)
        except BusyError:
            with reading(engine) as conn:
                store.release(conn, run, worker)
            return False
        position = changes[-1].number
        with reading(engine) as conn:
            if not store.move(conn, run, worker, position, outcomes):
                return False
    with reading(engine) as conn:
        store.complete(conn, run, worker)
    return True


def _apply(engine: sa.Engine, run: Run, changes: Sequence[RunChange]) -> dict[int, str]:
    """The outcomes of those that were not applied, by number."""
    now = datetime.now(UTC)
    with reading(engine) as conn:
        rules = rulebook.current(conn, run.tenant_id)
    told: dict[int, str] = {}
    writes: dict[int, Write] = {}
    planned: dict[int, str] = {}
    for change in changes:
        if change.outcome is not None:
            continue
        try:
            writes[change.number] = _write(change.payload, run, rules, now)
            planned[change.number] = change.payload.get("effect", "")
        except FAILURES as error:
            told[change.number] = _failure(error)

    def save(some: Mapping[int, Write]) -> None:
        accept = partial(_as_planned, planned=[planned[number] for number in some], rules=rules)
        provision(engine, run.tenant_id, list(some.values()), actor=run.actor, now=now, accept=accept)

    return told | _together(writes, save)


def _together(writes: dict[int, Write], save: Callable[[Mapping[int, Write]], None]) -> dict[int, str]:
    """Save all at once; if that fails, each alone."""
    told: dict[int, str] = {}
    while writes:
        try:
            save(writes)
        except NotPlannedError as error:
            numbers = list(writes)
            dropped = {numbers[place]: why for place, why in error.places.items()}
            told |= dropped
            writes = {number: write for number, write in writes.items() if number not in dropped}
        except BusyError:
            raise
        except FAILURES as error:
            if len(writes) == 1:
                return told | dict.fromkeys(writes, _failure(error))
            for number, write in writes.items():
                told |= _together({number: write}, save)
            return told
        else:
            return told
    return told


def _write(payload: Mapping[str, Any], run: Run, rules: Rules, now: datetime) -> Write:
    if "record" not in payload:
        return Rederive(payload["account"])
    source = rules.heard(run.source_id or "")
    if source is None:
        raise LookupError("the source is retired")
    return hr.to_write(source, payload["record"], now)


def _as_planned(outcomes: Sequence[Outcome], planned: Sequence[str], rules: Rules) -> None:
    """Raise for writes whose loss is not the one that was listed; who lists nothing takes what comes.

    Raises:
        NotPlannedError: there are such writes.
    """
    differing: dict[int, str] = {}
    for place, (outcome, listed) in enumerate(zip(outcomes, planned, strict=True)):
        found = effect(outcome, rules)
        if not listed or not outcome.changed or found == listed or not LOSSES & {found, listed}:
            continue
        differing[place] = f"dropped: planned as {listed}, it would now be {found}"
    if differing:
        raise NotPlannedError(differing)


def _failure(error: Exception) -> str:
    """A sentence without personal values."""
    if isinstance(error, RefusedError):
        return f"failed: {(type(error).__doc__ or type(error).__name__).splitlines()[0]}"
    if isinstance(error, sa.exc.DBAPIError):
        return f"failed: the database refused it ({type(error.orig).__name__})"
    if isinstance(error, ValidationError):
        return f"failed: the record is wrong in {', '.join(sorted(error.normalized_messages()))}"
    return f"failed: {error}"
