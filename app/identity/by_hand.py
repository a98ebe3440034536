"""What a person decides about one account, against what sources say: values, roles, suspension.

    account as it is + ByHand ──▶ account with other `manual`, grants by the rule `hand`, `suspended` ──▶ derive

A value set by hand stays until it is taken back. A role given by hand stands beside what mappings give; taking one away
that a mapping gives is the mapping's business. `told` says the same for the audit.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, Final
from uuid import UUID

from app.identity.attributes import family, is_known
from app.identity.model import EMPTY, Account, Grant, Rules
from app.identity.roles import HAND, SCOPE
from app.identity.writes import ByHand, NotByHandError

LONGEST_VALUE: Final = 1_000  # characters
ADDRESS: Final = frozenset({"formatted", "streetAddress", "locality", "region", "postalCode", "country"})
_DATES: Final = ("startDate", "endDate")


@dataclass(frozen=True, slots=True)
class Act:
    """One decision as the audit tells it; `personal` holds what may have to be erased."""

    action: str
    facts: Mapping[str, Any]
    personal: Mapping[str, Any] = field(default_factory=dict)


def adjusted(account: Account, write: ByHand, rules: Rules) -> Account:
    """The account with what was decided, before it is derived anew.

    Raises:
        NotByHandError: there is no such attribute, role or scope, or it cannot have this value.
    """
    values = {attribute: _value(attribute, value) for attribute, value in write.values.items()}
    manual = {name: value for name, value in account.manual.items() if name not in write.taken_back}
    by_hand = {grant.key: grant for grant in account.grants}
    for role, scope in sorted(write.taken):
        if by_hand.pop((role, scope, HAND), None) is None:
            raise NotByHandError(
                f"The role {role} ({scope}) was not given by hand: {_who_gives(role, scope, account)}."
            )
    for role, scope in sorted(write.given):
        _check_role(role, scope, rules)
        by_hand.setdefault((role, scope, HAND), Grant(role, scope, HAND))
    for attribute in sorted(write.taken_back - account.manual.keys()):
        raise NotByHandError(f"{attribute} has no value that was set by hand.")
    return replace(
        account,
        manual={**manual, **values},
        grants=tuple(by_hand.values()),
        suspended=account.suspended if write.suspended is None else write.suspended,
    )


def told(write: ByHand) -> Iterator[Act]:
    """What was decided, one act each."""
    why = {"note": write.note} if write.note else {}
    for attribute, value in sorted(write.values.items()):
        shown = None if value is EMPTY else value
        yield Act("account.value_set", {"attribute": attribute}, {attribute: shown, **why})
    for attribute in sorted(write.taken_back):
        yield Act("account.value_taken_back", {"attribute": attribute}, why)
    for role, scope in sorted(write.given):
        yield Act("account.role_given", {"role": role, "scope": scope}, why)
    for role, scope in sorted(write.taken):
        yield Act("account.role_taken", {"role": role, "scope": scope}, why)
    if write.suspended is not None:
        yield Act("account.suspended" if write.suspended else "account.reinstated", {}, why)


def _value(attribute: str, value: Any) -> Any:
    """The value as it is kept: null says that there is none."""
    if not is_known(attribute):
        raise NotByHandError(f"No account has an attribute {attribute}.")
    if value is EMPTY or value is None:
        return None
    if family(attribute) == "addresses":
        return _address(attribute, value)
    text = value.strip() if isinstance(value, str) else ""
    if not text or len(text) > LONGEST_VALUE or "\0" in text:
        raise NotByHandError(f"{attribute} is a text of 1 to {LONGEST_VALUE} characters.")
    if attribute == "manager" and not is_id(text):
        raise NotByHandError("A manager is named by the id of an account.")
    if attribute in _DATES and not _is_date(text):
        raise NotByHandError(f"{attribute} is a day like 2026-12-31.")
    return text


def _address(attribute: str, value: Any) -> dict[str, str]:
    parts = value if isinstance(value, Mapping) else {}
    good = all(isinstance(one, str) and 0 < len(one) <= LONGEST_VALUE and "\0" not in one for one in parts.values())
    if not parts or not good or not ADDRESS.issuperset(parts):
        raise NotByHandError(f"{attribute} is an object of texts: {', '.join(sorted(ADDRESS))}.")
    return dict(parts)


def _is_date(text: str) -> bool:
    try:
        return len(text) == 10 and date.fromisoformat(text) is not None
    except ValueError:
        return False


def is_id(text: str) -> bool:
    """Whether it has the shape of an account's id."""
    try:
        return str(UUID(text)) == text
    except ValueError:
        return False


def _check_role(role: str, scope: str, rules: Rules) -> None:
    if role not in rules.roles:
        raise NotByHandError(f"The tenant has no role {role}; there are {', '.join(sorted(rules.roles)) or 'none'}.")
    if not SCOPE.fullmatch(scope):
        raise NotByHandError(f"{scope!r} is no scope: tenant, branch:<name> or course:<name>.")


def _who_gives(role: str, scope: str, account: Account) -> str:
    held = any((grant.role, grant.scope) == (role, scope) for grant in account.grants)
    return "a mapping gives it, change that one" if held else "the account does not hold it"
