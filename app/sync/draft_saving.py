"""A draft is saved here: what was shown, if it still holds.

many people ─▶ who moved since is weighed again (`rule_saving`) ─▶ saved, or stale
few people ──▶ if anything moved, worked out once more in the call ─▶ the same list: saved, another one: stale
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from app.identity.writes import BusyError
from app.provisioning import CHUNK
from app.store import draft_people as people_of
from app.store import mapping_drafts as store
from app.store import rules as rulebook
from app.store.engine import reading
from app.store.mapping_drafts import MappingDraft
from app.sync.draft_working import changes_of, drafted_of
from app.sync.mapping_changes import Draft, MappingError
from app.sync.mapping_people import Turn
from app.sync.mapping_work import Standing, work_out
from app.sync.mappings import act_of, plan, told, turn_of
from app.sync.rule_saving import ROUNDS, RULES_CHANGED, Act, MovedError, follow, settle


class DraftError(MappingError):
    """The draft is not in a state in which this can be done."""


class StaleDraftError(DraftError):
    """The list may be another by now. Nothing was saved; `again` works it out anew."""


@dataclass(frozen=True, slots=True)
class SavedDraft:
    """What was saved. `state` is complete, or queued while run `run_id` derives the people concerned."""

    draft_id: str
    revision: int
    run_id: str | None
    state: str
    counts: Mapping[str, int]


def save(
    engine: sa.Engine,
    tenant_id: str,
    draft_id: str,
    actor: str,
    *,
    now: datetime | None = None,
    wait: bool = False,
) -> SavedDraft:
    """Save what was shown, and derive whom it concerns: here up to one chunk (all with `wait`), else by a run.

    Raises:
        StaleDraftError: the list differs by now, or it cannot be told without working it out again.
        LastAdministratorError: nobody would administer the tenant any more.
        DraftError: it is not ready.
        BusyError: others write people of the tenant; try again.
        NotFoundError: there is none.
    """
    with reading(engine) as conn:
        draft = store.find(conn, tenant_id, draft_id)
        rules = rulebook.current(conn, tenant_id)
    if draft.state == "stale":
        raise StaleDraftError(draft.failure or RULES_CHANGED)
    if draft.state != "ready":
        raise DraftError(f"The draft cannot be saved: it is {draft.state}.")
    drafted, moment = drafted_of(draft.plan), now or datetime.now(UTC)
    if not (drafted.saved or drafted.removed):
        raise DraftError("The draft changes nothing.")
    shown = _Stored(draft, turn_of(drafted, rules)) if rules.revision == draft.revision else None
    for _ in range(ROUNDS):
        try:
            if shown is not None:
                act = _act(draft, drafted, actor, moment, lambda conn, state: _run(conn, draft, state, actor))
                revision, run_id = settle(engine, tenant_id, shown, act)
            else:
                revision, run_id = _worked_out_again(engine, draft, actor, moment)
        except MovedError as error:
            if shown is None or error.passing:
                continue
            if draft.total > CHUNK:
                _mark_stale(engine, draft, str(error))
            shown = None
        else:
            state = follow(engine, run_id, draft.total, wait=wait)
            return SavedDraft(draft_id, revision, run_id, state, draft.counts)
    raise BusyError("Others go on changing the same people. Nothing was saved; try again.")


@dataclass(slots=True)
class _Stored:
    """A draft as what was shown."""

    draft: MappingDraft
    turn: Turn

    @property
    def as_of(self) -> int:
        return self.draft.as_of or 0

    @property
    def others(self) -> bool | None:
        return self.draft.others

    @property
    def total(self) -> int:
        return self.draft.total

    @property
    def removes_last(self) -> bool:
        return self.draft.removes_last_administrator

    def of(self, conn: sa.Connection, account_ids: Collection[str]) -> dict[str, Standing]:
        return people_of.shown(conn, self.draft.tenant_id, self.draft.id, account_ids)

    def ask_others(self, conn: sa.Connection, tenant_id: str) -> bool | None:
        return people_of.other_administrators(conn, tenant_id, self.draft.id)


def _worked_out_again(engine: sa.Engine, draft: MappingDraft, actor: str, now: datetime) -> tuple[int, str | None]:
    """Few people are worked out once more in the call: the same list is saved, another one makes the draft stale."""
    changes = changes_of(draft)
    with reading(engine) as conn:
        if draft.total > CHUNK:
            _mark_stale(engine, draft, RULES_CHANGED)
        drafted, turn = plan(conn, draft.tenant_id, changes)
        work = work_out(conn, draft.tenant_id, turn)
    shown = work.preview(told(changes))
    if shown.hash != draft.hash or _essence(drafted) != _essence(drafted_of(draft.plan)):
        _mark_stale(engine, draft, "The list differs from the one that was shown.")
    made = act_of(draft.tenant_id, changes, drafted, work, shown.counts, actor, now, draft.note, draft.reverts)
    return settle(engine, draft.tenant_id, work, _act(draft, drafted, actor, now, made.queue))


def _act(draft: MappingDraft, drafted: Draft, actor: str, now: datetime, queue: Any) -> Act:
    """Saving the role table, and the draft with it."""
    made = act_of(
        draft.tenant_id, changes_of(draft), drafted, None, dict(draft.counts), actor, now, draft.note, draft.reverts
    )

    def write(conn: sa.Connection, revision: int, run_id: str | None) -> Any:
        if not store.turn(conn, draft.tenant_id, draft.id, ("ready",), "saved", run_id=run_id):
            raise DraftError("Somebody else has saved the draft, or works it out again.")
        return made.write(conn, revision, run_id)

    return Act(actor, now, draft.counts, write, queue)


def _run(conn: sa.Connection, draft: MappingDraft, state: str, actor: str) -> str:
    summary = {"counts": dict(draft.counts)}
    return people_of.queue(conn, draft.tenant_id, draft.id, state=state, actor=actor, summary=summary)


def _mark_stale(engine: sa.Engine, draft: MappingDraft, why: str) -> None:
    with reading(engine) as conn:
        store.turn(conn, draft.tenant_id, draft.id, ("ready",), "stale", failure=why)
    raise StaleDraftError(f"{why} Nothing was saved; the draft can be worked out again.")


def _essence(drafted: Draft) -> bytes:
    """What a draft does, whatever the ids of its new lines are."""
    known = {line["id"] for line in drafted.before}
    lines = [
        orjson.dumps({**line, "id": line["id"] if line["id"] in known else None}, option=orjson.OPT_SORT_KEYS)
        for line in drafted.saved
    ]
    return orjson.dumps(sorted(drafted.removed)) + b"\n".join(sorted(lines))
