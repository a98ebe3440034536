"""A place in an order as SQL: what comes after it, or before it, by (sort value, id) and never by counting rows.

Ascending, missing values come last; descending, first (RFC 7644 §3.4.2.3). Equal values are told apart by id, which is
made in the order of creation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

from app.adapters.filter_places import Columns
from app.adapters.sort_sql import sort_value
from app.store.tables import Id, Time
from scim.paths import Path
from scim.store import Walk

LONGEST = 256  # characters of a text that order and mark look at: a cursor stands in a URL
Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Keyset:
    """`value` is None where nothing is sorted by, or nobody has it: the order is then that of ids."""

    value: sa.ColumnElement[Any] | None
    id: sa.ColumnElement[Any]
    descending: bool = False
    unique: bool = False  # every row has a value of its own, and there is an index on it

    @property
    def mark(self) -> sa.ColumnElement[Any]:
        """The sort value as text that `beyond` reads back, exactly."""
        if self.value is None:
            return sa.cast(sa.null(), sa.Text)
        if isinstance(self.value.type, TIMESTAMP):
            return sa.func.to_char(sa.func.timezone("UTC", self.value), 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"', type_=sa.Text)
        return sa.cast(self.value, sa.Text)

    def order(self, backwards: bool) -> list[sa.ColumnElement[Any]]:
        """The walk's direction. Missing values are the greatest, as PostgreSQL has it by default."""
        id = self.id.desc() if backwards else self.id.asc()
        if self.value is None:
            return [id]
        value = self.value.desc() if self.descending != backwards else self.value.asc()
        return [value] if self.unique else [value, id]

    def beyond(self, walk: Walk) -> list[Condition]:
        """What rows on the walk's side of its mark are like."""
        if self.unique:
            return self._beyond_unique(walk)
        if walk.mark is None:
            return []
        id = sa.literal(walk.mark.id, Id)
        further = self.id < id if walk.backwards else self.id > id
        falling = self.descending != walk.backwards
        if self.value is None:  # all are missing here: behind every value
            return [further] if walk.mark.value is None else [sa.false()] if falling else []
        missing = self.value.is_(None)
        if walk.mark.value is None:  # among the greatest
            return [sa.and_(missing, further) if not falling else sa.or_(sa.and_(missing, further), ~missing)]
        there = self._after(self._read(walk.mark.value), id, falling, walk.backwards)
        return [there if falling else sa.or_(there, missing)]

    def _beyond_unique(self, walk: Walk) -> list[Condition]:
        """`IS NOT NULL` is what the partial index asks for."""
        assert self.value is not None
        there = self.value.is_not(None)
        if walk.mark is None or walk.mark.value is None:  # a value is missing of another kind's resource only
            rising = self.descending == walk.backwards
            return [sa.false()] if walk.mark is not None and rising else [there]
        value = self._read(walk.mark.value)
        return [there, self.value < value if self.descending != walk.backwards else self.value > value]

    def _after(self, value: Any, id: sa.ColumnElement[Any], falling: bool, backwards: bool) -> Condition:
        assert self.value is not None
        if falling == backwards:  # both parts run one way: one comparison that an index can answer
            own, mark = sa.tuple_(self.value, self.id), sa.tuple_(value, id)
            return own < mark if falling else own > mark
        beyond = self.value < value if falling else self.value > value
        return sa.or_(beyond, sa.and_(self.value == value, self.id < id if backwards else self.id > id))

    def _read(self, text: str) -> sa.ColumnElement[Any]:
        assert self.value is not None
        kind = self.value.type
        if isinstance(kind, TIMESTAMP):
            return sa.literal(datetime.fromisoformat(text), Time)
        if isinstance(kind, JSONB):
            return sa.cast(sa.literal(text, sa.Text), JSONB)
        return sa.literal(text, kind) if isinstance(kind, UUID) else sa.literal(text, sa.Text)


def keyset_of(path: Path | None, *, columns: Columns, descending: bool) -> Keyset:
    """The keyset of a `sortBy`; the order of creation where it has no comparable value, as in `sort_sql`."""
    value = sort_value(path, columns) if path else None
    if value is None or path is None:
        return Keyset(None, columns.id, descending)
    unique = path.name in ("userName", "id")
    if isinstance(value.type, sa.Text) and not unique:
        value = sa.func.left(value, LONGEST, type_=sa.Text).collate("C")
    return Keyset(value, columns.id, descending, unique)
