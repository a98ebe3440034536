"""A sorted page over several kinds of resources: `sortBy` at the root is one order (RFC 7644 §3.4.2.3).

    each kind: (id, sort value) ──UNION ALL, ORDER BY, OFFSET──▶ ids ──each kind──▶ documents

Rare, and so a few statements; whoever is deleted between two of them is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from app.adapters.filter_places import Columns
from app.adapters.filter_sql import where
from app.adapters.keyset_sql import keyset_of
from app.adapters.scim_reads import Reads
from app.store import tables as t
from scim.definitions import Attribute
from scim.filters import Compare, Or
from scim.paths import Path
from scim.store import Kind, Page, Query, Resource

_TABLES: Final = {"User": t.records, "Group": t.groups}
_ID: Final = Path(None, Attribute("id", case_exact=True))


def sorted_page(conn: sa.Connection, reads: Reads, kinds: Sequence[Kind], query: Query) -> Page:
    """One page of `kinds` by index, and the number of all that match."""
    total = sum(reads.page(conn, kind, query, 0, 0).total for kind in kinds)
    ids = _ids(conn, reads, kinds, query) if query.count else []
    found: dict[str, Resource] = {}
    for kind in kinds:
        own = Or(tuple(Compare(_ID, "eq", id) for of, id in ids if of == kind))
        if own.terms:
            page = reads.page(conn, kind, Query(own, members=query.members), 0, len(own.terms))
            found |= {resource.id: resource for resource in page.resources}
    return Page(total, [found[id] for _, id in ids if id in found])


def _ids(conn: sa.Connection, reads: Reads, kinds: Sequence[Kind], query: Query) -> list[tuple[str, str]]:
    columns = {kind: _TABLES[kind].alias("r").c for kind in kinds}
    keysets = {kind: keyset_of(query.sort_by, columns=columns[kind], descending=query.descending) for kind in kinds}
    types = [keyset.value.type for keyset in keysets.values() if keyset.value is not None]
    missing = sa.cast(sa.null(), types[0] if types else sa.Text)  # one kind knows no such attribute
    parts = sa.union_all(
        *(
            sa.select(
                sa.literal(kind, sa.Text).label("kind"),
                keyset.id.label("id"),
                (missing if keyset.value is None else keyset.value).label("place"),
            ).where(*_mine(reads, kind, query, columns[kind]))
            for kind, keyset in keysets.items()
        )
    ).subquery()
    place = parts.c.place.desc() if query.descending else parts.c.place.asc()
    page = sa.select(parts.c.kind, parts.c.id).order_by(place, parts.c.id)
    page = page.offset(query.start_index - 1).limit(query.count)
    return [(row.kind, str(row.id)) for row in conn.execute(page)]


def _mine(reads: Reads, kind: Kind, query: Query, columns: Columns) -> list[sa.ColumnElement[bool]]:
    living = [columns.tenant_id == reads.tenant, columns.source_id == reads.source, columns.deleted_at.is_(None)]
    if query.filter is None:
        return living
    owner = {"tenant_id": reads.tenant, "source_id": reads.source}
    return [*living, where(query.filter, kind=kind, columns=columns, **owner)]
