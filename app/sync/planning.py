"""Plans are made here, chunk by chunk with the functions of the write door, and nothing is saved but the list.

    an uploaded file ──staged──▶ what each record would do ─┐
    a rule ──▶ all accounts under the rules as they would be ┴─▶ counts, the guard's verdict ─▶ planned

Small ones are made within the request; a worker makes the others, and another goes on where it was killed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.identity.changes import diff
from app.identity.guards import GuardPolicy, Verdict, judge
from app.identity.model import Rules, Source, Status
from app.identity.naming import called
from app.identity.writes import Outcome, RecordWrite, Rederive, RefusedError
from app.provisioning import CHUNK, decided, new_id
from app.sources import hr
from app.sources.csv_file import FileError
from app.store import imports
from app.store import plans as store
from app.store import rules as rulebook
from app.store.engine import reading, writing
from app.store.plans import PlanLine
from app.store.runs import Run
from app.sync import upload_files
from app.sync.effects import EFFECTS, LOSSES, UNCHANGED, effect
from app.sync.plans import Plan, judged, line_of, tried
from app.sync.rule_changes import RuleError, from_dict

KEPT_FOR: Final = timedelta(days=7)
MOST_DRIFT: Final = 50
MOST_ERRORS: Final = 1_000
RAW: Final = "file"  # the key of a payload that holds a file's text, to be read before it is planned


def drain(engine: sa.Engine) -> int:
    """Make every plan that waits. Returns how many were ended."""
    worker, ended, left = new_id(), 0, set[str]()
    while (run := _claimed(engine, worker, left=left)) is not None:
        if _made(engine, run, worker):
            ended += 1
        left.add(run.id)
    return ended


def finish(engine: sa.Engine, run_id: str) -> bool:
    """Make this one plan now. False: somebody else makes it."""
    worker = new_id()
    run = _claimed(engine, worker, only=run_id)
    return run is not None and _made(engine, run, worker)


def would_be(
    conn: sa.Connection, tenant_id: str, account_ids: Sequence[str], now: datetime
) -> dict[str, tuple[str, list[list[Any]]]]:
    """What deriving these accounts again would do to each now: account id -> effect, changes. A chunk at most."""
    rules = rulebook.current(conn, tenant_id)
    return {
        outcome.after.id: (
            effect(outcome, rules),
            [[one.attribute, one.before, one.after] for one in diff(outcome.before, outcome.after)],
        )
        for outcome in _derived(conn, tenant_id, account_ids, rules, now)
    }


def _claimed(engine: sa.Engine, worker: str, *, only: str | None = None, left: Collection[str] = ()) -> Run | None:
    with reading(engine) as conn:
        return store.claim(conn, worker, only=only, left=left)


def _made(engine: sa.Engine, run: Run, worker: str) -> bool:
    try:
        return (_import if run.kind == "import" else _rule)(engine, run, worker)
    except BaseException:
        with reading(engine) as conn:
            store.release(conn, run, worker)
        raise


def _import(engine: sa.Engine, run: Run, worker: str) -> bool:
    with reading(engine) as conn:
        rules = rulebook.current(conn, run.tenant_id)
    source = rules.heard(run.source_id or "")
    if source is None:
        return _failed(engine, run, worker, "The source was retired meanwhile.", 0)
    if not _unpacked(engine, run, worker):
        return False
    now = datetime.now(UTC)
    position, wrong = run.position, int(run.summary.get("wrong", 0))
    drift = Counter(dict(run.summary.get("drift", {})))
    while True:
        with reading(engine) as conn:
            staged = store.page(conn, run.tenant_id, run.id, after=position, limit=CHUNK)
        if not staged:
            break
        told, errors = _looked_at(engine, run, source, rules, staged, now)
        wrong += errors
        drift += Counter(hr.drift([line.payload["record"] for line in staged if "record" in line.payload]))
        position = staged[-1].number
        summary = {"wrong": wrong, "drift": dict(drift.most_common(MOST_DRIFT))}
        with reading(engine) as conn:
            if not store.put(conn, run, worker, position, told, summary):
                return False
    if wrong:
        return _failed(engine, run, worker, "Records are wrong. Nothing was done with any.", wrong)
    with reading(engine) as conn:
        plan = drafted(conn, run, now)
        store.end(conn, run, worker, "planned", told_of(plan), now + KEPT_FOR)
    return True


def _unpacked(engine: sa.Engine, run: Run, worker: str) -> bool:
    """The lines of a file that is kept as it came. False: it cannot be read, or somebody threw it away.

    Until they are there a newer import cannot drop those that it speaks of: then the file is not taken.
    """
    with reading(engine) as conn:
        first = store.page(conn, run.tenant_id, run.id, limit=1)
    if not first or RAW not in first[0].payload:
        return True
    try:
        with writing(engine) as conn:
            if store.locked(conn, run.tenant_id, run.id) != "planning":
                return False
            imports.hold(conn, run.tenant_id, run.source_id or "")
            if imports.heard_since(conn, run.tenant_id, run.source_id or "", run.id):
                raise FileError(["The source was heard again before the file was read: upload it again."])
            store.clear(conn, run.tenant_id, run.id)
            records = upload_files.records_of(first[0].payload[RAW])
            store.stage(conn, run.tenant_id, run.id, map(upload_files.staged, records))
    except FileError as error:
        with reading(engine) as conn:
            store.clear(conn, run.tenant_id, run.id)
            told = [PlanLine(at, {}, None, one) for at, one in enumerate(error.errors[:MOST_ERRORS], start=1)]
            store.put(conn, run, worker, 0, told)
        _failed(engine, run, worker, "The file cannot be read. Nothing was done with anybody.", 0)
        return False
    return True


def drafted(conn: sa.Connection, run: Run, now: datetime) -> Plan:
    """The plan of an uploaded file in numbers, with the guard's verdict; its lines stay where they are."""
    found = store.counted(conn, run.tenant_id, run.id, LOSSES)
    counts = {name: found.by_effect.get(name, 0) for name in EFFECTS}
    draft = Plan(run.source_id or "", (), counts, found.losing, 0, found.living, Verdict(False, ""))
    return judged(conn, run.tenant_id, draft, now)


def told_of(plan: Plan) -> dict[str, Any]:
    """What a run's summary says of a plan."""
    return {
        "counts": dict(plan.counts),
        "losses": plan.losses,
        "population": plan.population,
        "recent": plan.recent,
        "verdict": plan.verdict.reason,
        "holds": plan.verdict.held,
    }


def _looked_at(
    engine: sa.Engine, run: Run, source: Source, rules: Rules, staged: Sequence[PlanLine], now: datetime
) -> tuple[list[PlanLine], int]:
    """The lines as they are to be kept, and how many of them are wrong."""
    told: list[PlanLine] = []
    writes: list[tuple[PlanLine, RecordWrite]] = []
    for line in staged:
        if line.outcome is not None or "record" not in line.payload:
            continue
        try:
            writes.append((line, hr.load([line.payload["record"]], source, now)[0]))
        except hr.Invalid as error:
            why = "; ".join(f"{one.field}: {one.message}" if one.field else one.message for one in error.errors)
            told.append(PlanLine(line.number, line.payload, None, why))
    wrong = len(told)
    numbered = {id(write): line.number for line, write in writes}
    for write, outcome in tried(engine, run.tenant_id, [write for _, write in writes], now):
        told.append(_kept(numbered[id(write)], write, outcome, rules))
    return told, wrong


def _kept(number: int, write: RecordWrite, outcome: Outcome | None, rules: Rules) -> PlanLine:
    line = line_of(write, outcome, rules)
    payload: dict[str, Any] = {"key": line.key, "effect": line.effect, "account": line.account_id, "name": line.name}
    if outcome is not None and outcome.before is not None and outcome.before.status == Status.ACTIVE:
        payload["living"] = True
    if line.effect != UNCHANGED:
        payload["changes"] = [[one.attribute, one.before, one.after] for one in line.changes]
        payload["record"] = dict(line.record)
        payload["rule"] = line.rule
    return PlanLine(number, payload, line.effect, None)


def _rule(engine: sa.Engine, run: Run, worker: str) -> bool:
    now = datetime.now(UTC)
    change = from_dict(run.summary["change"])
    with reading(engine) as conn:
        rules = rulebook.current(conn, run.tenant_id)
        try:
            change.check(rules)
        except RuleError as error:
            return _failed(engine, run, worker, f"It cannot be saved any more: {error}.", 0)
        future = change.future(rules)
        store.set_total(conn, run.tenant_id, run.id, store.population(conn, run.tenant_id))
    last, position, number = (
        run.summary.get("last"),
        run.position,
        int(run.summary.get("lines", 0)) if run.position else 0,
    )
    while True:
        with reading(engine) as conn:
            some = store.accounts_after(conn, run.tenant_id, last, CHUNK)
            if not some:
                break
            told = list(_concerned(conn, run, some, future, number, now))
            last, position, number = some[-1], position + len(some), number + len(told)
            if not store.put(conn, run, worker, position, told, {"last": last, "lines": number}):
                return False
    with reading(engine) as conn:
        summary = _judged_rule(conn, run, rules)
        store.end(conn, run, worker, "planned", summary, now + KEPT_FOR)
    return True


def _concerned(
    conn: sa.Connection, run: Run, account_ids: Sequence[str], future: Rules, number: int, now: datetime
) -> Sequence[PlanLine]:
    """Those of the accounts that readers would see changed."""
    lines: list[PlanLine] = []
    for outcome in _derived(conn, run.tenant_id, account_ids, future, now):
        changes = diff(outcome.before, outcome.after)
        if not changes:
            continue
        found = effect(outcome, future)
        payload = {
            "account": outcome.after.id,
            "name": called(outcome.after),
            "changes": [[one.attribute, one.before, one.after] for one in changes],
        }
        lines.append(PlanLine(number + len(lines) + 1, payload, found, None))
    return lines


def _derived(
    conn: sa.Connection, tenant_id: str, account_ids: Sequence[str], future: Rules, now: datetime
) -> Sequence[Outcome]:
    try:
        writes = [Rederive(one) for one in account_ids]
        return decided(conn, tenant_id, writes, future, now, lock=False).outcomes
    except RefusedError:  # somebody of them is gone
        if len(account_ids) == 1:
            return ()
        return [one for id in account_ids for one in _derived(conn, tenant_id, [id], future, now)]


def _judged_rule(conn: sa.Connection, run: Run, rules: Rules) -> dict[str, Any]:
    found = store.counted(conn, run.tenant_id, run.id, LOSSES)
    people = store.population(conn, run.tenant_id, active=True)
    verdict = judge(found.losing, people, GuardPolicy(rules.guard_share, rules.guard_floor))
    if not found.losing:
        verdict = Verdict(False, "Nobody would be deactivated or lose a role.")
    return {
        "counts": {name: found.by_effect.get(name, 0) for name in EFFECTS if found.by_effect.get(name)},
        "losses": found.losing,
        "population": people,
        "verdict": verdict.reason,
        "holds": verdict.held,
        "revision": rules.revision,
    }


def _failed(engine: sa.Engine, run: Run, worker: str, why: str, wrong: int) -> bool:
    with reading(engine) as conn:
        store.end(conn, run, worker, "failed", {"failure": why, "wrong": wrong}, None)
    return True
