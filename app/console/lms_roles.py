"""The roles of the learning platform: rank, whether they administer, and their place in the console."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.reach import demand_reach
from app.console.rendering import Refused, back, field, page, whole
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.console_roles import LADDER, SENTENCES, TITLES
from app.store import mappings
from app.store.engine import reading
from app.store.mappings import RoleRow
from app.store.tenants import NotFoundError
from app.sync import roles
from app.sync.mapping_changes import MappingError
from app.sync.mappings import Preview, PreviewChangedError
from app.sync.roles import RoleChange

HERE: Final = "/admin/groups/roles"
SHOWN: Final = 200  # people of a preview
MOST_RANK: Final = 1_000_000
PLACES: Final = (("", "nothing: they cannot come in"), *((name, TITLES[name]) for name in LADDER))


def listing(desk: Desk, visit: Visit) -> Response:
    """All roles, the highest first."""
    with reading(desk.engine) as conn:
        found = mappings.roles(conn, visit.tenant_id)
    return page("groups/roles.html", title="Roles", roles=found, titles=TITLES)


def form(desk: Desk, visit: Visit, name: str = "") -> Response:
    """One role, or a new one."""
    return _form(visit, _role(desk, visit, name) if name else None)


def save(desk: Desk, visit: Visit, name: str = "") -> Response:
    """Show what the change would do to effective roles; with that list's hash, save it."""
    known = _role(desk, visit, name) if name else None
    said = {
        "name": name or field("name"),
        "rank": field("rank"),
        "description": field("description"),
        "administrator": field("administrator"),
        "console": field("console"),
    }
    try:
        change = _change(said)
        _demand(desk, visit, change)
        if not field("hash"):
            return _form(visit, known, said, preview=roles.preview(desk.engine, visit.tenant_id, change))
        saved = roles.save(desk.engine, visit.tenant_id, change, actor=visit.actor, expected_hash=field("hash"))
    except PreviewChangedError as error:
        return _form(visit, known, said, preview=error.preview, wrong=str(error), status=409)
    except MappingError as error:
        return _form(visit, known, said, wrong=str(error), status=422)
    later = "" if saved.state == "complete" else " A run derives whoever holds it."
    return back(HERE, f"Saved the role {change.name}.{later}")


def remove(desk: Desk, visit: Visit, name: str) -> Response:
    """Remove a role that nothing gives and nobody holds."""
    with reading(desk.engine) as conn:
        demand_reach(conn, visit, [name])
    try:
        roles.remove(desk.engine, visit.tenant_id, name, actor=visit.actor)
    except MappingError as error:
        return back(HERE, str(error), "warning")
    return back(HERE, f"Removed the role {name}.")


def _change(said: dict[str, str]) -> RoleChange:
    rank = whole(said["rank"])
    if rank is None or rank > MOST_RANK:
        raise MappingError(f"A rank is a whole number, at most {MOST_RANK}.")
    return RoleChange(said["name"], rank, said["administrator"] == "yes", said["console"], said["description"])


def _demand(desk: Desk, visit: Visit, change: RoleChange) -> None:
    """Neither the place that a role has nor the one that it gets is above the visitor's own."""
    with reading(desk.engine) as conn:
        demand_reach(conn, visit, [change.name])
    wanted = next((place for place in LADDER if place == change.console), None)
    if wanted is not None and not visit.may(wanted):
        raise Refused(403, f"The place {TITLES[wanted]} in the console is above your role.")


def _role(desk: Desk, visit: Visit, name: str) -> RoleRow:
    with reading(desk.engine) as conn:
        found = next((one for one in mappings.roles(conn, visit.tenant_id) if one.name == name), None)
    if found is None:
        raise NotFoundError(f"there is no role {name}")
    return found


def _form(
    visit: Visit,
    known: RoleRow | None,
    said: dict[str, str] | None = None,
    *,
    preview: Preview | None = None,
    wrong: str = "",
    status: int = 200,
) -> Response:
    values = said or {
        "name": known.name if known else "",
        "rank": str(known.rank) if known else "10",
        "description": known.description if known else "",
        "administrator": "yes" if known and known.administrator else "",
        "console": (known.console if known else None) or "",
    }
    return page(
        "groups/role.html",
        status,
        title=f"Role {known.name}" if known else "New role",
        known=known,
        given=values,
        places=[place for place in PLACES if not place[0] or visit.may(place[0])],  # type: ignore[arg-type]
        sentences=SENTENCES,
        preview=preview,
        shown=SHOWN,
        wrong=wrong,
    )


ROUTES: Final = (
    Route("GET", HERE, listing),
    Route("GET", f"{HERE}/new", form, "admin"),
    Route("POST", f"{HERE}/new", save, "admin"),
    Route("GET", f"{HERE}/named/<name>", form, "admin"),
    Route("POST", f"{HERE}/named/<name>", save, "admin"),
    Route("POST", f"{HERE}/named/<name>/remove", remove, "admin"),
)
