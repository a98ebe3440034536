"""An account as learning platforms see it: attributes, effective roles with their scopes, groups, whose address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.identity.folding import fold
from app.store.driver import Statement


@dataclass(frozen=True, slots=True)
class PersonRow:
    """An active account. `groups` are the names of its groups in all sources that are not retired, outer ones too."""

    account_id: str
    tenant: str
    attributes: Mapping[str, Any] = field(repr=False)
    roles: tuple[str, ...]
    grants: tuple[tuple[str, str], ...]
    groups: tuple[str, ...]
    email_verified: bool
    updated_at: datetime


def find(conn: sa.Connection, tenant_id: str, account_id: str) -> PersonRow | None:
    """The account, if it is active."""
    row = _FIND.row(conn, {"tenant": tenant_id, "account": account_id})
    if row is None:
        return None
    email = row.attributes.get("emails.work")
    return PersonRow(
        row.id,
        row.tenant,
        row.attributes,
        tuple(row.roles),
        tuple((role, scope) for role, scope in row.grants),
        tuple(row.groups),
        bool(email) and _is_verified(conn, tenant_id, account_id, email),
        row.updated_at,
    )


def _is_verified(conn: sa.Connection, tenant_id: str, account_id: str, email: str) -> bool:
    """Whether it identifies this account: only an address that its source may speak for does (`identity.claims`)."""
    values = {"tenant": tenant_id, "account": account_id, "email": fold(email)}
    return _VERIFIED.row(conn, values) is not None


_FIND: Final = Statement("""
    SELECT a.id, n.name AS tenant, a.attributes, a.roles, a.updated_at,
        COALESCE((SELECT jsonb_agg(jsonb_build_array(e.role, e.scope) ORDER BY e.role, e.scope) FROM (
            SELECT DISTINCT g.role, g.scope FROM grants g
            WHERE g.tenant_id = a.tenant_id AND g.account_id = a.id AND g.effective) e), '[]') AS grants,
        ARRAY(
            WITH RECURSIVE mine (group_id) AS (
                SELECT m.group_id FROM records r
                JOIN members m ON m.tenant_id = r.tenant_id AND m.member_id = r.id AND m.kind = 'User'
                WHERE r.tenant_id = a.tenant_id AND r.account_id = a.id AND r.deleted_at IS NULL
                UNION
                SELECT m.group_id FROM mine
                JOIN members m ON m.tenant_id = a.tenant_id AND m.member_id = mine.group_id AND m.kind = 'Group')
            SELECT DISTINCT g.display_name FROM mine
            JOIN groups g ON g.tenant_id = a.tenant_id AND g.id = mine.group_id AND g.deleted_at IS NULL
            JOIN sources s ON s.tenant_id = g.tenant_id AND s.id = g.source_id AND s.state <> 'retired'
            ORDER BY 1) AS groups
    FROM accounts a JOIN tenants n ON n.id = a.tenant_id
    WHERE a.tenant_id = CAST(%(tenant)s AS uuid) AND a.id = CAST(%(account)s AS uuid) AND a.status = 'active'
""")
_VERIFIED: Final = Statement("""
    SELECT 1 FROM identifiers i JOIN accounts a ON a.tenant_id = i.tenant_id AND a.id = CAST(%(account)s AS uuid)
    WHERE i.tenant_id = CAST(%(tenant)s AS uuid) AND i.namespace = 'email' AND i.affiliation = a.affiliation
        AND i.value = CAST(%(email)s AS text) AND a.id = ANY (i.holders)
""")
