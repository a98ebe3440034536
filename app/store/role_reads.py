"""What deriving roles needs of many people, and nothing beside it: documents, lineage and managers stay where they are.

accounts ─▶ their records, with the groups that they are in directly ─▶ the groups above those, each asked once
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any, NamedTuple

import sqlalchemy as sa

from app.store.driver import Statement

_ACCOUNTS = Statement(
    sa.text("""
    SELECT id, status = 'active' AS active, attributes, CAST(grants AS text) AS grants FROM accounts
    WHERE tenant_id = :tenant AND id = ANY(CAST(:ids AS uuid[])) ORDER BY id
""")
)
_ABOVE = Statement(
    sa.text("""
    WITH RECURSIVE up (child, parent) AS (
        SELECT i.id, m.group_id FROM unnest(CAST(:ids AS uuid[])) AS i(id) CROSS JOIN LATERAL (
            SELECT group_id FROM members WHERE tenant_id = :tenant AND member_id = i.id OFFSET 0) m
        UNION
        SELECT up.parent, m.group_id FROM up CROSS JOIN LATERAL (
            SELECT group_id FROM members WHERE tenant_id = :tenant AND member_id = up.parent OFFSET 0) m
    )
    SELECT child, parent FROM up
""")
)
_OTHER_ADMINISTRATORS = Statement(
    sa.text("""
    SELECT EXISTS (
        SELECT FROM grants g JOIN roles r ON r.tenant_id = g.tenant_id AND r.name = g.role AND r.administrator
        LEFT JOIN unnest(CAST(:ids AS uuid[])) AS beside(id) ON beside.id = g.account_id
        WHERE g.tenant_id = :tenant AND g.effective AND beside.id IS NULL
    )
""")
)


class AccountRead(NamedTuple):
    """An account: `attributes` by name, `grants` as JSON text, which many have in common."""

    id: str
    active: bool
    attributes: dict[str, Any]
    grants: str


class RecordRead(NamedTuple):
    """A record. `roles`, `entitlements` (JSON text) and `said` (values by attribute) are None where nobody asked."""

    account_id: str
    source_id: str
    active: bool
    deleted: bool
    groups: Sequence[str]
    roles: str | None
    entitlements: str | None
    said: dict[str, Any] | None


def ids_of(ids: Iterable[str]) -> str:
    """Ids as the text of an array: psycopg would look into each of thousands for what has to be quoted."""
    return f"{{{','.join(sorted(ids))}}}"


@cache
def _records(lists: bool, values: bool) -> Statement:
    """What records say is read only if a rule asks for it."""
    parts = [
        "voice ->> 'roles' AS roles, voice ->> 'entitlements' AS entitlements"
        if lists
        else "CAST(NULL AS text) AS roles, CAST(NULL AS text) AS entitlements",
        "voice -> 'values' AS said" if values else "CAST(NULL AS jsonb) AS said",
    ]
    text = f"""
        SELECT r.account_id, r.source_id, r.active, r.deleted_at IS NOT NULL AS deleted,
            ARRAY(SELECT m.group_id FROM members m WHERE m.tenant_id = :tenant AND m.member_id = r.id) AS groups,
            {", ".join(parts)}
        FROM records r WHERE r.tenant_id = :tenant AND r.account_id = ANY(CAST(:ids AS uuid[]))
    """
    return Statement(sa.text(text))


def accounts(conn: sa.Connection, tenant: str, ids: Collection[str]) -> list[AccountRead]:
    """The accounts in the order of their ids."""
    rows = _ACCOUNTS.rows(conn, {"tenant": tenant, "ids": ids_of(ids)})
    return [AccountRead(row[0], row[1], row[2], row[3]) for row in rows]


def records(
    conn: sa.Connection, tenant: str, account_ids: Collection[str], *, lists: bool, values: bool
) -> list[RecordRead]:
    """All records of these accounts, deleted ones too. `lists`: with their roles and entitlements; `values`: all."""
    rows = _records(lists, values).rows(conn, {"tenant": tenant, "ids": ids_of(account_ids)})
    return [RecordRead(*row) for row in rows]


def above(conn: sa.Connection, tenant: str, group_ids: Collection[str]) -> list[tuple[str, str]]:
    """(group, a group that it is in directly) for these groups and all above them."""
    if not group_ids:
        return []
    return [(row[0], row[1]) for row in _ABOVE.rows(conn, {"tenant": tenant, "ids": ids_of(group_ids)})]


def other_administrators(conn: sa.Connection, tenant: str, beside: Collection[str]) -> bool:
    """Whether somebody else than these holds an administrator role. Nothing is locked."""
    return bool(_OTHER_ADMINISTRATORS.value(conn, {"tenant": tenant, "ids": ids_of(beside)}))
