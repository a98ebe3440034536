"""What may be done about one person: sessions ended, access suspended, values and roles set by hand, derived anew.

Each goes through the write door, with its audit entry; what is refused comes back with the reason.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from flask import Response

from app.adapters import signing_out
from app.console.desk import Desk
from app.console.phrases import many
from app.console.reach import demand_over, demand_reach, within
from app.console.rendering import back, field, fields
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.changes import diff
from app.identity.model import EMPTY, Account
from app.identity.writes import BusyError, ByHand, Outcome, Rederive, RefusedError, Write
from app.provisioning import provision
from app.store import people, sessions
from app.store.engine import reading
from app.store.tenants import NotFoundError


def end_sessions(desk: Desk, visit: Visit, account_id: str) -> Response:
    """End the chosen sessions of the person, or sign them out everywhere."""
    with reading(desk.engine) as conn:
        _demand_account(conn, visit, account_id)
        mine = [id for id in fields("session") if _is_theirs(conn, visit, id, account_id)]
    if field("everywhere"):
        ended = signing_out.end_all(desk.engine, visit.tenant_id, account_id, visit.actor)
    else:
        ended = signing_out.end(desk.engine, visit.tenant_id, mine, visit.actor)
    desk.wake("logout")
    said = many(len(ended), "session")
    return back(f"/admin/people/{account_id}/sessions", f"{said} ended. It shows everywhere at once.")


def suspend(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Take the person's access away whatever sources say, or give it back to what they say."""
    suspended = field("suspended") == "yes"
    return _decided(desk, visit, account_id, ByHand(account_id, suspended=suspended, note=field("note")), "")


def derive(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Work the account out anew from what its records say."""
    return _decided(desk, visit, account_id, Rederive(account_id), "")


def set_value(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Set one value by hand, or take it back."""
    attribute, note = field("attribute"), field("note")
    if field("take_back"):
        write = ByHand(account_id, taken_back=frozenset({attribute}), note=note)
    else:
        value = EMPTY if field("empty") else field("value")
        write = ByHand(account_id, values={attribute: value}, note=note)
    return _decided(desk, visit, account_id, write, "")


def give_role(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Give a role by hand, or take one back that was given so."""
    role, scope, note = field("role"), field("scope") or "tenant", field("note")
    if field("take"):
        write = ByHand(account_id, taken=frozenset({(role, scope)}), note=note)
    else:
        write = ByHand(account_id, given=frozenset({(role, scope)}), note=note)
    with reading(desk.engine) as conn:
        demand_reach(conn, visit, [role])
    return _decided(desk, visit, account_id, write, "/roles")


def _decided(desk: Desk, visit: Visit, account_id: str, write: Write, view: str) -> Response:
    with reading(desk.engine) as conn:
        demand_over(conn, visit, [_demand_account(conn, visit, account_id)])
        accept = within(conn, visit)
    here = f"/admin/people/{account_id}{view}"
    try:
        [outcome] = provision(desk.engine, visit.tenant_id, [write], actor=visit.actor, accept=accept)
    except BusyError:
        raise
    except RefusedError as error:
        return back(here, str(error), "danger")
    return back(here, _sentence(outcome))


def _sentence(outcome: Outcome) -> str:
    changed = [change.attribute for change in diff(outcome.before, outcome.after)]
    if changed:
        return f"Changed: {', '.join(changed)}. The account is {outcome.after.status}."
    return "Noted; nothing that is seen changed." if outcome.changed else "Nothing changed."


def _demand_account(conn: sa.Connection, visit: Visit, account_id: str) -> Account:
    found = people.accounts(conn, visit.tenant_id, [account_id], lock=False).get(account_id)
    if found is None:
        raise NotFoundError(f"the tenant has no account {account_id}")
    return found


def _is_theirs(conn: sa.Connection, visit: Visit, session_id: str, account_id: str) -> bool:
    try:
        return sessions.account_of(conn, visit.tenant_id, session_id) == account_id
    except sa.exc.DataError:
        return False


ROUTES: Final = (
    Route("POST", "/admin/people/<uuid:account_id>/sessions", end_sessions, "help_desk"),
    Route("POST", "/admin/people/<uuid:account_id>/suspend", suspend, "help_desk"),
    Route("POST", "/admin/people/<uuid:account_id>/derive", derive, "help_desk"),
    Route("POST", "/admin/people/<uuid:account_id>/value", set_value, "admin"),
    Route("POST", "/admin/people/<uuid:account_id>/role", give_role, "admin"),
)
