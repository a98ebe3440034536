"""The write door: everything that anybody says about people comes through here.

    writes ─▶ lock and read (groups, identifiers, accounts, their records) ─▶ decide (pure) ─▶ save ─▶ COMMIT
                        ▲                                                                        │
                        └──────── again, when others moved what was read (three times) ◀─────────┘

SCIM, HR pushes, CSV files, mappings and runs all call `provision` with up to 500 writes; groups come through
`app.grouping`, which ends in `derive_again` here. One call is one transaction: all of it, or nothing. A dry run reads
without locks, decides with the same functions, and stops before the save.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final, TypeVar, cast

import psycopg
import sqlalchemy as sa
import uuid_utils

from app.identity.by_hand import is_id, told
from app.identity.changes import changed_paths, diff
from app.identity.claims import claims, pair_of
from app.identity.decide import Decision, Kept, Key, People, decide, intended, manager_keys
from app.identity.events import Event, events
from app.identity.folding import fold
from app.identity.guards import keep_last_administrator
from app.identity.model import Account, Rules
from app.identity.roles import administers
from app.identity.writes import (
    BusyError,
    ByHand,
    LastAdministratorError,
    NotByHandError,
    Outcome,
    RecordDelete,
    RecordWrite,
    Rederive,
    RefusedError,
    StaleError,
    UserNameTakenError,
    Write,
)
from app.store import apart
from app.store import people as read
from app.store import rules as rulebook
from app.store.audit import Entry
from app.store.driver import Statement
from app.store.engine import reading, writing
from app.store.saving import Telling, save_ledger, save_people

CHUNK: Final = 500
ATTEMPTS: Final = 4
T = TypeVar("T")
_PASSING: Final = (
    psycopg.errors.DeadlockDetected,
    psycopg.errors.SerializationFailure,
    psycopg.errors.InvalidSqlStatementName,  # the connection forgot what was prepared on it
)

_LOCK_GROUPS = Statement(
    sa.text("""
    SELECT g.id FROM groups g WHERE g.tenant_id = :tenant AND g.id IN (
        SELECT group_id FROM members WHERE tenant_id = :tenant AND member_id = ANY(CAST(:ids AS uuid[])))
    ORDER BY g.id FOR UPDATE
""")
)


def provision(
    engine: sa.Engine,
    tenant_id: str,
    writes: Sequence[Write],
    *,
    actor: str,
    now: datetime | None = None,
    dry_run: bool = False,
    accept: Callable[[Sequence[Outcome]], None] | None = None,
) -> list[Outcome]:
    """Take in what was said: up to 500 writes, one transaction, an outcome for each in its order.

    `actor` names who caused it, for the audit. With `dry_run` nothing is locked or saved. `accept` sees the outcomes
    under the locks, before anything is saved; what it raises undoes the whole.

    Raises:
        RefusedError: one of its kinds; nothing was changed.
    """
    if len(writes) > CHUNK:
        raise ValueError(f"the write door takes at most {CHUNK} writes at once")
    moment = now or datetime.now(UTC)
    if dry_run:
        with reading(engine) as conn:
            rules = rulebook.current(conn, tenant_id)
            return decided(conn, tenant_id, writes, rules, moment, lock=False).outcomes

    def once(conn: sa.Connection, rules: Rules) -> tuple[list[Outcome], list[str]]:
        _lock_groups_of_deleted(conn, tenant_id, writes)
        decision = decided(conn, tenant_id, writes, rules, moment)
        if accept is not None:
            accept(decision.outcomes)
        return decision.outcomes, save(conn, tenant_id, decision, rules, actor, moment)

    outcomes, waiting = in_transaction(engine, tenant_id, once)
    tell_reports(engine, tenant_id, waiting)
    return outcomes


def decided(
    conn: sa.Connection, tenant_id: str, writes: Sequence[Write], rules: Rules, now: datetime, *, lock: bool = True
) -> Decision:
    """Inside a caller's transaction: what these writes come to. The caller saves; without `lock` it is a preview."""
    people = _people(conn, tenant_id, writes, rules, lock=lock)
    decision = decide(writes, people, rules, now, new_id)
    _protect_last_administrator(conn, tenant_id, decision, rules)
    return decision


def derive_again(
    conn: sa.Connection, tenant_id: str, account_ids: Sequence[str], rules: Rules, now: datetime
) -> Decision:
    """Inside a caller's transaction: decide these accounts anew, since their groups changed. The caller saves."""
    return decided(conn, tenant_id, [Rederive(one) for one in account_ids], rules, now)


def in_transaction(
    engine: sa.Engine, tenant_id: str, once: Callable[[sa.Connection, Rules], T], *, alone: bool = False
) -> T:
    """Run `once` in a transaction under the tenant's rules, again when it lost a race.

    `alone`: nobody else writes people of the tenant meanwhile, since `once` may change the rules.

    Raises:
        BusyError: the locks were not to be had in time, or the races did not end.
    """
    for attempt in range(ATTEMPTS):
        try:
            with writing(engine) as conn:
                return once(conn, rulebook.hold(conn, tenant_id, alone=alone))
        except StaleError:
            continue
        except sa.exc.DBAPIError as error:
            _judge(error)
            time.sleep(0.005 * 2**attempt)
    raise BusyError("Others are changing the same people. Nothing was changed; try again.")


def save(
    conn: sa.Connection,
    tenant_id: str,
    decision: Decision,
    rules: Rules,
    actor: str,
    now: datetime,
    entries: Sequence[Entry] = (),
    counts: dict[str, int] | None = None,
    news: Sequence[Event] = (),
) -> list[str]:
    """Save a decision, with further audit entries, counts and events of the caller, whose events are told first.

    Nothing is written if nothing changed.

    Returns the accounts of those who named a manager whom nobody knew until now: they are to be derived again.
    """
    waiting: list[str] = []
    spoken_of = {event.account_id for event in news}
    changed = [
        derived.account
        for before, derived in decision.accounts.values()
        if before is None or before != derived.account or derived.account.id in spoken_of
    ]
    telling = _telling(decision, rules, actor)
    telling.entries[:0] = entries
    telling.events[:0] = news
    for key, difference in (counts or {}).items():
        telling.counts[key] = telling.counts.get(key, 0) + difference
    if decision.records or decision.holders or changed:
        waiting = save_people(conn, tenant_id, decision, new_id, now)
    if changed or telling.entries:
        save_ledger(conn, tenant_id, changed, telling, rules.revision, now)
    return waiting


def tell_reports(engine: sa.Engine, tenant_id: str, account_ids: Sequence[str]) -> None:
    """Those who named a manager that nobody knew until now.

    To be called after COMMIT. What was said is saved already: a refusal here is not the caller's. What it misses, the
    sweep finds.
    """
    for start in range(0, len(account_ids), CHUNK):
        with suppress(RefusedError):
            again: list[Write] = [Rederive(one) for one in account_ids[start : start + CHUNK]]
            provision(engine, tenant_id, again, actor="managers")


def new_id() -> str:
    """A UUIDv7: in the order of time, and so in the order of the pages."""
    return str(uuid_utils.uuid7())


def _people(conn: sa.Connection, tenant_id: str, writes: Sequence[Write], rules: Rules, *, lock: bool) -> People:
    """Lock and read all whom the writes may concern, in the design's order."""
    said = [write for write in writes if isinstance(write, RecordWrite)]
    if unknown := (chosen := _chosen(writes)) - read.accounts(conn, tenant_id, chosen, lock=False).keys():
        raise NotByHandError(f"The tenant has no account {min(unknown)} to be somebody's manager.")
    existing = _existing(conn, tenant_id, writes, rules, names=not lock)
    addressed = _addressed(writes, existing)
    records = [intended(write) for write in said]
    keys = {claim.key for record in records for claim in claims(record, rules)}
    claimed = {key for kept in addressed for key in kept.claimed}
    holders = read.identifiers(conn, tenant_id, keys | claimed, lock=lock, made=claimed)
    ids = {one for held in holders.values() for one in held}
    ids |= {kept.record.account_id for kept in existing.values() if kept.record.account_id}
    ids |= {write.account_id for write in writes if isinstance(write, (Rederive, ByHand))}
    accounts = read.accounts(conn, tenant_id, ids, lock=lock)
    kept = read.records_of(conn, tenant_id, accounts)
    keys_above = manager_keys([*records, *(one.record for one in kept)])
    others = {*(accounts if said and keys_above else ()), *_led_by_hand(accounts.values(), writes)}
    leading, above = read.managers(conn, tenant_id, keys_above, others)
    shared = _shared(said, existing, holders)
    people = People(existing, accounts, {}, holders, leading, above, apart=apart.among(conn, tenant_id, shared))
    for one in kept:
        people.records.setdefault(one.record.account_id or "", {})[one.record.id] = one
    return people


def _led_by_hand(accounts: Iterable[Account], writes: Sequence[Write]) -> set[str]:
    """The managers that people chose: whom they stand below is asked before they are taken."""
    chosen = [account.manual.get("manager") for account in accounts if account.manual]
    return {one for one in (*chosen, *_chosen(writes)) if isinstance(one, str)}


def _chosen(writes: Sequence[Write]) -> set[str]:
    managers = (write.values.get("manager") for write in writes if isinstance(write, ByHand))
    return {one for one in managers if isinstance(one, str) and is_id(one)}


def _existing(
    conn: sa.Connection, tenant_id: str, writes: Sequence[Write], rules: Rules, *, names: bool
) -> dict[str, Kept]:
    """The written records, and those of a paired source that a login names; with `names` also those who have the
    userNames, which a save finds out by itself.
    """
    ids = [w.record_id for w in writes if isinstance(w, (RecordWrite, RecordDelete)) and w.record_id is not None]
    said = [write for write in writes if isinstance(write, RecordWrite)]
    keys = [(w.source_id, w.source_key) for w in said if w.source_key is not None and w.record_id is None]
    named = [(write.source_id, fold(write.user_name)) for write in said if write.user_name is not None and names]
    named += [
        (paired.id, name)
        for write in said
        if write.spoken.known_as and (paired := pair_of(rules.sources[write.source_id], rules)) is not None
        for name in write.spoken.known_as
    ]
    if not (ids or keys or named):
        return {}
    return {kept.record.id: kept for kept in read.existing(conn, tenant_id, ids, keys, named)}


def _shared(said: Sequence[RecordWrite], existing: dict[str, Kept], holders: Mapping[Key, Sequence[str]]) -> set[str]:
    """Who shares an identifier that new records claim: only then it matters who was told apart."""
    known = {(kept.record.source_id, kept.source_key) for kept in existing.values()}
    if all(write.record_id or (write.source_key and (write.source_id, write.source_key) in known) for write in said):
        return set()
    return {one for held in holders.values() if len(held) > 1 for one in held}


def _addressed(writes: Sequence[Write], existing: dict[str, Kept]) -> list[Kept]:
    """The records that the writes are about, not those that merely have the same userName."""
    ids = {write.record_id for write in writes if isinstance(write, (RecordWrite, RecordDelete))}
    keys = {(write.source_id, write.source_key) for write in writes if isinstance(write, RecordWrite)}
    return [
        kept
        for kept in existing.values()
        if kept.record.id in ids or (kept.source_key and (kept.record.source_id, kept.source_key) in keys)
    ]


def _protect_last_administrator(conn: sa.Connection, tenant_id: str, decision: Decision, rules: Rules) -> None:
    losing = {
        account_id: before
        for account_id, (before, derived) in decision.accounts.items()
        if before is not None and administers(before, rules) and not administers(derived.account, rules)
    }
    staying = any(administers(derived.account, rules) for _, derived in decision.accounts.values())
    if not losing or staying or read.other_administrators(conn, tenant_id, losing):
        return
    if any(isinstance(one.write, ByHand) and one.after.id in losing for one in decision.outcomes):
        raise LastAdministratorError("Nobody else is an administrator. Make somebody else one first.")
    for account_id in sorted(losing):
        before, derived = decision.accounts[account_id]
        assert before is not None
        kept = keep_last_administrator(before, derived.account, rules)
        if kept is not derived.account:
            decision.accounts[account_id] = (before, replace(derived, account=kept))
            decision.outcomes = [
                replace(outcome, after=kept, changed=outcome.changed or kept != before)
                if outcome.after.id == account_id
                else outcome
                for outcome in decision.outcomes
            ]
            return


def _telling(decision: Decision, rules: Rules, actor: str) -> Telling:
    news: list[Event] = []
    entries: list[Entry] = []
    counts: dict[str, int] = {}
    of_record = {outcome.record_id: outcome for outcome in decision.outcomes}
    for past, kept in decision.records.values():
        living = (not kept.record.deleted) - (past is not None and not past.record.deleted)
        if living:
            key = f"{kept.record.source_id}/User"
            counts[key] = counts.get(key, 0) + living
        entries.append(_record_entry(past, kept, of_record.get(kept.record.id), rules, actor))
    for outcome in decision.outcomes:
        if isinstance(outcome.write, ByHand) and outcome.changed:
            acts = told(outcome.write)
            entries += [Entry(actor, act.action, outcome.after.id, act.facts, act.personal) for act in acts]
    for before, derived in decision.accounts.values():
        changes = diff(before, derived.account)
        if not changes:
            continue
        news += events(before, derived.account, changes)
        entries.append(
            Entry(
                actor,
                "account.created" if before is None else "account.changed",
                derived.account.id,
                {"attributes": [change.attribute for change in changes]},
                {change.attribute: [change.before, change.after] for change in changes},
            )
        )
    return Telling(news, entries, counts)


def _record_entry(past: Kept | None, kept: Kept, outcome: Outcome | None, rules: Rules, actor: str) -> Entry:
    """What SCIM events are made of, too: which attributes differ, and whether `active` turned."""
    action = "record.created" if past is None else "record.deleted" if kept.record.deleted else "record.updated"
    facts: dict[str, object] = {
        "source": rules.sources[kept.record.source_id].name,
        "record": kept.record.id,
        "version": kept.version,
        "rule": outcome.rule if outcome else "link",
        "attributes": [] if kept.record.deleted else changed_paths(past.document if past else {}, kept.document),
    }
    if past is not None and past.record.active != kept.record.active:
        facts["active"] = kept.record.active
    if not kept.record.deleted and kept.record.groups != (past.record.groups if past else frozenset()):
        facts["attributes"] = [*cast(list[str], facts["attributes"]), "groups"]  # of a login, whose groups come with it
    if outcome is not None and isinstance(outcome.write, (RecordWrite, RecordDelete)):
        facts |= outcome.write.request
    return Entry(actor, action, kept.record.account_id or "", facts, {"document": kept.document})


def _lock_groups_of_deleted(conn: sa.Connection, tenant_id: str, writes: Sequence[Write]) -> None:
    ids = [write.record_id for write in writes if isinstance(write, RecordDelete)]
    if ids:
        _LOCK_GROUPS.rows(conn, {"tenant": tenant_id, "ids": ids})


def _judge(error: sa.exc.DBAPIError) -> None:
    """Return for what may be tried again; raise for everything else."""
    original = error.orig
    if isinstance(original, psycopg.errors.UniqueViolation):
        if original.diag.constraint_name == "uq_records_user_name":
            raise UserNameTakenError from error
        return
    if isinstance(original, psycopg.errors.LockNotAvailable):
        raise BusyError("Others hold the same people. Nothing was changed; try again.") from error
    if not isinstance(original, _PASSING):
        raise error
