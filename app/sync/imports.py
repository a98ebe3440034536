"""What an HR system or CRM sends at once: planned, judged as a whole, then applied as a run or held.

records ─▶ checked ─▶ plan (dry run, no locks) ─▶ guard ─▶ passes: a run, chunk by chunk
                                                    └────▶ held: its list waits 7 days for a person's yes

The guard counts who would be deactivated or lose a role, together with those whom imports of the same source took it
from within a day: many small losses are one large one. A newer read takes the place of what an older, waiting one said
about the same people.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.identity.decide import Decision
from app.identity.model import Rules, Source
from app.provisioning import CHUNK, in_transaction, save
from app.sources import hr
from app.store import drift, imports
from app.store import rules as rulebook
from app.store import runs as store
from app.store.audit import Entry
from app.store.engine import reading
from app.store.tenants import SourceRow
from app.sync import jobs, runs
from app.sync.plans import Line, Plan, judged, plan

__all__ = ["ClosedSourceError", "EmptyImportError", "NotHeldError", "Submission", "allow", "plan", "reject", "submit"]

HELD_FOR: Final = timedelta(days=7)


class EmptyImportError(ValueError):
    """No record at all: that is an error of the source, not that everybody left."""


class ClosedSourceError(ValueError):
    """The source is paused or retired: nothing is taken from it."""


class NotHeldError(ValueError):
    """The run is not held (any more): there is nothing to allow or to reject."""


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
        ClosedSourceError: the source is paused or retired.
        app.sources.hr.Invalid: a record is wrong; nothing was done with any.
    """
    if not records:
        raise EmptyImportError("There is no record: that is an error of the source, not that everybody left.")
    moment = now or datetime.now(UTC)
    speaker = speaking(engine, tenant_id, source)
    planned = plan(engine, tenant_id, speaker, hr.load(records, speaker, moment), now=moment)
    strange = hr.drift(records)
    if dry_run:
        return Submission(None, "planned", planned, drift=strange)
    if strange:
        drift.report(engine, tenant_id, source.id, list(strange))

    def once(conn: sa.Connection, rules: Rules) -> tuple[Plan, str, str]:
        return _stored(conn, tenant_id, planned, rules, actor, moment)

    settled, run_id, state = in_transaction(engine, tenant_id, once)
    if state == "queued":
        state = go_on(engine, run_id, len(settled.to_apply), wait)
    return Submission(run_id, state, settled, _not_applied(engine, tenant_id, run_id, state), strange)


def speaking(engine: sa.Engine, tenant_id: str, source: Source | SourceRow) -> Source:
    """The source as the core knows it.

    Raises:
        ClosedSourceError: it is paused or retired.
    """
    with reading(engine) as conn:
        speaker = rulebook.current(conn, tenant_id).heard(source.id)
    if speaker is None:
        raise ClosedSourceError(f"The source {source.name} is retired: it speaks about nobody any more.")
    if isinstance(source, SourceRow) and source.state != "active":
        raise ClosedSourceError(
            f"The source {source.name} is {source.state}: nothing is taken from it until it goes on."
        )
    return speaker


def allow(
    engine: sa.Engine,
    tenant_id: str,
    run_id: str,
    actor: str,
    *,
    reason: str = "",
    now: datetime | None = None,
    wait: bool = False,
) -> Submission:
    """Let a held run go, once. Lines whose loss is no longer the listed one are dropped; none is added.

    `reason` is the person's own, kept with the run and in the audit.

    Raises:
        NotFoundError: there is no such run.
        NotHeldError: it is not held (any more), or its time is over.
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection, rules: Rules) -> int:
        total = store.find(conn, tenant_id, run_id).total
        if not store.allow(conn, tenant_id, run_id, actor, moment, reason):
            raise NotHeldError(f"The run {run_id} is not held.")
        note(conn, tenant_id, Entry(actor, "run.allowed", run_id, _because(reason)), rules, moment)
        return total

    total = in_transaction(engine, tenant_id, once)
    state = go_on(engine, run_id, total, wait)
    return Submission(run_id, state, None, _not_applied(engine, tenant_id, run_id, state))


def reject(
    engine: sa.Engine, tenant_id: str, run_id: str, actor: str, *, reason: str = "", now: datetime | None = None
) -> None:
    """Throw a held run away, or a plan that nobody applied.

    Raises:
        NotFoundError: there is no such run.
        NotHeldError: it is neither (any more).
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection, rules: Rules) -> None:
        store.find(conn, tenant_id, run_id)
        if not store.reject(conn, tenant_id, run_id, actor, reason):
            raise NotHeldError(f"The run {run_id} is not held.")
        note(conn, tenant_id, Entry(actor, "run.rejected", run_id, _because(reason)), rules, moment)

    in_transaction(engine, tenant_id, once)


def _stored(
    conn: sa.Connection, tenant_id: str, planned: Plan, rules: Rules, actor: str, now: datetime
) -> tuple[Plan, str, str]:
    """The plan as judged when its source's imports stand still, the run's id, and its state."""
    imports.hold(conn, tenant_id, planned.source_id)
    settled = judged(conn, tenant_id, planned, now)
    imports.supersede(conn, tenant_id, planned.source_id, [line.key for line in planned.lines])
    lines = settled.to_apply
    state = "held" if settled.verdict.held else "queued" if lines else "complete"
    summary = {"counts": settled.counts, "losses": settled.losses, "verdict": settled.verdict.reason}
    run_id = store.add(
        conn,
        tenant_id,
        kind="import",
        state=state,
        actor=actor,
        payloads=[payload(line) for line in lines],
        summary=summary,
        source_id=planned.source_id,
        expires_at=now + HELD_FOR if settled.verdict.held else None,
    )
    facts = {"source": planned.source_id, **summary}
    note(conn, tenant_id, Entry(actor, f"import.{state}", run_id, facts), rules, now)
    return settled, run_id, state


def payload(line: Line) -> dict[str, Any]:
    """The line as a run keeps it."""
    return {
        "key": line.key,
        "effect": line.effect,
        "account": line.account_id,
        "name": line.name,
        "changes": [[change.attribute, change.before, change.after] for change in line.changes],
        "record": line.record,
    }


def go_on(engine: sa.Engine, run_id: str, total: int, wait: bool) -> str:
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
        {
            "key": change.payload.get("key") or change.payload.get("account", ""),
            "name": change.payload.get("name", ""),
            "outcome": change.outcome or "",
        }
        for change in left
    )


def note(conn: sa.Connection, tenant_id: str, entry: Entry, rules: Rules, now: datetime) -> None:
    """An audit entry in the caller's transaction."""
    save(conn, tenant_id, Decision(), rules, entry.actor, now, [entry])


def _because(reason: str) -> dict[str, str]:
    return {"reason": reason} if reason else {}
