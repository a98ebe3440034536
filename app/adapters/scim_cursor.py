"""Walking a source's resources page by page (RFC 9865): each kind by its keyset, several kinds merged into one order.

Walk ──each kind: `count` + 1 rows beyond the mark──▶ one order ──cut──▶ Stretch
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Sequence
from decimal import Decimal
from functools import lru_cache

import sqlalchemy as sa

from app.adapters.scim_reads import Reads
from app.store import tables as t
from app.store.engine import reading
from scim.ordering import in_order
from scim.store import Kind, Mark, Query, Resource, Stretch, Walk


def walked(conn: sa.Connection, reads: Reads, kinds: Sequence[Kind], query: Query, walk: Walk) -> Stretch:
    """One page. One statement a kind, whose cost does not depend on how deep the page lies."""
    total, found = 0, list[tuple[Mark, Resource]]()
    for kind in kinds:
        number, rows = reads.stretch(conn, kind, query, walk, query.count + 1)
        total += number
        found += rows[::-1] if walk.backwards else rows
    if len(kinds) > 1:
        found = _merged(found, query)
    more = len(found) > query.count
    page = found[-query.count or len(found) :] if walk.backwards else found[: query.count]
    first, last = (page[0][0], page[-1][0]) if page else (None, None)
    return Stretch(total, [resource for _, resource in page], first, last, more)


def _merged(found: list[tuple[Mark, Resource]], query: Query) -> list[tuple[Mark, Resource]]:
    """In the query's order; marks are texts of one width or by code point, but for numbers."""
    target = query.sort_by.target if query.sort_by else None
    read = Decimal if target is not None and target.type in ("integer", "decimal") else str
    places = {mark.id: None if mark.value is None else read(mark.value) for mark, _ in found}
    by_id = {mark.id: (mark, resource) for mark, resource in found}
    return [by_id[id] for id in in_order(places, query.descending)]


@lru_cache(maxsize=4_096)
def cursor_key(engine: sa.Engine, tenant: str, source: str) -> bytes:
    """32 bytes: the tenant's key, made that of one source. It never changes, so a process asks once."""
    with reading(engine) as conn:
        key = conn.execute(sa.select(t.tenants.c.cursor_key).where(t.tenants.c.id == tenant)).scalar_one()
    return hmac.digest(key, source.encode(), hashlib.sha256)
