"""Accounts found by what people know of them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from app.identity.folding import fold
from app.identity.model import Rules
from app.store.tables import Id

MOST: int = 50

_FIND = sa.text("""
    WITH found AS (
        SELECT id FROM accounts WHERE tenant_id = :tenant AND id = :id
        UNION SELECT account_id FROM aliases WHERE tenant_id = :tenant AND id = :id
        UNION SELECT account_id FROM records WHERE tenant_id = :tenant AND id = :id
        UNION SELECT account_id FROM records WHERE tenant_id = :tenant AND source_id = ANY(:sources)
            AND user_name = :value AND deleted_at IS NULL
        UNION SELECT account_id FROM records WHERE tenant_id = :tenant AND source_id = ANY(:sources)
            AND source_key = :key
        UNION SELECT unnest(holders) FROM identifiers WHERE tenant_id = :tenant AND namespace = ANY(:namespaces)
            AND affiliation IN ('employee', 'customer') AND value = :value
    )
    SELECT a.id, a.status, a.attributes, a.roles FROM accounts a JOIN found ON found.id = a.id
    WHERE a.tenant_id = :tenant ORDER BY a.status, a.id LIMIT :most
""").bindparams(sa.bindparam("id", type_=Id), sa.bindparam("sources", type_=sa.ARRAY(Id)))
_NAMES = sa.text("SELECT id, attributes FROM accounts WHERE tenant_id = :tenant AND id = ANY(:ids)")
_GROUPS = sa.text("""
    SELECT g.id, g.display_name FROM mappings m JOIN groups g ON g.tenant_id = m.tenant_id AND g.id = m.group_id
    WHERE m.tenant_id = :tenant
""")


def find(conn: sa.Connection, tenant_id: str, text: str, rules: Rules) -> list[Any]:
    """At most 50 accounts (id, status, attributes, roles) with this id, userName, e-mail or employee number.

    The id may be the account's, that of one that was merged into it, or that of a record of it, in Rollcall or in its
    source.
    """
    namespaces = {"email", *(f"employee:{one.employee_namespace}" for one in rules.sources.values())}
    namespaces |= {f"name:{one.paired_source_id}" for one in rules.sources.values() if one.paired_source_id}
    parameters = {
        "tenant": tenant_id,
        "id": _uuid(text),
        "key": text,
        "value": fold(text),
        "sources": sorted(rules.sources),
        "namespaces": sorted(namespaces),
        "most": MOST,
    }
    return list(conn.execute(_FIND, parameters))


def attributes_of(conn: sa.Connection, tenant_id: str, account_ids: list[str]) -> dict[str, dict[str, Any]]:
    """The attributes of these accounts, by id."""
    chosen = _NAMES.bindparams(sa.bindparam("ids", type_=sa.ARRAY(Id)))
    return {str(row.id): row.attributes for row in conn.execute(chosen, {"tenant": tenant_id, "ids": account_ids})}


def mapped_groups(conn: sa.Connection, tenant_id: str) -> dict[str, str]:
    """The display names of the groups that have a mapping, by id."""
    return {str(row.id): row.display_name for row in conn.execute(_GROUPS, {"tenant": tenant_id})}


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text.strip()))
    except ValueError:
        return None
