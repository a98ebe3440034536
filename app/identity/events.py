"""What the world is told when an account changes: one event a kind of change, none when nothing changed.

new account ───────────────────▶ account.created
status ────────────────────────▶ account.activated | account.deactivated
effective roles ───────────────▶ account.roles_changed
attributes, managers, affiliation ▶ account.updated
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


def _event(name: str, account: Account, changes: Sequence[Change]) -> Event:
    data = {
        "status": str(account.status),
        "roles": effective_roles(account.grants),
        "before": {change.attribute: change.before for change in changes},
        "after": {change.attribute: change.after for change in changes},
    }
    return Event(name, account.id, data)
