"""The order of a list as RFC 7644 §3.4.2.3 has it, and a page of it by keyset: pure, on values of one type or None."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import orjson

from scim.store import Mark, Walk


class Cut(NamedTuple):
    """The ids of a page in order, the places of its ends, and whether the walk's direction leads on."""

    ids: list[str]
    first: Mark | None
    last: Mark | None
    more: bool


def in_order(places: Mapping[str, Any], descending: bool) -> list[str]:
    """Ids by their values, equal ones by id. Missing values come last, and first when descending."""
    ids = sorted(places)
    there = sorted((id for id in ids if places[id] is not None), key=places.__getitem__, reverse=descending)
    missing = [id for id in ids if places[id] is None]
    return missing + there if descending else there + missing


def cut(places: Mapping[str, Any], walk: Walk, count: int, descending: bool) -> Cut:
    """The page of `walk` in all of `places` (value by id). A mark's value is the JSON text of its own."""
    ids, more = _beyond(places, walk, descending), False
    if len(ids) > count:
        more = True
        ids = ids[len(ids) - count :] if walk.backwards else ids[:count]
    marks = [Mark(None if places[id] is None else orjson.dumps(places[id]).decode(), id) for id in ids]
    return Cut(ids, marks[0] if marks else None, marks[-1] if marks else None, more)


def _beyond(places: Mapping[str, Any], walk: Walk, descending: bool) -> list[str]:
    """All ids on the walk's side of its mark, whose resource may have gone or have another value by now."""
    if walk.mark is None:
        return in_order(places, descending)
    value, id = None if walk.mark.value is None else orjson.loads(walk.mark.value), walk.mark.id
    border = f"{id}\0"  # right behind the marked place
    ids = in_order({**places, border: value}, descending)
    at = ids.index(border)
    if not walk.backwards:
        return ids[at + 1 :]
    return ids[: at - 1] if places.get(id, border) == value and id in places else ids[:at]
