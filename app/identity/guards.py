"""What must not happen without a person's yes: a mass leave, and a tenant without an administrator."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Final

from app.identity.model import Account, Grant, Rules, Status
from app.identity.roles import is_administration, settle

KEPT: Final = "kept:last administrator"


@dataclass(frozen=True, slots=True)
class GuardPolicy:
    """More than `floor` people and more than `share` (0 to 1) of all are too many at once."""

    share: float = 0.1
    floor: int = 5


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the whole plan is held; `reason` is a sentence either way."""

    held: bool
    reason: str


def judge(losses: int, population: int, policy: GuardPolicy | None = None) -> Verdict:
    """Judge a plan in which `losses` of `population` people would be deactivated or lose a role."""
    policy = policy or GuardPolicy()
    allowed = max(policy.floor, int(policy.share * population))
    who = f"{losses} of {population} people would be deactivated or lose a role"
    if losses > allowed:
        return Verdict(True, f"{who}: more than {allowed}, held until a person allows it.")
    return Verdict(False, f"{who}: up to {allowed} pass.")


def removes_last_administrator(administrators: Collection[str], losing: Collection[str]) -> bool:
    """Whether these account ids, losing administration, leave none of the administrators there were."""
    return bool(administrators) and set(administrators) <= set(losing)


def keep_last_administrator(before: Account, after: Account, rules: Rules) -> Account:
    """`after` with the administration that `before` had, under the rule ``kept:last administrator``.

    For the caller who knows that no other administrator remains. An inactive account keeps nothing: the last
    administrator is safe from a mapping, not from leaving.
    """
    lost = [grant for grant in before.grants if is_administration(grant, rules)]
    if after.status != Status.ACTIVE or not lost or any(is_administration(grant, rules) for grant in after.grants):
        return after
    kept = {Grant(grant.role, grant.scope, KEPT) for grant in lost}
    others = {grant for grant in after.grants if grant.rule != KEPT}
    grants = settle(others | kept, True, rules)
    return replace(
        after, grants=tuple(replace(grant, effective=True) if grant.rule == KEPT else grant for grant in grants)
    )
