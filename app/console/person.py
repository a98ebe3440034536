"""One person: each value with whose it is and what lost, roles with what gave them, sessions, records, what happened.

/admin/people/<id> ─▶ an id that was merged away? ─▶ the account that it means
                   └▶ store.person (six statements) + explain ─▶ one page a view
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final
from urllib.parse import quote

import sqlalchemy as sa
from flask import Response

from app import explaining
from app.console.desk import Desk
from app.console.rendering import arg, back, page
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.attributes import PER_TYPE, SINGLE
from app.identity.naming import called
from app.store import aliases, mappings, timeline
from app.store.engine import reading
from app.store.person import without_secrets
from app.store.tenants import NotFoundError

VIEWS: Final = (
    ("values", "Values", ""),
    ("roles", "Roles", "/roles"),
    ("sessions", "Sessions", "/sessions"),
    ("records", "Records", "/records"),
    ("timeline", "Timeline", "/timeline"),
    ("steps", "Step by step", "/steps"),
)
TYPED: Final = {"emails": ("work", "home", "other"), "phoneNumbers": ("work", "mobile", "home")}


def _view(
    name: str, more: Callable[[sa.Connection, Visit, explaining.PersonPage], dict[str, Any]]
) -> Callable[..., Response]:
    def shown(desk: Desk, visit: Visit, account_id: str) -> Response:
        with reading(desk.engine) as conn:
            meant = aliases.resolve(conn, visit.tenant_id, account_id)
            if meant != account_id:
                said = "This account was merged: its id means this person now."
                return back(f"/admin/people/{meant}", said, "info")
            one = _known(conn, visit.tenant_id, account_id)
            values = more(conn, visit, one)
        tabs = [(title, f"/admin/people/{account_id}{path}", key == name) for key, title, path in VIEWS]
        return page(
            f"people/{name}.html",
            title=called(one.person.account),
            person=one.person,
            account=one.person.account,
            explained=one.explained,
            source_names={source.id: source.name for source in one.rules.sources.values()},
            tabs=tabs,
            **values,
        )

    return shown


def _known(conn: sa.Connection, tenant_id: str, account_id: str) -> explaining.PersonPage:
    try:
        return explaining.page(conn, tenant_id, account_id)
    except KeyError:
        raise NotFoundError(f"the tenant has no account {account_id}") from None


def _values(_conn: sa.Connection, _visit: Visit, one: explaining.PersonPage) -> dict[str, Any]:
    typed = [f"{family}.{type}" for family in PER_TYPE if family in TYPED for type in TYPED[family]]
    return {"attributes": [*SINGLE, *typed], "asked": arg("attribute")}


def _roles(conn: sa.Connection, visit: Visit, one: explaining.PersonPage) -> dict[str, Any]:
    return {"roles": mappings.roles(conn, visit.tenant_id)}


def _nothing(_conn: sa.Connection, _visit: Visit, _one: explaining.PersonPage) -> dict[str, Any]:
    return {}


def _records(_conn: sa.Connection, _visit: Visit, one: explaining.PersonPage) -> dict[str, Any]:
    groups: dict[str, list[Any]] = {}
    for membership in one.person.groups:
        groups.setdefault(membership.record_id, []).append(membership)
    shown = [(kept, without_secrets(kept.document), groups.get(kept.record.id, [])) for kept in one.person.records]
    return {"records": shown}


def _timeline(conn: sa.Connection, visit: Visit, one: explaining.PersonPage) -> dict[str, Any]:
    here = f"/admin/people/{one.person.account.id}/timeline"
    found = timeline.of_account(conn, visit.tenant_id, one.person.account.id, after=arg("after") or None)
    return {
        "moments": found.moments,
        "next": f"{here}?after={quote(found.after)}" if found.after else "",
        "first": here if arg("after") else "",
    }


def _steps(conn: sa.Connection, visit: Visit, one: explaining.PersonPage) -> dict[str, Any]:
    return {"steps": explaining.steps(one)}


_MORE: Final = {
    "values": _values,
    "roles": _roles,
    "sessions": _nothing,
    "records": _records,
    "timeline": _timeline,
    "steps": _steps,
}
ROUTES: Final = tuple(
    Route("GET", f"/admin/people/<uuid:account_id>{path}", _view(name, _MORE[name])) for name, _, path in VIEWS
)
