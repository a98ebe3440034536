"""Attributes that are written once (RFC 7643 §7, `immutable`): what a PUT or PATCH may do about them.

RFC 7644 §3.5.1: a value that is there must be repeated or left out; one that is not there may be set.
"""

from __future__ import annotations

import copy
from typing import Any

from scim.definitions import Place, ResourceSchemas
from scim.errors import Mutability
from scim.store import Document


def check(schemas: ResourceSchemas, before: Document, after: Document) -> None:
    """`Mutability` when a value that was there is another now, or gone."""
    for place in schemas.immutable:
        held = _value(before, place)
        if held is not None and _value(after, place) != held:
            raise Mutability(f"{place.name} is immutable, and it has a value.")


def carried(schemas: ResourceSchemas, before: Document, after: Document) -> Document:
    """`after` with the values of before that a PUT left out; `Mutability` for one that it changes."""
    kept = copy.deepcopy(after)
    for place in schemas.immutable:
        held = _value(before, place)
        if held is not None and _value(kept, place) is None:
            _put(kept, place, held)
    check(schemas, before, kept)
    return kept


def _steps(place: Place) -> list[str]:
    names = (place.schema, place.attribute and place.attribute.name, place.sub and place.sub.name)
    return [name for name in names if name]


def _value(document: Document, place: Place) -> Any:
    held: Any = document
    for step in _steps(place):
        held = held.get(step) if isinstance(held, dict) else None
    return held


def _put(document: Document, place: Place, value: Any) -> None:
    *steps, last = _steps(place)
    for step in steps:
        document = document.setdefault(step, {})
    document[last] = value
