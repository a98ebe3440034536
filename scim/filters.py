"""SCIM filters (RFC 7644 §3.4.2.2) as a small typed tree.

    text ──grammar──▶ names and literals ──resolve, type──▶ this tree ──▶ SQL | matching

A name that no schema knows is an error, never a condition that falls away: a filter must not return everybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal, cast

from scim import dialects, grammar
from scim.errors import InvalidFilter, InvalidPath, Sensitive
from scim.paths import Path, resolve
from scim.schemas import SCHEMAS, Attribute, Registry

if TYPE_CHECKING:
    from scim.grammar import Name, Node
    from scim.store import Limits

Operator = Literal["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le", "pr"]
Literal_ = str | bool | int | float | datetime | None


@dataclass(frozen=True, slots=True)
class Compare:
    """`path op value`. The path is resolved down to a simple attribute (`emails` became `emails.value`).

    Inside a `ValuePath` the path's `attribute` is the sub-attribute itself. `value` is typed by the schema: a
    dateTime is an aware datetime, None is the literal null; for `pr` it is None, and the path may end at a complex
    attribute (`addresses pr`: any element, any part).
    """

    path: Path
    operator: Operator
    value: Literal_ = None


@dataclass(frozen=True, slots=True)
class And:
    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Or:
    terms: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    term: Filter


@dataclass(frozen=True, slots=True)
class ValuePath:
    """`emails[…]`: one and the same element satisfies all of `term`."""

    path: Path
    term: Filter


Filter = Compare | And | Or | Not | ValuePath

LONGEST_KEPT: Final = 100  # characters of a path that is remembered
_ORDER = ("gt", "ge", "lt", "le")
_PARTS = ("co", "sw", "ew")


def parse(
    kinds: Sequence[str], text: str, limits: Limits, *, in_uri: bool = True, registry: Registry = SCHEMAS
) -> Filter:
    """The filter of a search in `kinds` (`"User"`, `"Group"`); a name must be known in one of them.

    Errors: `InvalidFilter`; `Sensitive` when the text stood in a URI and names a hidden attribute.
    """
    try:
        node = grammar.parse(text, limits)
    except grammar.GrammarError as error:
        raise InvalidFilter(str(error)) from error
    return _Resolver(registry, tuple(kinds), in_uri).filter(node)


def parse_path(kind: str, text: str, limits: Limits, registry: Registry = SCHEMAS) -> Path | None:
    """A PATCH path; None when it is well formed and its attribute is unknown.

    Errors: `InvalidPath` for the grammar, `InvalidFilter` for what stands in the brackets.
    """
    if "[" not in text and (path := resolve(kind, text, registry)):
        return path
    return (_known_path if len(text) <= LONGEST_KEPT else _read_path)(kind, text, limits, registry)


@lru_cache(maxsize=1_024)
def _known_path(kind: str, text: str, limits: Limits, registry: Registry) -> Path | None:
    """Entra names `emails[type eq "work"].value` in every other request, and the grammar is slow."""
    return _read_path(kind, text, limits, registry)


def _read_path(kind: str, text: str, limits: Limits, registry: Registry) -> Path | None:
    urn = dialects.canonical_urn(text)
    try:
        name = grammar.parse_path(urn, limits)
    except grammar.GrammarError as error:
        raise InvalidPath(f"The path {text[:200]!r} is not valid: {error}") from error
    path = resolve(kind, name.text, registry)
    if path is None or name.where is None:
        return path
    if path.attribute is None or path.sub or not (path.attribute.multi_valued and path.attribute.sub_attributes):
        raise InvalidPath(f"{name.text} has no elements that brackets could choose from.")
    where = _Resolver(registry, (kind,), False).inside(path.attribute, name.where)
    sub = path.attribute.sub(name.sub) if name.sub else None
    if name.sub and sub is None:
        return None
    return Path(path.schema, path.attribute, sub, where)


@dataclass(frozen=True, slots=True)
class _Resolver:
    """Names to paths and literals to values, by the schemas of `kinds`."""

    registry: Registry
    kinds: tuple[str, ...]
    in_uri: bool

    def filter(self, node: Node) -> Filter:
        match node:
            case grammar.Junction(operator, terms):
                return _junction(operator, [self.filter(term) for term in terms])
            case grammar.Negation(term):
                return Not(self.filter(term))
            case grammar.Bracket(name, term):
                path = self._listed(name)
                return ValuePath(path, self.inside(_attribute(path), term))
            case grammar.Term(name, operator, literal) if name.where is not None:
                return self._element(name, operator, literal)
            case grammar.Term(name, operator, literal):
                return _compare(_simple(self._path(name.text), operator), operator, literal)

    def inside(self, attribute: Attribute, node: Node) -> Filter:
        """The filter between brackets: its names are the sub-attributes of `attribute`."""
        match node:
            case grammar.Junction(operator, terms):
                return _junction(operator, [self.inside(attribute, term) for term in terms])
            case grammar.Negation(term):
                return Not(self.inside(attribute, term))
            case grammar.Term(name, operator, literal) if name.where is None:
                sub = attribute.sub(name.text)
                if sub is None:
                    raise InvalidFilter(f"{attribute.name} has no sub-attribute {name.text!r}.")
                self._check_shown(Path(None, sub))
                return _compare(Path(None, sub), operator, literal)
        raise InvalidFilter("Brackets cannot stand inside brackets.")

    def _element(self, name: Name, operator: str, literal: Any) -> Filter:
        """`emails[type eq "work"].value eq "x"`: both hold for one element."""
        path = self._listed(name)
        attribute = _attribute(path)
        sub = attribute.sub(name.sub) if name.sub else None
        if name.where is None or sub is None:
            raise InvalidFilter(f"After {name.text}[…] the filter needs one of its sub-attributes.")
        self._check_shown(Path(None, sub))
        last = _compare(Path(None, sub), operator, literal)
        return ValuePath(path, _junction("and", [self.inside(attribute, name.where), last]))

    def _listed(self, name: Name) -> Path:
        path = self._path(name.text)
        if path.sub or not (path.attribute and path.attribute.multi_valued and path.attribute.sub_attributes):
            raise InvalidFilter(f"{name.text} has no elements that brackets could choose from.")
        return path

    def _path(self, name: str) -> Path:
        path = next((found for kind in self.kinds if (found := resolve(kind, name, self.registry))), None)
        if path is None or path.attribute is None:
            raise InvalidFilter(f"There is no attribute {name[:200]!r} to filter by.")
        self._check_shown(path)
        return path

    def _check_shown(self, path: Path) -> None:
        if path.hidden and self.in_uri:
            raise Sensitive(f"{path.name} cannot be used in a URI.")
        if path.hidden:
            raise InvalidFilter(f"{path.name} cannot be filtered by.")


def _attribute(path: Path) -> Attribute:
    assert path.attribute is not None
    return path.attribute


def _junction(operator: str, terms: list[Filter]) -> Filter:
    made = And if operator == "and" else Or
    flat: list[Filter] = []
    for term in terms:
        flat.extend(term.terms if isinstance(term, made) else (term,))
    return made(tuple(flat))


def _simple(path: Path, operator: str) -> Path:
    """`emails co "x"` means `emails.value co "x"` (RFC 7644 §3.4.2.2); `addresses pr` stays as it is."""
    target = path.target
    if target is None or target.type != "complex" or operator == "pr":
        return path
    value = target.sub("value")
    if value is None or value.hidden:
        raise InvalidFilter(f"{path.name} is complex: name one of its sub-attributes.")
    return replace(path, sub=value)


def _compare(path: Path, operator: str, literal: Any) -> Compare:
    target = path.target
    assert target is not None
    named = cast(Operator, operator)
    if operator == "pr":
        return Compare(path, "pr")
    if operator in _ORDER and target.type in ("boolean", "binary"):
        raise InvalidFilter(f"{path.name} is a {target.type} and has no order.")
    if operator in _PARTS and target.type not in ("string", "reference", "binary"):
        raise InvalidFilter(f"{path.name} is a {target.type}: {operator} does not apply.")
    if literal is None and operator not in ("eq", "ne"):
        raise InvalidFilter(f"null can only be compared with eq and ne, not with {operator}.")
    return Compare(path, named, None if literal is None else _typed(path, target, literal))


def _typed(path: Path, target: Attribute, literal: Any) -> Literal_:
    """The literal as the attribute's type, or `InvalidFilter`."""
    typed: Literal_ = None
    if target.type == "boolean":
        typed = dialects.boolean(literal)
    elif target.type in ("integer", "decimal"):
        typed = dialects.number(literal, whole=False)
    elif isinstance(literal, str):
        typed = moment(literal) if target.type == "dateTime" else literal
    if typed is None:
        raise InvalidFilter(f"{path.name} is a {target.type}; the filter compares it with something else.")
    return typed


def moment(text: str) -> datetime | None:
    """An xsd:dateTime as an aware instant (without offset: UTC); None when it is none."""
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)
