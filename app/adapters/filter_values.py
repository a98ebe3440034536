"""Where a filter's attribute lives in the tables, and how one of its values is compared.

    path ──▶ Values: one operand, or one a row (list element, membership) ──▶ `any(predicate)` ──▶ SQL, never NULL

An operand is a key of a JSONB document or a column. Every literal is a bound parameter; text is compared by code point.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, JSONPATH
from sqlalchemy.sql.elements import TableValuedColumn

from app.adapters.search_document import fold_value
from scim.schemas import Attribute

Condition = sa.ColumnElement[bool]
Form = Literal["json", "text", "word", "id", "time"]
ONE = sa.literal_column("1", sa.Integer)
_ROOT = sa.literal_column("'{}'::text[]", ARRAY(sa.Text))


@dataclass(frozen=True, slots=True)
class Operand:
    """One value in SQL.

    `form` says how it is held: json (folded as in a search document), text (a column whose case the database folds),
    word (a column of our own words, all ASCII), id (a UUID column), time (timestamptz).
    """

    value: sa.ColumnElement[Any]
    attribute: Attribute
    form: Form = "json"

    def is_there(self) -> Condition:
        """Whether it has a value: a search document holds nothing empty."""
        return self.value.is_not(None)

    def compares(self, operator: str, value: Any) -> Condition:
        """`operand operator value` for every operator but `pr`; false when there is no operand."""
        if self.form == "id" and operator in ("eq", "ne"):
            return _same_id(self.value, str(value), negated=operator == "ne")
        if self.form == "time":
            return _sure(_ordered(self.value, operator, sa.literal(value)))
        if self.attribute.type in ("integer", "decimal"):
            number = sa.literal(value, JSONB)
            return _sure(sa.and_(sa.func.jsonb_typeof(self.value) == "number", _ordered(self.value, operator, number)))
        return _sure(_textual(*self._texts(value), operator))

    def _texts(self, value: Any) -> tuple[sa.ColumnElement[str], sa.ColumnElement[str]]:
        if self.form == "json":
            folded = fold_value(value, self.attribute)
            return text_of(self.value), sa.literal(folded if isinstance(folded, str) else json.dumps(folded))
        own, wanted = sa.cast(self.value, sa.Text), sa.literal(str(value))
        if self.form == "id" or self.attribute.case_exact:
            return own, wanted
        # `lower` of the literal would find "i" in "İ", which folding makes longer.
        return sa.func.lower(own), sa.literal(str(value).casefold()) if self.form == "word" else sa.func.lower(wanted)


@dataclass(frozen=True, slots=True)
class Values:
    """All values at one place: of this row (no `source`), or one in every row of `source`."""

    operand: Operand
    source: sa.Select[Any] | None = None

    def any(self, predicate: Callable[[Operand], Condition]) -> Condition:
        condition = predicate(self.operand)
        return condition if self.source is None else self.source.where(condition).exists()


def json_values(base: sa.ColumnElement[Any], keys: Sequence[str], attribute: Attribute, *, many: bool) -> Values:
    """The values under `keys` of a folded JSONB object; `many` when a list stands on the way."""
    if many:
        rows = elements(base, keys)
        return Values(Operand(rows, attribute), over(rows))
    return Values(Operand(sa.func.jsonb_extract_path(base, *keys, type_=JSONB), attribute))


def elements(base: sa.ColumnElement[Any], keys: Sequence[str]) -> TableValuedColumn[Any]:
    """A column with a row for every element under `keys`. The keys are the schemas' names, never a client's text."""
    path = "$" + "".join(f".{json.dumps(key)}[*]" for key in keys)
    return sa.func.jsonb_path_query(base, sa.literal(path, JSONPATH), type_=JSONB).column_valued()


def over(rows: TableValuedColumn[Any]) -> sa.Select[Any]:
    """`SELECT 1` over such a column's rows."""
    return sa.select(ONE).select_from(rows.scalar_alias)


def text_of(value: sa.ColumnElement[Any]) -> sa.ColumnElement[str]:
    """A JSONB scalar as text, without quotes."""
    return value.op("#>>", return_type=sa.Text())(_ROOT)


def _same_id(column: sa.ColumnElement[Any], value: str, *, negated: bool) -> Condition:
    """Never NULL, and of a form that an index can answer (a `coalesce` is not)."""
    there = column.is_not(None)
    try:
        known = str(UUID(value)) == value  # ids are case-exact, and a UUID column is not
    except ValueError:
        known = False
    if not known:
        return there if negated else sa.false()
    return sa.and_(column != value if negated else column == value, there)


def _ordered(own: sa.ColumnElement[Any], operator: str, wanted: sa.ColumnElement[Any]) -> Condition:
    comparisons: dict[str, Callable[[], Condition]] = {
        "eq": lambda: own == wanted,
        "ne": lambda: own != wanted,
        "gt": lambda: own > wanted,
        "ge": lambda: own >= wanted,
        "lt": lambda: own < wanted,
        "le": lambda: own <= wanted,
    }
    return comparisons[operator]() if operator in comparisons else sa.false()


def _textual(own: sa.ColumnElement[str], wanted: sa.ColumnElement[str], operator: str) -> Condition:
    if operator == "co":
        return sa.func.strpos(own, wanted) > 0
    if operator == "sw":
        return sa.func.starts_with(own, wanted, type_=sa.Boolean)
    if operator == "ew":
        return sa.func.right(own, sa.func.length(wanted)) == wanted
    return _ordered(own.collate("C"), operator, wanted)


def _sure(condition: Condition) -> Condition:
    return sa.func.coalesce(condition, sa.false())
