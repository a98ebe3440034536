"""Drafts of the role table: the preview of a change, kept, for as many people as there are.

    begin ─▶ up to a chunk of people: worked out in the call ─▶ ready ─▶ save ─▶ revision, run
                └ more: a worker, 2,000 at a time; `done` of `total` is seen, `stop` ends it
    save ─▶ the list still holds? ─▶ saved      else: stale, with a sentence; `again` works it out anew

A draft keeps the lines that its changes came to: what is saved is what was shown, whatever a group is called by then.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, Final

import sqlalchemy as sa

from app.provisioning import CHUNK, new_id
from app.store import mapping_drafts as store
from app.store import rules as rulebook
from app.store.cells import plain
from app.store.engine import reading, writing
from app.store.mapping_drafts import DraftLine, MappingDraft
from app.sync import jobs
from app.sync.draft_saving import DraftError, SavedDraft, StaleDraftError, save
from app.sync.draft_working import changes_of, claimed, drain, worked_out
from app.sync.mapping_changes import Change
from app.sync.mapping_people import Turn, concerned
from app.sync.mappings import plan, told
from app.sync.rule_saving import RULES_CHANGED

__all__ = [
    "DraftError",
    "DraftLine",
    "MappingDraft",
    "SavedDraft",
    "StaleDraftError",
    "again",
    "begin",
    "changes_of",
    "drain",
    "find",
    "lines",
    "listing",
    "save",
    "stop",
    "to_csv",
]

KINDS: Final = ("gain", "loss", "kept")
_FEW: Final = 5_000  # records of a tenant in which a request may look for whoever has a value


def begin(
    engine: sa.Engine,
    tenant_id: str,
    changes: Sequence[Change],
    actor: str,
    note: str = "",
    reverts: str | None = None,
) -> str:
    """A new draft of these changes; returns its id. It is ready, or a worker is told of it.

    Raises:
        MappingError: a change cannot be made as it is written.
    """
    draft_id = new_id()
    with reading(engine) as conn:
        plan(conn, tenant_id, changes)
        store.add(conn, tenant_id, draft_id, actor=actor, note=note, reverts=reverts, changes=told(changes))
    _hurry(engine, tenant_id, draft_id, changes)
    return draft_id


def again(engine: sa.Engine, tenant_id: str, draft_id: str) -> None:
    """Work it out anew, against the role table and the people as they are now.

    Raises:
        DraftError: it is being worked out, or saved.
        MappingError: a change can no longer be made as it is written.
        NotFoundError: there is none.
    """
    with reading(engine) as conn:
        changes = changes_of(store.find(conn, tenant_id, draft_id))
        plan(conn, tenant_id, changes)
    fresh: dict[str, Any] = dict.fromkeys(("counts", "hash", "as_of", "revision", "failure"))
    with writing(engine) as conn:
        states = ("ready", "stale", "stopped", "failed")
        if not store.turn(conn, tenant_id, draft_id, states, "waiting", done=0, total=0, plan={}, **fresh):
            raise DraftError("The draft is being worked out, or saved already.")
        store.clear(conn, tenant_id, draft_id)
    _hurry(engine, tenant_id, draft_id, changes)


def stop(engine: sa.Engine, tenant_id: str, draft_id: str) -> bool:
    """Work it out no further. False: it was over already."""
    with reading(engine) as conn:
        return store.turn(conn, tenant_id, draft_id, store.OPEN, "stopped")


def find(engine: sa.Engine, tenant_id: str, draft_id: str) -> MappingDraft:
    """The draft as it stands; stale if the rules were changed since.

    Raises:
        NotFoundError: there is none.
    """
    with reading(engine) as conn:
        draft = store.find(conn, tenant_id, draft_id)
        if draft.state == "ready" and rulebook.current(conn, tenant_id).revision != draft.revision:
            return replace(draft, state="stale", failure=RULES_CHANGED)
    return draft


def listing(engine: sa.Engine, tenant_id: str, limit: int = 20) -> list[MappingDraft]:
    """The newest drafts that are not saved."""
    with reading(engine) as conn:
        return store.listing(conn, tenant_id, limit=limit)


def lines(
    engine: sa.Engine, tenant_id: str, draft_id: str, kind: str, after: int = 0, limit: int = 100
) -> list[DraftLine]:
    """A page of those who gain, lose or keep a role (`kind` gain, loss, kept), behind the number `after`."""
    with reading(engine) as conn:
        return store.lines(conn, tenant_id, draft_id, kind, after=after, limit=limit)


def to_csv(engine: sa.Engine, tenant_id: str, draft_id: str) -> Iterator[str]:
    """The whole list as a file, page by page: what becomes of whom."""
    yield _csv([("change", "name", "role", "scope", "account")])
    with reading(engine) as conn:
        for kind in KINDS:
            after = 0
            while some := store.lines(conn, tenant_id, draft_id, kind, after=after, limit=store.STREAMED):
                after = some[-1].number
                yield _csv([(kind, plain(one.name), plain(one.role), plain(one.scope), one.account_id) for one in some])


def _hurry(engine: sa.Engine, tenant_id: str, draft_id: str, changes: Sequence[Change]) -> None:
    """Few people are worked out at once; for more a worker is told."""
    with reading(engine) as conn:
        _, turn = plan(conn, tenant_id, changes)
        few = _searchable(conn, tenant_id, turn) and concerned(conn, tenant_id, turn, CHUNK) is not None
    taken = claimed(engine, only=draft_id) if few else None
    if taken is None:
        jobs.wake(engine, "draft")
    else:
        worked_out(engine, *taken)


def _searchable(conn: sa.Connection, tenant_id: str, turn: Turn) -> bool:
    """Members of a group are found by index; whoever has a value is looked for among everybody."""
    return all(one.kind == "group" for one in turn.touched) or store.records_kept(conn, tenant_id) <= _FEW


def _csv(rows: Sequence[Sequence[str]]) -> str:
    out = io.StringIO()
    csv.writer(out, lineterminator="\n").writerows(rows)
    return out.getvalue()
