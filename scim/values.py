"""One change of one place in a document (RFC 7644 §3.5.2.1 to §3.5.2.3), on values that are already checked.

`None` as the wanted value means: nothing is to be there. The holder is the document, or the object of an extension.
"""

from __future__ import annotations

from typing import Any, Literal

from scim import dialects
from scim.errors import InvalidValue, NoTarget
from scim.filters import And, Compare, Filter
from scim.matching import comparable, matches
from scim.paths import Path
from scim.schemas import Attribute

Verb = Literal["add", "replace", "remove"]
Element = dict[str, Any]


def copied(value: Any) -> Any:
    """A JSON value of its own. `copy.deepcopy`, which knows all kinds of objects, takes three times as long."""
    if isinstance(value, dict):
        return {name: copied(held) for name, held in value.items()}
    if isinstance(value, list):
        return [copied(element) for element in value]
    return value


def change(holder: dict[str, Any], verb: Verb, path: Path, wanted: Any) -> None:
    """Apply `verb` at `path`. Errors: `NoTarget`, and `InvalidValue` for a second primary value."""
    attribute = path.attribute
    assert attribute is not None
    if attribute.multi_valued and attribute.sub_attributes:
        elements: list[Element] = holder.get(attribute.name) or []
        holder[attribute.name] = _list(elements, verb, path, wanted)
    elif path.sub is not None:
        _put(holder.setdefault(attribute.name, {}), verb, path.sub, wanted)
    elif attribute.type == "complex" and verb != "remove" and wanted is not None:
        holder[attribute.name] = _merged(attribute, holder.get(attribute.name) or {}, wanted)
    else:
        _put(holder, verb, attribute, wanted)
    if attribute.name in holder and holder[attribute.name] in (None, "", [], {}):
        del holder[attribute.name]


def _put(holder: dict[str, Any], verb: Verb, attribute: Attribute, wanted: Any) -> None:
    """A simple value, or a list of simple values: there, `add` appends and `remove` may name what goes."""
    if attribute.multi_valued:
        wanted = _simple_list(attribute, verb, holder.get(attribute.name) or [], wanted)
    elif verb == "remove":
        wanted = None
    if wanted in (None, []):
        holder.pop(attribute.name, None)
    else:
        holder[attribute.name] = wanted


def _simple_list(attribute: Attribute, verb: Verb, held: list[Any], wanted: list[Any] | None) -> list[Any]:
    if verb == "replace" or wanted is None:
        return wanted or []
    if verb == "remove":
        return [value for value in held if not _holds(attribute, wanted, value)]
    for value in wanted:
        if not _holds(attribute, held, value):
            held = [*held, value]
    return held


def _holds(attribute: Attribute, values: list[Any], value: Any) -> bool:
    wanted = comparable(attribute, value)
    return any(comparable(attribute, one) == wanted for one in values)


def _merged(attribute: Attribute, held: Element, wanted: Element) -> Element:
    """Sub-attributes that are not named stay, but for a reference that would point at the value of before."""
    merged = held | wanted
    if "$ref" in held and "$ref" not in wanted and held.get("value") != merged.get("value"):
        del merged["$ref"]
    return merged


def _list(elements: list[Element], verb: Verb, path: Path, wanted: Any) -> list[Element]:
    before = {id(element) for element in elements if element.get("primary")}
    if path.where is not None:
        changed = _chosen(elements, verb, path, path.where, wanted)
    elif path.sub is not None:
        changed = _every(elements, verb, path.sub, wanted)
    else:
        changed = _whole(elements, verb, path, wanted)
    _one_primary(changed, before, path)
    return changed


def _whole(elements: list[Element], verb: Verb, path: Path, wanted: Any) -> list[Element]:
    assert path.attribute is not None
    if verb == "remove":
        if wanted is None:
            return []
        return [held for held in elements if not any(_same(path.attribute, held, gone) for gone in wanted)]
    if verb == "replace":
        return wanted or []
    for element in wanted or []:
        held = next((held for held in elements if _same(path.attribute, held, element)), None)
        if held is None:
            elements.append(element)
        else:
            held.update(element)
    return elements


def _same(attribute: Attribute, held: Element, other: Element) -> bool:
    """Whether `other` speaks of the element `held`: by value, and by type when it names one."""
    value = attribute.sub("value")
    if value is None or "value" not in other:
        return all(held.get(name) == wanted for name, wanted in other.items())
    same = comparable(value, held.get("value")) == comparable(value, other["value"])
    return same and other.get("type") in (None, held.get("type"))


def _every(elements: list[Element], verb: Verb, sub: Attribute, wanted: Any) -> list[Element]:
    if wanted is None or (verb == "remove" and not sub.multi_valued):
        return _without(elements, elements, sub)
    if not elements and verb != "remove":
        return [{sub.name: wanted}]
    for element in elements:
        _put(element, verb, sub, wanted)
    return [element for element in elements if element]


def _chosen(elements: list[Element], verb: Verb, path: Path, where: Filter, wanted: Any) -> list[Element]:
    chosen = [element for element in elements if matches(where, element)]
    if verb == "remove" or wanted is None:
        if path.sub is not None:
            return _without(elements, chosen, path.sub)
        return [element for element in elements if element not in chosen]
    if not chosen:
        chosen = [_seed(path, where)]
        elements.append(chosen[0])
    for element in chosen:
        if path.sub:
            _put(element, verb, path.sub, wanted)
        else:
            element.update(wanted)
    return elements


def _seed(path: Path, where: Filter) -> Element:
    terms = _equalities(where)
    if terms is None or not dialects.create_when_absent(terms):
        raise NoTarget(f"{path.name} has no element that satisfies the filter in the brackets.")
    return terms


def _equalities(where: Filter) -> dict[str, Any] | None:
    """What a filter made of `eq` terms says about an element; None for any other filter."""
    found: dict[str, Any] = {}
    for term in where.terms if isinstance(where, And) else (where,):
        if not isinstance(term, Compare) or term.operator != "eq" or term.value is None or not term.path.attribute:
            return None
        if found.setdefault(term.path.attribute.name, term.value) != term.value:
            return None
    return found


def _without(elements: list[Element], chosen: list[Element], sub: Attribute) -> list[Element]:
    """`sub` unset in the chosen elements; one that says nothing but what it is for goes with it."""
    for element in chosen:
        element.pop(sub.name, None)
    return [element for element in elements if element not in chosen or not element.keys() <= {"type", "primary"}]


def _one_primary(elements: list[Element], before: set[int], path: Path) -> None:
    """A value that becomes the primary one takes that from the others (RFC 7644 §3.5.2)."""
    primary = [element for element in elements if element.get("primary")]
    if len(primary) < 2:
        return
    new = [element for element in primary if id(element) not in before]
    if len(new) != 1:
        raise InvalidValue(f"{path.name} would have more than one primary value.")
    for element in primary:
        if element is not new[0]:
            element["primary"] = False
