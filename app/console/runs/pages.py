"""The list of runs, one run, its lines as a file."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from flask import Response

from app.console.desk import Desk
from app.console.rendering import arg, download, page
from app.console.runs import words
from app.console.visit import Visit
from app.store import plans, source_reads, tenants
from app.store import runs as store
from app.store.cells import plain
from app.store.engine import reading
from app.store.runs import Run
from app.sync import planning

SHOWN: Final = 50
CSV_CHUNK: Final = 1_000


def listing(desk: Desk, visit: Visit) -> Response:
    """All runs, the newest first; of one state or source."""
    state, source_id = arg("state"), arg("source")
    with reading(desk.engine) as conn:
        sources = {one.id: one.name for one in tenants.sources(conn, visit.tenant_id)}
        found = store.page(
            conn,
            visit.tenant_id,
            state=state if state in words.STATES else None,
            source_id=source_id if source_id in sources else None,
            before=_place(arg("after")),
            limit=SHOWN + 1,
        )
    more = found[SHOWN - 1] if len(found) > SHOWN else None
    return page(
        "runs/listing.html",
        runs=[(run, words.title(run, sources.get(run.source_id or ""))) for run in found[:SHOWN]],
        sources=sources,
        states=words.STATES,
        kinds=words.KINDS,
        state=state,
        source_id=source_id,
        after=f"{more.created_at.isoformat()}_{more.id}" if more else "",
        paged=bool(arg("after")),
    )


def one(desk: Desk, visit: Visit, run_id: str) -> Response:
    """One run: how far it is, what it would do or did, and what may be done with it."""
    return shown(desk, visit, run_id)


def shown(
    desk: Desk, visit: Visit, run_id: str, status: int = 200, errors: Mapping[str, str] | None = None
) -> Response:
    """The page of a run, with the messages of a form that was wrong."""
    effect, after = arg("effect"), arg("after")
    with reading(desk.engine) as conn:
        run = store.find(conn, visit.tenant_id, run_id)
        source = _source(desk, visit, run)
        lines = plans.page(
            conn,
            visit.tenant_id,
            run.id,
            effect=effect if effect in words.EFFECTS else None,
            after=int(after) if after.isdecimal() else 0,
            limit=SHOWN + 1,
        )
    counts = {
        name: number for name, number in run.summary.get("counts", {}).items() if name in words.EFFECTS and number
    }
    return page(
        "runs/one.html",
        status,
        run=run,
        title=words.title(run, source.name if source else None),
        source=source,
        lines=_seen(desk, visit, run, lines[:SHOWN]) if _lists(run) else [],
        lists=_lists(run),
        next=lines[SHOWN - 1].number if len(lines) > SHOWN else None,
        paged=bool(after),
        counts=sorted(counts.items(), key=lambda one: list(words.EFFECTS).index(one[0])),
        effects=words.EFFECTS,
        states=words.STATES,
        kinds=words.KINDS,
        effect=effect,
        at_work=run.state in words.AT_WORK,
        errors=errors or {},
    )


def lines_csv(desk: Desk, visit: Visit, run_id: str) -> Response:
    """The lines of a run as CSV, as they are now."""
    with reading(desk.engine) as conn:
        run = store.find(conn, visit.tenant_id, run_id)
    return download(f"run-{run.id}.csv", _csv(desk, visit, run))


def _csv(desk: Desk, visit: Visit, run: Run) -> Iterator[str]:
    yield row_of(["key", "account", "name", "effect", "attribute", "before", "after", "outcome"])
    after = 0
    while True:
        with reading(desk.engine) as conn:
            some = plans.page(conn, visit.tenant_id, run.id, after=after, limit=CSV_CHUNK)
        if not some:
            return
        after = some[-1].number
        for line in _seen(desk, visit, run, some, derive=False):
            for attribute, before, now in line.changes or (("", "", ""),):
                told = [line.key, line.account_id or "", line.name, line.effect or ""]
                yield row_of([*told, attribute, before, now, line.outcome])


def row_of(cells: Sequence[str]) -> str:
    """One line. A cell that a spreadsheet would take for a formula is written as text."""
    out = io.StringIO()
    csv.writer(out).writerow([plain(cell) for cell in cells])
    return out.getvalue()


def _seen(
    desk: Desk, visit: Visit, run: Run, lines: Sequence[plans.PlanLine], *, derive: bool = True
) -> list[words.LineSeen]:
    nameless = [
        line.payload["account"] for line in lines if line.payload.get("account") and not line.payload.get("name")
    ]
    added: Mapping[str, tuple[str, Sequence[Any]]] = {}
    with reading(desk.engine) as conn:
        spoken_of = sorted(set().union(*(words.people_in(line) for line in lines)))
        names = source_reads.names(conn, visit.tenant_id, spoken_of)
        if derive and run.state == "held" and nameless:
            added = planning.would_be(conn, visit.tenant_id, nameless, desk.now())
    return [words.seen(line, names, added) for line in lines]


def _lists(run: Run) -> bool:
    """Whether its lines tell something: those that only derive people again do so once some were not applied."""
    if run.state in ("planning", "queued", "running"):
        return False
    return run.state in ("planned", "held", "failed") or bool(run.summary.get("notApplied"))


def _source(desk: Desk, visit: Visit, run: Run) -> tenants.SourceRow | None:
    if run.source_id is None:
        return None
    try:
        with reading(desk.engine) as conn:
            return tenants.source_by_id(conn, visit.tenant_id, run.source_id)
    except tenants.NotFoundError:
        return None


def _place(text: str) -> tuple[datetime, str] | None:
    at, _, run_id = text.partition("_")
    try:
        return datetime.fromisoformat(at), tenants.checked_id(run_id)
    except ValueError:
        return None
