"""The history of the role table: what each save changed, in words, and the changes that take it back.

revision ─▶ differences: line added, removed, changed
    └─────▶ reverting: the changes against the table as it is now ─▶ a draft, shown and saved like any other
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from app.identity.folding import fold
from app.identity.model import Rules
from app.store import mapping_revisions as store
from app.store import mappings as table
from app.store import rules as rulebook
from app.store.engine import reading
from app.store.mapping_revisions import Revision
from app.store.mappings import MappingRow
from app.sync import drafts
from app.sync.mapping_changes import Change, MappingError

Line = Mapping[str, Any]
_TOLD = ("role", "scope", "priority")


@dataclass(frozen=True, slots=True)
class Difference:
    """One line that a save touched; `words` say what happened to it."""

    what: Literal["added", "removed", "changed"]
    before: Line | None
    after: Line | None
    words: str


@dataclass(frozen=True, slots=True)
class Reverting:
    """What takes a save back: `changes`, and for each line that stays as it is, (line, why)."""

    revision: Revision
    changes: tuple[Change, ...]
    left: tuple[tuple[str, str], ...]


def listing(engine: sa.Engine, tenant_id: str, before: int | None = None, limit: int = 50) -> list[Revision]:
    """The newest saves first; those below the revision number `before`."""
    with reading(engine) as conn:
        return store.listing(conn, tenant_id, before=before, limit=limit)


def find(engine: sa.Engine, tenant_id: str, named: str) -> Revision:
    """One save, by its id or its number.

    Raises:
        NotFoundError: there is none.
    """
    with reading(engine) as conn:
        return store.find(conn, tenant_id, named)


def differences(revision: Revision) -> list[Difference]:
    """What it changed, line by line. A line that gave way to another one of the same match is told as changed."""
    old = {line["id"]: line for line in revision.before}
    new = {line["id"]: line for line in revision.after}
    pairs = [(old[id], new[id]) for id in old if id in new]
    gone = [line for id, line in old.items() if id not in new]
    come = [line for id, line in new.items() if id not in old]
    for line in list(gone):
        mine = [one for one in gone if _met(one) == _met(line)]
        theirs = [one for one in come if _met(one) == _met(line)]
        if len(mine) == len(theirs) == 1:
            pairs.append((line, theirs[0]))
            gone.remove(line)
            come.remove(theirs[0])
    return [
        *(Difference("changed", before, after, _changed(before, after)) for before, after in pairs),
        *(Difference("added", None, line, f"added: {described(line)}") for line in come),
        *(Difference("removed", line, None, f"removed: {described(line)}") for line in gone),
    ]


def described(line: Line) -> str:
    """A line in words: `group Staff of okta gives instructor (tenant), priority 0`."""
    kind = line["attribute"] if line["kind"] == "attribute" else line["kind"]
    source = f" of {line['source']}" if line["source"] else ""
    return f"{kind} {_match(line)}{source} gives {line['role']} ({line['scope']}), priority {line['priority']}"


def revert(engine: sa.Engine, tenant_id: str, named: str) -> Reverting:
    """The changes that take this save back, against the table as it is now.

    Raises:
        NotFoundError: there is no such save.
    """
    with reading(engine) as conn:
        revision = store.find(conn, tenant_id, named)
        rules = rulebook.current(conn, tenant_id)
        rows = table.listing(conn, tenant_id)
        living = {line["id"] for line in revision.before if _is_there(conn, tenant_id, line)}
    present = {row.id: row for row in rows}
    old = {line["id"]: line for line in revision.before}
    changes: list[Change] = []
    left: list[tuple[str, str]] = []
    for line in revision.after:
        row = present.get(line["id"])
        why = None if row is None else _moved(row, line)
        if row is None:
            left.append((described(line), "it is no longer there"))
        elif why is not None:
            left.append((described(line), why))
        elif line["id"] in old:
            changes.append(_set(old[line["id"]], row))
        else:
            changes.append(_removal(line, row))
    for line in revision.before:
        if line["id"] in {one["id"] for one in revision.after}:
            continue
        why = _obstacle(line, rows, rules)
        if why is None:
            changes.append(_set(line, None, living=line["id"] in living))
        else:
            left.append((described(line), why))
    return Reverting(revision, tuple(changes), tuple(left))


def begin_revert(engine: sa.Engine, tenant_id: str, named: str, actor: str, note: str = "") -> str:
    """A draft that takes this save back; returns its id.

    Raises:
        NotFoundError: there is no such save.
        MappingError: nothing of it is left to take back.
    """
    found = revert(engine, tenant_id, named)
    if not found.changes:
        raise MappingError("Nothing of this revision is left to take back.")
    words = note or f"takes back revision {found.revision.revision}"
    return drafts.begin(engine, tenant_id, found.changes, actor, words, found.revision.id)


def _changed(before: Line, after: Line) -> str:
    told = [f"{name} from {before[name]} to {after[name]}" for name in _TOLD if before[name] != after[name]]
    if before["group_id"] != after["group_id"]:
        told.append("hangs on the group that is there now")
    return f"changed: {described(after)}: {', '.join(told) or 'as it was'}"


def _moved(row: MappingRow, line: Line) -> str | None:
    """What is different about the line since it was saved, as a reason not to touch it."""
    told = [f"{name} is {getattr(row, name)} now" for name in _TOLD if getattr(row, name) != line[name]]
    return f"it was changed since: {', '.join(told)}" if told else None


def _obstacle(line: Line, rows: Sequence[MappingRow], rules: Rules) -> str | None:
    if line["role"] not in rules.roles:
        return f"there is no role {line['role']} any more"
    if line["source_id"] is not None and line["source_id"] not in rules.sources:
        return f"there is no source {line['source']} any more"
    if any(_same(row, line) for row in rows):
        return "there is such a line already"
    return None


def _same(row: MappingRow, line: Line) -> bool:
    if (row.kind, row.source_id, row.attribute, row.role, row.scope) != tuple(
        line[name] for name in ("kind", "source_id", "attribute", "role", "scope")
    ):
        return False
    if line["group_id"] is not None and row.group_id is not None:
        return bool(row.group_id == line["group_id"])
    return fold(row.match) == fold(_match(line))


def _is_there(conn: sa.Connection, tenant_id: str, line: Line) -> bool:
    """Whether the line's group is there: else the line is set by the group's name, and waits."""
    return line["group_id"] is not None and bool(
        table.groups_named(conn, tenant_id, line["source_id"], line["group_id"])
    )


def _set(line: Line, row: MappingRow | None, *, living: bool = False) -> Change:
    match = _match(line)
    if line["kind"] == "group" and line["group_id"] and (living or (row is not None and row.state == "live")):
        match = line["group_id"]
    return Change(
        "set", line["kind"], match, line["role"], line["scope"], line["priority"], line["source"], line["attribute"]
    )


def _removal(line: Line, row: MappingRow) -> Change:
    match = row.group_id if line["kind"] == "group" and row.group_id else row.match
    return Change("remove", line["kind"], match, line["role"], line["scope"], 0, line["source"], line["attribute"])


def _match(line: Line) -> str:
    return str(line["group_name"] if line["kind"] == "group" else line["value"])


def _met(line: Line) -> tuple[Any, ...]:
    what = line["group_id"] or line["group_name"] if line["kind"] == "group" else line["value"]
    return line["kind"], line["source_id"], line["attribute"], what
