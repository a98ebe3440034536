"""A file that somebody uploads: read, kept, planned, looked at, and applied as it was shown.

    file ─▶ a run in state planning ─▶ planned ──apply──▶ guard ─▶ queued or held
              up to 500 records: read and planned at once; more: kept as it came, read and planned by a worker

A newer read of the same source takes the place of what an older plan said about the same people, as with imports.
"""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import islice
from typing import Final

import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.model import Rules
from app.provisioning import CHUNK
from app.sources import hr
from app.store import drift, imports, plans
from app.store import rules as rulebook
from app.store import runs as store
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.tenants import SourceRow
from app.sync import jobs, planning, upload_files
from app.sync.effects import UNCHANGED
from app.sync.imports import HELD_FOR, NotHeldError, go_on, note, speaking

LONGEST_NAME: Final = 120


def upload(
    engine: sa.Engine,
    tenant_id: str,
    source: SourceRow,
    content: bytes,
    *,
    name: str,
    actor: str,
    now: datetime | None = None,
) -> str:
    """Keep the file's records and plan what they would do; nothing of it is applied. Returns the run's id.

    Raises:
        ClosedSourceError: the source is paused or retired.
        FileError: the file cannot be read, or is too large. Of a large one only what its first 500 records show.
        app.sources.hr.Invalid: a record of a small file is wrong; a larger one says so as a failed run.
    """
    moment = now or datetime.now(UTC)
    speaker = speaking(engine, tenant_id, source)
    text = upload_files.text_of(content)
    first = list(islice(upload_files.records_of(text), CHUNK + 1))
    few = len(first) <= CHUNK
    if few:
        hr.load(first, speaker, moment)
    summary = {"file": name[-LONGEST_NAME:].replace("\x00", ""), "uploadedAt": moment.isoformat()}
    with writing(engine) as conn:
        run = plans.begin(conn, tenant_id, kind="import", actor=actor, summary=summary, source_id=source.id)
        plans.stage(conn, tenant_id, run, map(upload_files.staged, first) if few else [{planning.RAW: text}])
        if not few:
            plans.set_total(conn, tenant_id, run, upload_files.about(text))
        rules = rulebook.current(conn, tenant_id)
        entry = Entry(actor, "import.uploaded", run, {"source": source.id, "bytes": len(content)})
        provisioning.save(conn, tenant_id, Decision(), rules, actor, moment, [entry])
    if not (few and planning.finish(engine, run)):
        jobs.wake(engine, "plan")
    return run


def apply(
    engine: sa.Engine, tenant_id: str, run_id: str, actor: str, *, now: datetime | None = None, wait: bool = False
) -> str:
    """Do what the plan shows, unless the guard holds it. Returns the run's state: held, queued or complete.

    Raises:
        NotFoundError: there is no such run.
        NotHeldError: it is no plan of a file, or not any more.
        ClosedSourceError: the source was retired meanwhile.
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection, rules: Rules) -> tuple[str, int]:
        run = store.find(conn, tenant_id, run_id)
        imports.hold(conn, tenant_id, run.source_id or "")
        over = run.expires_at is not None and run.expires_at <= moment
        if run.kind != "import" or plans.locked(conn, tenant_id, run_id) != "planned" or over:
            raise NotHeldError("This plan was applied or thrown away already, or its time is over.")
        plan = planning.drafted(conn, run, moment)
        imports.supersede(conn, tenant_id, run.source_id or "", plans.keys(conn, tenant_id, run_id), before=run_id)
        lines = sum(number for effect, number in plan.counts.items() if effect != UNCHANGED)
        state = "held" if plan.verdict.held else "queued"
        summary = {**planning.told_of(plan), "appliedBy": actor}
        expires = moment + HELD_FOR if plan.verdict.held else None
        plans.settle(conn, tenant_id, run_id, state, summary, unchanged=UNCHANGED, expires=expires)
        facts = {"source": run.source_id, "counts": summary["counts"], "losses": plan.losses, "lines": lines}
        note(conn, tenant_id, Entry(actor, f"import.{state}", run_id, facts), rules, moment)
        return state, lines

    state, lines = provisioning.in_transaction(engine, tenant_id, once)
    with reading(engine) as conn:
        run = store.find(conn, tenant_id, run_id)
    if run.source_id is not None and run.summary.get("drift"):
        drift.report(engine, tenant_id, run.source_id, list(run.summary["drift"]))
    return go_on(engine, run_id, lines, wait) if state == "queued" else state
