"""One push through the doors of an import: planned only, applied, held for a person, or left to a worker."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.identity.changes import Change
from app.identity.guards import Verdict
from app.identity.model import Source
from app.store import feeds
from app.store.engine import reading
from app.sync import imports
from app.sync.effects import CREATED, REFUSED, UNCHANGED
from app.sync.plans import Line

UPDATED: Final = "updated"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one record. `outcome` is created, updated, unchanged or refused (then `reason` says why).

    `account_id` is None when there is no account yet; `rule` says how the person was recognised.
    """

    id: str
    account_id: str | None
    outcome: str
    rule: str
    doubtful: tuple[str, ...]
    changes: tuple[Change, ...]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Push:
    """`state` is planned (a dry run), complete, held or queued; `records` are in their order."""

    state: str
    run_id: str | None
    records: tuple[Taken, ...]
    verdict: Verdict
    drift: Mapping[str, int]


def push(
    engine: sa.Engine, tenant_id: str, source: Source, records: Sequence[Any], *, actor: str, dry_run: bool
) -> Push:
    """Take in up to one chunk of records.

    Raises:
        app.sources.hr.Invalid: a record is wrong; nothing was done with any.
        ClosedSourceError: the source was paused or retired meanwhile.
        RefusedError: nothing was changed.
    """
    done = imports.submit(engine, tenant_id, source, records, actor=actor, dry_run=dry_run)
    assert done.plan is not None  # a submission of records has one
    lines = done.plan.lines
    accounts: Mapping[str, str] = {}
    if done.state == "complete":
        with reading(engine) as conn:
            accounts = feeds.accounts_of_records(conn, tenant_id, source.id, [line.key for line in lines])
    left = {one["key"]: one["outcome"] for one in done.not_applied}
    taken = tuple(_taken(line, accounts.get(line.key), left.get(line.key)) for line in lines)
    return Push(done.state, done.run_id, taken, done.plan.verdict, dict(done.drift or {}))


def _taken(line: Line, account_id: str | None, left: str | None) -> Taken:
    outcome = line.effect if line.effect in (CREATED, UNCHANGED) else UPDATED
    reason = left
    if line.effect == REFUSED or left is not None:
        outcome, reason = REFUSED, left or "The write door refuses this record."
    return Taken(line.key, account_id or line.account_id, outcome, line.rule, line.doubtful, line.changes, reason)
