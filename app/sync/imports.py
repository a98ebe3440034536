"""What an HR system or CRM sends at once: planned, judged as a whole, then applied as a run or held.

records ─▶ checked ─▶ plan (dry run, no locks) ─▶ guard ─▶ passes: a run, chunk by chunk
                                                    └────▶ held: its list waits 7 days for a person's yes

The guard counts who would be deactivated or lose a role, together with those whom imports of the same source took it
from within a day: many small losses are one large one. A newer read takes the place of what an older, waiting one said
about the same people.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.identity.changes import Change, diff
from app.identity.decide import Decision
from app.identity.guards import GuardPolicy, Verdict, judge
from app.identity.model import Rules, Source, Status
from app.identity.writes import Outcome, RecordWrite, RefusedError
from app.provisioning import CHUNK, in_transaction, provision, save
from app.sources import hr
from app.store import drift, tenants
from app.store import rules as rulebook
from app.store import runs as store
from app.store.audit import Entry
from app.store.engine import reading
from app.store.tenants import SourceRow
from app.sync import jobs, runs
from app.sync.effects import CREATED, EFFECTS, LOSSES, REFUSED, UNCHANGED, called, effect

HELD_FOR: Final = timedelta(days=7)
SLOW_LEAK: Final = timedelta(days=1)


class EmptyImportError(ValueError):
    """No record at all: that is an error of the source, not that everybody left."""


class RetiredSourceError(ValueError):
    """The source is retired: it speaks about nobody any more."""


class NotHeldError(ValueError):
    """The run is not held (any more): there is nothing to allow or to reject."""


@dataclass(frozen=True, slots=True)
class Line:
    """What one record would do. `account_id` is None for a new account; `changes` are the account's."""

    key: str
    effect: str
    account_id: str | None
    name: str
    changes: tuple[Change, ...]
    record: Mapping[str, Any]


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


@dataclass(frozen=True, slots=True)
class Submission:
    """What became of an import: `state` is planned (a dry run), held, queued or complete.

    `run_id` is None for a dry run. `not_applied` are key, name and outcome of lines that a complete run left out.
    `drift` names paths that no field knows, with how often they came.
    """

    run_id: str | None
    state: str
    plan: Plan | None = None
    not_applied: tuple[Mapping[str, str], ...] = ()
    drift: Mapping[str, int] | None = None


def plan(
    engine: sa.Engine, tenant_id: str, source: Source | SourceRow, writes: Sequence[RecordWrite], *, now: datetime
) -> Plan:
    """What these writes would do to the accounts as they are now. Nothing is locked or saved."""
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
    lines: list[Line] = []
    living: set[str] = set()
    for start in range(0, len(writes), CHUNK):
        for write, outcome in _tried(engine, tenant_id, writes[start : start + CHUNK], now):
            lines.append(_line(write, outcome, rules))
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
        return _judged(conn, tenant_id, draft, now)


def submit(
    engine: sa.Engine,
    tenant_id: str,
    source: Source | SourceRow,
    records: Sequence[Any],
    *,
    actor: str,
    dry_run: bool = False,
    now: datetime | None = None,
    wait: bool = False,
) -> Submission:
    """Take in the whole present state of these people, as JSON records.

    Up to one chunk of changes is applied within the call; more are left to a worker, unless `wait`.

    Raises:
        EmptyImportError: there is no record.
        RetiredSourceError: the source no longer speaks.
        app.sources.hr.Invalid: a record is wrong; nothing was done with any.
    """
    if not records:
        raise EmptyImportError("There is no record: that is an error of the source, not that everybody left.")
    moment = now or datetime.now(UTC)
    with reading(engine) as conn:
        speaker = rulebook.current(conn, tenant_id).heard(source.id)
    if speaker is None:
        raise RetiredSourceError(f"The source {source.name} is retired: it speaks about nobody any more.")
    planned = plan(engine, tenant_id, speaker, hr.load(records, speaker, moment), now=moment)
    strange = hr.drift(records)
    if dry_run:
        return Submission(None, "planned", planned, drift=strange)
    if strange:
        drift.report(engine, tenant_id, source.id, list(strange))

    def once(conn: sa.Connection) -> tuple[Plan, str, str]:
        return _stored(conn, tenant_id, planned, actor, moment)

    judged, run_id, state = in_transaction(engine, tenant_id, once)
    if state == "queued":
        state = _go_on(engine, run_id, len(judged.to_apply), wait)
    return Submission(run_id, state, judged, _not_applied(engine, tenant_id, run_id, state), strange)


def allow(
    engine: sa.Engine, tenant_id: str, run_id: str, actor: str, *, now: datetime | None = None, wait: bool = False
) -> Submission:
    """Let a held run go, once. Lines whose loss is no longer the listed one are dropped; none is added.

    Raises:
        NotFoundError: there is no such run.
        NotHeldError: it is not held (any more), or its time is over.
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection) -> int:
        total = store.find(conn, tenant_id, run_id).total
        if not store.allow(conn, tenant_id, run_id, actor, moment):
            raise NotHeldError(f"The run {run_id} is not held.")
        _note(conn, tenant_id, Entry(actor, "run.allowed", run_id, {}), actor, moment)
        return total

    total = in_transaction(engine, tenant_id, once)
    state = _go_on(engine, run_id, total, wait)
    return Submission(run_id, state, None, _not_applied(engine, tenant_id, run_id, state))


def reject(engine: sa.Engine, tenant_id: str, run_id: str, actor: str, *, now: datetime | None = None) -> None:
    """Throw a held run away.

    Raises:
        NotFoundError: there is no such run.
        NotHeldError: it is not held (any more).
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection) -> None:
        store.find(conn, tenant_id, run_id)
        if not store.reject(conn, tenant_id, run_id, actor):
            raise NotHeldError(f"The run {run_id} is not held.")
        _note(conn, tenant_id, Entry(actor, "run.rejected", run_id, {}), actor, moment)

    in_transaction(engine, tenant_id, once)


def _tried(
    engine: sa.Engine, tenant_id: str, writes: Sequence[RecordWrite], now: datetime
) -> list[tuple[RecordWrite, Outcome | None]]:
    """Each write with its outcome; None where the write door would refuse it."""
    try:
        outcomes = provision(engine, tenant_id, writes, actor="plan", now=now, dry_run=True)
    except RefusedError:
        if len(writes) == 1:
            return [(writes[0], None)]
        return [pair for write in writes for pair in _tried(engine, tenant_id, [write], now)]
    return list(zip(writes, outcomes, strict=True))


def _line(write: RecordWrite, outcome: Outcome | None, rules: Rules) -> Line:
    key = write.source_key or ""
    if outcome is None:
        return Line(key, REFUSED, None, key, (), write.document)
    found = effect(outcome, rules)
    account_id = None if found == CREATED else outcome.after.id
    name = called(outcome.after)
    changes = diff(outcome.before, outcome.after)
    return Line(key, found, account_id, key if name == outcome.after.id else name, changes, write.document)


_POPULATION = sa.text("""
    SELECT count(*) FROM accounts a WHERE a.tenant_id = :tenant AND a.status = 'active' AND EXISTS (
        SELECT FROM records r WHERE r.tenant_id = :tenant AND r.account_id = a.id AND r.source_id = :source
            AND r.deleted_at IS NULL)
""")


def _judged(conn: sa.Connection, tenant_id: str, draft: Plan, now: datetime) -> Plan:
    """The plan with the guard's verdict, as of now. Who takes nothing away is never held."""
    policy = _policy(conn, tenant_id)
    recent = store.losses_since(conn, tenant_id, draft.source_id, now - SLOW_LEAK)
    population = draft.population
    if draft.losses and draft.losses + recent > policy.floor:
        counted = conn.execute(_POPULATION, {"tenant": tenant_id, "source": draft.source_id}).scalar_one()
        population = max(population, int(counted))
    verdict = judge(draft.losses + recent, population + recent, policy)
    if not draft.losses:
        verdict = Verdict(False, "Nobody would be deactivated or lose a role.")
    elif recent:
        verdict = replace(verdict, reason=f"{verdict.reason} {recent} of them did within the last 24 hours.")
    return replace(draft, recent=recent, population=population, verdict=verdict)


def _policy(conn: sa.Connection, tenant_id: str) -> GuardPolicy:
    settings = tenants.settings(conn, tenant_id).get("guard") or {}
    usual = GuardPolicy()
    return GuardPolicy(float(settings.get("share", usual.share)), int(settings.get("floor", usual.floor)))


def _stored(conn: sa.Connection, tenant_id: str, planned: Plan, actor: str, now: datetime) -> tuple[Plan, str, str]:
    """The plan as judged when its source's imports stand still, the run's id, and its state."""
    store.hold_imports(conn, tenant_id, planned.source_id)
    judged = _judged(conn, tenant_id, planned, now)
    store.supersede(conn, tenant_id, planned.source_id, [line.key for line in planned.lines])
    lines = judged.to_apply
    state = "held" if judged.verdict.held else "queued" if lines else "complete"
    summary = {"counts": judged.counts, "losses": judged.losses, "verdict": judged.verdict.reason}
    run_id = store.add(
        conn,
        tenant_id,
        kind="import",
        state=state,
        actor=actor,
        payloads=[_payload(line) for line in lines],
        summary=summary,
        source_id=planned.source_id,
        expires_at=now + HELD_FOR if judged.verdict.held else None,
    )
    _note(conn, tenant_id, Entry(actor, f"import.{state}", run_id, {"source": planned.source_id, **summary}), actor, now)
    return judged, run_id, state


def _payload(line: Line) -> dict[str, Any]:
    return {
        "key": line.key,
        "effect": "" if line.effect == REFUSED else line.effect,
        "account": line.account_id,
        "name": line.name,
        "changes": [[change.attribute, change.before, change.after] for change in line.changes],
        "record": line.record,
    }


def _go_on(engine: sa.Engine, run_id: str, total: int, wait: bool) -> str:
    """Apply it here, or leave it to a worker. Returns the run's state."""
    if (wait or total <= CHUNK) and runs.finish(engine, run_id):
        return "complete"
    jobs.wake(engine)
    return "queued"


def _not_applied(engine: sa.Engine, tenant_id: str, run_id: str, state: str) -> tuple[Mapping[str, str], ...]:
    if state != "complete":
        return ()
    with reading(engine) as conn:
        left = store.due(conn, store.find(conn, tenant_id, run_id), 0, CHUNK)
    return tuple(
        {"key": change.payload["key"], "name": change.payload["name"], "outcome": change.outcome or ""}
        for change in left
    )


def _note(conn: sa.Connection, tenant_id: str, entry: Entry, actor: str, now: datetime) -> None:
    save(conn, tenant_id, Decision(), rulebook.current(conn, tenant_id), actor, now, [entry])
