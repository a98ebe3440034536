"""The history of the role table: one row a save, with the lines before and after it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.store.ids import is_id
from app.store.run_tables import mapping_revisions
from app.store.tenants import NotFoundError


@dataclass(frozen=True, slots=True)
class Revision:
    """One save. `before` are the lines that it changed or removed, as they stood; `after` those that it saved.

    `reverts` is the revision that it took back; `run_id` derived the people concerned.
    """

    id: str
    revision: int
    at: datetime
    actor: str
    note: str
    before: Sequence[Mapping[str, Any]]
    after: Sequence[Mapping[str, Any]]
    counts: Mapping[str, int]
    run_id: str | None
    reverts: str | None


_COLUMNS = tuple(column for column in mapping_revisions.c if column.name != "tenant_id")


def add(conn: sa.Connection, tenant_id: str, revision: Revision) -> None:
    """Keep a save, in its transaction."""
    row = {column.name: getattr(revision, column.name) for column in _COLUMNS}
    row |= {"before": list(revision.before), "after": list(revision.after), "counts": dict(revision.counts)}
    conn.execute(sa.insert(mapping_revisions).values(tenant_id=tenant_id, **row))


def listing(conn: sa.Connection, tenant_id: str, *, before: int | None = None, limit: int = 50) -> list[Revision]:
    """The newest first; those below the revision number `before` (of the last one of the page before)."""
    chosen = sa.select(*_COLUMNS).where(mapping_revisions.c.tenant_id == tenant_id)
    if before is not None:
        chosen = chosen.where(mapping_revisions.c.revision < before)
    rows = conn.execute(chosen.order_by(mapping_revisions.c.revision.desc()).limit(limit))
    return [_revision(row) for row in rows.mappings()]


def find(conn: sa.Connection, tenant_id: str, named: str) -> Revision:
    """One save, by its id or its number.

    Raises:
        NotFoundError: there is none.
    """
    c = mapping_revisions.c
    called = c.revision == int(named) if named.isdecimal() else is_id(c.id, named)
    row = conn.execute(sa.select(*_COLUMNS).where(c.tenant_id == tenant_id, called)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"the role table has no revision {named}")
    return _revision(row)


def _revision(row: Any) -> Revision:
    ids = {name: None if row[name] is None else str(row[name]) for name in ("id", "run_id", "reverts")}
    return Revision(**{**row, **ids})
