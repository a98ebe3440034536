"""What a client asks of a list: the parameters of a GET and the body of a `/.search` (RFC 7644 §3.4.2, §3.4.3; 9865).

Names of parameters are taken in any case, so that a filter is never overlooked; unknown ones are harmless.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from scim import dialects
from scim.cursors import Asked, fingerprint
from scim.errors import InvalidCount, InvalidCursor, InvalidFilter, InvalidPath, InvalidSyntax, InvalidValue
from scim.filters import parse
from scim.paths import Path, resolve
from scim.schemas import SCHEMAS, Attribute, Registry, ResourceSchemas
from scim.store import Document, Limits, Query

SEARCH_REQUEST = "urn:ietf:params:scim:api:messages:2.0:SearchRequest"
_PARAMETERS = ("attributes", "excludedattributes", "filter", "sortby", "sortorder", "startindex", "count", "cursor")


@dataclass(frozen=True, slots=True)
class Projection:
    """`attributes` or `excludedAttributes` (RFC 7644 §3.9), as typed. False when neither is asked for."""

    attributes: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.attributes or self.excluded)

    @property
    def members(self) -> bool:
        """Whether a group's members are wanted."""
        if self.attributes:
            return any(_is_members(name) for name in self.attributes)
        return "members" not in [name.lower() for name in self.excluded]

    @property
    def only_drops_members(self) -> bool:
        return not self.attributes and [name.lower() for name in self.excluded] == ["members"]

    def paths(self, kind: str, registry: Registry = SCHEMAS) -> list[Path]:
        """What is named, without what nobody knows."""
        return [path for name in self.attributes or self.excluded if (path := resolve(kind, name, registry))]

    def apply(self, kind: str, document: Document, registry: Registry = SCHEMAS) -> Document:
        """`document` with what is asked for, and always with what is `returned: always`."""
        named = self.paths(kind, registry)
        if self.attributes:
            return _only(document, [*(Path(*place) for place in registry.of(kind).always), *named])
        return _without(registry.of(kind), document, named)


@dataclass(frozen=True, slots=True)
class ListRequest:
    """`cursor` is None where the client pages by index."""

    query: Query
    projection: Projection
    cursor: Asked | None = None


def projection(parameters: Iterable[tuple[str, Any]]) -> Projection:
    """Errors: `InvalidValue` when both lists are given or one is no list of names."""
    return _projection(_folded(parameters))


def _projection(folded: Mapping[str, Any]) -> Projection:
    made = Projection(_names(folded.get("attributes")), _names(folded.get("excludedattributes")))
    if made.attributes and made.excluded:
        raise InvalidValue("attributes and excludedAttributes exclude each other.")
    return made


def list_request(
    kinds: Sequence[str],
    parameters: Iterable[tuple[str, Any]],
    limits: Limits,
    *,
    in_uri: bool,
    registry: Registry = SCHEMAS,
) -> ListRequest:
    """A page of `kinds`.

    Errors: `InvalidFilter`, `Sensitive`, `InvalidPath`, `InvalidValue`, `InvalidSyntax`; with a cursor `InvalidCount`,
    `InvalidCursor`.
    """
    folded = _folded(parameters)
    asked = _projection(folded)
    sort_by = _sort_by(kinds, folded.get("sortby"), registry)
    cursor = _cursor(kinds, folded, limits, sort_by) if "cursor" in folded else None
    query = Query(
        sort_by=sort_by,
        descending=_descending(folded.get("sortorder")),
        start_index=max(1, _integer("startIndex", folded.get("startindex"), 1)),
        count=min(limits.page, max(0, _integer("count", folded.get("count"), limits.default_page))),
        members=asked.members,
    )
    text = folded.get("filter")
    if text is None:
        return ListRequest(query, asked, cursor)
    if not isinstance(text, str) or not text.strip():
        raise InvalidFilter("The filter is empty.")
    wanted = parse(kinds, text, limits, in_uri=in_uri, registry=registry)
    return ListRequest(replace(query, filter=wanted), asked, cursor)


def _cursor(kinds: Sequence[str], folded: Mapping[str, Any], limits: Limits, sort_by: Path | None) -> Asked:
    """RFC 9865 §2: an empty cursor begins, and a count that cannot be served is an error here."""
    text = folded["cursor"]
    if not isinstance(text, str):
        raise InvalidCursor("cursor must be a text.")
    if _integer("startIndex", folded.get("startindex"), 1) != 1:
        raise InvalidCursor("A page is asked for by startIndex or by cursor, not by both.")
    count = folded.get("count")
    try:
        servable = 0 <= _integer("count", count, limits.default_page) <= limits.page
    except InvalidValue:
        servable = False
    if not servable:
        raise InvalidCount(f"count must be a whole number between 0 and {limits.page}.")
    return Asked(text.strip(), fingerprint(kinds, folded, _compared(sort_by)))


def _compared(sort_by: Path | None) -> str:
    """How the values of an attribute compare."""
    found = None if sort_by is None else sort_by.target
    return "" if found is None else f"{found.type} {found.case_exact}"


def search_request(
    kinds: Sequence[str], body: Mapping[str, Any], limits: Limits, registry: Registry = SCHEMAS
) -> ListRequest:
    """The body of a `/.search`. Errors: those of `list_request`, and `InvalidSyntax` for another message."""
    schemas = next((value for key, value in body.items() if key.lower() == "schemas"), [SEARCH_REQUEST])
    urns = [urn.lower() for urn in dialects.elements(schemas) if isinstance(urn, str)]
    if SEARCH_REQUEST.lower() not in urns:
        raise InvalidSyntax(f"The body must be a {SEARCH_REQUEST}.")
    return list_request(kinds, body.items(), limits, in_uri=False, registry=registry)


def _folded(parameters: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """The parameters that mean something, by their name in lower case. Errors: `InvalidSyntax` for one given twice."""
    folded: dict[str, Any] = {}
    for name, value in parameters:
        if name.lower() in _PARAMETERS and value is not None:
            if name.lower() in folded:
                raise InvalidSyntax(f"{name} is given twice.")
            folded[name.lower()] = value
    return folded


def _integer(name: str, value: Any, default: int) -> int:
    if value is None or value == "":
        return default
    try:
        if isinstance(value, (bool, float)):
            raise ValueError
        read = int(value) if len(str(value)) <= 11 else int("x")
    except (TypeError, ValueError) as error:
        raise InvalidValue(f"{name} must be an integer.") from error
    return min(read, 2**31 - 1)


def _descending(value: Any) -> bool:
    if value in (None, ""):
        return False
    if not isinstance(value, str) or value.lower() not in ("ascending", "descending"):
        raise InvalidValue("sortOrder must be ascending or descending.")
    return value.lower() == "descending"


def _sort_by(kinds: Sequence[str], value: Any, registry: Registry) -> Path | None:
    if value in (None, ""):
        return None
    path = next((found for kind in kinds if (found := resolve(kind, str(value), registry))), None)
    if path is None or path.attribute is None or path.hidden:
        raise InvalidPath(f"There is no attribute {str(value)[:200]!r} to sort by.")
    if path.attribute.type == "complex" and path.sub is None:
        value_of = path.attribute.sub("value")
        if value_of is None:
            raise InvalidPath(f"{path.name} is complex: name one of its sub-attributes.")
        return replace(path, sub=value_of)
    return path


def _names(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    names = value.split(",") if isinstance(value, str) else value
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise InvalidValue("attributes and excludedAttributes are lists of names.")
    return tuple(dialects.projection_name(name) for name in names if name.strip())


def _is_members(name: str) -> bool:
    path = resolve("Group", name)
    return path is not None and path.attribute is not None and path.attribute.name == "members"


def _holder(document: Document, path: Path) -> Document:
    return document.get(path.schema, {}) if path.schema else document


def _only(document: Document, named: Iterable[Path]) -> Document:
    shown: Document = {}
    for path in named:
        if path.attribute is None:
            shown |= {urn: held for urn, held in document.items() if urn == path.schema}
            continue
        held = _holder(document, path).get(path.attribute.name)
        if held is not None:
            target = shown.setdefault(path.schema, {}) if path.schema else shown
            for sub in _shown_subs(path):
                target[path.attribute.name] = _narrowed(target.get(path.attribute.name), held, sub)
    return shown


def _shown_subs(path: Path) -> list[Attribute | None]:
    """The part that is named, and those that are always returned with their attribute; None is the whole."""
    if path.sub is None or path.attribute is None:
        return [path.sub]
    return [path.sub, *(sub for sub in path.attribute.sub_attributes if sub.returned == "always")]


def _narrowed(shown: Any, held: Any, sub: Attribute | None) -> Any:
    """`held`, or only its part `sub` beside the parts already `shown`."""
    if sub is None or shown == held:
        return held
    if isinstance(held, list):
        parts = shown if isinstance(shown, list) else [{} for _ in held]
        return [_narrowed(part, element, sub) for part, element in zip(parts, held, strict=True)]
    return {**(shown or {}), **{name: value for name, value in held.items() if name == sub.name}}


def _without(schemas: ResourceSchemas, document: Document, named: Iterable[Path]) -> Document:
    shown = dict(document)
    for path in named:
        if path.target and path.target.returned == "always":
            continue
        if path.attribute is None:
            always = [place.target.name for place in schemas.always if place.schema == path.schema]
            held = shown.pop(path.schema or "", {})
            if kept := {name: value for name, value in held.items() if name in always}:
                shown[path.schema or ""] = kept
            continue
        holder = shown
        if path.schema:
            holder = shown[path.schema] = dict(shown.get(path.schema, {}))
        if path.sub is None:
            holder.pop(path.attribute.name, None)
        elif path.attribute.name in holder:
            holder[path.attribute.name] = _dropped(holder[path.attribute.name], path.sub.name)
        if path.schema and not holder:
            del shown[path.schema]
    return shown


def _dropped(held: Any, name: str) -> Any:
    if isinstance(held, list):
        return [_dropped(element, name) for element in held]
    return {key: value for key, value in held.items() if key != name}
