"""Reading SCIM resources: one statement each, documents as text that nobody parses.

A user shows the groups it is in and its account (LMS extension); a group shows its members unless they are excluded.
The ids of a page are taken by an index first; then, row by row in laterals that no plan can turn into a join over
everybody, what is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.sql.expression import ClauseList

from app.adapters.filter_sql import where
from app.adapters.keyset_sql import keyset_of
from app.adapters.sort_sql import order_by
from app.identity.folding import fold
from app.store import tables as t
from app.store.driver import Statement, condition, fragment, planned_by_values
from scim.filters import Compare, Filter
from scim.schemas import LMS_USER
from scim.store import Kind, Mark, Page, Query, Resource, Walk

_WHOLE: Final = len("2026-11-25 13:00:58.398822+00")
_TABLES: Final[dict[str, Any]] = {"User": t.records.alias("r"), "Group": t.groups.alias("r")}
_NAMES: Final = {"User": "records", "Group": "groups"}

# Each part is JSON text, or null when there is nothing to show.
_GROUPS: Final = """'"groups":[' || array_to_string(NULLIF(ARRAY(
        SELECT '{"value":"' || m.group_id || '","$ref":"/Groups/' || m.group_id || '","display":'
            || to_json(g.display_name) || ',"type":"direct"}'
        FROM members m CROSS JOIN LATERAL (
            SELECT display_name FROM groups WHERE tenant_id = m.tenant_id AND id = m.group_id OFFSET 0) g
        WHERE m.tenant_id = r.tenant_id AND m.member_id = r.id ORDER BY m.group_id), '{}'), ',') || ']'"""
_ACCOUNT: Final = f"""(
        SELECT '"{LMS_USER}":{{"accountId":"' || a.id || '","status":"' || a.status || '"'
            || CASE WHEN a.roles = '{{}}' THEN '' ELSE ',"roles":' || array_to_json(a.roles) END || '}}'
        FROM accounts a WHERE a.tenant_id = r.tenant_id AND a.id = r.account_id OFFSET 0)"""
_MEMBERS: Final = """'"members":[' || array_to_string(NULLIF(ARRAY(
        SELECT '{"value":"' || m.member_id || '","$ref":"/' || m.kind || 's/' || m.member_id || '","type":"' || m.kind
            || CASE WHEN m.display IS NULL THEN '"}' ELSE '","display":' || to_json(m.display) || '}' END
        FROM members m WHERE m.tenant_id = r.tenant_id AND m.group_id = r.id
        ORDER BY m.member_id), '{}'), ',') || ']'"""
_LIVING: Final = "r.tenant_id = %(tenant)s AND r.source_id = %(source)s AND r.deleted_at IS NULL"
# Without a filter the ledger knows it, whatever the tenant's size.
_LIVING_COUNT: Final = (
    "SELECT COALESCE(CAST(l.counts ->> %(counted)s AS bigint), 0) FROM ledger l WHERE l.tenant_id = %(tenant)s"
)


def _shown(kind: str, members: bool, account: bool) -> str:
    parts = {"User": [_GROUPS, _ACCOUNT] if account else [_GROUPS], "Group": [_MEMBERS] if members else []}[kind]
    document = "CAST(r.document AS text)"
    if kind == "User" and not account:
        document = f"""CAST(jsonb_set(CAST(r.document AS jsonb), '{{schemas}}',
            (CAST(r.document AS jsonb) -> 'schemas') - CAST('{LMS_USER}' AS text)) AS text)"""
    computed = f"'{{' || concat_ws(',', {', '.join(parts)}) || '}}'" if parts else "'{}'"
    return f"""r.id, r.version, CAST(r.created_at AS text) AS created_at,
        CAST(r.updated_at AS text) AS updated_at, {document} AS document, {computed} AS computed"""


def _one(kind: str, members: bool, account: bool) -> Statement:
    shown = _shown(kind, members, account)
    return Statement(f"SELECT {shown} FROM {_NAMES[kind]} r WHERE {_LIVING} AND r.id = %(id)s")


def _page(kind: str, members: bool, account: bool, *, mine: str, order: str, total: str, mark: str = "NULL") -> str:
    """One page and the total; one row of nulls beside the total when the page is empty.

    `mark` is shown beside each as its place in the order.
    """
    return f"""
    WITH ids AS MATERIALIZED (
        SELECT mine.*, row_number() OVER () AS place FROM (
            SELECT r.id, {mark} AS mark FROM {_NAMES[kind]} r WHERE {mine} ORDER BY {order}
            OFFSET CAST(%(offset)s AS bigint) LIMIT CAST(%(limit)s AS bigint)) mine)
    SELECT total.total, page.* FROM ({total}) AS total (total) LEFT JOIN (
        SELECT ids.place, ids.mark, {_shown(kind, members, account)} FROM ids CROSS JOIN LATERAL (
            SELECT * FROM {_NAMES[kind]} WHERE tenant_id = %(tenant)s AND id = ids.id OFFSET 0) r
    ) page ON true ORDER BY page.place"""


def _found(kind: str, members: bool, account: bool, *, mine: str, order: str) -> str:
    """The page of those who meet `mine`. They are counted only where the page does not tell how many there are."""
    total = f"""SELECT CASE
        WHEN CAST(%(offset)s AS bigint) = 0 AND (SELECT count(*) FROM ids) < CAST(%(limit)s AS bigint)
        THEN (SELECT count(*) FROM ids) ELSE (SELECT count(*) FROM {_NAMES[kind]} r WHERE {mine}) END"""
    return _page(kind, members, account, mine=mine, order=order, total=total)


_SHAPES: Final = [
    (kind, members, account) for kind in ("User", "Group") for members in (True, False) for account in (True, False)
]
_ONE: Final = {shape: _one(*shape) for shape in _SHAPES}
_ALL: Final = {shape: Statement(_page(*shape, mine=_LIVING, order="r.id", total=_LIVING_COUNT)) for shape in _SHAPES}
# What identity providers ask before each write: by the index that keeps userName unique.
_NAMED: Final = {
    shape: Statement(_found(*shape, mine=f"{_LIVING} AND r.user_name = %(name)s", order="r.id"))
    for shape in _SHAPES
    if shape[0] == "User"
}


@dataclass(frozen=True, slots=True)
class Reads:
    """The living resources of one source of one tenant."""

    tenant: str
    source: str
    account: bool = True  # whether users show the account they belong to

    def one(self, conn: sa.Connection, kind: Kind, id: str, members: bool) -> Resource | None:
        """The resource, or None."""
        row = _ONE[kind, members, self.account].row(conn, self._parameters() | {"id": id})
        return None if row is None else _resource(kind, row)

    def page(self, conn: sa.Connection, kind: Kind, query: Query, offset: int, limit: int) -> Page:
        """`limit` resources after `offset`, and the number of all that match: one statement."""
        parameters = self._parameters() | {"offset": offset, "limit": limit, "counted": f"{self.source}/{kind}"}
        rows = self._rows(conn, kind, query, parameters)
        return Page(rows[0].total, [_resource(kind, row) for row in rows if row.id is not None])

    def _rows(self, conn: sa.Connection, kind: Kind, query: Query, parameters: dict[str, Any]) -> list[Any]:
        shape = (kind, query.members, self.account)
        if query.filter is None and query.sort_by is None:
            return _ALL[shape].rows(conn, parameters)
        name = _user_name(query.filter) if kind == "User" else None
        if name is not None:
            return _NAMED[shape].rows(conn, parameters | {"name": name})
        return self._searched(conn, kind, query, parameters)

    def _searched(self, conn: sa.Connection, kind: Kind, query: Query, parameters: dict[str, Any]) -> list[Any]:
        """Planned by its values: what a rare one is found by would be a poor way to a common one."""
        mine, given = self._mine(kind, query)
        order = "r.id"
        if kind == "User" and query.sort_by is not None and query.sort_by.name == "userName":
            # Each user has one of its own: no ties to break, and the index that keeps it unique is in that order.
            mine, order = f"{mine} AND r.user_name IS NOT NULL", f"r.user_name {'DESC' if query.descending else 'ASC'}"
        elif query.sort_by is not None:
            ordered = order_by(query.sort_by, columns=_TABLES[kind].c, descending=query.descending)
            order, values = fragment(ClauseList(*ordered), "order_")
            given |= values
        shape = (kind, query.members, self.account)
        found = _page(*shape, mine=mine, order=order, total=_LIVING_COUNT)
        if query.filter is not None:
            found = _found(*shape, mine=mine, order=order)
        return planned_by_values(conn, found, parameters | given)

    def stretch(
        self, conn: sa.Connection, kind: Kind, query: Query, walk: Walk, limit: int
    ) -> tuple[int, list[tuple[Mark, Resource]]]:
        """The total, and `limit` resources beyond the walk's mark with their places, nearest first: one statement."""
        keyset = keyset_of(query.sort_by, columns=_TABLES[kind].c, descending=query.descending)
        mine, given = self._mine(kind, query)
        total = f"SELECT count(*) FROM {_NAMES[kind]} r WHERE {mine}" if query.filter is not None else _LIVING_COUNT
        beyond, values = fragment(sa.and_(sa.true(), *keyset.beyond(walk)), "beyond_")
        order, more = fragment(ClauseList(*keyset.order(walk.backwards)), "order_")
        mark, rest = fragment(keyset.mark, "mark_")
        page = f"{mine} AND ({beyond})"
        found = _page(kind, query.members, self.account, mine=page, order=order, total=total, mark=mark)
        parameters = self._parameters() | {"offset": 0, "limit": limit, "counted": f"{self.source}/{kind}"}
        rows = planned_by_values(conn, found, parameters | given | values | more | rest)
        return rows[0].total, [(Mark(row.mark, row.id), _resource(kind, row)) for row in rows if row.id]

    def _mine(self, kind: Kind, query: Query) -> tuple[str, dict[str, Any]]:
        """What the query's filter finds of ours: the condition and its parameters."""
        if query.filter is None:
            return _LIVING, {}
        columns = _TABLES[kind].c
        wanted = where(query.filter, kind=kind, tenant_id=self.tenant, source_id=self.source, columns=columns)
        text, values = condition(wanted, _TABLES[kind], "where_")
        return f"{_LIVING} AND ({text})", values

    def _parameters(self) -> dict[str, Any]:
        return {"tenant": self.tenant, "source": self.source}


def _user_name(wanted: Filter | None) -> str | None:
    """The folded name of a filter that is `userName eq "…"` and nothing else."""
    if not isinstance(wanted, Compare) or wanted.operator != "eq" or not isinstance(wanted.value, str):
        return None
    return fold(wanted.value) if wanted.path.name == "userName" else None


def _resource(kind: Kind, row: Any) -> Resource:
    document, computed = row.document.encode(), row.computed.encode()
    return Resource(kind, row.id, row.version, _text(row.created_at), _text(row.updated_at), document, computed)


def _text(moment: str) -> str:
    """Of PostgreSQL's text of an instant, as `timezone=UTC` has it: an xsd:dateTime, as a write answers it.

    PostgreSQL leaves out zeros at the end of the fraction. Its own JSON form takes it three times as long.
    """
    if len(moment) == _WHOLE:
        return f"{moment[:10]}T{moment[11:26]}Z"
    second, _, fraction = moment[:-3].partition(".")
    return f"{second[:10]}T{second[11:]}.{fraction:0<6}Z"
