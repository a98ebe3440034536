"""The plan of an import: what each record would do, and the guard's verdict on the whole.

It is made on what the database holds, with the functions of the write door, and neither locks nor saves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.identity.changes import Change, diff
from app.identity.guards import GuardPolicy, Verdict, judge
from app.identity.model import Rules, Source, Status
from app.identity.naming import called
from app.identity.writes import Outcome, RecordWrite, RefusedError
from app.provisioning import CHUNK, provision
from app.store import imports
from app.store import rules as rulebook
from app.store.engine import reading
from app.store.tenants import SourceRow
from app.sync.effects import CREATED, EFFECTS, LOSSES, REFUSED, UNCHANGED, effect

SLOW_LEAK: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Line:
    """What one record would do. `account_id` is None for a new account; `changes` are the account's.

    `rule` says how the person was recognised; `doubtful` are accounts that may be the same person.
    """

    key: str
    effect: str
    account_id: str | None
    name: str
    changes: tuple[Change, ...]
    record: Mapping[str, Any]
    rule: str = ""
    doubtful: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do: one line a record, their number by effect, and the guard's verdict on the whole.

    `recent` people lost something by the source within the last day; `population` are its active people, or those of
    this import while fewer lose something than always pass.
    """

    source_id: str
    lines: tuple[Line, ...]
    counts: Mapping[str, int]
    losses: int
    recent: int
    population: int
    verdict: Verdict

    @property
    def to_apply(self) -> tuple[Line, ...]:
        """The lines that change something, or might once others have."""
        return tuple(line for line in self.lines if line.effect != UNCHANGED)


def plan(
    engine: sa.Engine, tenant_id: str, source: Source | SourceRow, writes: Sequence[RecordWrite], *, now: datetime
) -> Plan:
    """What these writes would do to the accounts as they are now. Nothing is locked or saved."""
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
    lines: list[Line] = []
    living: set[str] = set()
    for start in range(0, len(writes), CHUNK):
        for write, outcome in tried(engine, tenant_id, writes[start : start + CHUNK], now):
            lines.append(line_of(write, outcome, rules))
            if outcome is not None and outcome.before is not None and outcome.before.status == Status.ACTIVE:
                living.add(outcome.before.id)
    counted = Counter(line.effect for line in lines)
    losing = {line.account_id for line in lines if line.effect in LOSSES}
    draft = Plan(
        source.id,
        tuple(lines),
        {name: counted.get(name, 0) for name in EFFECTS},
        len(losing),
        0,
        len(living),
        Verdict(False, ""),
    )
    with reading(engine) as conn:
        return judged(conn, tenant_id, draft, now)


def tried(
    engine: sa.Engine, tenant_id: str, writes: Sequence[RecordWrite], now: datetime
) -> list[tuple[RecordWrite, Outcome | None]]:
    """Each write with its outcome; None where the write door would refuse it."""
    try:
        outcomes = provision(engine, tenant_id, writes, actor="plan", now=now, dry_run=True)
    except RefusedError:
        if len(writes) == 1:
            return [(writes[0], None)]
        return [pair for write in writes for pair in tried(engine, tenant_id, [write], now)]
    return list(zip(writes, outcomes, strict=True))


def line_of(write: RecordWrite, outcome: Outcome | None, rules: Rules) -> Line:
    """What one write would do, as a line."""
    key = write.source_key or ""
    if outcome is None:
        return Line(key, REFUSED, None, key, (), write.document)
    found = effect(outcome, rules)
    account_id = None if found == CREATED else outcome.after.id
    name = called(outcome.after)
    changes = diff(outcome.before, outcome.after)
    shown = key if name == outcome.after.id else name
    return Line(key, found, account_id, shown, changes, write.document, outcome.rule, outcome.doubtful)


def judged(conn: sa.Connection, tenant_id: str, draft: Plan, now: datetime) -> Plan:
    """The plan with the guard's verdict, as of now. Who takes nothing away is never held."""
    policy = GuardPolicy(*imports.threshold(conn, tenant_id))
    recent = imports.losses_since(conn, tenant_id, draft.source_id, now - SLOW_LEAK)
    population = draft.population
    if draft.losses and draft.losses + recent > policy.floor:
        population = max(population, imports.population(conn, tenant_id, draft.source_id))
    verdict = judge(draft.losses + recent, population + recent, policy)
    if not draft.losses:
        verdict = Verdict(False, "Nobody would be deactivated or lose a role.")
    elif recent:
        verdict = replace(verdict, reason=f"{verdict.reason} {recent} of them did within the last 24 hours.")
    return replace(draft, recent=recent, population=population, verdict=verdict)
