"""People: found by anything that is known of them, or walked through by name, role, group or source."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

from flask import Response, request

from app.console.desk import Desk
from app.console.rendering import arg, id_arg, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import groups, mappings, people_search, tenants
from app.store.engine import reading

SECTION: Final = Section("people", "People", "users", "/admin/people", 20)
STATUSES: Final = (
    ("", "Everybody"),
    ("active", "Active"),
    ("inactive", "Inactive"),
    ("suspended", "Suspended"),
)


def listing(desk: Desk, visit: Visit) -> Response:
    """Who fits what is asked for; everybody by name when nothing is."""
    asked = {name: arg(name) for name in ("q", "status", "role", "source", "group")}
    with reading(desk.engine) as conn:
        found = people_search.search(
            conn,
            visit.tenant_id,
            asked["q"],
            status=asked["status"] or None,
            role=asked["role"] or None,
            source_id=id_arg("source"),
            group_id=id_arg("group"),
            after=arg("after") or None,
        )
        sources = tenants.sources(conn, visit.tenant_id)
        roles = mappings.roles(conn, visit.tenant_id)
        group_id = id_arg("group")
        group = groups.named(conn, visit.tenant_id, group_id) if group_id else None
    kept = {name: value for name, value in asked.items() if value}
    return page(
        "people/list.html",
        title="People",
        found=found,
        asked=asked,
        statuses=STATUSES,
        roles=[("", "Any role"), *((one.name, one.name) for one in roles)],
        sources=[("", "Any source"), *((one.id, one.name) for one in sources)],
        group=group,
        next=f"/admin/people?{urlencode({**kept, 'after': found.after})}" if found.after else "",
        first=f"/admin/people?{urlencode(kept)}" if request.args.get("after") else "",
    )


ROUTES: Final = (Route("GET", "/admin/people", listing),)
