"""The account that follows from its records: everything that is computed, in one call.

    records ─▶ lifecycle ─▶ managers ─▶ ownership ─▶ roles ─▶ account

What people decided by hand (values, suspension, grants) and the version come from the account as it was. Deriving again
what was derived changes nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.identity.lifecycle import Standing, standing
from app.identity.managers import Managers, chosen_by_hand, closes_circle, resolve
from app.identity.model import EMPTY, Account, Affiliation, Lineage, Record, Rules, Status
from app.identity.ownership import BY_HAND, LEFT_BEHIND, is_left_behind, own, since
from app.identity.roles import HAND
from app.identity.roles import derive as derive_grants


@dataclass(frozen=True, slots=True)
class Derived:
    """The account as it should be, with what was found on the way to it."""

    account: Account
    managers: Managers
    standing: Standing


def derive(
    before: Account | None,
    account_id: str,
    records: Sequence[Record],
    found: Mapping[tuple[str, str], str],
    ancestors: Mapping[str, frozenset[str]],
    rules: Rules,
    now: datetime,
) -> Derived:
    """Derive the account from all its records, deleted ones included; `before` is None for a new account.

    `found` and `ancestors` are as `managers.resolve` takes them. `now` is an aware time in UTC.
    """
    past = before or Account(account_id, Status.INACTIVE)
    state = standing(records, past.suspended, rules)
    active = state.status == Status.ACTIVE
    attributes, lineage = own(records, past.manual, before, rules, now)
    managers = _managers(past, account_id, records, found, ancestors, rules)
    if managers.primary is not None:
        attributes["manager"] = managers.primary
    if managers.rule:
        lineage["manager"] = _manager_lineage(managers, before, now)
    by_hand = [grant for grant in past.grants if grant.rule == HAND]
    account = Account(
        id=account_id,
        status=state.status,
        attributes=attributes,
        lineage=lineage,
        grants=derive_grants(attributes, records, active, rules, by_hand),
        manager_id=managers.primary,
        managers=managers.by_kind,
        manual=past.manual,
        suspended=past.suspended,
        affiliation=_affiliation(state, past, records, rules),
        inactive_since=None if active else _inactive_since(before, now),
        version=past.version,
    )
    return Derived(account, managers, state)


def _managers(
    past: Account,
    account_id: str,
    records: Sequence[Record],
    found: Mapping[tuple[str, str], str],
    ancestors: Mapping[str, frozenset[str]],
    rules: Rules,
) -> Managers:
    managers = resolve(records, found, ancestors, account_id, rules)
    if "manager" in past.manual:
        return chosen_by_hand(managers, past.manual["manager"], ancestors, account_id)
    if managers.source_id is None and past.manager_id is not None and is_left_behind("manager", past, rules):
        return _left_behind(past.manager_id, past, account_id, ancestors)
    return managers


def _left_behind(manager_id: str, past: Account, account_id: str, ancestors: Mapping[str, frozenset[str]]) -> Managers:
    if closes_circle(manager_id, account_id, ancestors):
        return Managers(refused=(manager_id,))
    known = past.lineage["manager"]
    by_kind = {kind: tuple(ids) for kind, ids in past.managers.items()}
    return Managers(manager_id, by_kind, source_id=known.source_id, record_id=known.record_id, rule=LEFT_BEHIND)


def _manager_lineage(managers: Managers, before: Account | None, now: datetime) -> Lineage:
    by_hand = managers.rule == BY_HAND
    source_id = None if by_hand else managers.source_id
    record_id = None if by_hand else managers.record_id
    value = EMPTY if managers.primary is None else managers.primary
    return Lineage(source_id, record_id, managers.rule, since("manager", (source_id, record_id, value), before, now))


def _affiliation(state: Standing, past: Account, records: Sequence[Record], rules: Rules) -> str:
    """The live affiliation, else the one that its records have, else what it was; employee before customer."""
    spoken = {
        str(rules.sources[record.source_id].affiliation) for record in records if record.source_id in rules.sources
    }
    for affiliation in (state.live, spoken):
        if affiliation:
            return str(Affiliation.EMPLOYEE) if Affiliation.EMPLOYEE in affiliation else min(affiliation)
    return str(past.affiliation)


def _inactive_since(before: Account | None, now: datetime) -> datetime:
    if before is None or before.status == Status.ACTIVE or before.inactive_since is None:
        return now
    return before.inactive_since
