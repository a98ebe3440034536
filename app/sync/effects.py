"""What one write does to its account, in the words of a plan. Pure."""

from __future__ import annotations

from typing import Final

from app.identity.model import Account, Rules, Status
from app.identity.writes import Outcome

CREATED: Final = "created"
UPDATED: Final = "updated"
DEACTIVATED: Final = "deactivated"
ROLE_LOSS: Final = "role loss"
UNCHANGED: Final = "unchanged"
REFUSED: Final = "refused"
EFFECTS: Final = (CREATED, UPDATED, DEACTIVATED, ROLE_LOSS, UNCHANGED, REFUSED)
LOSSES: Final = frozenset({DEACTIVATED, ROLE_LOSS})


def effect(outcome: Outcome, rules: Rules) -> str:
    """One of `EFFECTS`; who is deactivated loses the roles as well, and counts once."""
    before, after = outcome.before, outcome.after
    if before is None:
        return CREATED
    if before.status == Status.ACTIVE and after.status != Status.ACTIVE:
        return DEACTIVATED
    if after.status == Status.ACTIVE and loses_role(before, after, rules):
        return ROLE_LOSS
    return UPDATED if outcome.changed else UNCHANGED


def loses_role(before: Account, after: Account, rules: Rules) -> bool:
    """Whether an effective role is lost. A higher one in its place, where the highest wins, is no loss."""
    kept = {(grant.scope, grant.role) for grant in after.grants if grant.effective}
    for grant in before.grants:
        if not grant.effective or (grant.scope, grant.role) in kept:
            continue
        ranks = [_rank(role, rules) for scope, role in kept if scope == grant.scope]
        if not (rules.highest_role_wins and ranks and max(ranks) >= _rank(grant.role, rules)):
            return True
    return False


def _rank(role: str, rules: Rules) -> int:
    known = rules.roles.get(role)
    return -1 if known is None else known.rank
