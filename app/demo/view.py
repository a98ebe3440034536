"""The demo tenant's accounts as they are, for telling what changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa

from app.store import feeds
from app.store.engine import reading

MOST: Final = 500
SHOWN: Final = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """One account. `managers` are the ids of all its managers, the primary one first."""

    id: str
    name: str
    number: str | None
    status: str
    title: str | None
    roles: tuple[str, ...]
    manager_id: str | None
    managers: tuple[str, ...]


def accounts(engine: sa.Engine, tenant_id: str) -> dict[str, Seen]:
    """All accounts of the tenant (at most 500) by id, in the order in which they were made."""
    with reading(engine) as conn:
        page = feeds.accounts(conn, tenant_id, limit=MOST)
    return {str(row.id): _seen(row) for row in page.rows}


def names(some: Sequence[str], shown: int | None = None) -> str:
    """The names in a sentence; with `shown` only the first ones, and how many more there are."""
    if not some:
        return "nobody"
    if shown is None or len(some) <= shown + 1:
        return some[0] if len(some) == 1 else f"{', '.join(some[:-1])} and {some[-1]}"
    return f"{', '.join(some[:shown])} and {len(some) - shown} more"


def _seen(row: Any) -> Seen:
    said: Mapping[str, Any] = orjson.loads(row.attributes_json)
    by_kind: Mapping[str, Sequence[str]] = orjson.loads(row.managers_json)
    primary = None if row.manager_id is None else str(row.manager_id)
    others = [one for ids in by_kind.values() for one in ids if one != primary]
    return Seen(
        id=str(row.id),
        name=str(said.get("displayName") or row.email or row.id),
        number=said.get("employeeNumber"),
        status=row.status,
        title=said.get("title"),
        roles=tuple(row.roles),
        manager_id=primary,
        managers=(*([primary] if primary else ()), *dict.fromkeys(others)),
    )
