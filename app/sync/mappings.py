"""The role table is changed here: shown first, then saved under the rules' own lock, then derived.

changes ─▶ draft ─▶ preview: who gains, who loses, who keeps a role by another line ─▶ hash
                        └────▶ save with that hash ─▶ rules alone ─▶ the same preview? ─▶ COMMIT ─▶ a run derives

A preview calls what the write door calls, with the rules as they would be, for the people concerned only.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any

import orjson
import psycopg
import sqlalchemy as sa

from app import provisioning
from app.identity.decide import Decision
from app.identity.folding import fold, words
from app.identity.guards import KEPT, keep_last_administrator
from app.identity.model import Account, Grant, Record, RoleMapping, Rules, Status
from app.identity.naming import called
from app.identity.ownership import mapped
from app.identity.roles import HAND, MAPPING, administers, derive
from app.identity.writes import BusyError
from app.provisioning import CHUNK
from app.store import mappings as store
from app.store import people as read
from app.store import rules as rulebook
from app.store import runs as runs_store
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.tenants import raise_revision
from app.sync import jobs, runs
from app.sync.mapping_changes import Change, Draft, MappingError, draft

__all__ = [
    "Change",
    "LastAdministratorError",
    "MappingError",
    "Preview",
    "PreviewChangedError",
    "Saved",
    "preview",
    "save",
]


@dataclass(frozen=True, slots=True)
class Holding:
    """A role of one person in one scope."""

    account_id: str
    name: str
    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would gain and lose effective roles; `kept` have the role before and after, by other lines.

    `accounts` people are concerned. `hash` stands for this list and these changes.
    """

    gains: tuple[Holding, ...]
    losses: tuple[Holding, ...]
    kept: tuple[Holding, ...]
    accounts: int
    removes_last_administrator: bool
    hash: str

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values, with counts."""
        return {
            "hash": self.hash,
            "counts": {
                "gains": len(self.gains),
                "losses": len(self.losses),
                "kept": len(self.kept),
                "accounts": self.accounts,
            },
            "removesLastAdministrator": self.removes_last_administrator,
            **{name: [asdict(one) for one in getattr(self, name)] for name in ("gains", "losses", "kept")},
        }


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


class LastAdministratorError(MappingError):
    """Nobody would administer the tenant any more; nothing was saved."""


@dataclass(frozen=True, slots=True)
class _Work:
    rules: Rules
    draft: Draft
    preview: Preview
    account_ids: tuple[str, ...]


def preview(engine: sa.Engine, tenant_id: str, changes: Sequence[Change]) -> Preview:
    """What the changes would do. Nothing is locked or saved.

    Raises:
        MappingError: a change cannot be made as it is written.
    """
    with reading(engine) as conn:
        return _worked_out(conn, tenant_id, changes).preview


def save(
    engine: sa.Engine,
    tenant_id: str,
    changes: Sequence[Change],
    *,
    actor: str,
    expected_hash: str | None = None,
    now: datetime | None = None,
    wait: bool = False,
) -> Saved:
    """Save the changes, and derive whom they concern: here up to one chunk (all of them with `wait`), else by a run.

    Raises:
        PreviewChangedError: `expected_hash` is not that of the preview as it is now.
        LastAdministratorError: nobody would administer the tenant any more.
        MappingError: a change cannot be made as it is written.
        BusyError: others write people of the tenant; try again.
    """
    moment = now or datetime.now(UTC)
    try:
        with writing(engine) as conn:
            rulebook.hold(conn, tenant_id, alone=True)
            work = _worked_out(conn, tenant_id, changes)
            if expected_hash not in (None, work.preview.hash):
                raise PreviewChangedError(work.preview)
            if work.preview.removes_last_administrator:
                raise LastAdministratorError("Nobody would administer the tenant any more. Nothing was saved.")
            if not (work.draft.saved or work.draft.removed):
                return Saved(work.preview, work.rules.revision, None, "complete")
            revision, run_id = _saved(conn, tenant_id, work, changes, actor, moment)
    except sa.exc.OperationalError as error:
        if isinstance(error.orig, psycopg.errors.LockNotAvailable):
            raise BusyError("Others are writing people of the tenant. Nothing was saved; try again.") from error
        raise
    if run_id is None:
        return Saved(work.preview, revision, None, "complete")
    if (wait or len(work.account_ids) <= CHUNK) and runs.finish(engine, run_id):
        return Saved(work.preview, revision, run_id, "complete")
    jobs.wake(engine)
    return Saved(work.preview, revision, run_id, "queued")


def _saved(
    conn: sa.Connection, tenant_id: str, work: _Work, changes: Sequence[Change], actor: str, now: datetime
) -> tuple[int, str | None]:
    """The new revision, and the run that derives: stored with the change, so that a crash loses nobody."""
    store.write(conn, tenant_id, work.draft.saved, work.draft.removed)
    revision = raise_revision(conn, tenant_id)
    counts = work.preview.as_dict()["counts"]
    run_id = None
    if work.account_ids:
        summary = {"counts": counts, "revision": revision}
        run_id = runs_store.queue(
            conn, tenant_id, kind="mapping", actor=actor, account_ids=work.account_ids, summary=summary
        )
    facts = {"changes": [asdict(change) for change in changes], "counts": counts, "run": run_id}
    entry = Entry(actor, "mapping.saved", tenant_id, facts)
    provisioning.save(conn, tenant_id, Decision(), work.rules, actor, now, [entry])
    return revision, run_id


def _worked_out(conn: sa.Connection, tenant_id: str, changes: Sequence[Change]) -> _Work:
    rules = rulebook.current(conn, tenant_id)
    drafted = draft(conn, tenant_id, changes, rules)
    future = replace(rules, mappings=drafted.mappings)
    account_ids = sorted(_concerned(conn, tenant_id, drafted.touched, rules))
    pairs = list(_derived(conn, tenant_id, account_ids, future))
    pairs, removes_last = _administered(conn, tenant_id, pairs, rules)
    gains, losses, kept = _compared(pairs, {(one.scope, one.role) for one in drafted.touched})
    told = [[asdict(change) for change in changes], [asdict(one) for one in (*gains, *losses)], len(gains)]
    digest = hashlib.sha256(orjson.dumps(told)).hexdigest()[:16]
    shown = Preview(gains, losses, kept, len(account_ids), removes_last, digest)
    # Whoever begins to administer comes first: a later chunk does not keep the last administrator for want of another.
    first = {after.id for _, after in pairs if administers(after, rules)}
    return _Work(rules, drafted, shown, tuple(sorted(account_ids, key=lambda one: one not in first)))


def _concerned(conn: sa.Connection, tenant_id: str, touched: Sequence[RoleMapping], rules: Rules) -> set[str]:
    """Everybody who meets one of these lines, or has a grant by it."""
    found = store.granted_by(conn, tenant_id, {f"{MAPPING}{one.id}" for one in touched})
    groups = {one.match for one in touched if one.kind == "group" and one.match != "waiting"}
    if groups:
        found |= store.in_groups(conn, tenant_id, groups)
    for one in touched:
        if one.kind != "group":
            found |= _meeting(conn, tenant_id, one, rules)
    return found


def _meeting(conn: sa.Connection, tenant_id: str, mapping: RoleMapping, rules: Rules) -> set[str]:
    if mapping.kind == "attribute":
        name, where = mapping.attribute or "", "account" if mapping.source_id is None else "voice"
    else:
        name, where = "roles" if mapping.kind == "role" else "entitlements", "list"
    source = rules.sources.get(mapping.source_id or "")

    def meets(value: Any) -> bool:
        heard = mapped(name, value, source) if where == "voice" and source is not None else value
        return fold(mapping.match) in words(heard)

    said = store.spoken(conn, tenant_id, where, name, mapping.source_id)
    return store.holders(conn, tenant_id, where, name, mapping.source_id, [one for one in said if meets(one)])


def _derived(
    conn: sa.Connection, tenant_id: str, account_ids: Sequence[str], future: Rules
) -> Iterator[tuple[Account, Account]]:
    """Each account as it is, and with the grants that it would have."""
    for start in range(0, len(account_ids), CHUNK):
        some = read.accounts(conn, tenant_id, account_ids[start : start + CHUNK], lock=False)
        records: dict[str, list[Record]] = {}
        for kept in read.records_of(conn, tenant_id, some):
            records.setdefault(kept.record.account_id or "", []).append(kept.record)
        for account_id, account in some.items():
            by_hand = [grant for grant in account.grants if grant.rule == HAND]
            active = account.status == Status.ACTIVE
            grants = derive(account.attributes, records.get(account_id, []), active, future, by_hand)
            yield account, replace(account, grants=grants)


def _administered(
    conn: sa.Connection, tenant_id: str, pairs: list[tuple[Account, Account]], rules: Rules
) -> tuple[list[tuple[Account, Account]], bool]:
    """The pairs, and whether nobody would administer. Who does only because nobody else does, goes on doing it."""
    losing = {before.id for before, after in pairs if administers(before, rules) and not administers(after, rules)}
    if not losing or any(administers(after, rules) for _, after in pairs):
        return pairs, False
    if read.other_administrators(conn, tenant_id, {before.id for before, _ in pairs}):
        return pairs, False
    held = {before.id for before, _ in pairs if any(grant.rule == KEPT and grant.effective for grant in before.grants)}
    settled = [
        (before, keep_last_administrator(before, after, rules) if before.id in held else after)
        for before, after in pairs
    ]
    return settled, not held


def _compared(
    pairs: Sequence[tuple[Account, Account]], touched: set[tuple[str, str]]
) -> tuple[tuple[Holding, ...], tuple[Holding, ...], tuple[Holding, ...]]:
    gains: list[Holding] = []
    losses: list[Holding] = []
    kept: list[Holding] = []
    for before, after in pairs:
        old, new = _effective(before.grants), _effective(after.grants)
        stays = (old & new & touched) if before.grants != after.grants else set()
        for holdings, roles in ((gains, new - old), (losses, old - new), (kept, stays)):
            holdings += [Holding(before.id, called(before), role, scope) for scope, role in sorted(roles)]
    return tuple(gains), tuple(losses), tuple(kept)


def _effective(grants: Sequence[Grant]) -> set[tuple[str, str]]:
    return {(grant.scope, grant.role) for grant in grants if grant.effective}
