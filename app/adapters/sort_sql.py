"""A SCIM `sortBy` as an ORDER BY over `records` or `groups`."""

from __future__ import annotations

import json
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, JSONPATH

from app.adapters.filter_places import Columns
from app.adapters.filter_values import text_of
from scim.paths import Path

Order = sa.ColumnElement[Any]
_COLUMNS = {"id": "id", "meta.created": "created_at", "meta.lastModified": "updated_at"}


def order_by(path: Path | None, *, columns: Columns, descending: bool = False) -> list[Order]:
    """A total order: by the path's value (of a list: its primary, else first element), then by creation and id.

    `columns` are those of `records` or `groups`. Missing values come last ascending and first descending (RFC 7644
    §3.4.2.3), as PostgreSQL has it. A path without one comparable value in the search document (a membership, a whole
    complex attribute, the account's roles) leaves the order of creation. Text is compared by code point.
    """
    value = sort_value(path, columns) if path else None
    ties: list[Order] = [columns.created_at, columns.id]
    if value is None:
        return ties
    return [value.desc() if descending else value.asc(), *ties]


def sort_value(path: Path, columns: Columns) -> Order | None:
    """What a row is sorted by; None where the path has no comparable value."""
    attribute = path.attribute
    if path.name == "userName":  # a group has none
        name: Order | None = columns.get("user_name")
        return name
    if path.name in _COLUMNS:
        column: Order = getattr(columns, _COLUMNS[path.name])
        return column
    if attribute is None:
        return None
    last = path.sub or (attribute.sub("value") if attribute.type == "complex" else attribute)
    if last is None:
        return None
    place = f"${_step(path.schema)}{_step(attribute.name)}"
    value = _first(columns, f"{place}[0]")
    if attribute.multi_valued and attribute.type == "complex":
        value = sa.func.coalesce(_first(columns, f"{place}[*] ? (@.primary == true)"), value)
    if last is not attribute:  # of the element that was chosen, though another one may have such a part
        value = sa.func.jsonb_extract_path(value, last.name.lower(), type_=JSONB)
    return value if last.type in ("integer", "decimal") else text_of(value).collate("C")


def _step(name: str | None) -> str:
    return f".{json.dumps(name.lower())}" if name else ""


def _first(columns: Columns, jsonpath: str) -> Order:
    return sa.func.jsonb_path_query_first(columns.search, sa.literal(jsonpath, JSONPATH), type_=JSONB)
