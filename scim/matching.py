"""Whether a document satisfies a filter (RFC 7644 §3.4.2.2): a pure function, for PATCH and for the memory store.

A multi-valued attribute matches when any element does; `ne` and `eq null` match an absent attribute; dates compare as
instants; text compares by the attribute's `caseExact`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from scim.filters import And, Compare, Filter, Not, Or, ValuePath, moment
from scim.paths import Path
from scim.schemas import Attribute


def matches(filter: Filter, document: Mapping[str, Any]) -> bool:
    """Whether `document` (canonical names, as JSON) satisfies `filter`."""
    match filter:
        case And(terms):
            return all(matches(term, document) for term in terms)
        case Or(terms):
            return any(matches(term, document) for term in terms)
        case Not(term):
            return not matches(term, document)
        case ValuePath(path, term):
            return any(isinstance(element, Mapping) and matches(term, element) for element in values(path, document))
        case Compare():
            return _compare(filter, document)


def values(path: Path, document: Mapping[str, Any]) -> list[Any]:
    """Every assigned value at `path`; brackets of the path are not looked at."""
    found = [document.get(path.schema, {})] if path.schema else [document]
    for attribute in (path.attribute, path.sub):
        if attribute is not None:
            found = [value for holder in found if isinstance(holder, Mapping) for value in _listed(holder, attribute)]
    return [value for value in found if value not in (None, "", [], {})]


def _listed(holder: Mapping[str, Any], attribute: Attribute) -> list[Any]:
    value = holder.get(attribute.name)
    return value if isinstance(value, list) else [value]


def _compare(term: Compare, document: Mapping[str, Any]) -> bool:
    found = values(term.path, document)
    if term.operator == "pr":
        return bool(found)
    if term.value is None:
        return bool(found) if term.operator == "ne" else not found
    target = term.path.target
    assert target is not None
    wanted = comparable(target, term.value)
    held = [comparable(target, value) for value in found]
    if term.operator == "ne":
        return not held or any(value != wanted for value in held)
    return any(_holds(term.operator, value, wanted) for value in held)


def comparable(attribute: Attribute, value: Any) -> Any:
    """`value` as it is compared and sorted: instants for dates, folded text unless the case counts."""
    if not isinstance(value, str):
        return value
    if attribute.type == "dateTime":
        return moment(value)
    return value if attribute.case_exact else value.casefold()


def _holds(operator: str, value: Any, wanted: Any) -> bool:
    if operator == "eq":
        return bool(value == wanted) and isinstance(value, bool) == isinstance(wanted, bool)
    if operator in ("co", "sw", "ew"):
        return isinstance(value, str) and _part(operator, value, wanted)
    if value is None or isinstance(value, str) != isinstance(wanted, str):
        return False
    ordered: bool = {
        "gt": lambda: value > wanted,
        "ge": lambda: value >= wanted,
        "lt": lambda: value < wanted,
        "le": lambda: value <= wanted,
    }[operator]()
    return ordered


def _part(operator: str, value: str, wanted: str) -> bool:
    if operator == "co":
        return wanted in value
    return value.startswith(wanted) if operator == "sw" else value.endswith(wanted)
