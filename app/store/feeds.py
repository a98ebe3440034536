"""What learning platforms read: accounts by id or by their last change, and the events in their order.

    accounts(…)    a page by id           ◀─ (tenant, id), (tenant, status, id), grants (tenant, role, account)
    changed(…)     a page by last change  ◀─ (tenant, version)
    account(…)     one, with its lineage
    events(…)      a page by number       ◀─ (tenant, number)

Each is one statement, so that a page and the newest event number beside it are of one moment. Documents come as JSON
text, to be written out without being parsed. An event's number is given under the lock of the tenant's ledger row,
which is held until COMMIT: whoever sees a number sees every lower one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import sqlalchemy as sa

FIRST_ID: Final = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Page:
    """`newest` is the number of the tenant's last event at that moment; `more` says that the page was cut."""

    newest: int
    rows: Sequence[Any]
    more: bool


# Documents as text: {name}_json is spliced into the answer as it is.
_COLUMNS: Final = """a.id, a.status, a.affiliation, a.suspended, a.attributes ->> 'emails.work' AS email, a.roles,
        a.manager_id, a.version, a.created_at, a.updated_at, a.attributes::text AS attributes_json,
        a.grants::text AS grants_json, a.managers::text AS managers_json"""


def _beside_newest(page: str, order: str) -> str:
    """The page's rows beside the newest number; one row of nulls when the page is empty."""
    return f"""
    SELECT l.next_event - 1 AS newest, p.* FROM ledger l LEFT JOIN LATERAL ({page}) p ON true
    WHERE l.tenant_id = :tenant ORDER BY p.{order}"""


def _accounts(*conditions: str, order: str) -> str:
    where = " AND ".join(("a.tenant_id = :tenant", *conditions))
    return _beside_newest(
        f"SELECT {_COLUMNS} FROM accounts a WHERE {where} ORDER BY a.{order} LIMIT :limit",
        order,
    )


def _accounts_of_role(status: str) -> str:
    # The ids first, by the index of grants alone: one account may hold a role by several rules.
    return _beside_newest(
        f"""
        SELECT {_COLUMNS} FROM (
            SELECT DISTINCT g.account_id FROM grants g
            WHERE g.tenant_id = :tenant AND g.role = :role AND g.effective AND g.scope = 'tenant'
                AND g.account_id > :after {status}
            ORDER BY g.account_id LIMIT :limit
        ) ids JOIN accounts a ON a.tenant_id = :tenant AND a.id = ids.account_id""",
        "id",
    )


_STATUS: Final = "a.status = :status"
_ROLE: Final = ":role = ANY(a.roles)"
# A scalar subquery stays one look a grant, in the index's order; a join would be planned over everybody.
_OF_ROLE: Final = (
    "AND (SELECT s.status FROM accounts s WHERE s.tenant_id = g.tenant_id AND s.id = g.account_id) = :status"
)
# (with a role, with a status) -> statement
_BY_ID: Final = {
    (False, False): sa.text(_accounts("a.id > :after", order="id")),
    (False, True): sa.text(_accounts("a.id > :after", _STATUS, order="id")),
    (True, False): sa.text(_accounts_of_role("")),
    (True, True): sa.text(_accounts_of_role(_OF_ROLE)),
}
_BY_VERSION: Final = {
    (False, False): sa.text(_accounts("a.version > :after", order="version")),
    (False, True): sa.text(_accounts("a.version > :after", _STATUS, order="version")),
    (True, False): sa.text(_accounts("a.version > :after", _ROLE, order="version")),
    (True, True): sa.text(_accounts("a.version > :after", _ROLE, _STATUS, order="version")),
}
_ACCOUNT: Final = sa.text(
    f"SELECT {_COLUMNS}, a.lineage::text AS lineage_json FROM accounts a WHERE a.tenant_id = :tenant "
    "AND a.id = COALESCE((SELECT x.account_id FROM aliases x WHERE x.tenant_id = :tenant AND x.id = :id), :id)"
)
_ACCOUNTS_OF_RECORDS: Final = sa.text("""
    SELECT source_key, account_id FROM records WHERE tenant_id = :tenant AND source_id = :source
        AND source_key = ANY(CAST(:keys AS text[])) AND account_id IS NOT NULL
""")
_EVENTS: Final = sa.text(
    _beside_newest(
        "SELECT e.number, e.type, e.account_id, e.at, e.data::text AS data_json FROM events e "
        "WHERE e.tenant_id = :tenant AND e.number > :after ORDER BY e.number LIMIT :limit",
        "number",
    )
)


def accounts(
    conn: sa.Connection,
    tenant_id: str,
    *,
    after: str = FIRST_ID,
    role: str | None = None,
    status: str | None = None,
    limit: int,
) -> Page:
    """Accounts with ids above `after`, by id. `role` is one held in the whole tenant."""
    chosen = _BY_ID[role is not None, status is not None]
    return _page(conn, chosen, "id", limit, tenant=tenant_id, after=after, role=role, status=status)


def changed(
    conn: sa.Connection,
    tenant_id: str,
    *,
    after: int,
    role: str | None = None,
    status: str | None = None,
    limit: int,
) -> Page:
    """Accounts whose last event has a number above `after`, by that number: each account once, as it is now."""
    chosen = _BY_VERSION[role is not None, status is not None]
    return _page(conn, chosen, "id", limit, tenant=tenant_id, after=after, role=role, status=status)


def account(conn: sa.Connection, tenant_id: str, account_id: str) -> Any | None:
    """One account with its lineage, also by the id of one that was merged into it; None: the tenant has none of it."""
    return conn.execute(_ACCOUNT, {"tenant": tenant_id, "id": account_id}).one_or_none()


def events(conn: sa.Connection, tenant_id: str, *, after: int, limit: int) -> Page:
    """Committed events with numbers above `after`, rising without a gap."""
    return _page(conn, _EVENTS, "number", limit, tenant=tenant_id, after=after)


def accounts_of_records(conn: sa.Connection, tenant_id: str, source_id: str, keys: Sequence[str]) -> dict[str, str]:
    """The source's own id of a record -> its account, for those of `keys` that are linked."""
    rows = conn.execute(_ACCOUNTS_OF_RECORDS, {"tenant": tenant_id, "source": source_id, "keys": list(keys)})
    return {row.source_key: str(row.account_id) for row in rows}


def _page(conn: sa.Connection, statement: sa.TextClause, key: str, limit: int, **values: Any) -> Page:
    used = {name: value for name, value in values.items() if value is not None}
    found = conn.execute(statement, {**used, "limit": limit + 1}).all()
    rows = [row for row in found if getattr(row, key) is not None]
    return Page(newest=found[0].newest if found else 0, rows=rows[:limit], more=len(rows) > limit)
