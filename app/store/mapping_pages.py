"""Pages of the role table and of groups: searched, filtered, and continued behind the last one shown.

Groups are walked along their folded names. The table itself is what people wrote line by line, so it is sorted whole.
"""

from __future__ import annotations

from typing import Any, Final

import sqlalchemy as sa

from app.identity.folding import fold
from app.identity.naming import group_sorted_by
from app.store.mappings import GROUPS, LINES, GroupRow, MappingRow, group_of, line_of

LAST: Final = "\U0010ffff"  # behind every other character

# The sort of `mappings.listing`, without nulls: what is compared has to be there.
_PLACE: Final = "(l.kind, COALESCE(l.source, ''), l.match, l.scope, l.role, CAST(l.id AS text))"
_FILTERED: Final = f"""
    FROM ({LINES}) l LEFT JOIN groups named ON named.tenant_id = :tenant AND named.id = l.group_id
    WHERE (CAST(:role AS text) IS NULL OR l.role = :role)
        AND (CAST(:source AS text) IS NULL OR l.source = :source)
        AND (CAST(:kind AS text) IS NULL OR l.kind = :kind)
        AND (CAST(:waiting AS boolean) IS NULL OR l.waiting = :waiting)
        AND (CAST(:text AS text) IS NULL OR position(:text IN lower(l.match)) > 0
            OR position(:text IN named.name) > 0 OR position(:text IN lower(l.role)) > 0)
"""
_PAGE = sa.text(f"""
    SELECT l.* {_FILTERED}
        AND (CAST(:after AS text[]) IS NULL OR {_PLACE} > ((CAST(:after AS text[]))[1], (CAST(:after AS text[]))[2],
            (CAST(:after AS text[]))[3], (CAST(:after AS text[]))[4], (CAST(:after AS text[]))[5],
            (CAST(:after AS text[]))[6]))
    ORDER BY {_PLACE} LIMIT :limit
""")
_COUNT = sa.text(f"SELECT count(*) {_FILTERED}")

_BEHIND: Final = """
    AND (g.name, g.id) > (:name, CAST(:id AS uuid)) AND g.name >= :first AND g.name < :last
    AND (CAST(:source AS text) IS NULL OR s.name = :source) {which} ORDER BY g.name, g.id LIMIT :limit
"""
_SEARCH = sa.text(GROUPS + _BEHIND.format(which=""))
_UNMAPPED = sa.text(
    GROUPS
    + _BEHIND.format(
        which="AND NOT EXISTS (SELECT FROM mappings m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id)"
    )
)
_NOWHERE: Final = ("", "00000000-0000-0000-0000-000000000000")


def lines(
    conn: sa.Connection,
    tenant_id: str,
    *,
    text: str = "",
    role: str | None = None,
    source: str | None = None,
    kind: str | None = None,
    waiting: bool | None = None,
    after: MappingRow | tuple[str, ...] | None = None,
    limit: int = 50,
) -> list[MappingRow]:
    """A page of the role table behind the line `after` (or its `place`). `text` stands in the match or the role."""
    said = _asked(tenant_id, text, role, source, kind, waiting)
    behind = place(after) if isinstance(after, MappingRow) else after
    rows = conn.execute(_PAGE, said | {"after": None if behind is None else list(behind), "limit": limit})
    return [line_of(row) for row in rows]


def count(
    conn: sa.Connection,
    tenant_id: str,
    *,
    text: str = "",
    role: str | None = None,
    source: str | None = None,
    kind: str | None = None,
    waiting: bool | None = None,
) -> int:
    """How many lines such a filter lets through."""
    return int(conn.execute(_COUNT, _asked(tenant_id, text, role, source, kind, waiting)).scalar_one())


def place(row: MappingRow) -> tuple[str, ...]:
    """Where a line stands in the order of the pages."""
    return (row.kind, row.source or "", row.match, row.scope, row.role, row.id)


def groups(
    conn: sa.Connection,
    tenant_id: str,
    *,
    text: str = "",
    source: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int = 20,
) -> list[GroupRow]:
    """Living groups whose names begin with `text`, by name, behind the `place` of one."""
    return _groups(conn, _SEARCH, tenant_id, text, source, after, limit)


def unmapped(
    conn: sa.Connection,
    tenant_id: str,
    *,
    text: str = "",
    source: str | None = None,
    after: tuple[str, str] | None = None,
    limit: int = 50,
) -> list[GroupRow]:
    """Those of them that give nothing, because no line names them. It passes over the mapped ones in between."""
    return _groups(conn, _UNMAPPED, tenant_id, text, source, after, limit)


def _groups(
    conn: sa.Connection,
    statement: sa.TextClause,
    tenant_id: str,
    text: str,
    source: str | None,
    after: tuple[str, str] | None,
    limit: int,
) -> list[GroupRow]:
    name, id = after or _NOWHERE
    first = group_sorted_by(text)
    said = {"tenant": tenant_id, "source": source, "name": name, "id": id, "first": first, "last": first + LAST}
    return [group_of(row) for row in conn.execute(statement, said | {"limit": limit})]


def _asked(
    tenant_id: str, text: str, role: str | None, source: str | None, kind: str | None, waiting: bool | None
) -> dict[str, Any]:
    said = {"tenant": tenant_id, "role": role, "source": source, "kind": kind, "waiting": waiting}
    return said | {"text": fold(text) or None}
