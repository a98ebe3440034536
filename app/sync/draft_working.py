"""Drafts are worked out here, 2,000 people a step: each step's lines and how far it came are one transaction.

claim ─▶ whom the changes concern ─▶ step ─▶ step ─▶ … ─▶ is anybody left who administers? ─▶ ready

A worker that is killed leaves its steps; half a minute later another goes on behind them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from app.provisioning import new_id
from app.store import draft_people as people_of
from app.store import mapping_drafts as store
from app.store import rules as rulebook
from app.store import since
from app.store.engine import reading, writing
from app.store.mapping_drafts import MappingDraft
from app.sync.mapping_changes import Change, Draft, MappingError
from app.sync.mapping_people import LAST, LOSES, PAGE, STAYS, Scales, Weighed, concerned
from app.sync.mapping_work import Sum
from app.sync.mappings import plan, turn_of

_COUNTED: Final = {"gain": "gains", "loss": "losses", "kept": "kept"}


def drain(engine: sa.Engine) -> int:
    """Work out every draft that waits. Returns how many came to their end."""
    ended = 0
    while (taken := claimed(engine)) is not None:
        ended += worked_out(engine, *taken)
    return ended


def claimed(engine: sa.Engine, only: str | None = None) -> tuple[MappingDraft, str] | None:
    """Take a draft that waits, or `only` that one; with the name of the worker that has it now."""
    worker = new_id()
    with reading(engine) as conn:
        draft = store.claim(conn, worker, only=only)
    return None if draft is None else (draft, worker)


def worked_out(engine: sa.Engine, draft: MappingDraft, worker: str) -> bool:
    """Step by step, from where the last worker stopped. False: it was stopped, or is another worker's."""
    with reading(engine) as conn:
        rules = rulebook.current(conn, draft.tenant_id)
        if draft.as_of is None or draft.revision != rules.revision:
            try:
                gathered = _gathered(conn, draft, worker)
            except MappingError as error:
                return store.end(conn, draft, worker, "failed", failure=str(error))
            if gathered is None:
                return False
            draft = gathered
            rules = rulebook.current(conn, draft.tenant_id)
        scales = Scales(conn, draft.tenant_id, turn_of(drafted_of(draft.plan), rules))
        while ids := store.due(conn, draft, draft.done, PAGE):
            moved = _step(conn, draft, worker, list(scales.weigh(ids)), draft.done + len(ids))
            if moved is None:
                return False
            draft = moved
        with writing(engine) as alone:
            return _finished(alone, draft, worker, scales)


def _gathered(conn: sa.Connection, draft: MappingDraft, worker: str) -> MappingDraft | None:
    """Whom it concerns, from the beginning."""
    as_of = since.next_number(conn, draft.tenant_id)
    drafted, turn = plan(conn, draft.tenant_id, changes_of(draft))
    ids = concerned(conn, draft.tenant_id, turn) or []
    store.clear(conn, draft.tenant_id, draft.id)
    kept = {"saved": drafted.saved, "removed": drafted.removed, "before": drafted.before}
    if not store.gather(conn, draft, worker, ids, plan=kept, revision=turn.rules.revision, as_of=as_of):
        return None
    return store.find(conn, draft.tenant_id, draft.id)


def _step(
    conn: sa.Connection, draft: MappingDraft, worker: str, people: Sequence[Weighed], done: int, last: bool = False
) -> MappingDraft | None:
    """These people's lines are stored, those of last administrators only when it is known whether they are."""
    counts, digest = dict(draft.counts), Sum(int(draft.hash or "0", 16))
    rows: list[dict[str, Any]] = []
    standings: dict[str, str] = {}
    for one in people:
        if one.outcome.standing is not None:
            standings[one.account_id] = one.outcome.standing
        if one.outcome.standing == LAST and not last:
            continue
        lines = one.outcome.if_last if last and draft.others is False else one.outcome.lines
        digest.add(one.account_id, lines)
        said = {"account_id": one.account_id, "name": one.name}
        for kind, scope, role in lines:
            counts[_COUNTED[kind]] += 1
            rows.append({"kind": kind, "number": counts[_COUNTED[kind]], "role": role, "scope": scope, **said})
    sum_ = f"{digest.value:x}"
    moved = store.advance(
        conn, draft, worker, before=draft.done, done=done, sum=sum_, counts=counts, lines=rows, standings=standings
    )
    return replace(draft, done=done, hash=sum_, counts=counts) if moved else None


def _finished(conn: sa.Connection, draft: MappingDraft, worker: str, scales: Scales) -> bool:
    standings = people_of.standings(conn, draft.tenant_id, draft.id)
    if STAYS not in standings and standings & {LOSES, LAST}:
        draft = replace(draft, others=people_of.other_administrators(conn, draft.tenant_id, draft.id))
    if LAST in standings:
        people = list(scales.weigh(people_of.of_standing(conn, draft.tenant_id, draft.id, LAST)))
        moved = _step(conn, draft, worker, people, draft.done, last=True)
        if moved is None:
            return False
        draft = moved
    removes = draft.others is False and LAST not in standings
    counts = {**draft.counts, "others": draft.others, "removesLastAdministrator": removes}
    hash_ = Sum(int(draft.hash or "0", 16)).hash(draft.changes, dict(draft.counts))
    return store.end(conn, draft, worker, "ready", counts=counts, hash=hash_)


def changes_of(draft: MappingDraft) -> list[Change]:
    """Its changes."""
    return [Change(**change) for change in draft.changes]


def drafted_of(kept: Mapping[str, Any]) -> Draft:
    """The lines that are kept with a draft."""
    return Draft(tuple(kept.get("saved", ())), tuple(kept.get("removed", ())), tuple(kept.get("before", ())))
