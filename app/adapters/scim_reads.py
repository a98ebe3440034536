"""Reading SCIM resources: one statement each, documents as text that nobody parses.

A user shows the groups it is in and its account (LMS extension); a group shows its members unless they are excluded.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

from app.adapters.filter_sql import where
from app.adapters.keyset_sql import keyset_of
from app.adapters.sort_sql import order_by
from app.store import tables as t
from scim.schemas import LMS_USER
from scim.store import Kind, Mark, Page, Query, Resource, Walk

_GROUPS: Final = """
        'groups', (
            SELECT jsonb_agg(jsonb_build_object('value', g.id, '$ref', '/Groups/' || g.id, 'display', g.display_name,
                'type', 'direct') ORDER BY g.id)
            FROM members m JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
            WHERE m.tenant_id = r.tenant_id AND m.member_id = r.id)
"""
_ACCOUNT: Final = f"""
        '{LMS_USER}', (
            SELECT jsonb_build_object('accountId', a.id, 'status', a.status,
                'roles', NULLIF(to_jsonb(a.roles), '[]'))
            FROM accounts a WHERE a.tenant_id = r.tenant_id AND a.id = r.account_id)
"""
_MEMBERS: Final = """
    'members', (
        SELECT jsonb_agg(jsonb_build_object('value', m.member_id, '$ref', '/' || m.kind || 's/' || m.member_id,
            'type', m.kind, 'display', m.display) ORDER BY m.member_id)
        FROM members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id)
"""
_TABLES: Final[dict[str, Any]] = {"User": t.records.alias("r"), "Group": t.groups.alias("r")}
_SPACED: Final = b'"$ref": "/'


def _shown(kind: str, members: bool, account: bool) -> list[sa.ColumnElement[Any]]:
    columns = _TABLES[kind].c
    document: sa.ColumnElement[Any] = columns.document
    parts = [_MEMBERS] if kind == "Group" and members else []
    if kind == "User":
        parts = [_GROUPS, _ACCOUNT] if account else [_GROUPS]
        if not account:
            schemas = columns.document["schemas"].op("-")(sa.literal_column(f"'{LMS_USER}'", sa.Text))
            document = sa.func.jsonb_set(columns.document, sa.literal_column("'{schemas}'"), schemas)
    computed = f"CAST(jsonb_strip_nulls(jsonb_build_object({','.join(parts)})) AS text)"
    return [
        columns.id,
        columns.version,
        columns.created_at,
        columns.updated_at,
        sa.cast(document, sa.Text).label("document"),
        sa.literal_column(computed, sa.Text).label("computed"),
    ]


def _living(kind: str) -> list[sa.ColumnElement[bool]]:
    columns = _TABLES[kind].c
    return [
        columns.tenant_id == sa.bindparam("tenant"),
        columns.source_id == sa.bindparam("source"),
        columns.deleted_at.is_(None),
    ]


_ONE: Final = {
    (kind, members, account): sa.select(*_shown(kind, members, account)).where(
        *_living(kind), _TABLES[kind].c.id == sa.bindparam("id")
    )
    for kind in ("User", "Group")
    for members in (True, False)
    for account in (True, False)
}


def _page(
    kind: str,
    members: bool,
    account: bool,
    mine: Sequence[sa.ColumnElement[bool]],
    order: Sequence[sa.ColumnElement[Any]],
    total: sa.ScalarSelect[Any],
    mark: sa.ColumnElement[Any] | None = None,
) -> sa.Select[Any]:
    """One page and the total. The ids are taken by an index first; only the page's documents are read.

    `mark` is shown beside each as its place in the order.
    """
    marks = [] if mark is None else [mark.label("mark")]
    table = _TABLES[kind]
    offset, limit = sa.bindparam("offset", type_=sa.Integer), sa.bindparam("limit", type_=sa.Integer)
    ids = sa.select(table.c.id, *marks).where(*mine).order_by(*order).offset(offset).limit(limit).subquery("ids")
    page = sa.select(*ids.c, sa.func.row_number().over().label("place")).cte("page")
    counted = sa.select(total.label("total")).cte("counted")
    same = sa.and_(table.c.tenant_id == sa.bindparam("tenant"), table.c.id == page.c.id)
    shown = sa.select(page.c.place, *(page.c.mark for _ in marks), *_shown(kind, members, account))
    found = shown.select_from(page).join(table, same).subquery("found")
    whole = counted.outerjoin(found, sa.true())
    return sa.select(counted.c.total, *found.c).select_from(whole).order_by(found.c.place)


def _living_count() -> sa.ScalarSelect[Any]:
    """Without a filter the ledger knows it, whatever the tenant's size."""
    count = sa.cast(t.ledger.c.counts.op("->>")(sa.bindparam("counted", type_=sa.Text)), sa.BigInteger)
    ledger = sa.select(sa.func.coalesce(count, 0)).where(t.ledger.c.tenant_id == sa.bindparam("tenant"))
    return ledger.scalar_subquery()


_ALL: Final = {
    (kind, members, account): _page(kind, members, account, _living(kind), [_TABLES[kind].c.id], _living_count())
    for kind in ("User", "Group")
    for members in (True, False)
    for account in (True, False)
}


@dataclass(frozen=True, slots=True)
class Reads:
    """The living resources of one source of one tenant."""

    tenant: str
    source: str
    account: bool = True  # whether users show the account they belong to

    def one(self, conn: sa.Connection, kind: Kind, id: str, members: bool) -> Resource | None:
        """The resource, or None."""
        row = conn.execute(_ONE[kind, members, self.account], self._parameters() | {"id": id}).one_or_none()
        return None if row is None else _resource(kind, row)

    def page(self, conn: sa.Connection, kind: Kind, query: Query, offset: int, limit: int) -> Page:
        """`limit` resources after `offset`, and the number of all that match: one statement."""
        parameters = self._parameters() | {"offset": offset, "limit": limit, "counted": f"{self.source}/{kind}"}
        rows = conn.execute(self._statement(kind, query), parameters).all()
        return Page(rows[0].total, [_resource(kind, row) for row in rows if row.id is not None])

    def stretch(
        self, conn: sa.Connection, kind: Kind, query: Query, walk: Walk, limit: int
    ) -> tuple[int, list[tuple[Mark, Resource]]]:
        """The total, and `limit` resources beyond the walk's mark with their places, nearest first: one statement."""
        keyset = keyset_of(query.sort_by, columns=_TABLES[kind].c, descending=query.descending)
        mine, total = self._mine(kind, query)
        page = [*mine, *keyset.beyond(walk)]
        order = keyset.order(walk.backwards)
        statement = _page(kind, query.members, self.account, page, order, total, keyset.mark)
        parameters = self._parameters() | {"offset": 0, "limit": limit, "counted": f"{self.source}/{kind}"}
        rows = conn.execute(statement, parameters).all()
        return rows[0].total, [(Mark(row.mark, str(row.id)), _resource(kind, row)) for row in rows if row.id]

    def _mine(self, kind: Kind, query: Query) -> tuple[list[sa.ColumnElement[bool]], sa.ScalarSelect[Any]]:
        """What the query's filter finds of ours, and how many that are."""
        table, mine = _TABLES[kind], _living(kind)
        if query.filter is None:
            return mine, _living_count()
        mine.append(where(query.filter, kind=kind, tenant_id=self.tenant, source_id=self.source, columns=table.c))
        return mine, sa.select(sa.func.count()).select_from(table).where(*mine).scalar_subquery()

    def _statement(self, kind: Kind, query: Query) -> sa.Select[Any]:
        if query.filter is None and query.sort_by is None:
            return _ALL[kind, query.members, self.account]
        table = _TABLES[kind]
        mine, total = self._mine(kind, query)
        order = [table.c.id]
        if query.sort_by is not None:
            order = order_by(query.sort_by, columns=table.c, descending=query.descending)
        return _page(kind, query.members, self.account, mine, order, total)

    def _parameters(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "source": self.source}


def _resource(kind: Kind, row: Any) -> Resource:
    computed = row.computed.encode().replace(_SPACED, _SPACED.replace(b" ", b""))
    return Resource(kind, str(row.id), row.version, row.created_at, row.updated_at, row.document.encode(), computed)
