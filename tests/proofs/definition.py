"""RFC 7644 §3.4.2.2 and §3.4.2.3 read off the page: filters and order on raw JSON. It imports neither `scim` nor `app`.

A resource is the JSON that a GET answers. The attributes and their types are those of RFC 7643 §4.1 to §4.3, §8.7.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
LMS: Final = "urn:rollcall:params:scim:schemas:lms:2.0:User"
URNS: Final = (ENTERPRISE, LMS)

TEXT, EXACT, FLAG, TIME = "text without case", "text with case", "boolean", "dateTime"
_META = {"id": EXACT, "externalId": EXACT, "schemas": EXACT, "meta.resourceType": EXACT}
_META |= {"meta.created": TIME, "meta.lastModified": TIME}
_NAMES = ("formatted", "familyName", "givenName", "middleName", "honorificPrefix", "honorificSuffix")
_PLAIN = ("userName", "displayName", "nickName", "title", "userType", "preferredLanguage", "locale", "timezone")
_LISTS = ("emails", "phoneNumbers", "ims", "photos", "entitlements", "roles", "x509Certificates")
_POSTAL = ("formatted", "streetAddress", "locality", "region", "postalCode", "country", "type")
_OFFICE = ("employeeNumber", "costCenter", "organization", "division", "department")

USER: Final[dict[str, str]] = (
    _META
    | dict.fromkeys(_PLAIN, TEXT)
    | {"profileUrl": EXACT, "active": FLAG}
    | {f"name.{part}": TEXT for part in _NAMES}
    | {f"{name}.{part}": TEXT for name in _LISTS for part in ("value", "display", "type")}
    | {f"{name}.value": EXACT for name in ("photos", "x509Certificates")}
    | {f"{name}.primary": FLAG for name in (*_LISTS, "addresses")}
    | {f"addresses.{part}": TEXT for part in _POSTAL}
    | {"groups.value": EXACT, "groups.display": TEXT, "groups.type": TEXT}
    | {f"{ENTERPRISE}:{name}": TEXT for name in _OFFICE}
    | {f"{ENTERPRISE}:manager.value": EXACT, f"{ENTERPRISE}:manager.$ref": EXACT}
    | {f"{LMS}:accountId": EXACT, f"{LMS}:roles": TEXT, f"{LMS}:status": TEXT}
)
GROUP: Final[dict[str, str]] = _META | {
    "displayName": TEXT,
    "members.value": EXACT,
    "members.type": TEXT,
    "members.display": TEXT,
}
TYPES: Final = {"User": USER, "Group": GROUP}
LISTS: Final = {"User": (*_LISTS, "addresses", "groups"), "Group": ("members",)}
COMPLEX: Final = {"User": (*LISTS["User"], "name", "meta", f"{ENTERPRISE}:manager"), "Group": ("members", "meta")}
BINARY: Final = ("x509Certificates.value",)  # has no order
UNICODE_IN_SQL: Final = ("members.display", f"{LMS}:roles")  # kept as typed; the database's `lower` folds them


@dataclass(frozen=True)
class Is:
    """`place op literal`; a literal is text, a boolean, an aware instant or None (null); `pr` has none."""

    place: str
    op: str
    literal: Any = None


@dataclass(frozen=True)
class All:
    terms: tuple[Any, ...]


@dataclass(frozen=True)
class Some:
    terms: tuple[Any, ...]


@dataclass(frozen=True)
class No:
    term: Any


@dataclass(frozen=True)
class Element:
    """`place[term]`; the term's places are written in full (`emails.type`). `tail`: a term after the brackets."""

    place: str
    term: Any
    tail: Is | None = None


def holds(kind: str, term: Any, resource: Mapping[str, Any]) -> bool:
    """Whether the filter selects the resource."""
    return _holds(TYPES[kind], term, lambda place: values(resource, place), resource)


def _holds(types: Mapping[str, str], term: Any, find: Any, resource: Mapping[str, Any]) -> bool:
    match term:
        case All(terms):
            return all(_holds(types, one, find, resource) for one in terms)
        case Some(terms):
            return any(_holds(types, one, find, resource) for one in terms)
        case No(inner):
            return not _holds(types, inner, find, resource)
        case Element(place, inner, tail):
            whole = All((inner, tail)) if tail else inner
            return any(
                _holds(types, whole, lambda name, element=element: values(element, last(name)), resource)
                for element in values(resource, place)
            )
    return compares(types.get(term.place, TEXT), term, find(term.place))


def compares(type_: str, term: Is, found: list[Any]) -> bool:
    """One comparison with all values of its attribute: any of them may satisfy it."""
    if term.op == "pr":
        return bool(found)
    if term.literal is None:  # RFC 7643 §2.5: null is unassigned
        return bool(found) == (term.op == "ne")
    wanted = key(term, type_, term.literal)
    held = [key(term, type_, value) for value in found]
    if term.op == "ne":
        return not held or any(value != wanted for value in held)
    return any(_OPERATORS[term.op](value, wanted) for value in held)


_OPERATORS: Final[dict[str, Any]] = {
    "eq": lambda own, wanted: own == wanted,
    "co": lambda own, wanted: wanted in own,
    "sw": lambda own, wanted: own.startswith(wanted),
    "ew": lambda own, wanted: own.endswith(wanted),
    "gt": lambda own, wanted: own > wanted,
    "ge": lambda own, wanted: own >= wanted,
    "lt": lambda own, wanted: own < wanted,
    "le": lambda own, wanted: own <= wanted,
}


def values(resource: Mapping[str, Any], place: str) -> list[Any]:
    """All assigned values at a place, those of every element of a list."""
    found: list[Any] = [resource]
    urn = next((urn for urn in URNS if place.startswith(urn + ":")), None)
    steps = ([urn] if urn else []) + (place.removeprefix(f"{urn}:") if urn else place).split(".")
    for step in steps:
        found = [inner for holder in found for inner in _listed(holder.get(step))]
    return found


def _listed(value: Any) -> Iterable[Any]:
    return [one for one in (value if isinstance(value, list) else [value]) if one not in (None, "", [], {})]


def last(place: str) -> str:
    """The sub-attribute alone, as it stands inside brackets."""
    return place.rpartition(".")[2]


def key(term: Is, type_: str, value: Any) -> Any:
    """What is compared: text by caseExact (RFC 7643 §2.2), a time as an instant, names as their uniqueness has it."""
    if term.place == "userName" and term.op in ("eq", "ne"):
        return caseless(value)
    if type_ == TIME:
        return value if isinstance(value, datetime) else instant(value)
    if type_ == TEXT:
        return str(value).casefold()
    return value


def caseless(text: str) -> str:
    """Unicode D146, compatibility caseless, without surrounding space: how the uniqueness of userName compares."""
    once = unicodedata.normalize("NFKC", unicodedata.normalize("NFD", text).casefold())
    return unicodedata.normalize("NFKC", once.casefold()).strip()


def instant(text: str) -> datetime:
    read = datetime.fromisoformat(text)
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def written(term: Any, bare: bool = False) -> str:
    """The filter as text. `bare`: inside brackets, where names stand alone."""
    match term:
        case All(terms):
            return " and ".join(_grouped(one, bare, isinstance(one, Some)) for one in terms)
        case Some(terms):
            return " or ".join(written(one, bare) for one in terms)
        case No(inner):
            return f"not ({written(inner, bare)})"
        case Element(place, inner, tail):
            behind = f".{written(tail, True)}" if tail else ""
            return f"{place}[{written(inner, True)}]{behind}"
    name = last(term.place) if bare else term.place
    return f"{name} pr" if term.op == "pr" else f"{name} {term.op} {_literal(term.literal)}"


def _grouped(term: Any, bare: bool, needed: bool) -> str:
    return f"({written(term, bare)})" if needed else written(term, bare)


def _literal(value: Any) -> str:
    if isinstance(value, datetime):
        return json.dumps(value.isoformat())
    return json.dumps(value, ensure_ascii=isinstance(value, str) and len(value) % 2 == 0)


def ordered(kind: str, place: str, descending: bool, resources: Iterable[Mapping[str, Any]]) -> list[str]:
    """The ids in the order that `sortBy` asks for: of a list its primary value, else its first; absent ones last.

    Ties stand in the order of creation, then of the id.
    """
    in_line = sorted(resources, key=lambda one: (instant(one["meta"]["created"]), one["id"]))
    keyed = [(_sort_key(kind, place, one), one["id"]) for one in in_line]
    there = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
    absent = [id for found, id in keyed if found is None]
    return absent + [id for _, id in there] if descending else [id for _, id in there] + absent


def _sort_key(kind: str, place: str, resource: Mapping[str, Any]) -> Any:
    head, _, sub = place.rpartition(".")
    elements = values(resource, head) if head in LISTS[kind] else []
    chosen = sorted(elements, key=lambda element: element.get("primary") is not True)[:1]
    found = values(chosen[0], sub) if chosen else [] if elements else values(resource, place)
    # A name is sorted as it is told apart.
    return key(Is(place, "eq"), TYPES[kind].get(place, TEXT), found[0]) if found else None
