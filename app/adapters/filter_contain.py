"""The part of a filter that one indexed containment query (`search @> {...}`) can answer.

    userName … and emails[type eq "work" and value eq "x"]  ──▶  {"emails": [{"type": "work", "value": "x"}], …}

`eq` on a list's element becomes an array of one element: two such terms may be met by two elements, as RFC 7644
§3.4.2.2 has it; the terms inside one pair of brackets share theirs.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeGuard

from app.adapters.search_document import fold_value
from scim.filters import And, Compare, Filter, ValuePath
from scim.paths import Path

Fragment = dict[str, Any]


def contained(term: Filter) -> tuple[Fragment | None, bool]:
    """What a matching document must contain, if anything, and whether that is all the term asks for.

    Only for terms on attributes that stand in the search document.
    """
    if isinstance(term, ValuePath):
        inner, whole = _inside(term.term)
        return (_nested(term.path, inner) if inner else None), whole and bool(inner)
    if _is_equality(term):
        return _nested(term.path, _leaf(term)), True
    return None, False


def merged(fragments: Iterable[Fragment]) -> list[Fragment]:
    """As few documents as say the same: two different values of one single-valued attribute need two."""
    documents: list[Fragment] = []
    for fragment in fragments:
        for number, document in enumerate(documents):
            both = _both(document, fragment)
            if both is not None:
                documents[number] = both
                break
        else:
            documents.append(fragment)
    return documents


def _inside(term: Filter) -> tuple[Fragment | None, bool]:
    """The same for the filter in brackets; its terms meet in one element, so one that clashes is left to the rest."""
    terms = term.terms if isinstance(term, And) else (term,)
    found: Fragment = {}
    whole = True
    for part in terms:
        both = _both(found, _nested(part.path, _leaf(part))) if _is_equality(part) else None
        whole = whole and both is not None
        found = both if both is not None else found
    return found or None, whole


def _is_equality(term: Filter) -> TypeGuard[Compare]:
    """Whether it is `eq` with a value (`eq null` asks for absence)."""
    return isinstance(term, Compare) and term.operator == "eq" and term.value is not None


def _leaf(term: Compare) -> Any:
    attribute = term.path.sub or term.path.attribute
    return fold_value(term.value, attribute) if attribute else term.value


def _nested(path: Path, value: Any) -> Fragment:
    """`value` where the path says, each list on the way written as a list of one element."""
    steps = [step for step in (path.attribute, path.sub) if step is not None]
    for step in reversed(steps):
        value = {step.name.lower(): [value] if step.multi_valued else value}
    return {path.schema.lower(): value} if path.schema else value


def _both(one: Fragment, other: Fragment) -> Fragment | None:
    """One document that contains both, or None where they contradict each other."""
    result = dict(one)
    for key, value in other.items():
        known = result.get(key)
        if key not in result:
            result[key] = value
        elif isinstance(known, list) and isinstance(value, list):
            result[key] = known + value
        elif isinstance(known, dict) and isinstance(value, dict):
            inner = _both(known, value)
            if inner is None:
                return None
            result[key] = inner
        elif known is value or (known == value and type(known) is type(value)):
            continue
        else:
            return None
    return result
