"""A source's value map: what its codes mean in the LMS. Each change is shown first, as a plan."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from typing import Any, Final

from flask import Response, request

from app.console.desk import Desk
from app.console.rendering import arg, back, download, field, page
from app.console.runs.pages import row_of
from app.console.sources import one
from app.console.visit import Visit
from app.identity.attributes import PER_TYPE, SINGLE
from app.sources import csv_file
from app.store import rules as rulebook
from app.store.cells import meant
from app.store.engine import reading
from app.sync import rules
from app.sync.rule_changes import LONGEST_CODE, Meanings

SHOWN: Final = 100
MOST_BYTES: Final = 2 * 1024 * 1024
MOST_CODES: Final = 10_000
ATTRIBUTES: Final = tuple(name for name in SINGLE if name not in ("manager", "userName", "startDate", "endDate"))
COLUMNS: Final = ["attribute", "code", "name"]


def shown(desk: Desk, visit: Visit, source_id: str) -> Response:
    """The codes, searched."""
    return _show(desk, visit, source_id)


def as_csv(desk: Desk, visit: Visit, source_id: str) -> Response:
    """All codes as CSV, to be changed and taken in again."""
    source = one.found(desk, visit, source_id)
    lines = (row_of(list(line)) for line in [tuple(COLUMNS), *_codes(desk, visit, source.id)])
    return download(f"{source.name}-values.csv", lines)


def propose(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Show whom one code would change: a name for it, or with `remove` none any more."""
    source = one.found(desk, visit, source_id)
    said = {name: field(name) for name in COLUMNS}
    errors = {name: "This is missing." for name in ("attribute", "code") if not said[name]}
    if not field("remove") and not said["name"]:
        errors["name"] = "Say what the code means."
    errors |= {name: f"At most {LONGEST_CODE} characters." for name in COLUMNS if len(said[name]) > LONGEST_CODE}
    if errors:
        return _show(desk, visit, source_id, 422, errors=errors, typed=said)
    meaning = None if field("remove") else said["name"]
    change = Meanings(source.id, {said["attribute"]: {said["code"]: meaning}})
    try:
        run = rules.propose(desk.engine, visit.tenant_id, change, actor=visit.actor)
    except rules.RuleError as error:
        return _show(desk, visit, source_id, 422, errors={"attribute": f"{error}".capitalize()}, typed=said)
    return back(f"/admin/runs/{run}")


def propose_file(desk: Desk, visit: Visit, source_id: str) -> Response:
    """Show whom the codes of a CSV file would change. Codes that are not in it stay as they are."""
    source = one.found(desk, visit, source_id)
    sent = request.files.get("file")
    content = sent.stream.read(MOST_BYTES + 1) if sent is not None else b""
    try:
        change = Meanings(source.id, read(content))
        run = rules.propose(desk.engine, visit.tenant_id, change, actor=visit.actor)
    except (csv_file.FileError, rules.RuleError) as error:
        return _show(desk, visit, source_id, 422, errors={"file": f"{error}"})
    return back(f"/admin/runs/{run}")


def read(content: bytes) -> dict[str, dict[str, str | None]]:
    """attribute -> code -> name (None: an empty cell) of a file with the columns attribute, code and name.

    Raises:
        FileError: it is none, or too large; each line that is wrong is named.
    """
    if not content.strip():
        raise csv_file.FileError(["Choose a file with the columns attribute, code and name."])
    if len(content) > MOST_BYTES:
        raise csv_file.FileError([f"The file is larger than {MOST_BYTES // 1024 // 1024} MB."])
    text = csv_file.decoded(content)
    delimiter = max(",;\t", key=text.partition("\n")[0].count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    found: dict[str, dict[str, str | None]] = {}
    errors: list[str] = []
    try:
        if [cell.strip().casefold() for cell in next(reader, [])] != COLUMNS:
            raise csv_file.FileError(["The first line must be: attribute,code,name"])
        for number, cells in enumerate(reader, start=1):
            if number > MOST_CODES:
                raise csv_file.FileError([f"The file has more than {MOST_CODES:,} codes: split it."])
            _read_line(reader.line_num, [cell.strip() for cell in cells], found, errors)
    except csv.Error as error:
        raise csv_file.FileError([f"line {reader.line_num}: {error}"]) from None
    if errors or not found:
        raise csv_file.FileError(errors or ["The file has no code."])
    return found


def _read_line(number: int, cells: list[str], found: dict[str, dict[str, str | None]], errors: list[str]) -> None:
    if not any(cells):
        return
    if len(cells) != len(COLUMNS) or not cells[0] or not cells[1]:
        errors.append(f"line {number}: attribute and code must be there, and three cells in all")
    elif "\x00" in "".join(cells):
        errors.append(f"line {number}: there is a NUL character")
    elif cells[1] in found.get(cells[0], {}):
        errors.append(f"line {number}: the code {cells[1]!r} of {cells[0]} is there twice")
    else:
        code, name = map(meant, cells[1:])
        found.setdefault(cells[0], {})[code] = name or None


def _codes(desk: Desk, visit: Visit, source_id: str) -> Iterator[tuple[str, str, str]]:
    with reading(desk.engine) as conn:
        known = rulebook.current(conn, visit.tenant_id).sources[source_id].value_maps
    for attribute, names in sorted(known.items()):
        yield from ((attribute, code, name) for code, name in sorted(names.items()))


def _show(
    desk: Desk,
    visit: Visit,
    source_id: str,
    status: int = 200,
    errors: Mapping[str, str] | None = None,
    typed: Mapping[str, Any] | None = None,
) -> Response:
    source, query, after = one.found(desk, visit, source_id), arg("q"), tuple(arg("after").split("\t", 1))
    wanted = query.casefold()
    codes = [line for line in _codes(desk, visit, source.id) if not wanted or wanted in "\t".join(line).casefold()]
    behind = [line for line in codes if len(after) < 2 or line[:2] > after]
    return page(
        "sources/values.html",
        status,
        source=source,
        codes=behind[:SHOWN],
        total=len(codes),
        next="\t".join(behind[SHOWN - 1][:2]) if len(behind) > SHOWN else "",
        paged=len(after) == 2,
        query=query,
        attributes=[*ATTRIBUTES, *(f"{name}.work" for name in PER_TYPE if name != "addresses")],
        errors=errors or {},
        typed={"attribute": "title", **(typed or {})},
    )
