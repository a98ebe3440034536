"""Nobody acts upon whoever reaches further in the console than they do, nor gives what reaches further.

a role ─▶ demand_reach        a person ─▶ demand_over        what a write comes to ─▶ within (under the door's locks)
where people come from ─▶ demand_origins
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import sqlalchemy as sa

from app.console.rendering import Refused
from app.console.visit import Visit
from app.identity.console_roles import TITLES, ConsoleRole, highest
from app.identity.model import Account
from app.identity.writes import Outcome
from app.store import mappings

Places = Mapping[str, ConsoleRole | None]


def demand_reach(conn: sa.Connection, visit: Visit, roles: Iterable[str]) -> None:
    """That the visitor may at least what whoever holds these LMS roles may.

    Raises:
        Refused: they may not.
    """
    _demand(visit, _places(conn, visit), set(roles))


def demand_over(conn: sa.Connection, visit: Visit, accounts: Iterable[Account]) -> None:
    """The same of these people; of whoever is inactive too, who would have everything back with one word of a source.

    Raises:
        Refused: one of them reaches further.
    """
    _demand(visit, _places(conn, visit), _held(accounts))


def within(conn: sa.Connection, visit: Visit) -> Callable[[Sequence[Outcome]], None]:
    """For the write door's `accept`: under its locks, that nobody concerned holds, or comes to hold, more than that.

    A value, or a SCIM role of a document, gives roles as well as a hand does.
    """
    places = _places(conn, visit)

    def accept(outcomes: Sequence[Outcome]) -> None:
        found = [one for outcome in outcomes for one in (outcome.before, outcome.after) if one is not None]
        _demand(visit, places, _held(found))

    return accept


def demand_origins(conn: sa.Connection, visit: Visit) -> None:
    """That the visitor may at least what any role of the learning platform lets somebody do here.

    Whoever rules a source or a connection can be anybody whom it speaks of, or put anybody into its groups.

    Raises:
        Refused: a role opens a place above theirs.
    """
    places = _places(conn, visit)
    console = highest(places.values())
    if console is None or visit.may(console):
        return
    names = ", ".join(sorted(role for role, place in places.items() if place == console))
    raise Refused(
        403,
        f"In this organisation {names} opens the console as {TITLES[console]}, and this decides who is who: it is for "
        f"somebody who is at least {TITLES[console]}.",
        "Above your role",
    )


def _places(conn: sa.Connection, visit: Visit) -> Places:
    return {one.name: one.console for one in mappings.roles(conn, visit.tenant_id) if one.console}


def _held(accounts: Iterable[Account]) -> set[str]:
    """Effective or not; what counts elsewhere than in the whole tenant opens no console."""
    return {grant.role for account in accounts for grant in account.grants if grant.scope == "tenant"}


def _demand(visit: Visit, places: Places, held: set[str]) -> None:
    console = highest(places.get(role) for role in held)
    if console is None or visit.may(console):
        return
    names = ", ".join(sorted(role for role in held if places.get(role) == console))
    raise Refused(
        403,
        f"Whoever holds {names} comes into the console as {TITLES[console]}, which is above your role. "
        f"Ask somebody who is at least {TITLES[console]}.",
        "Above your role",
    )
