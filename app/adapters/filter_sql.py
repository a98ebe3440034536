"""A SCIM filter as a WHERE clause over `records` or `groups`: the database's half of a search.

    tree ─┬─ userName eq, id eq ────────────────▶ their b-trees
          ├─ every other eq ────────────────────▶ one `search @> {tenant, source, …}` for each AND: the GIN index
          ├─ groups, members, the LMS extension ▶ EXISTS on members, accounts
          └─ the rest ──────────────────────────▶ comparisons on the search document

Each clause is true or false, never NULL, so that `not` means what it says. The caller always adds tenant, source and
`deleted_at IS NULL`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.adapters.filter_contain import Fragment, contained, merged
from app.adapters.filter_places import Columns, Elsewhere, named
from app.adapters.filter_values import Condition, Operand, Values, elements, json_values, over
from app.adapters.search_document import SOURCE, TENANT
from app.identity.folding import fold
from scim.errors import InvalidFilter
from scim.filters import And, Compare, Filter, Not, Or, ValuePath
from scim.paths import Path
from scim.schemas import Attribute

Find = Callable[[Path], Values]


def where(wanted: Filter, *, kind: str, tenant_id: str, source_id: str, columns: Columns) -> Condition:
    """The condition that the rows meeting the filter `wanted` fulfil.

    `columns` are those of `records` (kind User) or `groups` (kind Group), or of an alias of it. What can only be
    computed (`meta.location`, `meta.version`, `$ref` of a membership) is `InvalidFilter`.
    """
    for term in _comparisons(wanted):
        _check(term)
    owner = {TENANT: tenant_id, SOURCE: source_id}
    return _Clause(owner, columns, Elsewhere(kind, owner, columns)).of(wanted)


@dataclass(frozen=True, slots=True)
class _Clause:
    """A filter's clause over one client's rows."""

    owner: Fragment
    columns: Columns
    elsewhere: Elsewhere

    def of(self, term: Filter) -> Condition:
        match term:
            case Or(terms):
                return sa.or_(*(self.of(one) for one in terms))
            case Not(inner):
                return sa.not_(self.of(inner))
            case And(terms):
                return self._all(terms)
        return self._all((term,))

    def _all(self, terms: Iterable[Filter]) -> Condition:
        """All terms at once: whatever containment can answer goes into as few documents as possible."""
        fragments: list[Fragment] = []
        rest: list[Condition] = []
        for term in terms:
            if isinstance(term, (And, Or, Not)):
                rest.append(self.of(term))
                continue
            fragment, whole = (None, False) if self._leaves(term.path) else contained(term)
            if fragment:
                fragments.append(fragment)
            if not whole:
                rest.append(self._leaf(term))
        found = [self.columns.search.contains(sa.literal(self.owner | one, JSONB)) for one in merged(fragments)]
        return sa.and_(*found, *rest)

    def _leaves(self, path: Path) -> bool:
        return self.elsewhere.holds(path) or self._is_user_name(path)

    def _leaf(self, term: Compare | ValuePath) -> Condition:
        if isinstance(term, ValuePath):
            return self._element(term)
        if self._is_user_name(term.path) and term.operator in ("eq", "ne") and term.value is not None:
            found = sa.and_(self.columns.user_name == fold(str(term.value)), self.columns.user_name.is_not(None))
            return found if term.operator == "eq" else sa.not_(found)
        return _comparison(term, self._values)

    def _is_user_name(self, path: Path) -> bool:
        return self.elsewhere.kind == "User" and path.name == "userName"

    def _values(self, path: Path) -> Values:
        if self.elsewhere.holds(path):
            return self.elsewhere.values(path)
        steps = [step for step in (path.attribute, path.sub) if step is not None]
        last = steps[-1] if steps else Attribute(path.schema or "", "complex")
        return json_values(self.columns.search, _keys(path), last, many=any(step.multi_valued for step in steps))

    def _element(self, term: ValuePath) -> Condition:
        """One row or list element that meets everything in the brackets."""
        if self.elsewhere.holds(term.path):
            return self._membership(term)
        element = elements(self.columns.search, _keys(term.path))

        def find(path: Path) -> Values:
            attribute = named(path)
            return json_values(element, _keys(path), attribute, many=attribute.multi_valued)

        return over(element).where(_inside(term.term, find)).exists()

    def _membership(self, term: ValuePath) -> Condition:
        parts = {term.path.attribute.name for term in _comparisons(term.term) if term.path.attribute}
        rows = self.elsewhere.memberships(named="display" in parts)

        def find(path: Path) -> Values:
            return Values(rows.operand(named(path)))

        return rows.rows.where(_inside(term.term, find)).exists()


def _inside(term: Filter, find: Find) -> Condition:
    match term:
        case And(terms):
            return sa.and_(*(_inside(one, find) for one in terms))
        case Or(terms):
            return sa.or_(*(_inside(one, find) for one in terms))
        case Not(inner):
            return sa.not_(_inside(inner, find))
        case Compare():
            return _comparison(term, find)
    raise InvalidFilter("Brackets cannot stand inside brackets.")


def _comparison(term: Compare, find: Find) -> Condition:
    """`ne` holds for an absent value too; `eq null` means unassigned (RFC 7643 §2.5)."""
    values = find(term.path)
    if term.operator == "pr" or term.value is None:
        there = values.any(Operand.is_there)
        return sa.not_(there) if term.operator == "eq" else there
    condition = values.any(lambda operand: operand.compares(term.operator, term.value))
    if term.operator == "ne":
        return sa.or_(condition, sa.not_(values.any(Operand.is_there)))
    return condition


def _keys(path: Path) -> list[str]:
    """The search document's keys on the way to the path's value."""
    parts = (path.schema, path.attribute and path.attribute.name, path.sub and path.sub.name)
    return [part.lower() for part in parts if part]


def _comparisons(term: Filter) -> Iterator[Compare]:
    match term:
        case And(terms) | Or(terms):
            for one in terms:
                yield from _comparisons(one)
        case Not(inner) | ValuePath(_, inner):
            yield from _comparisons(inner)
        case Compare():
            yield term


def _check(term: Compare) -> None:
    """Refuse a literal that PostgreSQL cannot hold: NUL, half a surrogate pair, an infinite number."""
    value = term.value
    if isinstance(value, float) and not math.isfinite(value):
        raise InvalidFilter(f"The number that {term.path.name} is compared with is too large.")
    if isinstance(value, str) and ("\0" in value or any("\ud800" <= letter <= "\udfff" for letter in value)):
        raise InvalidFilter(
            f"The text that {term.path.name} is compared with holds a character that no value can have."
        )
