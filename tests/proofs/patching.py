"""RFC 7644 §3.5.2 read off the page: what a PATCH makes of a user. Nothing here imports `scim` or `app`.

Where the RFC is silent or vendors contradict it, the choice is that of docs/decisions/0005: an element that `eq` terms
describe is made when it is missing; `remove` of a list with a value removes those; an unknown name is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any, Final

from tests.proofs import definition as d

TEXTS: Final = ("title", "nickName", "displayName", "externalId")
NAMES: Final = ("givenName", "familyName", "formatted")
OFFICE: Final = ("department", "employeeNumber")
LISTS: Final = ("emails", "phoneNumbers", "roles")
PARTS: Final = ("value", "type", "display")
READ_ONLY: Final = ("id", "groups", "meta.created", f"{d.LMS}:status")

Document = dict[str, Any]
Operation = tuple[str, Any, Any]  # verb; place, element or None; value


class Refused(Exception):
    """The scimType that the request is refused with."""


def patched(document: Document, operations: list[Operation]) -> Document:
    """The document after all operations, or `Refused`."""
    after = copy.deepcopy(document)
    known = False
    for verb, target, value in operations:
        pairs = value.items() if target is None else [(target, value)]
        for place, wanted in pairs:
            known |= place != "nobody"
            _apply(after, verb, place, copy.deepcopy(wanted), keyed=target is None)
    if not known and any(target == "nobody" for _, target, _ in operations):
        raise Refused("invalidPath")
    return cleaned(after)


def cleaned(value: Any) -> Any:
    """Without what says nothing (RFC 7643 §2.5)."""
    if isinstance(value, dict):
        return {key: inner for key, held in value.items() if (inner := cleaned(held)) not in (None, "", [], {})}
    return [cleaned(one) for one in value] if isinstance(value, list) else value


def _apply(after: Document, verb: str, place: Any, value: Any, *, keyed: bool) -> None:
    if place in READ_ONLY:
        if not (keyed and place == "id"):
            raise Refused("mutability")
    elif place == "nobody":
        return
    elif place == "userName" and (verb == "remove" or value is None):
        raise Refused("mutability" if verb == "remove" else "invalidValue")
    elif isinstance(place, d.Element):
        after[place.place] = _chosen(after.get(place.place, []), verb, place, value)
    elif place in LISTS:
        after[place] = _list(after.get(place, []), verb, value)
    elif place.partition(".")[0] in LISTS:
        name, _, sub = place.partition(".")
        after[name] = _every(after.get(name, []), verb, sub, value)
    else:
        _singular(after, verb, place, value)


def _singular(after: Document, verb: str, place: str, value: Any) -> None:
    holder, path = after, place
    if place.startswith(d.ENTERPRISE):
        holder, path = after.setdefault(d.ENTERPRISE, {}), place.removeprefix(d.ENTERPRISE + ":")
        if place == d.ENTERPRISE:
            return _whole_extension(after, verb, value)
    head, _, sub = path.partition(".")
    if head == "manager" and not sub and isinstance(value, str):
        value = {"value": value} if value else None
    if sub:
        held = holder.setdefault(head, {})
        held[sub] = None if verb == "remove" else value
    elif verb == "remove" or value in (None, "", {}):
        holder.pop(head, None)
    elif isinstance(value, dict):
        holder[head] = holder.get(head, {}) | cleaned(value)
    else:
        holder[head] = {"True": True, "False": False}.get(value, value) if head == "active" else value
    return None


def _whole_extension(after: Document, verb: str, value: Any) -> None:
    if verb == "remove" or not value:
        after.pop(d.ENTERPRISE, None)
        return
    for name, inner in value.items():
        _singular(after, verb, f"{d.ENTERPRISE}:{name}", inner)


def _list(elements: list[Document], verb: str, value: Any) -> list[Document]:
    wanted = cleaned(value if isinstance(value, list) else [value]) if value is not None else []
    if verb == "remove":
        return [one for one in elements if value is not None and not any(_same(one, gone) for gone in wanted)]
    if sum(one.get("primary") is True for one in wanted) > 1:
        raise Refused("invalidValue")
    if verb == "replace":
        return wanted
    before = _primary(elements)
    for one in wanted:
        held = next((held for held in elements if _same(held, one)), None)
        if held is None:
            elements.append(one)
        else:
            held.update(one)
    return _one_primary(elements, before)


def _same(held: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """One value stands once for each type; a value without a type is that of any."""
    if "value" not in other:
        return all(held.get(name) == value for name, value in other.items())
    same = str(held.get("value", "")).casefold() == other["value"].casefold() and "value" in held
    return same and other.get("type") in (None, held.get("type"))


def _primary(elements: list[Document]) -> list[int]:
    return [id(one) for one in elements if one.get("primary")]


def _one_primary(elements: list[Document], before: list[int]) -> list[Document]:
    """§3.5.2: a new primary value takes that from the others."""
    if len(_primary(elements)) > 1:
        fresh = [one for one in elements if one.get("primary") and id(one) not in before]
        if len(fresh) != 1:
            raise Refused("invalidValue")
        for one in elements:
            if one.get("primary") and one is not fresh[0]:
                one["primary"] = False
    return elements


def _every(elements: list[Document], verb: str, sub: str, value: Any) -> list[Document]:
    if verb == "remove" or value in (None, ""):
        return _unset(elements, elements, sub)
    before = _primary(elements)
    for one in elements:
        one[sub] = value
    return _one_primary(elements or [{sub: value}], before)


def _chosen(elements: list[Document], verb: str, place: d.Element, value: Any) -> list[Document]:
    """`place.tail` holds the sub-attribute behind the brackets, as a term that is never compared."""
    sub = d.last(place.tail.place) if place.tail else None
    found = [one for one in elements if _meets(one, place)]
    if verb == "remove" or cleaned(value) in (None, "", {}):
        if sub:
            return _unset(elements, found, sub)
        return [one for one in elements if not any(one is gone for gone in found)]
    before = _primary(elements)
    if not found:
        found = [_made(place.term)]
        elements.append(found[0])
    for one in found:
        one.update({sub: value} if sub else cleaned(value))
    return _one_primary(elements, before)


def _meets(element: Document, place: d.Element) -> bool:
    return d.holds("User", d.Element(place.place, place.term), {place.place: [element]})


def _made(term: Any) -> Document:
    """What a filter of nothing but `eq` describes; noTarget for any other."""
    made: Document = {}
    for one in term.terms if isinstance(term, d.All) else (term,):
        if not isinstance(one, d.Is) or one.op != "eq" or one.literal is None:
            raise Refused("noTarget")
        if made.setdefault(d.last(one.place), one.literal) != one.literal:
            raise Refused("noTarget")
    return made


def _unset(elements: list[Document], found: list[Document], sub: str) -> list[Document]:
    """Without `sub`; an element that then says only what it is for goes with it."""
    for one in found:
        one.pop(sub, None)
    return [one for one in elements if not any(one is gone for gone in found) or set(one) - {"type", "primary"}]
