"""What the world is told when an account changes: one event a kind of change, none when nothing changed.

new account ───────────────────▶ account.created
status ────────────────────────▶ account.activated | account.deactivated
effective roles ───────────────▶ account.roles_changed
attributes, managers, affiliation ▶ account.updated
merged into another ───────────▶ account.merged      the id means that other account from now on
two people's ──────────────────▶ account.split       beside account.created of the new one
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.identity.changes import Change, effective_roles
from app.identity.model import Account, Status

CREATED: Final = "account.created"
UPDATED: Final = "account.updated"
ACTIVATED: Final = "account.activated"
DEACTIVATED: Final = "account.deactivated"
ROLES_CHANGED: Final = "account.roles_changed"
MERGED: Final = "account.merged"
SPLIT: Final = "account.split"


@dataclass(frozen=True, slots=True)
class Event:
    """One thing to tell.

    `data` is JSON: status and roles (scope -> names) as they are now, and before and after of what changed.
    """

    type: str
    account_id: str
    data: dict[str, Any]


def events(before: Account | None, after: Account, changes: Sequence[Change]) -> tuple[Event, ...]:
    """The events of these `changes` from `before` to `after`, the most urgent first.

    A new account is one event, whatever it brings with it.
    """
    if before is None:
        return (_event(CREATED, after, changes),)
    status = [change for change in changes if change.attribute == "status"]
    roles = [change for change in changes if change.attribute == "roles"]
    others = [change for change in changes if change.attribute not in ("status", "roles")]
    turned = ACTIVATED if after.status == Status.ACTIVE else DEACTIVATED
    told = ((turned, status), (ROLES_CHANGED, roles), (UPDATED, others))
    return tuple(_event(name, after, concerned) for name, concerned in told if concerned)


def merged(away: Account, into: str) -> Event:
    """The account is gone: its id means `into`. It has no status and no roles any more."""
    before = {"status": str(away.status), "roles": effective_roles(away.grants) or None}
    after = {"status": str(Status.INACTIVE), "roles": None}
    data = {"status": str(Status.INACTIVE), "roles": {}, "into": into, "before": before, "after": after}
    return Event(MERGED, away.id, data)


def split(after: Account, into: str) -> Event:
    """Some of the account's records are those of the new account `into`; what changed with it comes as usual."""
    roles = effective_roles(after.grants)
    data = {"status": str(after.status), "roles": roles, "into": into, "before": {}, "after": {}}
    return Event(SPLIT, after.id, data)


def _event(name: str, account: Account, changes: Sequence[Change]) -> Event:
    data = {
        "status": str(account.status),
        "roles": effective_roles(account.grants),
        "before": {change.attribute: change.before for change in changes},
        "after": {change.attribute: change.after for change in changes},
    }
    return Event(name, account.id, data)
