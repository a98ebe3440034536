"""What people want of the role table, turned into lines of it. Nothing is saved here.

    changes ─▶ draft: which lines come, change and go ─▶ the table as it would be

A group is called by its display name or id within a source. One that is not there (yet) is kept by its name, and waits.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, Final, Literal

import sqlalchemy as sa

from app.identity.attributes import is_known
from app.identity.console_roles import ConsoleRole, highest
from app.identity.folding import fold
from app.identity.model import RoleMapping, Rules
from app.identity.roles import SCOPE
from app.provisioning import new_id
from app.store import mappings as store
from app.store.mappings import MappingRow
from app.store.rules import mapping_of

KINDS: Final = ("group", "role", "entitlement", "attribute")
_SAME: Final = ("kind", "source_id", "attribute", "role", "scope")


class MappingError(ValueError):
    """The change cannot be made as it is written; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Change:
    """One wish: who has `match` gets `role` in `scope` (set), or no longer (remove).

    `match` is a group's display name or id, or the value of a SCIM role, an entitlement or of `attribute`. `source` is
    a source's name; only a group must have one. Another role for the same match is another line. For remove, `role` and
    `scope` may be None: all.
    """

    verb: Literal["set", "remove"]
    kind: str
    match: str
    role: str | None = None
    scope: str | None = None
    priority: int = 0
    source: str | None = None
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Draft:
    """What the changes come to: lines that come or change, ids of those that go, and `before`: both as they stood.

    A line is a dict of the columns of `mappings` (but the tenant) and its source's name.
    """

    saved: tuple[dict[str, Any], ...]
    removed: tuple[str, ...]
    before: tuple[dict[str, Any], ...]

    @property
    def touched(self) -> tuple[RoleMapping, ...]:
        """The lines that would come, go or change, old and new."""
        return tuple(_rule(line) for line in (*self.before, *self.saved))

    def table(self, rules: Rules) -> tuple[RoleMapping, ...]:
        """The role table as it would be, from that of the same revision."""
        gone = {*self.removed, *(line["id"] for line in self.saved)}
        kept = [mapping for mapping in rules.mappings if mapping.id not in gone]
        return tuple(sorted((*kept, *(_rule(line) for line in self.saved)), key=lambda mapping: mapping.id))


def draft(conn: sa.Connection, tenant_id: str, changes: Sequence[Change], rules: Rules) -> Draft:
    """Work the changes into the table, in their order.

    Raises:
        MappingError: a change names a role, source, scope or line that is not there, or a name of several groups.
    """
    rows = store.listing(conn, tenant_id)
    before = {row.id: _columns(row) for row in rows}
    table = dict(before)
    waiting = {row.id for row in rows if row.state == "waiting"}
    for change in changes:
        source_id = _source(change, rules)
        if change.verb == "remove":
            for id in list(_meant(change, source_id, table)):
                del table[id]
        else:
            _set(conn, tenant_id, change, source_id, table, waiting, rules)
    saved = tuple(line for id, line in table.items() if line != before.get(id))
    removed = tuple(sorted(before.keys() - table.keys()))
    old = tuple(before[id] for id in (*removed, *(line["id"] for line in saved)) if id in before)
    return Draft(saved, removed, old)


def grants_console(changes: Iterable[Change], rules: Rules) -> ConsoleRole | None:
    """The highest place in the console that these changes give or take; None: they touch no such role.

    Who saves them must reach it: nobody maps a group to a place above their own. A removal that names no role counts
    for every role that a line of its kind gives.
    """
    roles: set[str] = set()
    for change in changes:
        if change.role is not None:
            roles.add(change.role)
        else:
            roles |= {mapping.role for mapping in rules.mappings if mapping.kind == change.kind}
    return highest(rules.roles[name].console for name in roles if name in rules.roles)


def _set(
    conn: sa.Connection,
    tenant_id: str,
    change: Change,
    source_id: str | None,
    table: dict[str, dict[str, Any]],
    waiting: set[str],
    rules: Rules,
) -> None:
    line = _line(conn, tenant_id, change, source_id, rules)
    known = _known(line, table, waiting)
    if known is not None:
        line["id"] = known["id"]
        for name in ("value", "group_id", "group_external_id"):
            # A name that differs in case only is the same; a group that is gone can still come back by its id.
            line[name] = known[name] if name == "value" or line[name] is None else line[name]
    if change.kind == "group" and (known is None or line["group_id"] != known["group_id"]):
        (waiting.add if line["group_id"] is None else waiting.discard)(line["id"])
    table[line["id"]] = line


def _known(line: dict[str, Any], table: dict[str, dict[str, Any]], waiting: set[str]) -> dict[str, Any] | None:
    """The line that says this already. One that waits is known by its group's name: setting it again wakes it."""
    alike = [known for known in table.values() if all(known[name] == line[name] for name in _SAME)]
    if line["kind"] != "group":
        return next((known for known in alike if fold(known["value"]) == fold(line["value"])), None)
    by_id = (known for known in alike if known["group_id"] is not None and known["group_id"] == line["group_id"])
    by_name = (
        known for known in alike if known["id"] in waiting and fold(known["group_name"]) == fold(line["group_name"])
    )
    return next(by_id, None) or next(by_name, None)


def _line(conn: sa.Connection, tenant_id: str, change: Change, source_id: str | None, rules: Rules) -> dict[str, Any]:
    scope = change.scope or "tenant"
    if change.role not in rules.roles:
        known = ", ".join(sorted(rules.roles))
        raise MappingError(f"There is no role {change.role!r}. Roles are: {known}.")
    if not SCOPE.fullmatch(scope):
        raise MappingError(f"{scope!r} is no scope: tenant, branch:<name> or course:<name>.")
    line: dict[str, Any] = {
        "id": new_id(),
        "kind": change.kind,
        "source": change.source,
        "source_id": source_id,
        "group_id": None,
        "group_name": None,
        "group_external_id": None,
        "attribute": change.attribute if change.kind == "attribute" else None,
        "value": None if change.kind == "group" else change.match.strip(),
        "role": change.role,
        "scope": scope,
        "priority": change.priority,
    }
    if change.kind != "group":
        return line
    assert source_id is not None
    found = store.groups_named(conn, tenant_id, source_id, change.match)
    if len(found) > 1:
        ids = ", ".join(group.id for group in found)
        raise MappingError(f"Several groups are called {change.match!r}: name one by its id ({ids}).")
    line["group_name"] = change.match
    for group in found:
        line |= {"group_id": group.id, "group_name": group.name, "group_external_id": group.external_id}
    return line


def _source(change: Change, rules: Rules) -> str | None:
    """The id of the source; the change's own form is checked here as well."""
    if change.kind not in KINDS:
        raise MappingError(f"{change.kind!r} is no kind of mapping: {', '.join(KINDS)}.")
    if not change.match.strip():
        raise MappingError("What has to be met is empty.")
    if change.kind == "attribute" and not (change.attribute and is_known(change.attribute)):
        raise MappingError(f"There is no attribute {change.attribute!r}.")
    if change.source is None:
        if change.kind == "group":
            raise MappingError(f"The group {change.match!r} belongs to a source: name it.")
        return None
    for source in rules.sources.values():
        if source.name == change.source:
            return source.id
    raise MappingError(f"The tenant has no source {change.source!r}.")


def _meant(change: Change, source_id: str | None, table: dict[str, dict[str, Any]]) -> Iterator[str]:
    found = False
    for id, line in table.items():
        named = (line["group_id"], line["group_name"]) if change.kind == "group" else (line["value"],)
        if (
            (line["kind"], line["source_id"]) == (change.kind, source_id)
            and fold(change.match) in {fold(name) for name in named if name}
            and (change.kind != "attribute" or line["attribute"] == change.attribute)
            and change.role in (None, line["role"])
            and change.scope in (None, line["scope"])
        ):
            found = True
            yield id
    if not found:
        raise MappingError(f"There is no mapping of the {change.kind} {change.match!r} to remove.")


def _columns(row: MappingRow) -> dict[str, Any]:
    group = row.kind == "group"
    return {
        "id": row.id,
        "kind": row.kind,
        "source": row.source,
        "source_id": row.source_id,
        "group_id": row.group_id,
        "group_name": row.match if group else None,
        "group_external_id": row.group_external_id,
        "attribute": row.attribute,
        "value": None if group else row.match,
        "role": row.role,
        "scope": row.scope,
        "priority": row.priority,
    }


def _rule(line: dict[str, Any]) -> RoleMapping:
    return mapping_of(SimpleNamespace(**line))
