"""The tenant's role table, and whom a line of it concerns.

A group's line hangs on the group's id and keeps its name and externalId: while there is no such group, it waits.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.console_roles import ConsoleRole
from app.identity.naming import group_sorted_by
from app.store import tables as t
from app.store.driver import Statement

COUNTED: Final = 1_000  # members of a group
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class MappingRow:
    """A line of the role table. `match` is how people name what must be met: a group's name, or the value.

    `state` is live, or waiting while there is no such group; `group_id` is None for one that never was there.
    `shares_name`: other groups of the source are called the same.
    """

    id: str
    kind: str
    source: str | None
    match: str
    role: str
    scope: str
    priority: int
    attribute: str | None
    source_id: str | None
    group_id: str | None
    group_external_id: str | None
    state: str
    shares_name: bool = False


@dataclass(frozen=True, slots=True)
class GroupRow:
    """A group as its source pushed it. `members` counts the records directly in it up to `COUNTED`, and no further:
    one more means that there are more. `mapped`: a line names it. `place` is where it stands, for the page behind it.
    """

    id: str
    source: str
    name: str
    external_id: str | None
    members: int
    mapped: bool = False
    place: tuple[str, str] = ("", "")

    @property
    def counted(self) -> str:
        """The number of members for people: exact, or `1,000+`."""
        return f"{COUNTED:,}+" if self.members > COUNTED else f"{self.members:,}"


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role of the tenant's LMS."""

    name: str
    rank: int
    administrator: bool
    description: str
    console: ConsoleRole | None = None  # what whoever holds it may do in the console


LINES: Final = """
    SELECT m.id, m.kind, s.name AS source, COALESCE(g.display_name, m.group_name, m.value) AS match, m.role, m.scope,
        m.priority, m.attribute, m.source_id, m.group_id, COALESCE(g.external_id, m.group_external_id) AS external_id,
        m.kind = 'group' AND (g.id IS NULL OR g.deleted_at IS NOT NULL) AS waiting,
        EXISTS (SELECT FROM groups o WHERE o.tenant_id = g.tenant_id AND o.source_id = g.source_id AND o.id <> g.id
            AND o.name = g.name AND o.display_name = g.display_name AND o.deleted_at IS NULL) AS shares_name
    FROM mappings m
    LEFT JOIN sources s ON s.tenant_id = m.tenant_id AND s.id = m.source_id
    LEFT JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    WHERE m.tenant_id = :tenant"""
_ALL = sa.text(f"{LINES} ORDER BY m.kind, s.name, 4, m.scope, m.role, m.id")


def listing(conn: sa.Connection, tenant_id: str) -> list[MappingRow]:
    """All lines, groups by the name that they have now."""
    return [line_of(row) for row in conn.execute(_ALL, {"tenant": tenant_id})]


def line_of(row: Any) -> MappingRow:
    """A row of `LINES`."""
    return MappingRow(
        id=str(row.id),
        kind=row.kind,
        source=row.source,
        match=row.match,
        role=row.role,
        scope=row.scope,
        priority=row.priority,
        attribute=row.attribute,
        source_id=_text(row.source_id),
        group_id=_text(row.group_id),
        group_external_id=row.external_id,
        state="waiting" if row.waiting else "live",
        shares_name=row.shares_name,
    )


# Whatever is asked of a group costs the same for ten members and for 100,000.
GROUPS: Final = f"""
    SELECT g.id, s.name AS source, g.display_name, g.name, g.external_id,
        (SELECT count(*) FROM (SELECT FROM members m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id
            AND m.kind = 'User' LIMIT {COUNTED + 1}) counted) AS members,
        EXISTS (SELECT FROM mappings m WHERE m.tenant_id = g.tenant_id AND m.group_id = g.id) AS mapped
    FROM groups g JOIN sources s ON s.tenant_id = g.tenant_id AND s.id = g.source_id
    WHERE g.tenant_id = :tenant AND g.deleted_at IS NULL"""
_NAMED = sa.text(f"{GROUPS} AND g.source_id = :source AND g.name = :folded AND g.display_name = :name ORDER BY g.id")
_BY_ID = sa.text(f"{GROUPS} AND g.source_id = :source AND g.id = CAST(:id AS uuid)")


def groups_named(conn: sa.Connection, tenant_id: str, source_id: str, name: str) -> list[GroupRow]:
    """The living groups of the source with this display name or id."""
    said = {"tenant": tenant_id, "source": source_id}
    found = [*conn.execute(_NAMED, said | {"name": name, "folded": group_sorted_by(name)})]
    if _UUID.fullmatch(name):
        found += conn.execute(_BY_ID, said | {"id": name})
    return [group_of(row) for row in found]


def roles(conn: sa.Connection, tenant_id: str) -> list[RoleRow]:
    """The roles that the tenant's LMS knows, the highest first."""
    c = t.roles.c
    chosen = sa.select(c.name, c.rank, c.administrator, c.description, c.console).where(c.tenant_id == tenant_id)
    return [RoleRow(**row) for row in conn.execute(chosen.order_by(c.rank.desc(), c.name)).mappings()]


_HELD = sa.text("""
    SELECT EXISTS (SELECT FROM grants WHERE tenant_id = :tenant AND effective AND role = :role)
        OR EXISTS (SELECT FROM grants WHERE tenant_id = :tenant AND rule = 'hand' AND role = :role)
""")


def is_held(conn: sa.Connection, tenant_id: str, role: str) -> bool:
    """Whether somebody has the role, or was given it by hand: by a line of the table others can have it in vain."""
    return bool(conn.execute(_HELD, {"tenant": tenant_id, "role": role}).scalar())


def write(conn: sa.Connection, tenant_id: str, saved: Sequence[dict[str, Any]], removed: Collection[str]) -> None:
    """Insert or replace lines (columns of `mappings` but the tenant; others are passed over), remove others by id."""
    c = t.mappings.c
    gone = {*removed, *(row["id"] for row in saved)}
    if gone:
        conn.execute(sa.delete(t.mappings).where(c.tenant_id == tenant_id, c.id.in_(sorted(gone))))
    if saved:
        conn.execute(sa.insert(t.mappings), [{"tenant_id": tenant_id, **_stored(row)} for row in saved])


_IN_GROUPS = Statement(
    sa.text("""
    WITH RECURSIVE inside (id) AS (
        SELECT unnest(CAST(:groups AS uuid[]))
        UNION
        SELECT m.member_id FROM inside JOIN members m ON m.tenant_id = :tenant AND m.group_id = inside.id
            AND m.kind = 'Group'
    )
    SELECT r.account_id FROM inside
    JOIN members m ON m.tenant_id = :tenant AND m.group_id = inside.id AND m.kind = 'User'
    JOIN records r ON r.tenant_id = :tenant AND r.id = m.member_id
    WHERE r.account_id IS NOT NULL LIMIT CAST(:limit AS bigint)
""")
)
_GRANTED = Statement(
    sa.text("""
    SELECT account_id FROM grants WHERE tenant_id = :tenant AND rule = ANY(CAST(:rules AS text[]))
        AND (CAST(:roles AS text[]) IS NULL OR role = ANY(CAST(:roles AS text[]))) LIMIT CAST(:limit AS bigint)
""")
)


def in_groups(conn: sa.Connection, tenant_id: str, group_ids: Collection[str], limit: int | None = None) -> set[str]:
    """The accounts whose records are in these groups, however deep; with `limit`, some of them if they are more."""
    parameters = {"tenant": tenant_id, "groups": sorted(group_ids), "limit": _enough(limit)}
    return {row[0] for row in _IN_GROUPS.rows(conn, parameters)}


def granted_by(
    conn: sa.Connection,
    tenant_id: str,
    rules: Collection[str],
    limit: int | None = None,
    *,
    roles: Collection[str] | None = None,
) -> set[str]:
    """The accounts that hold a grant by one of these rules (of these roles); with `limit`, some if they are more."""
    parameters = {
        "tenant": tenant_id,
        "rules": sorted(rules),
        "roles": None if roles is None else sorted(roles),
        "limit": _enough(limit),
    }
    return {row[0] for row in _GRANTED.rows(conn, parameters)}


def _enough(limit: int | None) -> int | None:
    """Rows to read to tell whether there are more accounts: somebody may stand in several of them."""
    return None if limit is None else 4 * limit


# What is spoken of: an attribute of the account, one of a source's records, or the records' roles or entitlements.
_ACCOUNT = "FROM accounts WHERE tenant_id = :tenant AND attributes ? :name"
_RECORD = """FROM records WHERE tenant_id = :tenant AND deleted_at IS NULL AND account_id IS NOT NULL
    AND (CAST(:source AS uuid) IS NULL OR source_id = :source) AND {voice} ? :name"""
_SPOKEN: Final = {
    "account": ("attributes -> CAST(:name AS text)", "id", _ACCOUNT),
    "voice": ("voice -> 'values' -> CAST(:name AS text)", "account_id", _RECORD.format(voice="voice -> 'values'")),
    "list": ("voice -> CAST(:name AS text)", "account_id", _RECORD.format(voice="voice")),
}


def spoken(conn: sa.Connection, tenant_id: str, where: str, name: str, source_id: str | None) -> list[Any]:
    """All different JSON values of `name`.

    `where` is account (its attributes), voice (those of records) or list (the records' roles, entitlements).
    """
    value, _, of = _SPOKEN[where]
    parameters = {"tenant": tenant_id, "name": name, "source": source_id}
    return list(conn.execute(sa.text(f"SELECT DISTINCT {value} AS value {of}"), parameters).scalars())


def holders(
    conn: sa.Connection, tenant_id: str, where: str, name: str, source_id: str | None, values: Sequence[Any]
) -> set[str]:
    """The accounts of which one of these JSON values is spoken, as `spoken` gives them."""
    if not values:
        return set()
    value, account, of = _SPOKEN[where]
    chosen = sa.text(
        f"SELECT DISTINCT {account} AS account_id {of} AND {value} IN (SELECT jsonb_array_elements(:values))"
    ).bindparams(sa.bindparam("values", type_=JSONB))
    parameters = {"tenant": tenant_id, "name": name, "source": source_id, "values": list(values)}
    return _accounts(conn.execute(chosen, parameters))


def _stored(line: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in line.items() if name in t.mappings.c}


def _accounts(rows: sa.CursorResult[Any]) -> set[str]:
    return {str(row.account_id) for row in rows}


def group_of(row: Any) -> GroupRow:
    """A row of `GROUPS`."""
    place = (row.name, str(row.id))
    return GroupRow(str(row.id), row.source, row.display_name, row.external_id, row.members, row.mapped, place)


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
