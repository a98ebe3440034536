"""The role table as a CSV file, out and in. What comes in is the whole table: a line that is not there is removed.

kind,source,attribute,match,role,scope,priority
group,okta,,Instructors,instructor,tenant,0
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import Final

from app.identity.folding import fold
from app.store.cells import meant, plain
from app.store.mappings import MappingRow
from app.sync.mapping_changes import Change, MappingError

COLUMNS: Final = ("kind", "source", "attribute", "match", "role", "scope", "priority")


def to_csv(rows: Sequence[MappingRow]) -> str:
    """The lines as a file. Text that a spreadsheet would take for a formula gets an apostrophe before it."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(COLUMNS)
    for row in rows:
        match = row.group_id if row.shares_name and row.group_id else row.match
        cells = (row.kind, row.source or "", row.attribute or "", match, row.role, row.scope)
        writer.writerow([*map(plain, cells), row.priority])
    return out.getvalue()


def changes(text: str, present: Sequence[MappingRow]) -> list[Change]:
    """The changes that lead from the lines that are there to those of the file.

    Raises:
        MappingError: the file has other columns, or a line is not complete.
    """
    wanted = list(_read(text))
    kept = {_key(change) for change in wanted}
    gone = [change for change in map(_removal, present) if _key(change) not in kept]
    return [*dict.fromkeys(gone), *wanted]


def _read(text: str) -> Iterator[Change]:
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
    if tuple(reader.fieldnames or ()) != COLUMNS:
        raise MappingError(f"The first line of the file has to be: {','.join(COLUMNS)}")
    for row in reader:
        cells = {name: meant((row.get(name) or "").strip()) for name in COLUMNS}
        if None in row or not cells["kind"] or not cells["priority"].lstrip("-").isdigit():
            raise MappingError(f"line {reader.line_num}: there is a cell too much, no kind, or no priority (a number).")
        yield Change(
            verb="set",
            kind=cells["kind"],
            match=cells["match"],
            role=cells["role"],
            scope=cells["scope"] or "tenant",
            priority=int(cells["priority"]),
            source=cells["source"] or None,
            attribute=cells["attribute"] or None,
        )


def _removal(row: MappingRow) -> Change:
    match = row.group_id if row.shares_name and row.group_id else row.match
    return Change("remove", row.kind, match, row.role, row.scope, 0, row.source, row.attribute)


def _key(change: Change) -> tuple[str | None, ...]:
    return (change.kind, change.source, change.attribute, fold(change.match), change.role, change.scope)
