"""The role table is changed here: shown first, then saved under the rules' own lock, then derived.

changes ─▶ draft ─▶ preview: who gains, who loses, who keeps a role by another line ─▶ hash
                        └────▶ save with that hash ─▶ the same preview? ─▶ rules alone ─▶ COMMIT ─▶ a run derives

A preview calls what the write door calls, with the rules as they would be, for the people concerned only. Of more
people than one request should wait for, `drafts` keeps the list and a worker works it out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from app.identity.model import Rules
from app.identity.writes import BusyError
from app.provisioning import new_id
from app.store import mapping_revisions as history
from app.store import mappings as store
from app.store import rules as rulebook
from app.store import runs as runs_store
from app.store.audit import Entry
from app.store.engine import reading
from app.store.mapping_revisions import Revision
from app.sync.mapping_changes import Change, Draft, MappingError, draft
from app.sync.mapping_people import Turn
from app.sync.mapping_work import Holding, Preview, Work, work_out
from app.sync.rule_saving import ROUNDS, Act, LastAdministratorError, MovedError, follow, settle

__all__ = [
    "Change",
    "Holding",
    "LastAdministratorError",
    "MappingError",
    "Preview",
    "PreviewChangedError",
    "Saved",
    "preview",
    "save",
]


@dataclass(frozen=True, slots=True)
class Saved:
    """What was saved. `state` is complete, or queued while run `run_id` derives the people concerned."""

    preview: Preview
    revision: int
    run_id: str | None
    state: str


class PreviewChangedError(MappingError):
    """Others would be concerned than were shown. Nothing was saved; `preview` is the list as it is now."""

    def __init__(self, now: Preview) -> None:
        super().__init__("The list differs from the one that was shown. Nothing was saved.")
        self.preview = now


def preview(engine: sa.Engine, tenant_id: str, changes: Sequence[Change]) -> Preview:
    """What the changes would do. Nothing is locked or saved.

    Raises:
        MappingError: a change cannot be made as it is written.
    """
    with reading(engine) as conn:
        _, work = _worked_out(conn, tenant_id, changes)
    return work.preview(told(changes))


def save(
    engine: sa.Engine,
    tenant_id: str,
    changes: Sequence[Change],
    *,
    actor: str,
    expected_hash: str | None = None,
    now: datetime | None = None,
    wait: bool = False,
    note: str = "",
    reverts: str | None = None,
) -> Saved:
    """Save the changes, and derive whom they concern: here up to one chunk (all of them with `wait`), else by a run.

    `note` and `reverts` (the id of a revision that this takes back) stand in the history.

    Raises:
        PreviewChangedError: `expected_hash` is not that of the preview as it is now.
        LastAdministratorError: nobody would administer the tenant any more.
        MappingError: a change cannot be made as it is written.
        BusyError: others write people of the tenant; try again.
    """
    moment = now or datetime.now(UTC)
    for _ in range(ROUNDS):
        with reading(engine) as conn:
            drafted, work = _worked_out(conn, tenant_id, changes)
        shown = work.preview(told(changes))
        if expected_hash not in (None, shown.hash):
            raise PreviewChangedError(shown)
        if not (drafted.saved or drafted.removed):
            return Saved(shown, work.turn.rules.revision, None, "complete")
        act = act_of(tenant_id, changes, drafted, work, shown.counts, actor, moment, note, reverts)
        try:
            revision, run_id = settle(engine, tenant_id, work, act)
        except MovedError:
            continue
        return Saved(shown, revision, run_id, follow(engine, run_id, work.total, wait=wait))
    raise BusyError("Others go on changing the same people. Nothing was saved; try again.")


def plan(conn: sa.Connection, tenant_id: str, changes: Sequence[Change]) -> tuple[Draft, Turn]:
    """What the changes come to, against the rules as they are now.

    Raises:
        MappingError: a change cannot be made as it is written.
    """
    rules = rulebook.current(conn, tenant_id)
    drafted = draft(conn, tenant_id, changes, rules)
    return drafted, turn_of(drafted, rules)


def turn_of(drafted: Draft, rules: Rules) -> Turn:
    """The step that a draft takes from these rules."""
    return Turn(rules, replace(rules, mappings=drafted.table(rules)), drafted.touched)


def told(changes: Sequence[Change]) -> list[dict[str, Any]]:
    """The changes as JSON values, for hashes and the audit."""
    return [asdict(change) for change in changes]


def act_of(
    tenant_id: str,
    changes: Sequence[Change],
    drafted: Draft,
    work: Work | None,
    counts: dict[str, int],
    actor: str,
    now: datetime,
    note: str = "",
    reverts: str | None = None,
) -> Act:
    """Saving the role table: its lines, a row of its history, the audit entry."""

    def write(conn: sa.Connection, revision: int, run_id: str | None) -> Entry:
        store.write(conn, tenant_id, drafted.saved, drafted.removed)
        kept = Revision(new_id(), revision, now, actor, note, drafted.before, drafted.saved, counts, run_id, reverts)
        history.add(conn, tenant_id, kept)
        facts = {"changes": told(changes), "counts": counts, "run": run_id, "revision": revision}
        return Entry(actor, "mapping.saved", tenant_id, facts | ({"reverts": reverts} if reverts else {}))

    def queue(conn: sa.Connection, state: str) -> str:
        payloads = [{"account": one} for one in work.in_order()] if work is not None else []
        return runs_store.add(
            conn, tenant_id, kind="mapping", state=state, actor=actor, payloads=payloads, summary={"counts": counts}
        )

    return Act(actor, now, counts, write, queue)


def _worked_out(conn: sa.Connection, tenant_id: str, changes: Sequence[Change]) -> tuple[Draft, Work]:
    drafted, turn = plan(conn, tenant_id, changes)
    return drafted, work_out(conn, tenant_id, turn)
