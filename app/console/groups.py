"""Groups & roles: the role table, groups that nobody mapped, and how a line is made or changed.

    line, file, order, removal ─▶ changes ─▶ a draft (app/console/group_drafts) ─▶ who gains, who loses ─▶ saved

Nothing here changes the table: every way leads to a draft.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import sqlalchemy as sa
from flask import Response, request

from app.console.desk import Desk
from app.console.rendering import Refused, arg, back, download, field, fields, id_arg, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.identity.attributes import PER_TYPE, SINGLE
from app.identity.console_roles import TITLES
from app.store import groups, mapping_pages, mappings, tenants
from app.store import rules as rulebook
from app.store.engine import reading
from app.store.mappings import COUNTED, MappingRow
from app.store.tenants import NotFoundError
from app.sync import drafts, mapping_file
from app.sync.mapping_changes import Change, MappingError, grants_console

SECTION: Final = Section("groups", "Groups & roles", "shield", "/admin/groups", 30)
HERE: Final = "/admin/groups"
PAGE: Final = 50
KINDS: Final = (
    ("group", "a group"),
    ("attribute", "an attribute's value"),
    ("role", "a SCIM role"),
    ("entitlement", "a SCIM entitlement"),
)
WHOLE: Final = re.compile(r"\s*[+-]?\d{1,9}\s*", re.ASCII)
LARGEST_FILE: Final = 5_000_000  # bytes


def table(desk: Desk, visit: Visit) -> Response:
    """The role table, searched and narrowed."""
    asked = {name: arg(name) for name in ("q", "role", "source", "state")}
    with reading(desk.engine) as conn:
        narrowed: dict[str, Any] = {
            "text": asked["q"],
            "role": asked["role"] or None,
            "source": asked["source"] or None,
            "waiting": {"waiting": True, "live": False}.get(asked["state"]),
        }
        rows = mapping_pages.lines(conn, visit.tenant_id, **narrowed, after=_place(6), limit=PAGE + 1)
        roles = mappings.roles(conn, visit.tenant_id)
        sources = tenants.sources(conn, visit.tenant_id)
        unmapped = mapping_pages.unmapped(conn, visit.tenant_id, limit=1)
    kept = {name: value for name, value in asked.items() if value}
    last = mapping_pages.place(rows[PAGE - 1]) if len(rows) > PAGE else None
    return page(
        "groups/table.html",
        title="Groups & roles",
        rows=rows[:PAGE],
        asked=asked,
        roles=[("", "Any role"), *((one.name, one.name) for one in roles)],
        sources=[("", "Any source"), *((one.name, one.name) for one in sources)],
        states=[("", "Live and waiting"), ("live", "Live"), ("waiting", "Waiting for their group")],
        drafts=drafts.listing(desk.engine, visit.tenant_id, limit=5),
        has_unmapped=bool(unmapped),
        next=f"{HERE}?{urlencode({**kept, 'after': _text(last)})}" if last else "",
        first=f"{HERE}?{urlencode(kept)}" if arg("after") else "",
    )


def unmapped(desk: Desk, visit: Visit) -> Response:
    """Groups as their sources pushed them that give nothing, because no line names them."""
    asked = {"q": arg("q"), "source": arg("source")}
    after = _place(2)
    with reading(desk.engine) as conn:
        rows = mapping_pages.unmapped(
            conn,
            visit.tenant_id,
            text=asked["q"],
            source=asked["source"] or None,
            after=(after[0], after[1]) if after else None,
            limit=PAGE + 1,
        )
        sources = tenants.sources(conn, visit.tenant_id)
    kept = {name: value for name, value in asked.items() if value}
    more = _text(rows[PAGE - 1].place) if len(rows) > PAGE else ""
    return page(
        "groups/unmapped.html",
        title="Unmapped groups",
        rows=rows[:PAGE],
        counted=COUNTED,
        asked=asked,
        sources=[("", "Any source"), *((one.name, one.name) for one in sources)],
        next=f"{HERE}/unmapped?{urlencode({**kept, 'after': more})}" if more else "",
        first=f"{HERE}/unmapped?{urlencode(kept)}" if arg("after") else "",
    )


def new_line(desk: Desk, visit: Visit) -> Response:
    """A form for a line: for a group that was chosen, for anything else, or to change one that is there."""
    with reading(desk.engine) as conn:
        line = _line(conn, visit, id_arg("line")) if arg("line") else None
        group_id = id_arg("group")
        group = groups.named(conn, visit.tenant_id, group_id) if group_id else None
    said = {
        "kind": line.kind if line else arg("kind") or "group",
        "match": line.match if line else group[0] if group else arg("match"),
        "source": (line.source if line else group[1] if group else arg("source")) or "",
        "attribute": (line.attribute if line else arg("attribute")) or "title",
        "role": line.role if line else arg("role"),
        "scope": line.scope if line else "tenant",
        "priority": str(line.priority) if line else "0",
        "line": line.id if line else "",
        "group": group_id or "",
        "note": "",
    }
    return _form(desk, visit, said)


def draft_line(desk: Desk, visit: Visit) -> Response:
    """Begin a draft of one line, new or changed."""
    names = ("kind", "match", "source", "attribute", "role", "scope", "priority", "line", "group", "note")
    said = {name: field(name) for name in names}
    if errors := _errors(said):
        return _form(desk, visit, said, status=422, errors=errors)
    try:
        with reading(desk.engine) as conn:
            line = _line(conn, visit, said["line"]) if said["line"] else None
        changes = [_removal(line)] if line else []
        return begin(desk, visit, [*changes, _wanted(said)], said["note"])
    except (MappingError, ValueError) as error:
        return _form(desk, visit, said, str(error), 422)


def draft_removal(desk: Desk, visit: Visit) -> Response:
    """Begin a draft that takes the chosen lines out."""
    with reading(desk.engine) as conn:
        present = {row.id: row for row in mappings.listing(conn, visit.tenant_id)}
    chosen = [present[id] for id in fields("line") if id in present]
    if not chosen:
        return back(HERE, "Choose the lines first.", "warning")
    return begin(desk, visit, [_removal(line) for line in chosen], field("note"))


def export(desk: Desk, visit: Visit) -> Response:
    """The whole table as a file that can come in again."""
    with reading(desk.engine) as conn:
        text = mapping_file.to_csv(mappings.listing(conn, visit.tenant_id))
    return download("roles.csv", [text])


def import_form(_desk: Desk, _visit: Visit) -> Response:
    """Where a file comes in."""
    return page("groups/import.html", title="Import the role table", wrong="")


def draft_import(desk: Desk, visit: Visit) -> Response:
    """Begin a draft that leads from the table that is there to that of the file."""
    file = request.files.get("file")
    try:
        content = file.read(LARGEST_FILE + 1) if file else b""
        if not content:
            raise MappingError("Choose a file.")
        if len(content) > LARGEST_FILE:
            raise MappingError("The file is too large to be a role table.")
        with reading(desk.engine) as conn:
            present = mappings.listing(conn, visit.tenant_id)
        changes = mapping_file.changes(content.decode("utf-8-sig"), present)
        return begin(desk, visit, changes, field("note") or "from a file")
    except (MappingError, UnicodeDecodeError) as error:
        wrong = "The file is no text in UTF-8." if isinstance(error, UnicodeDecodeError) else str(error)
        return page("groups/import.html", 422, title="Import the role table", wrong=wrong)


def begin(desk: Desk, visit: Visit, changes: Sequence[Change], note: str) -> Response:
    """Begin a draft and show it.

    Raises:
        MappingError: a change cannot be made as it is written.
        Refused: it would give, or take, a place in the console above the visitor's own.
    """
    demand_below(desk, visit, changes)
    id = drafts.begin(desk.engine, visit.tenant_id, changes, visit.actor, note)
    return back(f"{HERE}/drafts/{id}")


def demand_below(desk: Desk, visit: Visit, changes: Sequence[Change]) -> None:
    """Nobody maps anything to a place in the console above their own.

    Raises:
        Refused: they would.
    """
    with reading(desk.engine) as conn:
        console = grants_console(changes, rulebook.current(conn, visit.tenant_id))
    if console is not None and not visit.may(console):
        raise Refused(403, f"This gives or takes the place {TITLES[console]} in the console, which is above your role.")


def _form(
    desk: Desk,
    visit: Visit,
    said: dict[str, str],
    wrong: str = "",
    status: int = 200,
    errors: Mapping[str, str] = MappingProxyType({}),
) -> Response:
    with reading(desk.engine) as conn:
        roles = mappings.roles(conn, visit.tenant_id)
        sources = tenants.sources(conn, visit.tenant_id)
        found = mapping_pages.groups(conn, visit.tenant_id, text=said["match"], source=said["source"] or None, limit=20)
    return page(
        "groups/line.html",
        status,
        title="Change a line" if said["line"] else "Map to a role",
        given=said,
        wrong=wrong,
        errors=errors,
        kinds=KINDS,
        roles=[("", "Choose a role"), *((one.name, f"{one.name} (rank {one.rank})") for one in roles)],
        sources=[("", "any source"), *((one.name, one.name) for one in sources)],
        attributes=[*SINGLE, *(f"{family}.work" for family in PER_TYPE)],
        groups=found,
        counted=COUNTED,
    )


def _errors(said: Mapping[str, str]) -> dict[str, str]:
    """What is wrong, by the field."""
    found = {} if said["role"] else {"role": "Choose the role that it gives."}
    if not WHOLE.fullmatch(said["priority"] or "0"):
        found["priority"] = "A priority is a whole number."
    return found


def _wanted(said: Mapping[str, str]) -> Change:
    return Change(
        verb="set",
        kind=said["kind"],
        match=said["group"] if said["kind"] == "group" and said["group"] else said["match"],
        role=said["role"],
        scope=said["scope"] or "tenant",
        priority=int(said["priority"] or 0),
        source=said["source"] or None,
        attribute=said["attribute"] if said["kind"] == "attribute" else None,
    )


def _removal(row: MappingRow) -> Change:
    match = row.group_id if row.kind == "group" and row.group_id and row.state == "live" else row.match
    return Change("remove", row.kind, match, row.role, row.scope, 0, row.source, row.attribute)


def _line(conn: sa.Connection, visit: Visit, line_id: str | None) -> MappingRow:
    found = next((row for row in mappings.listing(conn, visit.tenant_id) if row.id == line_id), None)
    if found is None:
        raise NotFoundError(f"the table has no line {line_id}")
    return found


def _place(parts: int) -> tuple[str, ...] | None:
    """Where the page before ended; anything else begins anew."""
    try:
        place = orjson.loads(base64.urlsafe_b64decode(arg("after").encode()))
    except ValueError:
        return None
    if not isinstance(place, list) or len(place) != parts or not all(isinstance(one, str) for one in place):
        return None
    return tuple(place)


def _text(place: Sequence[str] | None) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(place or ()))).decode()


ROUTES: Final = (
    Route("GET", HERE, table),
    Route("GET", f"{HERE}/unmapped", unmapped),
    Route("GET", f"{HERE}/new", new_line, "admin"),
    Route("POST", f"{HERE}/new", draft_line, "admin"),
    Route("POST", f"{HERE}/remove", draft_removal, "admin"),
    Route("GET", f"{HERE}/roles.csv", export),
    Route("GET", f"{HERE}/import", import_form, "admin"),
    Route("POST", f"{HERE}/import", draft_import, "admin"),
)
