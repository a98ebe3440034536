"""The groups of a login source: one row a name, whoever says it first.

Nothing but logins makes them, so their ids follow from source and folded name: they are found by primary key, and two
who say a new name at the same moment make one row.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

import sqlalchemy as sa

from app.identity.folding import fold
from app.identity.naming import group_sorted_by
from app.store.driver import Statement

LONGEST: int = 256  # characters of a name
MOST: int = 1_000  # of one login

_KNOWN = Statement("""
    SELECT id FROM groups WHERE tenant_id = %(tenant)s AND source_id = %(source)s AND id = ANY(CAST(%(ids)s AS uuid[]))
""")
# In the order of their ids, as all locks on groups; who comes second waits for the first's COMMIT.
_MAKE = Statement("""
    INSERT INTO groups (tenant_id, id, source_id, display_name, name, document, created_at, updated_at)
    SELECT CAST(%(tenant)s AS uuid), n.id, CAST(%(source)s AS uuid), n.name, n.folded,
        json_build_object('displayName', n.name), %(now)s, %(now)s
    FROM unnest(CAST(%(ids)s AS uuid[]), CAST(%(names)s AS text[]), CAST(%(folded)s AS text[]))
        AS n(id, name, folded) ORDER BY n.id
    ON CONFLICT (tenant_id, id) DO NOTHING RETURNING id
""")


def by_id(source_id: str, names: Iterable[str]) -> tuple[dict[str, str], int]:
    """Group id -> its name, once for each spelling that is the same; and how many names cannot be or are too many."""
    found: dict[str, str] = {}
    left_out = 0
    for name in names:
        folded = fold(name) if _can_be(name) else ""
        id = str(uuid.uuid5(uuid.UUID(source_id), folded))
        if not folded or (len(found) == MOST and id not in found):
            left_out += 1
        else:
            found.setdefault(id, name.strip())
    return found, left_out


def unknown(conn: sa.Connection, tenant: str, source: str, groups: Mapping[str, str]) -> dict[str, str]:
    """Those of these groups that nobody named yet."""
    if not groups:
        return {}
    rows = _KNOWN.rows(conn, {"tenant": tenant, "source": source, "ids": sorted(groups)})
    known = {str(row.id) for row in rows}
    return {id: name for id, name in groups.items() if id not in known}


def make(conn: sa.Connection, tenant: str, source: str, groups: Mapping[str, str], now: datetime) -> Collection[str]:
    """Make these groups; returns the ids of those that nobody else made meanwhile."""
    ids = sorted(groups)
    names = [groups[id] for id in ids]
    folded = [group_sorted_by(name) for name in names]
    parameters = {"tenant": tenant, "source": source, "ids": ids, "names": names, "folded": folded, "now": now}
    rows = _MAKE.rows(conn, parameters)
    return [str(row.id) for row in rows]


def _can_be(name: str) -> bool:
    """PostgreSQL holds neither NUL nor half a character."""
    return len(name) <= LONGEST and not any(one == "\0" or "\ud800" <= one <= "\udfff" for one in name)
