"""The SCIM schemas that a tenant declared, and the documents that hold values of them.

Which documents these are is asked of the search document's index: it lists the `schemas` of each.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from app.store import tables as t

TABLES: Final[Mapping[str, sa.Table]] = {"User": t.records, "Group": t.groups}


@dataclass(frozen=True, slots=True)
class Declared:
    """A schema as it is stored: `document` in the form of RFC 7643 §7, `kind` of the resources that it extends."""

    urn: str
    kind: str
    document: Mapping[str, Any]
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Holder:
    """A resource with values of the schema."""

    id: str
    source_id: str
    document: dict[str, Any]


def listing(conn: sa.Connection, tenant_id: str) -> list[Declared]:
    """The tenant's schemas, oldest first. One statement."""
    rows = conn.execute(_LISTING, {"tenant": tenant_id})
    return [Declared(row.document["id"], row.kind, row.document, row.created_at, row.updated_at) for row in rows]


def save(conn: sa.Connection, tenant_id: str, kind: str, document: Mapping[str, Any]) -> None:
    """A new schema, or the same one declared anew."""
    row = {"tenant_id": tenant_id, "urn": document["id"].lower(), "kind": kind, "document": dict(document)}
    anew = {"document": dict(document), "updated_at": sa.func.now()}
    conn.execute(insert(t.schemas).values(**row).on_conflict_do_update(index_elements=_KEY, set_=anew))


def remove(conn: sa.Connection, tenant_id: str, urn: str) -> None:
    """Without its values: `holders` still finds them."""
    conn.execute(sa.delete(t.schemas).where(t.schemas.c.tenant_id == tenant_id, t.schemas.c.urn == urn.lower()))


def count(conn: sa.Connection, tenant_id: str, kind: str, urn: str, attributes: Sequence[str] | None = None) -> int:
    """How many resources hold values of it, or of one of its `attributes`."""
    table = TABLES[kind]
    wanted = _holding(table, tenant_id, urn)
    if attributes is not None:
        names = sa.literal(list(attributes), ARRAY(sa.Text))
        wanted.append(sa.cast(table.c.document, JSONB)[urn].op("?|", return_type=sa.Boolean())(names))
    return int(conn.execute(sa.select(sa.func.count()).select_from(table).where(*wanted)).scalar_one())


def holders(conn: sa.Connection, tenant_id: str, kind: str, urn: str, after: str, limit: int) -> list[Holder]:
    """The next resources with values of it, by id, behind the one called `after`."""
    table = TABLES[kind]
    chosen = sa.select(table.c.id, table.c.source_id, table.c.document).where(*_holding(table, tenant_id, urn))
    rows = conn.execute(chosen.where(table.c.id > after).order_by(table.c.id).limit(limit))
    return [Holder(str(row.id), str(row.source_id), row.document) for row in rows]


def rewrite(conn: sa.Connection, tenant_id: str, kind: str, rows: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """New documents and search documents, one statement; a resource whose document differs is one version on."""
    conn.execute(_REWRITE[kind], {"tenant": tenant_id, "rows": list(rows), "now": now})


def _holding(table: sa.Table, tenant_id: str, urn: str) -> list[sa.ColumnElement[bool]]:
    """The tenant stands in the containment query too: the index knows no columns."""
    return [
        table.c.tenant_id == tenant_id,
        table.c.search.contains(sa.literal({"$t": tenant_id, "schemas": [urn]}, JSONB)),
    ]


_KEY: Final = ["tenant_id", "urn"]
_LISTING: Final = (
    sa.select(t.schemas)
    .where(t.schemas.c.tenant_id == sa.bindparam("tenant"))
    .order_by(t.schemas.c.created_at, t.schemas.c.urn)
)
_REWRITE: Final = {
    kind: sa.text(f"""
        UPDATE {table.name} AS r SET document = n.document, search = n.search,
            version = CASE WHEN CAST(r.document AS jsonb) = CAST(n.document AS jsonb) THEN r.version
                ELSE r.version + 1 END,
            updated_at = CASE WHEN CAST(r.document AS jsonb) = CAST(n.document AS jsonb) THEN r.updated_at ELSE :now END
        FROM jsonb_to_recordset(:rows) AS n(id uuid, document json, search jsonb)
        WHERE r.tenant_id = :tenant AND r.id = n.id
    """).bindparams(
        sa.bindparam("tenant", type_=t.Id),
        sa.bindparam("rows", type_=JSONB),
        sa.bindparam("now", type_=t.Time),
    )
    for kind, table in TABLES.items()
}
