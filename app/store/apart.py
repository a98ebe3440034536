"""Who was told apart: pairs of accounts of which a person said that they are two people. `low` < `high`."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

import sqlalchemy as sa

from app.store.driver import Statement

Pair = tuple[str, str]


def pair(one: str, other: str) -> Pair:
    """The two ids in the order in which they are kept."""
    return (one, other) if one < other else (other, one)


def among(conn: sa.Connection, tenant_id: str, account_ids: Collection[str]) -> frozenset[Pair]:
    """The pairs of whom both are among these accounts; nothing is asked about fewer than two."""
    if len(account_ids) < 2:
        return frozenset()
    rows = _AMONG.rows(conn, {"tenant": tenant_id, "ids": sorted(account_ids)})
    return frozenset((str(row.low), str(row.high)) for row in rows)


def tell(conn: sa.Connection, tenant_id: str, one: str, other: str, actor: str) -> bool:
    """Tell two accounts apart; False: they were already."""
    low, high = pair(one, other)
    return bool(_TELL.rows(conn, {"tenant": tenant_id, "low": low, "high": high, "actor": actor}))


def merge(conn: sa.Connection, tenant_id: str, keep: str, away: str) -> None:
    """Whoever was told apart from `away` is apart from `keep`; but for the two themselves."""
    _MERGE.rows(conn, {"tenant": tenant_id, "keep": keep, "away": away})


def split(conn: sa.Connection, tenant_id: str, account_id: str, new_id: str, actor: str) -> None:
    """The two sides of a split are two people, and whoever was apart from the one account is apart from both."""
    _SPLIT.rows(conn, {"tenant": tenant_id, "account": account_id, "new": new_id})
    tell(conn, tenant_id, account_id, new_id, actor)


_AMONG: Final = Statement("""
    SELECT low, high FROM apart WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND low = ANY(CAST(%(ids)s AS uuid[])) AND high = ANY(CAST(%(ids)s AS uuid[]))
""")
_TELL: Final = Statement("""
    INSERT INTO apart (tenant_id, low, high, at, actor)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(low)s AS uuid), CAST(%(high)s AS uuid), now(), CAST(%(actor)s AS text))
    ON CONFLICT DO NOTHING RETURNING low
""")
_OF: Final = """
    SELECT high AS other, at, actor FROM apart WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND low = CAST(%(account)s AS uuid)
    UNION ALL SELECT low, at, actor FROM apart WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND high = CAST(%(account)s AS uuid)
"""
_MERGE: Final = Statement("""
    WITH gone AS (
        DELETE FROM apart WHERE tenant_id = CAST(%(tenant)s AS uuid)
            AND (low = CAST(%(away)s AS uuid) OR high = CAST(%(away)s AS uuid))
        RETURNING CASE WHEN low = CAST(%(away)s AS uuid) THEN high ELSE low END AS other, at, actor)
    INSERT INTO apart (tenant_id, low, high, at, actor)
    SELECT CAST(%(tenant)s AS uuid), LEAST(other, CAST(%(keep)s AS uuid)), GREATEST(other, CAST(%(keep)s AS uuid)),
        at, actor FROM gone WHERE other <> CAST(%(keep)s AS uuid)
    ON CONFLICT DO NOTHING
""")
_SPLIT: Final = Statement(f"""
    INSERT INTO apart (tenant_id, low, high, at, actor)
    SELECT CAST(%(tenant)s AS uuid), LEAST(other, CAST(%(new)s AS uuid)), GREATEST(other, CAST(%(new)s AS uuid)),
        at, actor FROM ({_OF}) pairs
    ON CONFLICT DO NOTHING
""")
