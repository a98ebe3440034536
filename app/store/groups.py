"""Groups and their members as rows. A group's lock comes first in the order of locks."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from app.identity.by_hand import is_id
from app.identity.naming import group_sorted_by
from app.store import tables as t
from app.store.driver import Statement
from app.store.tables import Id

_IDS = sa.bindparam("ids", type_=sa.ARRAY(Id))

_LOCK = Statement(
    sa.text("""
    SELECT id, source_id, display_name, external_id, document, version, deleted_at FROM groups
    WHERE tenant_id = :tenant AND source_id = :source AND id = :id FOR UPDATE
""")
)


def locked(conn: sa.Connection, tenant: str, source: str, id: str) -> Any | None:
    """The living group, locked; None when this source has none of that id."""
    row = _LOCK.row(conn, {"tenant": tenant, "source": source, "id": id})
    return None if row is None or row.deleted_at is not None else row


def insert(
    conn: sa.Connection,
    tenant: str,
    source: str,
    id: str,
    document: Mapping[str, Any],
    search: Mapping[str, Any],
    now: datetime,
) -> None:
    """A new group at version 1."""
    conn.execute(
        sa.insert(t.groups).values(
            tenant_id=tenant,
            id=id,
            source_id=source,
            display_name=document["displayName"],
            name=group_sorted_by(document["displayName"]),
            external_id=document.get("externalId"),
            document=document,
            search=search,
            created_at=now,
            updated_at=now,
        )
    )


_TOUCH = Statement("""
    UPDATE groups SET version = version + 1, updated_at = %(now)s
    WHERE tenant_id = %(tenant)s AND id = CAST(%(id)s AS uuid)
""")


def touch(conn: sa.Connection, tenant: str, id: str, now: datetime) -> None:
    """One version more, since its members changed."""
    _TOUCH.rows(conn, {"tenant": tenant, "id": id, "now": now})


def update(
    conn: sa.Connection,
    tenant: str,
    id: str,
    now: datetime,
    *,
    document: Mapping[str, Any] | None = None,
    search: Mapping[str, Any] | None = None,
    deleted: bool = False,
) -> None:
    """One version more."""
    values: dict[str, Any] = {"version": t.groups.c.version + 1, "updated_at": now}
    if document is not None:
        values |= {
            "document": document,
            "search": search,
            "display_name": document["displayName"],
            "name": group_sorted_by(document["displayName"]),
            "external_id": document.get("externalId"),
        }
    if deleted:
        values |= {"deleted_at": now, "search": {}}
    conn.execute(sa.update(t.groups).where(t.groups.c.tenant_id == tenant, t.groups.c.id == id).values(values))


def set_pending(conn: sa.Connection, tenant: str, id: str, run: str) -> None:
    """The roles of this group's members wait for a run. No new version: the group itself is as its source wants it."""
    mine = (t.groups.c.tenant_id == tenant, t.groups.c.id == id)
    conn.execute(sa.update(t.groups).where(*mine).values(pending_run_id=run))


_UPWARDS = Statement(
    sa.text("""
    WITH RECURSIVE up (id) AS (
        SELECT CAST(:group AS uuid)
        UNION
        SELECT m.group_id FROM up JOIN members m ON m.tenant_id = :tenant AND m.member_id = up.id
    ) SELECT id FROM up
""")
)


def upwards(conn: sa.Connection, tenant: str, group: str) -> set[str]:
    """The group and all groups that it is in."""
    return {str(row.id) for row in _UPWARDS.rows(conn, {"tenant": tenant, "group": group})}


_STILL_IN = Statement(
    sa.text("""
    SELECT count(*) FROM members WHERE tenant_id = :tenant AND group_id = :group AND member_id = ANY(:ids)
""").bindparams(_IDS)
)


def left(conn: sa.Connection, tenant: str, group: str, moved: Moved) -> bool:
    """Whether somebody of those who moved is not in the group now."""
    parameters = {"tenant": tenant, "group": group, "ids": sorted(moved)}
    return int(_STILL_IN.value(conn, parameters)) < len(moved)


# Whoever is there already stays; whoever is nobody of the source is not found, and so not added.
_ADD = Statement("""
    WITH wanted AS (
        SELECT * FROM unnest(CAST(%(ids)s AS uuid[]), CAST(%(displays)s AS text[])) AS w(id, display)
    ), found AS (
        SELECT r.id, 'User' AS kind, w.display FROM wanted w CROSS JOIN LATERAL (
            SELECT id FROM records WHERE tenant_id = %(tenant)s AND id = w.id AND source_id = %(source)s
                AND deleted_at IS NULL OFFSET 0) r
        UNION ALL
        SELECT g.id, 'Group', w.display FROM wanted w CROSS JOIN LATERAL (
            SELECT id FROM groups WHERE tenant_id = %(tenant)s AND id = w.id AND source_id = %(source)s
                AND deleted_at IS NULL OFFSET 0) g
    ), added AS (
        INSERT INTO members (tenant_id, group_id, member_id, kind, display)
        SELECT CAST(%(tenant)s AS uuid), CAST(%(group)s AS uuid), id, kind, display FROM found
        ON CONFLICT DO NOTHING RETURNING member_id
    )
    SELECT found.id, found.kind, added.member_id IS NOT NULL AS added
    FROM found LEFT JOIN added ON added.member_id = found.id
""")
_REMOVE = Statement(
    sa.text("""
    DELETE FROM members WHERE tenant_id = :tenant AND group_id = :group AND member_id = ANY(:ids)
    RETURNING member_id, kind
""").bindparams(_IDS)
)
_KEEP_ONLY = Statement(
    sa.text("""
    DELETE FROM members WHERE tenant_id = :tenant AND group_id = :group AND NOT member_id = ANY(:ids)
    RETURNING member_id, kind
""").bindparams(_IDS)
)
_DISSOLVE = Statement(
    sa.text("""
    DELETE FROM members WHERE tenant_id = :tenant AND (group_id = :group OR member_id = :group)
    RETURNING member_id, kind
""")
)

Moved = dict[str, str]  # member id -> User or Group


def add(
    conn: sa.Connection, tenant: str, source: str, group: str, wanted: Mapping[str, str | None]
) -> tuple[set[str], Moved]:
    """Add members {id: display}; returns those who are living resources of the source, and who of them is new."""
    if not wanted:
        return set(), {}
    ordered = sorted(wanted)
    displays = [wanted[one] for one in ordered]
    parameters = {"tenant": tenant, "source": source, "group": group, "ids": ordered, "displays": displays}
    rows = _ADD.rows(conn, parameters)
    return {row.id for row in rows}, {row.id: row.kind for row in rows if row.added}


def remove(conn: sa.Connection, tenant: str, group: str, ids: Collection[str]) -> Moved:
    """Take members out; returns those who were in."""
    if not ids:
        return {}
    rows = _REMOVE.rows(conn, {"tenant": tenant, "group": group, "ids": sorted(ids)})
    return {str(row.member_id): row.kind for row in rows}


def keep_only(conn: sa.Connection, tenant: str, group: str, ids: Collection[str]) -> Moved:
    """Take everybody else out; returns those who were in."""
    rows = _KEEP_ONLY.rows(conn, {"tenant": tenant, "group": group, "ids": sorted(ids)})
    return {str(row.member_id): row.kind for row in rows}


def dissolve(conn: sa.Connection, tenant: str, group: str) -> Moved:
    """End all memberships of and in the group; returns those who were in it."""
    rows = _DISSOLVE.rows(conn, {"tenant": tenant, "group": group})
    return {str(row.member_id): row.kind for row in rows if str(row.member_id) != group}


_DROP_DELETED = Statement(
    sa.text("""
    DELETE FROM members m USING records r
    WHERE m.tenant_id = :tenant AND m.group_id = :group AND m.member_id = ANY(:ids)
        AND r.tenant_id = :tenant AND r.id = m.member_id AND r.deleted_at IS NOT NULL
""").bindparams(_IDS)
)


def drop_deleted(conn: sa.Connection, tenant: str, group: str, moved: Moved) -> None:
    """Whoever was deleted while he was being added: to be called when the accounts are locked."""
    if moved:
        _DROP_DELETED.rows(conn, {"tenant": tenant, "group": group, "ids": sorted(moved)})


_ACCOUNTS_OF_RECORDS = Statement("""
    SELECT DISTINCT account_id FROM records
    WHERE tenant_id = %(tenant)s AND id = ANY(CAST(%(records)s AS uuid[])) AND account_id IS NOT NULL
    ORDER BY account_id
""")
_ACCOUNTS = Statement(
    sa.text("""
    WITH RECURSIVE below (group_id) AS (
        SELECT unnest(CAST(:groups AS uuid[]))
        UNION
        SELECT m.member_id FROM below CROSS JOIN LATERAL (
            SELECT member_id FROM members
            WHERE tenant_id = :tenant AND group_id = below.group_id AND kind = 'Group' OFFSET 0) m
    ), people (record_id) AS (
        SELECT unnest(CAST(:records AS uuid[]))
        UNION
        SELECT m.member_id FROM below CROSS JOIN LATERAL (
            SELECT member_id FROM members
            WHERE tenant_id = :tenant AND group_id = below.group_id AND kind = 'User' OFFSET 0) m
    )
    SELECT DISTINCT r.account_id FROM people CROSS JOIN LATERAL (
        SELECT account_id FROM records WHERE tenant_id = :tenant AND id = people.record_id OFFSET 0) r
    WHERE r.account_id IS NOT NULL ORDER BY r.account_id
""")
)


def accounts_of(conn: sa.Connection, tenant: str, moved: Moved) -> list[str]:
    """The accounts of these people, and of those in these groups however deep."""
    if not moved:
        return []
    groups = [one for one, kind in moved.items() if kind == "Group"]
    records = [one for one, kind in moved.items() if kind == "User"]
    statement = _ACCOUNTS if groups else _ACCOUNTS_OF_RECORDS
    rows = statement.rows(conn, {"tenant": tenant, "groups": groups, "records": records})
    return [str(row.account_id) for row in rows]


_TAKE_UP = sa.text("""
    UPDATE mappings m SET group_id = :group, group_name = :name, group_external_id = :external
    FROM (
        SELECT w.id FROM mappings w
        LEFT JOIN groups g ON g.tenant_id = w.tenant_id AND g.id = w.group_id
        JOIN roles r ON r.tenant_id = w.tenant_id AND r.name = w.role AND NOT r.administrator
        WHERE w.tenant_id = :tenant AND w.kind = 'group' AND w.source_id = :source
            AND (w.group_id IS NULL OR g.deleted_at IS NOT NULL)
            AND CASE WHEN COALESCE(g.external_id, w.group_external_id) IS NOT NULL
                AND CAST(:external AS text) IS NOT NULL
                THEN COALESCE(g.external_id, w.group_external_id) = :external
                ELSE lower(COALESCE(g.display_name, w.group_name)) = lower(:name) END
    ) waiting WHERE m.tenant_id = :tenant AND m.id = waiting.id
""")
_ANY_WAITING = Statement(
    sa.text("""
    SELECT EXISTS (SELECT FROM mappings w LEFT JOIN groups g ON g.tenant_id = w.tenant_id AND g.id = w.group_id
    WHERE w.tenant_id = :tenant AND w.kind = 'group' AND w.source_id = :source
        AND (w.group_id IS NULL OR g.deleted_at IS NOT NULL))
""")
)


def mappings_wait(conn: sa.Connection, tenant: str, source: str) -> bool:
    """Whether a mapping of this source waits for a group to come (back)."""
    return bool(_ANY_WAITING.value(conn, {"tenant": tenant, "source": source}))


_RULES_TURN = Statement(
    sa.text("""
    SELECT EXISTS (SELECT FROM sources WHERE tenant_id = :tenant AND kind = 'login')
        AND NOT EXISTS (SELECT FROM groups WHERE tenant_id = :tenant AND source_id = :source AND deleted_at IS NULL
            AND id IS DISTINCT FROM CAST(:beside AS uuid))
""")
)


def logins_listen(conn: sa.Connection, tenant: str, source: str, beside: str | None = None) -> bool:
    """Whether the tenant has sign-ins, and the source no living group, but perhaps this one."""
    return bool(_RULES_TURN.value(conn, {"tenant": tenant, "source": source, "beside": beside}))


def take_up_mappings(conn: sa.Connection, tenant: str, source: str, group: str, name: str, external: str | None) -> int:
    """Hang the mappings that waited for this group on it, by externalId, else by name; never an administrator's."""
    parameters = {"tenant": tenant, "source": source, "group": group, "name": name, "external": external}
    return conn.execute(_TAKE_UP, parameters).rowcount


def named(conn: sa.Connection, tenant: str, group: str) -> tuple[str, str] | None:
    """What a living group is called, and its source."""
    g, o = t.groups.c, t.sources.c
    chosen = sa.select(g.display_name, o.name).where(
        g.tenant_id == tenant, g.id == group, g.deleted_at.is_(None), o.tenant_id == tenant, o.id == g.source_id
    )
    row = conn.execute(chosen).one_or_none()
    return (row[0], row[1]) if row else None


def names(conn: sa.Connection, tenant: str, ids: Sequence[str]) -> dict[str, str]:
    """What groups are called, by id; words that are no id, or no group's, are left out."""
    g, wanted = t.groups.c, [id for id in ids if is_id(id)]
    if not wanted:
        return {}
    rows = conn.execute(sa.select(g.id, g.display_name).where(g.tenant_id == tenant, g.id.in_(wanted)))
    return {str(id): name for id, name in rows}
