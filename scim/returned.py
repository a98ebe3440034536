"""What an answer leaves out unasked (RFC 7643 §7, returned): `never`, and `request` unless somebody named it.

Only documents of kinds that have such attributes (`ResourceSchemas.withheld`) come here: they have to be parsed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from scim.definitions import Place, ResourceSchemas
from scim.paths import Path
from scim.store import Document

Named = Collection[Place]  # what a request asked for, or wrote


def named_by(paths: Iterable[Path]) -> frozenset[Place]:
    """What these paths name: the attribute of `badge.pin` as well as its part."""
    places = {Place(path.schema, path.attribute, path.sub) for path in paths if path.attribute}
    return frozenset(places | {Place(place.schema, place.attribute) for place in places})


def written_in(schemas: ResourceSchemas, document: Document) -> frozenset[Place]:
    """Which of the withheld attributes a body speaks of, given as the document made of it."""
    spoken = (
        place for place in schemas.withheld if any(place.target.name in held for held in _holders(document, place))
    )
    return frozenset(spoken)


def without_withheld(schemas: ResourceSchemas, document: Document, named: Named) -> Document:
    """`document`, changed in place, without what nobody may see and what nobody asked for."""
    for place in schemas.withheld:
        if place.target.hidden or place not in named:
            for holder in _holders(document, place):
                holder.pop(place.target.name, None)
            _drop_empty(document, place)
    return document


def _holders(document: Document, place: Place) -> list[Document]:
    """The objects in which the place's value stands: one, or one for each element of a list."""
    found: list[Any] = [document.get(place.schema)] if place.schema else [document]
    if place.sub is not None and place.attribute is not None:
        name = place.attribute.name
        found = [inner for holder in found if isinstance(holder, dict) for inner in _listed(holder.get(name))]
    return [holder for holder in found if isinstance(holder, dict)]


def _drop_empty(document: Document, place: Place) -> None:
    """An object or list with nothing left in it is the same as none (RFC 7643 §2.5)."""
    holder = document.get(place.schema, {}) if place.schema else document
    if place.sub is not None and place.attribute is not None:
        name = place.attribute.name
        held = holder.get(name)
        if isinstance(held, list):
            holder[name] = [element for element in held if element != {}]
        if holder.get(name) in ([], {}):
            del holder[name]
    if place.schema and holder == {}:
        document.pop(place.schema, None)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
