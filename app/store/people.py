"""People as the write door sees them: rows read (and locked, in the design's order) and turned into the core's nouns.

existing records ─▶ identifiers ─▶ accounts ─▶ their records, with all groups ─▶ managers named and above
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.decide import Kept
from app.identity.model import Account, Grant, Lineage, Record, Status
from app.store.driver import Statement
from app.store.tables import Id
from app.store.voices import decode

Key = tuple[str, str, str]

_RECORD = """r.id, r.source_id, r.source_key, r.user_name, r.account_id, r.active, r.document, r.voice, r.version,
    r.created_at, r.updated_at, r.deleted_at, r.due_at"""


def _ids(name: str) -> sa.BindParameter[Any]:
    return sa.bindparam(name, type_=sa.ARRAY(Id))


_EXISTING = Statement(
    sa.text(f"""
    SELECT {_RECORD} FROM records r WHERE r.tenant_id = :tenant AND r.id = ANY(:ids)
    UNION ALL
    SELECT {_RECORD} FROM jsonb_to_recordset(:keys) AS k(source uuid, key text)
    JOIN records r ON r.tenant_id = :tenant AND r.source_id = k.source AND r.source_key = k.key
    UNION ALL
    SELECT {_RECORD} FROM jsonb_to_recordset(:names) AS k(source uuid, name text)
    JOIN records r ON r.tenant_id = :tenant AND r.source_id = k.source AND r.user_name = k.name
        AND r.deleted_at IS NULL
""").bindparams(_ids("ids"), sa.bindparam("keys", type_=JSONB), sa.bindparam("names", type_=JSONB))
)


def existing(
    conn: sa.Connection,
    tenant: str,
    ids: Sequence[str],
    keys: Iterable[tuple[str, str]],
    names: Iterable[tuple[str, str]],
) -> list[Kept]:
    """Records by id, by (source, source key) and by (source, folded userName): not locked, groups not read."""
    rows = _EXISTING.rows(
        conn,
        {
            "tenant": tenant,
            "ids": list(ids),
            "keys": [{"source": source, "key": key} for source, key in keys],
            "names": [{"source": source, "name": name} for source, name in names],
        },
    )
    return [kept_of(row, frozenset()) for row in rows]


# Makes those that are missing and locks all, in the order given; answers one row for each that it made.
_OPEN_IDENTIFIERS = Statement("""
    INSERT INTO identifiers AS i (tenant_id, namespace, affiliation, value)
    SELECT CAST(%(tenant)s AS uuid), * FROM unnest(
        CAST(%(namespaces)s AS text[]), CAST(%(affiliations)s AS text[]), CAST(%(values)s AS text[]))
    ON CONFLICT (tenant_id, namespace, affiliation, value) DO UPDATE SET holders = i.holders WHERE false
    RETURNING true
""")
_IDENTIFIERS = """
    SELECT i.namespace, i.affiliation, i.value, i.holders
    FROM unnest(CAST(%(namespaces)s AS text[]), CAST(%(affiliations)s AS text[]), CAST(%(values)s AS text[]))
        AS k(namespace, affiliation, value)
    JOIN identifiers i ON i.tenant_id = %(tenant)s AND i.namespace = k.namespace COLLATE "C"
        AND i.affiliation = k.affiliation AND i.value = k.value COLLATE "C"
    ORDER BY i.namespace, i.affiliation, i.value
"""
_READ_IDENTIFIERS = Statement(_IDENTIFIERS)
_LOCK_IDENTIFIERS = Statement(_IDENTIFIERS + " FOR UPDATE OF i")


def identifiers(
    conn: sa.Connection, tenant: str, keys: Collection[Key], *, lock: bool, made: Collection[Key] = ()
) -> dict[Key, tuple[str, ...]]:
    """Who holds these identifiers. With `lock` each one is made if it is missing, and stays locked, in sorted order.

    `made` are known to be there: one that somebody claimed is never removed.
    """
    if not keys:
        return {}
    ordered = sorted(keys)
    parameters: dict[str, Any] = {
        "tenant": tenant,
        "namespaces": [key[0] for key in ordered],
        "affiliations": [key[1] for key in ordered],
        "values": [key[2] for key in ordered],
    }
    statement = _READ_IDENTIFIERS
    if lock and not set(made).issuperset(ordered):
        if len(_OPEN_IDENTIFIERS.rows(conn, parameters)) == len(ordered):
            return dict.fromkeys(ordered, ())
    elif lock:
        statement = _LOCK_IDENTIFIERS
    rows = statement.rows(conn, parameters)
    return {(row.namespace, row.affiliation, row.value): tuple(row.holders) for row in rows}


_ACCOUNTS = """
    SELECT id, status, affiliation, suspended, attributes, lineage, manual, grants, manager_id, managers,
        inactive_since, version
    FROM accounts WHERE tenant_id = :tenant AND id = ANY(:ids) ORDER BY id
"""
_READ_ACCOUNTS = Statement(sa.text(_ACCOUNTS).bindparams(_ids("ids")))
_LOCK_ACCOUNTS = Statement(sa.text(_ACCOUNTS + " FOR UPDATE").bindparams(_ids("ids")))


def accounts(conn: sa.Connection, tenant: str, ids: Collection[str], *, lock: bool) -> dict[str, Account]:
    """Accounts by id. With `lock` they stay locked, in the order of their ids."""
    if not ids:
        return {}
    rows = (_LOCK_ACCOUNTS if lock else _READ_ACCOUNTS).rows(conn, {"tenant": tenant, "ids": sorted(ids)})
    return {str(row.id): account_of(row) for row in rows}


_HOLD = Statement("""
    SELECT id FROM accounts WHERE tenant_id = %(tenant)s AND id = ANY(CAST(%(ids)s AS uuid[])) ORDER BY id FOR KEY SHARE
""")


def hold(conn: sa.Connection, tenant: str, ids: Collection[str]) -> None:
    """Nobody decides about these accounts until COMMIT; others may hold them as well."""
    if ids:
        _HOLD.rows(conn, {"tenant": tenant, "ids": sorted(ids)})


_RECORDS = Statement(
    sa.text(f"""
    WITH RECURSIVE mine AS (
        SELECT {_RECORD} FROM records r WHERE r.tenant_id = :tenant AND r.account_id = ANY(:ids)
    ), inside (record_id, group_id) AS (
        SELECT mine.id, m.group_id FROM mine CROSS JOIN LATERAL (
            SELECT group_id FROM members WHERE tenant_id = :tenant AND member_id = mine.id OFFSET 0) m
        UNION
        SELECT inside.record_id, m.group_id FROM inside CROSS JOIN LATERAL (
            SELECT group_id FROM members WHERE tenant_id = :tenant AND member_id = inside.group_id OFFSET 0) m
    ), groups_of AS (
        SELECT record_id, array_agg(group_id) AS ids FROM inside GROUP BY record_id
    )
    SELECT r.*, groups_of.ids AS group_ids FROM mine r LEFT JOIN groups_of ON groups_of.record_id = r.id
""").bindparams(_ids("ids"))
)


def records_of(conn: sa.Connection, tenant: str, account_ids: Collection[str]) -> list[Kept]:
    """All records of these accounts, deleted ones too, each with all its groups, nested ones included.

    Row by row in laterals: joined, a plan without values would read all memberships.
    """
    if not account_ids:
        return []
    rows = _RECORDS.rows(conn, {"tenant": tenant, "ids": sorted(account_ids)})
    return [kept_of(row, frozenset(str(one) for one in row.group_ids or ())) for row in rows]


_MANAGERS = Statement(
    sa.text("""
    WITH RECURSIVE named AS (
        SELECT k.namespace, k.value, r.account_id FROM jsonb_to_recordset(:keys) AS k(namespace text, value text)
        JOIN records r ON k.namespace = 'record' AND r.tenant_id = :tenant AND r.id = k.value::uuid
        UNION ALL
        SELECT k.namespace, k.value, r.account_id FROM jsonb_to_recordset(:keys) AS k(namespace text, value text)
        JOIN records r ON r.tenant_id = :tenant AND r.deleted_at IS NULL AND r.source_key = k.value COLLATE "C"
            AND r.source_id = CASE WHEN k.namespace LIKE 'key:%' THEN substr(k.namespace, 5)::uuid END
        UNION ALL
        SELECT k.namespace, k.value, i.holders[1] FROM jsonb_to_recordset(:keys) AS k(namespace text, value text)
        JOIN identifiers i ON k.namespace <> 'record' AND i.tenant_id = :tenant
            AND i.namespace = k.namespace COLLATE "C" AND i.affiliation IN ('employee', 'customer')
            AND i.value = k.value COLLATE "C"
        WHERE cardinality(i.holders) = 1
    ), above (id, manager_id, steps) AS (
        SELECT a.id, a.manager_id, 1 FROM accounts a
        WHERE a.tenant_id = :tenant AND a.id IN (SELECT account_id FROM named UNION SELECT unnest(:others))
        UNION
        SELECT a.id, a.manager_id, above.steps + 1 FROM above
        JOIN accounts a ON a.tenant_id = :tenant AND a.id = above.manager_id WHERE above.steps < 100
    )
    SELECT namespace, value, account_id AS id, NULL::uuid AS manager_id FROM named
    UNION ALL SELECT DISTINCT NULL, NULL, id, manager_id FROM above WHERE manager_id IS NOT NULL
""").bindparams(sa.bindparam("keys", type_=JSONB), _ids("others"))
)


def managers(
    conn: sa.Connection, tenant: str, keys: Collection[tuple[str, str]], others: Collection[str]
) -> tuple[dict[tuple[str, str], str], dict[str, str]]:
    """Who is named by these keys (namespace, value), and account -> manager for all above them and above `others`."""
    if not keys and not others:
        return {}, {}
    named = [{"namespace": namespace, "value": value} for namespace, value in sorted(keys)]
    found: dict[tuple[str, str], str] = {}
    edges: dict[str, str] = {}
    for row in _MANAGERS.rows(conn, {"tenant": tenant, "keys": named, "others": sorted(others)}):
        if row.namespace is None:
            edges[str(row.id)] = str(row.manager_id)
        elif row.id is not None:
            found.setdefault((row.namespace, row.value), str(row.id))
    return found, edges


_OF_SOURCE = sa.text("""
    SELECT DISTINCT account_id FROM records
    WHERE tenant_id = :tenant AND source_id = :source AND deleted_at IS NULL AND account_id IS NOT NULL
    ORDER BY account_id
""")


def of_source(conn: sa.Connection, tenant: str, source: str) -> list[str]:
    """The accounts of whom the source has a living record."""
    return [str(one) for one in conn.execute(_OF_SOURCE, {"tenant": tenant, "source": source}).scalars()]


_OTHER_ADMINISTRATORS = Statement(
    sa.text("""
    SELECT EXISTS (
        SELECT FROM grants g JOIN roles r ON r.tenant_id = g.tenant_id AND r.name = g.role AND r.administrator
        WHERE g.tenant_id = :tenant AND g.effective AND NOT g.account_id = ANY(:losing)
    )
""").bindparams(_ids("losing"))
)


def other_administrators(conn: sa.Connection, tenant: str, losing: Collection[str]) -> bool:
    """Whether somebody else is an administrator. Two who lose it at once come one after the other."""
    conn.execute(
        sa.text("SELECT pg_advisory_xact_lock(hashtextextended('administrators:' || :tenant, 0))"), {"tenant": tenant}
    )
    return bool(_OTHER_ADMINISTRATORS.value(conn, {"tenant": tenant, "losing": sorted(losing)}))


def kept_of(row: Any, groups: frozenset[str]) -> Kept:
    """A row of `records` as the core knows it."""
    said = decode(row.voice)
    record = Record(
        id=str(row.id),
        source_id=str(row.source_id),
        account_id=None if row.account_id is None else str(row.account_id),
        active=row.active,
        voice=said.values,
        managers=said.managers,
        groups=groups,
        roles=said.roles,
        entitlements=said.entitlements,
        deleted=row.deleted_at is not None,
        changed_at=row.updated_at,
        known_as=said.known_as,
        vouched=said.vouched,
    )
    claimed = frozenset(
        (namespace, affiliation, value) for namespace, affiliation, value in row.voice.get("claims", ())
    )
    return Kept(
        record, row.version, row.source_key, row.user_name, row.document, claimed, row.created_at, due_at=row.due_at
    )


def account_of(row: Any) -> Account:
    """A row of `accounts` as the core knows it."""
    return Account(
        id=str(row.id),
        status=Status(row.status),
        attributes=row.attributes,
        lineage={name: _lineage(one) for name, one in row.lineage.items()},
        grants=tuple(Grant(**grant) for grant in row.grants),
        manager_id=None if row.manager_id is None else str(row.manager_id),
        managers={kind: tuple(ids) for kind, ids in row.managers.items()},
        manual=row.manual,
        suspended=row.suspended,
        affiliation=row.affiliation,
        inactive_since=row.inactive_since,
        version=row.version,
    )


def _lineage(shown: Mapping[str, Any]) -> Lineage:
    return Lineage(shown["source"], shown["record"], shown["rule"], datetime.fromisoformat(shown["at"]))
