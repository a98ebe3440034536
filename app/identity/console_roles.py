"""What people may do in the console: a ladder of four roles, each may what the ones below it may."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal, get_args

ConsoleRole = Literal["auditor", "help_desk", "admin", "owner"]

LADDER: Final[tuple[ConsoleRole, ...]] = get_args(ConsoleRole)
TITLES: Final = {"auditor": "Auditor", "help_desk": "Help desk", "admin": "Administrator", "owner": "Owner"}
SENTENCES: Final = {
    "auditor": "Reads everything but secrets, changes nothing.",
    "help_desk": "Also acts on one person: ends sessions, suspends, derives again, provisions on demand.",
    "admin": "Also changes mappings, sources, connections and SCIM clients, allows held plans, merges and splits.",
    "owner": "Also invites administrators and changes the settings.",
}


def reaches(role: str | None, needed: ConsoleRole) -> bool:
    """Whether `role` stands on the ladder at `needed` or above."""
    return role in LADDER and LADDER.index(role) >= LADDER.index(needed)


def highest(roles: Iterable[str | None]) -> ConsoleRole | None:
    """The highest of these that stand on the ladder; None without one."""
    found = {role for role in roles if role in LADDER}
    return next((role for role in reversed(LADDER) if role in found), None)
