"""From what was said to what must be saved: the whole decision of the write door, without touching anything.

    writes ─▶ whose record (match) ─▶ the record as it will be ─▶ every account concerned, derived again ─▶ Decision

`People` is what the database knows of those concerned. Deciding works on its own copy, so that two rows of one chunk
about one person meet, and so that a preview can throw the result away.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from app.identity.attributes import family
from app.identity.by_hand import adjusted
from app.identity.claims import claims, known_by_pair
from app.identity.derive import Derived, derive
from app.identity.folding import fold
from app.identity.matching import Match, match
from app.identity.model import Account, Claim, Record, Rules, Status
from app.identity.writes import (
    ByHand,
    NotByHandError,
    Outcome,
    RecordDelete,
    RecordGoneError,
    RecordWrite,
    Rederive,
    Spoken,
    StaleError,
    UserNameTakenError,
    VersionConflictError,
    Write,
)

Key = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Kept:
    """A record as it is kept: with its document, its version and the identifiers that it claims."""

    record: Record
    version: int
    source_key: str | None
    user_name: str | None  # folded
    document: Mapping[str, Any]
    claimed: frozenset[Key]
    created_at: datetime
    search: Mapping[str, Any] | None = None  # only when it is to be saved
    due_at: datetime | None = None


@dataclass(slots=True)
class People:
    """Those whom the writes may concern. `named` leads manager keys to accounts, `above` an account to its manager."""

    existing: dict[str, Kept] = field(default_factory=dict)  # the written records, by id, as first read
    accounts: dict[str, Account] = field(default_factory=dict)
    records: dict[str, dict[str, Kept]] = field(default_factory=dict)  # account id -> record id -> record
    holders: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    named: dict[tuple[str, str], str] = field(default_factory=dict)
    above: dict[str, str] = field(default_factory=dict)
    fresh: dict[str, Account] = field(default_factory=dict)  # made earlier in this chunk
    adjusted: dict[str, Account] = field(default_factory=dict)  # with what was decided by hand in this chunk
    apart: frozenset[tuple[str, str]] = frozenset()  # pairs, sorted, of whom a person said that they are two


@dataclass(frozen=True, slots=True)
class Doubt:
    """A record that may belong to one of `candidates`, and was given an account of its own."""

    record_id: str
    account_id: str
    candidates: tuple[str, ...]
    reason: str


@dataclass(slots=True)
class Decision:
    """What is to be saved, and the outcome of each write in its order."""

    records: dict[str, tuple[Kept | None, Kept]] = field(default_factory=dict)
    accounts: dict[str, tuple[Account | None, Derived]] = field(default_factory=dict)
    holders: dict[Key, tuple[str, ...]] = field(default_factory=dict)
    doubts: list[Doubt] = field(default_factory=list)
    outcomes: list[Outcome] = field(default_factory=list)


def decide(writes: Sequence[Write], people: People, rules: Rules, now: datetime, new_id: Callable[[], str]) -> Decision:
    """Decide all writes of one chunk, in their order.

    Raises:
        RecordGoneError, VersionConflictError, UserNameTakenError: the write is refused, and with it the chunk.
        StaleError: somebody moved a record to another account meanwhile; read again.
    """
    decision = Decision()
    said = [_say(write, people, decision, rules, now, new_id) for write in writes]
    concerned = sorted({account_id for _, account_id, _, _ in said})
    for account_id in concerned:
        decision.accounts[account_id] = rederived(account_id, people, rules, now, people.adjusted.get(account_id))
    for write, (kept, account_id, rule, doubtful) in zip(writes, said, strict=True):
        before, derived = decision.accounts[account_id]
        after = derived.account
        if isinstance(write, ByHand) and write.values.get("manager") in derived.managers.refused:
            raise NotByHandError("This manager is the person, or stands below: nobody leads a superior.")
        record_id = None if kept is None else kept.record.id
        written = decision.records.get(record_id) if record_id is not None else None
        changed = before != after or written is not None
        past = written[0] if written is not None else None
        said_before = None if past is None else past.document
        version = 0 if kept is None else kept.version
        outcome = Outcome(write, record_id, version, rule, before, after, changed, doubtful, said_before)
        decision.outcomes.append(outcome)
    return decision


_Said = tuple[Kept | None, str, str, tuple[str, ...]]


def _say(
    write: Write, people: People, decision: Decision, rules: Rules, now: datetime, new_id: Callable[[], str]
) -> _Said:
    if isinstance(write, (Rederive, ByHand)):
        if write.account_id not in people.accounts:
            raise RecordGoneError(write.account_id)
        if isinstance(write, Rederive):
            return None, write.account_id, "derived again", ()
        known = people.adjusted.get(write.account_id, people.accounts[write.account_id])
        people.adjusted[write.account_id] = adjusted(known, write, rules)
        return None, write.account_id, "by hand", ()
    past = _past(write, people)
    if past is not None:
        _check_version(write, past)
    if isinstance(write, RecordDelete):
        if past is None or past.record.deleted:
            raise RecordGoneError(write.record_id)
        record = replace(past.record, deleted=True, active=False, groups=frozenset(), changed_at=now)
        kept = replace(past, record=record, version=past.version + 1, claimed=frozenset(), search={}, due_at=None)
        return _keep(kept, past, "link", (), people, decision)
    return _write(write, past, people, decision, rules, now, new_id)


def _write(
    write: RecordWrite,
    past: Kept | None,
    people: People,
    decision: Decision,
    rules: Rules,
    now: datetime,
    new_id: Callable[[], str],
) -> _Said:
    name = None if write.user_name is None else fold(write.user_name)
    record = _record(write, past, now, new_id)
    _check_user_name(name, record, people, decision)
    claimed = claims(record, rules)
    found = _matched(record, claimed, people, rules, now)
    account_id = found.account_id or new_id()
    if found.account_id is None:
        people.fresh[account_id] = Account(account_id, Status.ACTIVE if record.active else Status.INACTIVE)
    if record.account_id != account_id:
        record = replace(record, account_id=account_id)
    kept = Kept(
        record=record,
        version=1 if past is None else past.version + 1,
        source_key=write.source_key if write.source_key is not None else (past.source_key if past else None),
        user_name=name,
        document=write.document,
        claimed=frozenset(claim.key for claim in claimed),
        created_at=now if past is None else past.created_at,
        search=write.search,
        due_at=write.due_at,
    )
    if past is not None and _same(past, kept):
        return past, account_id, found.rule, ()
    _note_doubt(found, record.id, account_id, decision)
    return _keep(kept, past, found.rule, found.doubtful, people, decision)


def _past(write: RecordWrite | RecordDelete, people: People) -> Kept | None:
    """The record as it is now: read again under its account's lock, or written earlier in this chunk."""
    first = people.existing.get(write.record_id) if write.record_id is not None else None
    if first is None and isinstance(write, RecordWrite) and write.source_key is not None:
        key = (write.source_id, write.source_key)
        everybody = (kept for of in people.records.values() for kept in of.values())
        return next((kept for kept in everybody if (kept.record.source_id, kept.source_key) == key), None)
    if first is None:
        if write.record_id is not None:
            raise RecordGoneError(write.record_id)
        return None
    if first.record.source_id != write.source_id:
        raise RecordGoneError(first.record.id)
    now = people.records.get(first.record.account_id or "", {}).get(first.record.id)
    if now is None:
        raise StaleError
    if now.record.deleted:
        raise RecordGoneError(now.record.id)
    return now


def _check_version(write: RecordWrite | RecordDelete, past: Kept) -> None:
    if write.expected_version is not None and write.expected_version != past.version:
        raise VersionConflictError(past.version)


def _check_user_name(name: str | None, record: Record, people: People, decision: Decision) -> None:
    if name is None:
        return
    written = {record_id: new for record_id, (_, new) in decision.records.items()}
    for kept in {**people.existing, **written}.values():
        same_name = kept.user_name == name and kept.record.source_id == record.source_id
        if same_name and kept.record.id != record.id and not kept.record.deleted:
            raise UserNameTakenError


def _record(write: RecordWrite, past: Kept | None, now: datetime, new_id: Callable[[], str]) -> Record:
    said = write.spoken if past is None else _with_withheld(write.spoken, past.record)
    return Record(
        id=past.record.id if past else write.new_id or new_id(),
        source_id=write.source_id,
        account_id=past.record.account_id if past else None,
        active=said.active,
        voice=said.values,
        managers=said.managers,
        groups=_groups(write, past),
        roles=said.roles,
        entitlements=said.entitlements,
        changed_at=now,
        known_as=said.known_as,
        vouched=said.vouched,
    )


def _groups(write: RecordWrite, past: Kept | None) -> frozenset[str]:
    if write.groups is not None:
        return write.groups
    return past.record.groups if past else frozenset()


def _with_withheld(said: Spoken, before: Record) -> Spoken:
    """A restricted null is no empty value: it does not blank what the record holds, nor revive who left."""
    if not said.withheld:
        return said
    known = {
        name: value for name, value in before.voice.items() if name in said.withheld or family(name) in said.withheld
    }
    return replace(
        said,
        active=before.active if "active" in said.withheld else said.active,
        values={**known, **said.values},
        managers=before.managers if "manager" in said.withheld else said.managers,
    )


def _same(past: Kept, kept: Kept) -> bool:
    """Whether the source only repeated itself."""
    old, new = past.record, kept.record
    return (
        past.document == kept.document
        and past.user_name == kept.user_name
        and past.claimed == kept.claimed
        and past.due_at == kept.due_at
        and not old.deleted
        and old == replace(new, changed_at=old.changed_at)
    )


def _note_doubt(found: Match, record_id: str, account_id: str, decision: Decision) -> None:
    if found.doubtful:
        decision.doubts.append(Doubt(record_id, account_id, found.doubtful, found.reason))


def _keep(
    kept: Kept, past: Kept | None, rule: str, doubtful: tuple[str, ...], people: People, decision: Decision
) -> _Said:
    account_id = kept.record.account_id
    assert account_id is not None
    people.records.setdefault(account_id, {})[kept.record.id] = kept
    first = decision.records[kept.record.id][0] if kept.record.id in decision.records else past
    decision.records[kept.record.id] = (first, kept)
    _move_claims(account_id, past, kept, people, decision)
    return kept, account_id, rule, doubtful


def _move_claims(account_id: str, past: Kept | None, kept: Kept, people: People, decision: Decision) -> None:
    """The account holds what any of its records claims."""
    before = past.claimed if past else frozenset()
    held = frozenset().union(*(one.claimed for one in people.records[account_id].values()))
    for key in before | kept.claimed:
        holders = set(people.holders.get(key, ())) - {account_id}
        if key in held:
            holders.add(account_id)
        ordered = tuple(sorted(holders))
        if ordered != people.holders.get(key, ()):
            people.holders[key] = decision.holders[key] = ordered
    for named in named_by(kept) - (named_by(past) if past else frozenset()):
        people.named.setdefault(named, account_id)


def named_by(kept: Kept) -> frozenset[tuple[str, str]]:
    """The keys under which this record can be named as a manager, but its own id."""
    own = {(f"key:{kept.record.source_id}", kept.source_key)} if kept.source_key else set()
    return frozenset({(namespace, value) for namespace, _, value in kept.claimed} | own)


def rederived(
    account_id: str, people: People, rules: Rules, now: datetime, past: Account | None = None
) -> tuple[Account | None, Derived]:
    """The account as it was and as it should be; `past` is what it is derived from, where it is not what it was."""
    before = people.accounts.get(account_id)
    past = past or before
    records = [kept.record for kept in people.records.get(account_id, {}).values()]
    candidates = {people.named[key] for key in manager_keys(records) if key in people.named}
    if past is not None:
        candidates |= {one for one in (past.manual.get("manager"), past.manager_id) if isinstance(one, str)}
    ancestors = {candidate: _ancestors(candidate, people.above) for candidate in candidates}
    found = derive(past, account_id, records, people.named, ancestors, rules, now)
    if found.account.manager_id is None:
        people.above.pop(account_id, None)
    else:
        people.above[account_id] = found.account.manager_id
    return before, found


def manager_keys(records: Iterable[Record]) -> set[tuple[str, str]]:
    """All keys under which these records name managers."""
    return {key for record in records for ref in record.managers or () for key in ref.keys}


def _ancestors(account_id: str, above: Mapping[str, str]) -> frozenset[str]:
    seen: set[str] = set()
    while (manager := above.get(account_id)) is not None and manager not in seen:
        seen.add(manager)
        account_id = manager
    return frozenset(seen)


def _matched(record: Record, claimed: Sequence[Claim], people: People, rules: Rules, now: datetime) -> Match:
    """Match against those who hold what the record claims, accounts made earlier in this chunk included."""
    everybody = ((account_id, kept.record) for account_id, of in people.records.items() for kept in of.values())
    paired = known_by_pair(record, everybody, rules)
    if record.account_id is None and paired is not None:
        return Match(paired, "paired userName", (), "The paired source knows this account by the name that was given.")
    candidates = {account_id for claim in claimed for account_id in people.holders.get(claim.key, ())}
    kept = {account_id: people.records.get(account_id, {}).values() for account_id in candidates}
    return match(
        record,
        claimed,
        people.holders,
        {one: known for one in candidates if (known := people.accounts.get(one) or people.fresh.get(one))},
        {account_id: [one.record for one in of] for account_id, of in kept.items()},
        {account_id: frozenset().union(*(one.claimed for one in of)) for account_id, of in kept.items()},
        rules,
        now,
        people.apart,
    )


def intended(write: RecordWrite) -> Record:
    """The record that the write will make, for what must be locked before it is known whose it is."""
    said = write.spoken
    return Record(
        "",
        write.source_id,
        None,
        said.active,
        said.values,
        managers=said.managers,
        known_as=said.known_as,
        vouched=said.vouched,
    )
