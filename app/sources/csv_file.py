"""A CSV file becomes records, the same as those of a JSON push.

    id,employeeNumber,status,email,emails.home,title,managers,managers.matrix
    p-1,1001,active,mia@example.com,,Trainer,1003;1004,1009

The header names fields; a dot reaches inside (`emails.home`, `addresses.work.locality`). `managers` and `manager` hold
employee numbers or addresses, several with a semicolon between them; the first of `managers` is the primary one.
A column that is not there is silence. **An empty cell is an empty value**: who exports a column knows it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from app.identity.folding import fold
from app.sources.schema import ADDRESS_PARTS, MANAGER_KINDS, RECORD

MOST_ERRORS: Final = 50

_LISTS: Final = ("managers", "restricted")
_MAPS: Final = ("emails", "phones", "addresses")
_PLAIN: Final = tuple(name for name in RECORD.fields if name not in (*_MAPS, "address"))
_NAMES: Final[Mapping[str, str]] = {
    fold(name): name
    for name in (
        *_PLAIN,
        *_MAPS,
        *(f"managers.{kind}" for kind in MANAGER_KINDS),
        *(f"address.{part}" for part in ADDRESS_PARTS),
    )
}
_PARTS: Final[Mapping[str, str]] = {fold(part): part for part in ADDRESS_PARTS}


class FileError(ValueError):
    """The file cannot be read as records. The message names each line and what is wrong with it."""

    def __init__(self, errors: Sequence[str]) -> None:
        more = len(errors) - MOST_ERRORS
        shown = [*errors[:MOST_ERRORS], *([f"and {more} more"] if more > 0 else [])]
        super().__init__("\n".join(shown))
        self.errors = tuple(errors)


def read(file: Path | str) -> list[dict[str, Any]]:
    """The records of a file (a `Path`) or of its text (a `str`), in their order.

    Raises:
        FileError: not UTF-8, no record at all, an unknown column, a line with too few or too many cells, an id twice.
    """
    return list(stream(file if isinstance(file, str) else decoded(file.read_bytes())))


def stream(text: str) -> Iterator[dict[str, Any]]:
    """The records of a file's text one by one, in their order. What is wrong is raised at its end: keep nothing before.

    Raises:
        FileError: as `read`.
    """
    lines = _lines(text)
    header = next(lines, None)
    if header is None:
        raise FileError(["The file is empty: that is an error of the export, not that everybody left."])
    found = False
    for _, record in _records(lines, _columns(header[1])):
        found = True
        yield record
    if not found:
        raise FileError(["The file has no record: that is an error of the export, not that everybody left."])


def decoded(content: bytes) -> str:
    """The text of a file.

    Raises:
        FileError: it is not UTF-8.
    """
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise FileError([f"The file is not UTF-8 (at byte {error.start}): export it as UTF-8."]) from None


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the last line of the row, its cells); rows without any text are left out."""
    text = text.removeprefix("\ufeff")
    head = text.partition("\n")[0]
    delimiter = max(",;\t", key=head.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise FileError([f"line {reader.line_num}: {error}"]) from None


def _columns(header: Sequence[str]) -> list[tuple[str, ...]]:
    """The path of each column. `emails` alone is no column: its types are."""
    errors: list[str] = []
    columns: list[tuple[str, ...]] = []
    for cell in header:
        path = _path(cell)
        if path is None:
            errors.append(f"There is no field for the column {cell!r}.")
        elif path in columns:
            errors.append(f"The column {cell!r} is there twice.")
        else:
            columns.append(path)
    if ("id",) not in columns:
        errors.append("The column 'id' is missing: the person's id in the source.")
    if errors:
        raise FileError([*errors, f"Fields are: {', '.join(sorted(_NAMES.values()))} (emails.<type> and so on)."])
    return columns


def _path(cell: str) -> tuple[str, ...] | None:
    first, *rest = cell.strip().split(".")
    family = _NAMES.get(fold(first), "")
    if family in ("emails", "phones") and len(rest) == 1 and rest[0]:
        return (family, rest[0])
    if family == "addresses" and len(rest) == 2 and rest[0] and fold(rest[1]) in _PARTS:
        return (family, rest[0], _PARTS[fold(rest[1])])
    name = _NAMES.get(fold(cell))
    return None if name is None or name in _MAPS else tuple(name.split("."))


def _records(
    lines: Iterator[tuple[int, list[str]]], columns: Sequence[tuple[str, ...]]
) -> Iterator[tuple[int, dict[str, Any]]]:
    errors: list[str] = []
    seen: dict[str, int] = {}
    for number, cells in lines:
        if len(cells) != len(columns):
            errors.append(f"line {number}: {len(cells)} cells, but the header has {len(columns)}.")
            continue
        record = _record(columns, cells)
        key = record["id"]
        if not key:
            errors.append(f"line {number}: the id is empty.")
        elif key in seen:
            errors.append(f"line {number}: the id {key!r} is in line {seen[key]} already.")
        seen.setdefault(key, number)
        yield number, record
    if errors:
        raise FileError(errors)


def _record(columns: Sequence[tuple[str, ...]], cells: Sequence[str]) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for path, cell in zip(columns, cells, strict=True):
        if path[0] in _LISTS:
            record.setdefault(path[0], []).extend(_listed(path, cell))
        else:
            _set(record, path, cell if cell or path == ("id",) else None)
    return record


def _set(record: dict[str, Any], path: tuple[str, ...], value: str | None) -> None:
    *outer, last = path
    inside = record
    for step in outer:
        inside = inside.setdefault(step, {})
    inside[last] = value


def _listed(path: tuple[str, ...], cell: str) -> list[Any]:
    names = [name.strip() for name in cell.split(";") if name.strip()]
    if path[0] == "restricted":
        return list(names)
    kind = path[1] if len(path) > 1 else "line"
    managers: list[dict[str, Any]] = []
    for index, name in enumerate(names):
        manager: dict[str, Any] = {"email" if "@" in name else "employeeNumber": name, "kind": kind}
        if len(path) == 1 and index == 0:
            manager["primary"] = True
        managers.append(manager)
    return managers
