"""Ids of accounts that were merged away: each goes on meaning the account that the person has now.

An alias always leads to a living account in one step: whoever is merged away hands its aliases on.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.identity.events import MERGED
from app.store.driver import Statement


@dataclass(frozen=True, slots=True)
class Alias:
    """An account that was merged away. `number` is that of the event, `records` came with it, `actor` merged them."""

    id: str
    account_id: str
    number: int
    records: tuple[str, ...]
    at: datetime
    actor: str


def resolve(conn: sa.Connection, tenant_id: str, account_id: str) -> str:
    """The account that this id means now: itself, unless it was merged away. It need not exist."""
    found: str | None = _RESOLVE.value(conn, {"tenant": tenant_id, "id": account_id})
    return account_id if found is None else str(found)


def of(conn: sa.Connection, tenant_id: str, account_id: str) -> list[Alias]:
    """What was merged into the account, the latest first."""
    return [_alias(row) for row in _OF.rows(conn, {"tenant": tenant_id, "account": account_id})]


def told_between(conn: sa.Connection, tenant_id: str, after: int, upto: int) -> list[Alias]:
    """What was merged away by events with numbers above `after` and up to `upto`, in their order."""
    rows = _TOLD.rows(conn, {"tenant": tenant_id, "after": after, "upto": upto})
    return [_alias(row) for row in rows]


def add(
    conn: sa.Connection, tenant_id: str, away: str, into: str, records: Collection[str], actor: str, within: int
) -> None:
    """`away` means `into` from now on, and so do its aliases.

    To be called behind the ledger, in its transaction: the event is among the last `within` ones.
    """
    values = {"tenant": tenant_id, "away": away, "into": into}
    _REWRITE.rows(conn, values)
    _ADD.rows(conn, {**values, "records": sorted(records), "actor": actor, "within": within, "type": MERGED})


def follow(conn: sa.Connection, tenant_id: str, account_id: str, new_id: str, moved: Sequence[str]) -> list[str]:
    """The aliases whose records have all gone over to `new_id` mean that one from now on; which they are."""
    values = {"tenant": tenant_id, "account": account_id, "new": new_id, "moved": list(moved)}
    return [str(row.id) for row in _FOLLOW.rows(conn, values)]


def _alias(row: Any) -> Alias:
    return Alias(str(row.id), str(row.account_id), row.number, tuple(map(str, row.records)), row.at, row.actor)


_RESOLVE: Final = Statement(
    "SELECT account_id FROM aliases WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid)"
)
_OF: Final = Statement("""
    SELECT id, account_id, number, records, at, actor FROM aliases
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = CAST(%(account)s AS uuid) ORDER BY number DESC
""")
_TOLD: Final = Statement("""
    SELECT id, account_id, number, records, at, actor FROM aliases
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND number > CAST(%(after)s AS bigint)
        AND number <= CAST(%(upto)s AS bigint) ORDER BY number
""")
_REWRITE: Final = Statement("""
    UPDATE aliases SET account_id = CAST(%(into)s AS uuid)
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = CAST(%(away)s AS uuid)
""")
_ADD: Final = Statement("""
    INSERT INTO aliases (tenant_id, id, account_id, number, records, at, actor)
    SELECT e.tenant_id, e.account_id, CAST(%(into)s AS uuid), e.number, CAST(%(records)s AS uuid[]), e.at,
        CAST(%(actor)s AS text)
    FROM ledger l JOIN events e ON e.tenant_id = l.tenant_id AND e.number >= l.next_event - CAST(%(within)s AS bigint)
    WHERE l.tenant_id = CAST(%(tenant)s AS uuid) AND e.account_id = CAST(%(away)s AS uuid)
        AND e.type = CAST(%(type)s AS text)
""")
_FOLLOW: Final = Statement("""
    UPDATE aliases SET account_id = CAST(%(new)s AS uuid)
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND account_id = CAST(%(account)s AS uuid)
        AND cardinality(records) > 0 AND records <@ CAST(%(moved)s AS uuid[])
    RETURNING id
""")
