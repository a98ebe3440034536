"""Strategies for filters, as `definition` writes them, with literals from the words and from the town itself."""

from __future__ import annotations

from functools import cache
from typing import Any

from hypothesis import strategies as st

from tests.proofs import definition as d
from tests.proofs.town import EASY, TWISTS, TYPES, WORDS, Pick, Town, moment

ORDER = ("gt", "ge", "lt", "le")
PARTS = ("co", "sw", "ew")
PICKS = st.builds(Pick, st.integers(0, 500), st.sampled_from(["same", "same", "same", *TWISTS]))
SAID = st.sampled_from(WORDS) | st.text(st.sampled_from("".join(WORDS)), min_size=1, max_size=3)


@cache
def filters(kind: str) -> st.SearchStrategy[Any]:
    """Any filter on resources of that kind; its literals may still be `Pick`s."""
    simple = _leaves(kind)
    leaves = st.booleans().flatmap(lambda plain: simple if plain else brackets)
    brackets = _brackets(kind)
    return _flat(leaves) | st.recursive(leaves, _joined, max_leaves=7)


def _leaves(kind: str) -> st.SearchStrategy[Any]:
    present = [place for place in d.COMPLEX[kind] if place != "meta"] if kind == "User" else list(d.COMPLEX[kind])
    simple = [_term(place, type_) for place, type_ in sorted(d.TYPES[kind].items())]
    return st.one_of(*simple, st.builds(d.Is, st.sampled_from(present), st.just("pr")))


def _brackets(kind: str) -> st.SearchStrategy[Any]:
    def of(name: str) -> st.SearchStrategy[Any]:
        inside = [place for place in sorted(d.TYPES[kind]) if place.startswith(name + ".")]
        terms = st.one_of([_term(place, d.TYPES[kind][place]) for place in inside])
        some = _flat(terms) | st.recursive(terms, _joined, max_leaves=4)
        return st.builds(d.Element, st.just(name), some) | st.builds(d.Element, st.just(name), some, terms)

    return st.one_of([of(name) for name in d.LISTS[kind]])


@cache
def _term(place: str, type_: str) -> st.SearchStrategy[Any]:
    null = st.builds(d.Is, st.just(place), st.sampled_from(["eq", "ne"]), st.none())
    there = st.builds(d.Is, st.just(place), st.just("pr"))
    if type_ == d.FLAG:
        values = st.builds(d.Is, st.just(place), st.sampled_from(["eq", "ne"]), st.booleans())
        return st.one_of(values, values, null, there)
    order = () if place in d.BINARY else ORDER
    parts = () if type_ == d.TIME else PARTS
    operators = st.sampled_from(["eq", "eq", "eq", "ne", *parts, *order])
    literals = PICKS if type_ == d.TIME or place in d.UNICODE_IN_SQL else PICKS | SAID
    if place in d.UNICODE_IN_SQL:
        literals = st.builds(Pick, st.integers(0, 500), st.sampled_from(["same", "upper"])) | st.sampled_from(EASY)
    if place.endswith(".type"):
        literals |= st.sampled_from(TYPES)
    values = st.builds(d.Is, st.just(place), operators, literals)
    return st.one_of(values, values, values, null, there)


def _flat(terms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.builds(d.All, st.lists(terms, min_size=2, max_size=3).map(tuple))


def _joined(terms: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    some = st.lists(terms, min_size=2, max_size=3).map(tuple)
    return st.one_of(st.builds(d.All, some), st.builds(d.Some, some), st.builds(d.No, terms))


def settled(term: Any, kind: str, town: Town) -> Any:
    """The filter with its picks replaced by values of the town."""
    match term:
        case d.All(terms) | d.Some(terms):
            return type(term)(tuple(settled(one, kind, town) for one in terms))
        case d.No(inner):
            return d.No(settled(inner, kind, town))
        case d.Element(place, inner, tail):
            return d.Element(place, settled(inner, kind, town), tail and settled(tail, kind, town))
    if not isinstance(term.literal, Pick):
        return term
    found = town.values(kind, term.place)
    if d.TYPES[kind][term.place] == d.TIME:
        return d.Is(term.place, term.op, moment(str(found[term.literal.index % len(found)]), term.literal.index))
    return d.Is(term.place, term.op, term.literal.of(found))
