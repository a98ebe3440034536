"""Nobody acts upon whoever reaches further in the console than they do, nor gives what reaches further."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from app.console.rendering import Refused
from app.console.visit import Visit
from app.identity.console_roles import TITLES, highest
from app.store import mappings


def demand_reach(conn: sa.Connection, visit: Visit, roles: Iterable[str]) -> None:
    """That the visitor may at least what whoever holds these LMS roles may.

    Raises:
        Refused: they may not.
    """
    held = set(roles)
    console = highest(one.console for one in mappings.roles(conn, visit.tenant_id) if one.name in held)
    if console is None or visit.may(console):
        return
    names = ", ".join(sorted(held))
    raise Refused(
        403,
        f"Whoever holds {names} comes into the console as {TITLES[console]}, which is above your role. "
        f"Ask somebody who is at least {TITLES[console]}.",
        "Above your role",
    )
