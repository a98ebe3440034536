"""The order of lines, as people drag them, as priorities: between roles of one rank in a scope the higher one wins."""

from __future__ import annotations

from collections.abc import Sequence

from app.store.mappings import MappingRow
from app.sync.mapping_changes import Change


def reorder(rows: Sequence[MappingRow]) -> list[Change]:
    """The changes that put these lines into this order, the first one to win; as few lines as it takes get a number.

    Of two numberings (what stays, counted from the bottom and from the top) the one with fewer changes is taken.
    """
    upwards = _climbing([row.priority for row in reversed(rows)])[::-1]
    downwards = [-number for number in _climbing([-row.priority for row in rows])]
    given = min(upwards, downwards, key=lambda numbers: _moved(rows, numbers))
    return [_change(row, number) for row, number in zip(rows, given, strict=True) if row.priority != number]


def _climbing(numbers: Sequence[int]) -> list[int]:
    """The same numbers, each raised just so far that it is above the one before."""
    given: list[int] = []
    for number in numbers:
        given.append(number if not given or number > given[-1] else given[-1] + 1)
    return given


def _moved(rows: Sequence[MappingRow], numbers: Sequence[int]) -> int:
    return sum(row.priority != number for row, number in zip(rows, numbers, strict=True))


def _change(row: MappingRow, priority: int) -> Change:
    match = row.group_id if row.kind == "group" and row.group_id and row.state == "live" else row.match
    return Change("set", row.kind, match, row.role, row.scope, priority, row.source, row.attribute)
