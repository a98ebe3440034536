"""The write door for merging and splitting: two accounts become one, one becomes two, by a person's decision.

    merge   keep ◀── records, values and roles by hand, reports, aliases ── away        away's id means keep for ever
    split   account ── chosen records ──▶ new account                        the two are told apart

Each is one transaction in which nobody else writes people of the tenant: an account that goes away may be named by
anybody's manager. The locks come in their usual order all the same. Previews decide with the same functions and stop
before the save. What was merged can be taken back: `came_with` says which records came from where (decision 0027).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa

from app.identity import events
from app.identity import merging_guards as guards
from app.identity.decide import People, manager_keys
from app.identity.merging import affiliations, merged, named_as
from app.identity.merging import split as split_up
from app.identity.merging_guards import NotMergedError as NotMergedError
from app.identity.merging_shown import MergePreview as MergePreview
from app.identity.merging_shown import SplitPreview as SplitPreview
from app.identity.merging_shown import compared, gained
from app.identity.model import Account, Rules
from app.identity.roles import HAND
from app.provisioning import in_transaction, new_id, save
from app.store import aliases, apart, duplicates, people, sessions
from app.store import merging as store
from app.store import rules as rulebook
from app.store.aliases import Alias
from app.store.audit import Entry
from app.store.engine import reading
from app.store.tenant_settings import value
from app.store.tenants import NotFoundError

KeepsId = Literal["this", "new"]


@dataclass(frozen=True, slots=True)
class Merged:
    """What was done: `account` is `keep` as it is now, `away` means it. `sessions` ended."""

    account: Account
    away: str
    records: tuple[str, ...]
    sessions: int


@dataclass(frozen=True, slots=True)
class Split:
    """What was done: `account` kept the id, `new` is the other side. `aliases` mean the new one by now."""

    account: Account
    new: Account
    records: tuple[str, ...]
    aliases: tuple[str, ...]
    sessions: int


def preview_merge(engine: sa.Engine, tenant_id: str, keep: str, away: str, now: datetime | None = None) -> MergePreview:
    """What `merge` would do, without locks.

    Raises:
        NotFoundError: the tenant has no such account.
        NotMergedError: they are one account, or too large.
    """
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
        both = _both(conn, tenant_id, keep, away)
        known, reports = _read(conn, tenant_id, both, rules, away=both[1])
        one, other = (known.accounts[id] for id in both)
        refusal = _mixed(conn, tenant_id, known, both, rules)
        records = tuple(known.records.get(other.id, {}).values())
        after = merged(known, *both, rules, now or datetime.now(UTC)).accounts[one.id][1].account
        refusal = refusal or _last_administrator(conn, tenant_id, [one, other], [after], rules)
        return MergePreview(
            keep=one,
            away=other,
            merged=after,
            attributes=compared(one, other, after),
            gained=gained(one, after),
            lost=gained(after, one),
            missed=gained(after, other),
            records=records,
            sessions=len(sessions.listing(conn, tenant_id, other.id)),
            reports=reports,
            told_apart=bool(apart.among(conn, tenant_id, both)),
            asks_administrator=guards.unsaid([one, other, after], rules) is not None,
            refusal=refusal,
        )


def merge(
    engine: sa.Engine,
    tenant_id: str,
    keep: str,
    away: str,
    *,
    actor: str,
    reason: str = "",
    administrator: bool = False,
    now: datetime | None = None,
) -> Merged:
    """Make one account of two: `away`'s id means `keep` from now on, and its sessions end.

    `administrator` says that an administrator role is meant, where either account or the merged one may hold one.

    Raises:
        NotFoundError: the tenant has no such account.
        NotMergedError: they cannot be merged. BusyError: others are at work. Nothing was changed.
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection, rules: Rules) -> Merged:
        both = _both(conn, tenant_id, keep, away)
        known, reports = _read(conn, tenant_id, both, rules, away=both[1], lock=True)
        one, other = (known.accounts[id] for id in both)
        moved = tuple(sorted(known.records.get(other.id, {})))
        _raise(_mixed(conn, tenant_id, known, both, rules))
        decision = merged(known, *both, rules, moment)
        after = decision.accounts[one.id][1].account
        _raise(None if administrator else guards.unsaid([one, other, after], rules))
        _raise(_last_administrator(conn, tenant_id, [one, other], [after], rules))
        store.hand_over(conn, tenant_id, moved, one.id, both)
        ended = store.sign_out(conn, tenant_id, other.id, "merge")
        apart.merge(conn, tenant_id, *both)
        closed = duplicates.merge(conn, tenant_id, *both, actor)
        store.remove(conn, tenant_id, other.id)
        closed += duplicates.settle(conn, tenant_id, [one.id], actor)
        facts = {"records": list(moved), "reports": len(reports), "sessions": ended, "doubts": closed}
        entries = _merge_entries(actor, one, other, facts, reason)
        save(conn, tenant_id, decision, rules, actor, moment, entries, news=[events.merged(other, one.id)])
        aliases.add(conn, tenant_id, other.id, one.id, moved, actor, within=3 * len(decision.accounts) + 1)
        return Merged(after, other.id, moved, ended)

    return in_transaction(engine, tenant_id, once, alone=True)


def preview_split(
    engine: sa.Engine,
    tenant_id: str,
    account_id: str,
    record_ids: Collection[str],
    *,
    keeps_id: KeepsId = "this",
    now: datetime | None = None,
) -> SplitPreview:
    """What `split` would do, without locks. Raises as it does, but for what `refusal` says."""
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
        id = _living(conn, tenant_id, account_id)
        moving = _moving(conn, tenant_id, id, record_ids, keeps_id)
        known, reports = _read(conn, tenant_id, (id,), rules, moving=moving)
        before, mine, made = known.accounts[id], dict(known.records[id]), new_id()
        decision = split_up(known, id, made, moving, rules, now or datetime.now(UTC))
        stays, leaves = decision.accounts[id][1].account, decision.accounts[made][1].account
        return SplitPreview(
            before=before,
            stays=stays,
            leaves=leaves,
            attributes=compared(before, stays, leaves),
            staying=tuple(kept for one, kept in mine.items() if one not in moving),
            leaving=tuple(kept for one, kept in mine.items() if one in moving),
            sessions=len(sessions.listing(conn, tenant_id, id)),
            reports=reports,
            asks_administrator=guards.unsaid([before, stays, leaves], rules) is not None,
            refusal=_last_administrator(conn, tenant_id, [before], [stays, leaves], rules),
        )


def split(
    engine: sa.Engine,
    tenant_id: str,
    account_id: str,
    record_ids: Collection[str],
    *,
    keeps_id: KeepsId = "this",
    actor: str,
    reason: str = "",
    administrator: bool = False,
    now: datetime | None = None,
) -> Split:
    """Make two accounts of one: the chosen records are one person, the others another.

    `keeps_id`: "this" — the records that were not chosen keep the id and the learning history, the chosen ones become a
    new account; "new" — the chosen ones keep it, and the others become the new account. What was set by hand, and a
    suspension, stays with the id; a suspension goes along as well. Everybody is signed out: it is not known who sits
    before which browser.

    Raises:
        NotFoundError: the tenant has no such account.
        NotMergedError: it cannot be split like this. BusyError: others are at work. Nothing was changed.
    """
    moment = now or datetime.now(UTC)

    def once(conn: sa.Connection, rules: Rules) -> Split:
        id = _living(conn, tenant_id, account_id)
        moving = _moving(conn, tenant_id, id, record_ids, keeps_id)
        known, reports = _read(conn, tenant_id, (id,), rules, moving=moving, lock=True)
        before, made = known.accounts[id], new_id()
        decision = split_up(known, id, made, moving, rules, moment)
        stays, leaves = decision.accounts[id][1].account, decision.accounts[made][1].account
        _raise(None if administrator else guards.unsaid([before, stays, leaves], rules))
        _raise(_last_administrator(conn, tenant_id, [before], [stays, leaves], rules))
        store.hand_over(conn, tenant_id, moving, made, (id,))
        ended = store.sign_out(conn, tenant_id, id, "split")
        apart.split(conn, tenant_id, id, made, actor)
        duplicates.split(conn, tenant_id, moving, made)
        duplicates.settle(conn, tenant_id, [id, made], actor)
        followed = aliases.follow(conn, tenant_id, id, made, sorted(moving))
        facts = {"records": sorted(moving), "aliases": followed, "keepsId": keeps_id, "sessions": ended}
        entries = _split_entries(actor, id, made, {**facts, "reports": len(reports)}, reason)
        save(conn, tenant_id, decision, rules, actor, moment, entries, news=[events.split(stays, made)])
        return Split(stays, leaves, tuple(sorted(moving)), tuple(followed), ended)

    return in_transaction(engine, tenant_id, once, alone=True)


def came_with(engine: sa.Engine, tenant_id: str, account_id: str) -> list[Alias]:
    """What was merged into the account and can be taken back: split off an alias's `records`, and it follows them."""
    with reading(engine) as conn:
        return aliases.of(conn, tenant_id, aliases.resolve(conn, tenant_id, account_id))


def _both(conn: sa.Connection, tenant_id: str, keep: str, away: str) -> tuple[str, str]:
    both = (_living(conn, tenant_id, keep), _living(conn, tenant_id, away))
    if both[0] == both[1]:
        raise guards.same()
    return both


def _living(conn: sa.Connection, tenant_id: str, account_id: str) -> str:
    """The account that an id means now; whether it is there turns out when it is read."""
    try:
        return aliases.resolve(conn, tenant_id, str(UUID(account_id)))
    except ValueError:
        raise _nobody(account_id) from None


def _nobody(account_id: str) -> NotFoundError:
    return NotFoundError(f"there is no account {account_id}")


def _moving(
    conn: sa.Connection, tenant_id: str, account_id: str, chosen: Collection[str], keeps_id: KeepsId
) -> frozenset[str]:
    """The records that go to the new account."""
    mine = frozenset(kept.record.id for kept in people.records_of(conn, tenant_id, [account_id]))
    if not mine:
        raise _nobody(account_id)
    if strangers := sorted(set(chosen) - mine):
        raise NotMergedError("records", f"The account has no record {strangers[0]}.")
    if not chosen or mine == set(chosen):
        raise NotMergedError("side", "Choose some of the account's records, and not all of them: each side needs one.")
    return frozenset(chosen) if keeps_id == "this" else mine - set(chosen)


def _read(
    conn: sa.Connection,
    tenant_id: str,
    account_ids: tuple[str, ...],
    rules: Rules,
    *,
    away: str | None = None,
    moving: Collection[str] = (),
    lock: bool = False,
) -> tuple[People, tuple[str, ...]]:
    """All who are concerned: the accounts, and those who named as their manager what moves (the second answer)."""
    mine = people.records_of(conn, tenant_id, account_ids)
    goes = [kept for kept in mine if kept.record.account_id == away or kept.record.id in moving]
    names = {key for kept in goes for key in named_as(kept)}
    reports = store.led_by(conn, tenant_id, away, names) - set(account_ids)
    _raise(guards.too_large(len(mine), len(reports)))
    keys = {key for kept in mine for key in kept.claimed}
    holders = people.identifiers(conn, tenant_id, keys, lock=lock, made=keys)
    accounts = people.accounts(conn, tenant_id, {*account_ids, *reports}, lock=lock)
    for one in account_ids:
        if one not in accounts:
            raise _nobody(one)
    kept_of = people.records_of(conn, tenant_id, accounts)
    named, above = people.managers(conn, tenant_id, manager_keys(kept.record for kept in kept_of), accounts)
    known = People({}, accounts, {}, holders, named, above)
    for kept in kept_of:
        known.records.setdefault(kept.record.account_id or "", {})[kept.record.id] = kept
    return known, tuple(sorted(reports))


def _mixed(
    conn: sa.Connection, tenant_id: str, known: People, both: tuple[str, str], rules: Rules
) -> NotMergedError | None:
    each = [affiliations((kept.record for kept in known.records.get(one, {}).values()), rules) for one in both]
    if not all(each) or each[0] == each[1]:
        return None
    allowed = value(store.settings_of(conn, tenant_id), "both_affiliations")
    return guards.mixed(each[0] | each[1], allowed)


def _last_administrator(
    conn: sa.Connection,
    tenant_id: str,
    before: Sequence[Account],
    after: Sequence[Account],
    rules: Rules,
) -> NotMergedError | None:
    if not guards.loses_administration(before, after, rules):
        return None
    staying = people.other_administrators(conn, tenant_id, [one.id for one in before])
    return None if staying else guards.last_administrator()


def _raise(refusal: NotMergedError | None) -> None:
    if refusal is not None:
        raise refusal


def _merge_entries(actor: str, keep: Account, away: Account, facts: Mapping[str, Any], reason: str) -> list[Entry]:
    """What came from where, so that it can be taken back, and what `away` was."""
    was = {
        "attributes": away.attributes,
        "manual": away.manual,
        "roles": [[grant.role, grant.scope] for grant in away.grants if grant.rule == HAND],
    }
    return [
        Entry(actor, "account.merged", keep.id, {"from": away.id, **facts}, {"note": reason, "away": was}),
        Entry(actor, "account.merged_away", away.id, {"into": keep.id}),
    ]


def _split_entries(actor: str, account_id: str, new: str, facts: Mapping[str, Any], reason: str) -> list[Entry]:
    return [
        Entry(actor, "account.split", account_id, {"new": new, **facts}, {"note": reason}),
        Entry(actor, "account.split_off", new, {"from": account_id}),
    ]
