"""Two accounts that are one person, and one account that is two: what becomes of everybody concerned. Pure.

    merged   records of `away` ─▶ `keep`; what was set by hand is joined; who was led by `away` is led by `keep`
    split    some records ─▶ a new account; what they gave goes with them, what was set by hand stays

Both answer a `Decision` like any write does, but without records: a record that moves is no new version of it. They
change the `People` that they are given.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final

from app.identity.decide import Decision, Kept, Key, People, named_by, rederived
from app.identity.model import Account, Record, Rules, Status
from app.identity.ownership import is_left_behind
from app.identity.roles import HAND

MOST_RECORDS: Final = 500  # of one account: as many as the write door takes at once
MOST_REPORTS: Final = 500  # who are led by an account that goes away

ManagerKey = tuple[str, str]


def merged(people: People, keep: str, away: str, rules: Rules, now: datetime) -> Decision:
    """All that is `away`'s becomes `keep`'s; every other account of `people` is derived again, since it named `away`.

    `away` itself is not in the decision: there is no such account any more.
    """
    decision = Decision()
    past = blended(people.accounts[keep], people.accounts[away], rules)
    moving = people.records.pop(away, {})
    _hand_over(moving.values(), keep, people)
    _hold_again(_claimed(moving.values()), (keep, away), people, decision)
    people.named.update({key: keep for key, account_id in people.named.items() if account_id == away})
    people.above.pop(away, None)
    people.above.update({one: keep for one, leader in people.above.items() if leader == away})
    decision.accounts[keep] = rederived(keep, people, rules, now, past)
    for other in sorted(people.accounts.keys() - {keep, away}):
        led = with_leader(people.accounts[other], away, keep)
        decision.accounts[other] = rederived(other, people, rules, now, led)
    return decision


def split(
    people: People, account_id: str, new_id: str, moving: Collection[str], rules: Rules, now: datetime
) -> Decision:
    """The records `moving` become the account `new_id`; every other account of `people` is derived again."""
    decision = Decision()
    before = people.accounts[account_id]
    gone = {id: people.records[account_id].pop(id) for id in moving}
    _hand_over(gone.values(), new_id, people)
    _hold_again(_claimed(gone.values()), (account_id, new_id), people, decision)
    people.named.update({key: new_id for key in _names(gone.values()) if people.named.get(key) == account_id})
    staying = given_by(before, lambda record_id: record_id not in moving)
    leaving = replace(
        given_by(before, lambda record_id: record_id in moving), id=new_id, manual={}, grants=(), version=0
    )
    decision.accounts[account_id] = rederived(account_id, people, rules, now, staying)
    decision.accounts[new_id] = rederived(new_id, people, rules, now, leaving)
    for other in sorted(people.accounts.keys() - {account_id}):
        decision.accounts[other] = rederived(other, people, rules, now)
    return decision


def blended(keep: Account, away: Account, rules: Rules) -> Account:
    """What the merged account is derived from: as `keep` was, with what only `away` had.

    Values and roles set by hand of both, those of `keep` first; who was suspended stays it. What a retired source left
    behind stays too, and what `away` was given first where `keep` was given nothing.
    """
    unknown = [name for name in away.lineage if name not in keep.lineage or _is_better(name, keep, away, rules)]
    manual = {**away.manual, **keep.manual}
    if manual.get("manager") in (keep.id, away.id):
        del manual["manager"]
    by_hand = {grant.key: grant for grant in away.grants if grant.rule == HAND}
    both = {**by_hand, **{grant.key: grant for grant in keep.grants}}
    since = [one.inactive_since for one in (keep, away) if one.inactive_since is not None]
    joined = replace(
        keep,
        attributes={**_without(keep.attributes, unknown), **_only(away.attributes, unknown)},
        lineage={**keep.lineage, **_only(away.lineage, unknown)},
        manual=manual,
        grants=tuple(both[key] for key in sorted(both)),
        suspended=keep.suspended or away.suspended,
        inactive_since=max(since) if keep.status is Status.INACTIVE and since else keep.inactive_since,
    )
    if "manager" in unknown:
        joined = replace(joined, manager_id=away.manager_id, managers=away.managers)
    return _led_by_nobody(joined) if joined.manager_id in (keep.id, away.id) else joined


def with_leader(account: Account, away: str, keep: str) -> Account:
    """The account as if it had always been led by `keep` where it was by `away`."""

    def turned(value: Any) -> Any:
        return keep if value == away else value

    def each(ids: Iterable[str]) -> tuple[str, ...]:
        return tuple(dict.fromkeys(turned(one) for one in ids))

    return replace(
        account,
        attributes={name: turned(value) if name == "manager" else value for name, value in account.attributes.items()},
        manual={name: turned(value) if name == "manager" else value for name, value in account.manual.items()},
        manager_id=turned(account.manager_id),
        managers={kind: each(ids) for kind, ids in account.managers.items()},
    )


def given_by(account: Account, mine: Callable[[str | None], bool]) -> Account:
    """The account with the values of those records alone; `mine` is asked of None for what was set by hand."""
    names = [name for name, one in account.lineage.items() if mine(one.record_id)]
    part = replace(account, attributes=_only(account.attributes, names), lineage=_only(account.lineage, names))
    return part if "manager" in names else _led_by_nobody(part)


def named_as(kept: Kept) -> frozenset[ManagerKey]:
    """All keys under which this record can be named as a manager."""
    return named_by(kept) | {("record", kept.record.id)}


def affiliations(records: Iterable[Record], rules: Rules) -> frozenset[str]:
    """What the records say that the person is; deleted ones and those of retired sources say nothing."""
    heard = ((record, rules.heard(record.source_id)) for record in records)
    return frozenset(str(source.affiliation) for record, source in heard if source is not None and not record.deleted)


def _hand_over(records: Iterable[Kept], to: str, people: People) -> None:
    theirs = people.records.setdefault(to, {})
    theirs.update({kept.record.id: replace(kept, record=replace(kept.record, account_id=to)) for kept in records})


def _claimed(records: Iterable[Kept]) -> set[Key]:
    return {key for kept in records for key in kept.claimed}


def _names(records: Iterable[Kept]) -> set[ManagerKey]:
    return {key for kept in records for key in named_as(kept)}


def _hold_again(keys: Collection[Key], accounts: Collection[str], people: People, decision: Decision) -> None:
    """Of these accounts each holds what one of its records claims; who alone holds a key is named by it."""
    claimed = {one: _claimed(people.records.get(one, {}).values()) for one in accounts}
    for key in keys:
        holders = set(people.holders.get(key, ())) - set(accounts)
        holders |= {one for one in accounts if key in claimed[one]}
        ordered = tuple(sorted(holders))
        if ordered != people.holders.get(key, ()):
            people.holders[key] = decision.holders[key] = ordered
        name = (key[0], key[2])
        if len(ordered) == 1:
            people.named.setdefault(name, ordered[0])
        elif people.named.get(name) in accounts:
            del people.named[name]


def _is_better(name: str, keep: Account, away: Account, rules: Rules) -> bool:
    """`away` has a value that nobody could give again, and `keep` has none."""
    return name not in keep.attributes and is_left_behind(name, away, rules)


def _led_by_nobody(account: Account) -> Account:
    return replace(
        account,
        attributes=_without(account.attributes, ["manager"]),
        lineage=_without(account.lineage, ["manager"]),
        manager_id=None,
        managers={},
    )


def _only(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in names}


def _without(values: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in names}
