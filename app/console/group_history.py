"""What was saved of the role table and how it is taken back; the order of lines, by drag and by keyboard."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.groups import HERE, begin, demand_below
from app.console.rendering import arg, back, field, fields, page, whole
from app.console.routing import Route
from app.console.visit import Visit
from app.store import mappings
from app.store.engine import reading
from app.store.mappings import MappingRow
from app.sync import mapping_history
from app.sync.mapping_changes import MappingError
from app.sync.mapping_order import reorder

PAGE: Final = 50
MOST: Final = 500  # lines of one order


def listing(desk: Desk, visit: Visit) -> Response:
    """The saves, the newest first."""
    before = whole(arg("before"))
    found = mapping_history.listing(desk.engine, visit.tenant_id, before, PAGE + 1)
    return page(
        "groups/history.html",
        title="History",
        revisions=found[:PAGE],
        next=f"{HERE}/history?before={found[PAGE - 1].revision}" if len(found) > PAGE else "",
        first=f"{HERE}/history" if before else "",
    )


def show(desk: Desk, visit: Visit, revision_id: str) -> Response:
    """What one save changed, and what taking it back would do now."""
    revision = mapping_history.find(desk.engine, visit.tenant_id, revision_id)
    return page(
        "groups/revision.html",
        title=f"Revision {revision.revision}",
        revision=revision,
        differences=mapping_history.differences(revision),
        reverting=mapping_history.revert(desk.engine, visit.tenant_id, revision_id),
    )


def revert(desk: Desk, visit: Visit, revision_id: str) -> Response:
    """Begin a draft that takes the save back."""
    demand_below(desk, visit, mapping_history.revert(desk.engine, visit.tenant_id, revision_id).changes)
    try:
        id = mapping_history.begin_revert(desk.engine, visit.tenant_id, revision_id, visit.actor, field("note"))
    except MappingError as error:
        return back(f"{HERE}/history/{revision_id}", str(error), "warning")
    return back(f"{HERE}/drafts/{id}")


def order(desk: Desk, visit: Visit) -> Response:
    """Lines between which a priority decides: those of roles of the same rank in the same scope."""
    return page("groups/order.html", title="Which line wins", contests=_contests(desk, visit))


def draft_order(desk: Desk, visit: Visit) -> Response:
    """Begin a draft that puts these lines into this order; without scripts, after one was moved up or down."""
    with reading(desk.engine) as conn:
        present = {row.id: row for row in mappings.listing(conn, visit.tenant_id)}
    wanted = [id for id in fields("line") if id in present]
    moved, _, step = field("move").partition(" ")
    if moved in wanted and step in ("-1", "1"):
        at = wanted.index(moved)
        to = max(0, min(len(wanted) - 1, at + int(step)))
        wanted.insert(to, wanted.pop(at))
    changes = reorder([present[id] for id in wanted])
    if not changes:
        return back(f"{HERE}/order", "That is the order already.", "info")
    return begin(desk, visit, changes, field("note") or "another order")


def _contests(desk: Desk, visit: Visit) -> list[tuple[str, int, list[MappingRow]]]:
    """(scope, rank, lines with the winning one first) of every scope and rank that several roles share."""
    with reading(desk.engine) as conn:
        ranks = {role.name: role.rank for role in mappings.roles(conn, visit.tenant_id)}
        rows = mappings.listing(conn, visit.tenant_id)
    found: dict[tuple[str, int], list[MappingRow]] = {}
    for row in rows:
        found.setdefault((row.scope, ranks.get(row.role, 0)), []).append(row)
    return [
        (scope, rank, sorted(lines, key=lambda row: (-row.priority, row.role, row.match))[:MOST])
        for (scope, rank), lines in sorted(found.items(), key=lambda one: (one[0][0], -one[0][1]))
        if len({row.role for row in lines}) > 1
    ]


ROUTES: Final = (
    Route("GET", f"{HERE}/history", listing),
    Route("GET", f"{HERE}/history/<uuid:revision_id>", show),
    Route("POST", f"{HERE}/history/<uuid:revision_id>/revert", revert, "admin"),
    Route("GET", f"{HERE}/order", order),
    Route("POST", f"{HERE}/order", draft_order, "admin"),
)
