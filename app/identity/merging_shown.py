"""What a merge or a split would come to, attribute by attribute, for the person who decides."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from app.identity.changes import effective_roles
from app.identity.decide import Kept
from app.identity.merging_guards import NotMergedError
from app.identity.model import Account


@dataclass(frozen=True, slots=True)
class Compared:
    """One attribute, or affiliation, status, suspended; None where there is no value.

    Of a merge it is that of keep, away, merged; of a split before, stays, leaves.
    """

    attribute: str
    first: Any
    second: Any
    third: Any

    @property
    def differs(self) -> bool:
        """Whether not all three are the same."""
        return not self.first == self.second == self.third


@dataclass(frozen=True, slots=True)
class RoleChange:
    """An effective role in a scope."""

    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge would come to.

    `merged` is the account as it would be, `attributes` compares keep, away, merged. `gained` and `lost` are roles that
    whoever used `keep` would have or miss; `missed` those that whoever used `away` would miss. `records` would move,
    the `sessions` at `away` end. `reports` are the accounts that would be led by `keep`. `told_apart`: a person said
    that they are two people. `asks_administrator`: it must be said that an administrator role is meant. `refusal`: why
    it would be refused whatever is said; None: it would not.
    """

    keep: Account
    away: Account
    merged: Account
    attributes: tuple[Compared, ...]
    gained: tuple[RoleChange, ...]
    lost: tuple[RoleChange, ...]
    missed: tuple[RoleChange, ...]
    records: tuple[Kept, ...]
    sessions: int
    reports: tuple[str, ...]
    told_apart: bool
    asks_administrator: bool
    refusal: NotMergedError | None


@dataclass(frozen=True, slots=True)
class SplitPreview:
    """What a split would come to.

    `stays` keeps the id and the learning history, `leaves` gets a new id (the one here is not the final one).
    `attributes` compares before, stays, leaves; `staying` and `leaving` are the records of the two sides. All
    `sessions` of the account would end. `asks_administrator` and `refusal` are as of a merge.
    """

    before: Account
    stays: Account
    leaves: Account
    attributes: tuple[Compared, ...]
    staying: tuple[Kept, ...]
    leaving: tuple[Kept, ...]
    sessions: int
    reports: tuple[str, ...]
    asks_administrator: bool
    refusal: NotMergedError | None


def compared(first: Account, second: Account, third: Account) -> tuple[Compared, ...]:
    """Three accounts side by side: every attribute that one of them has, by name."""
    shown = [_shown(account) for account in (first, second, third)]
    names = sorted(set().union(*shown))
    return tuple(Compared(name, *(one.get(name) for one in shown)) for name in names)


def gained(before: Account, after: Account) -> tuple[RoleChange, ...]:
    """The effective roles that only `after` has; turned around, those that are lost."""
    return tuple(sorted(_roles(after) - _roles(before), key=lambda one: (one.scope, one.role)))


def _roles(account: Account) -> set[RoleChange]:
    return {RoleChange(role, scope) for scope, roles in effective_roles(account.grants).items() for role in roles}


def _shown(account: Account) -> dict[str, Any]:
    return {
        **account.attributes,
        "affiliation": str(account.affiliation),
        "status": str(account.status),
        "suspended": account.suspended,
    }
