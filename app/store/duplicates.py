"""The duplicates inbox: pairs of accounts that may be one person, as the matcher doubted and until a person decides.

    the matcher's doubt ─▶ open ─┬─ merged      all that it asked about is one account by now
                                 ├─ apart       a person said that they are two people
                                 └─ gone        there is no such account any more

A doubt names one account and the candidates for it; each of these is a pair. A pair that several doubts name is shown
with the newest of them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store.driver import Statement

LOOKED_AT: Final = 200
_NEWEST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"
_LAST: Final = "00000000-0000-0000-0000-000000000000"
_END_OF_TIME: Final = datetime(9999, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ends. `decided`: among those that are decided, which come behind the open ones."""

    at: datetime = _END_OF_TIME
    id: str = _NEWEST
    other: str = _NEWEST
    decided: bool = False


@dataclass(frozen=True, slots=True)
class Doubted:
    """A pair: the record `record_id` was given the account `one`, and may belong to `other`.

    `state` is open, merged, apart or gone; an account of a decided pair need not exist any more.
    """

    id: str
    one: str
    other: str
    record_id: str
    reason: str
    state: str
    created_at: datetime
    decided_at: datetime | None
    decided_by: str | None

    @property
    def place(self) -> Place:
        """Where to go on behind it."""
        return Place(self.created_at, self.id, self.other, self.state != "open")


def page(conn: sa.Connection, tenant_id: str, *, behind: Place, decided: bool, limit: int) -> list[Doubted]:
    """Pairs behind a place, the newest first: the open ones, or those that are decided.

    Some doubts at a time are looked at, along their index, so that a page costs the same however many there are.
    """
    found: list[Doubted] = []
    doubts, pairs = (_DECIDED_DOUBTS, _DECIDED) if decided else (_OPEN_DOUBTS, _OPEN)
    place = {"at": behind.at, "id": behind.id, "other": behind.other}
    while len(found) < limit:
        looked_at = doubts.rows(conn, {"tenant": tenant_id, **place})
        values = {"ids": [row.id for row in looked_at], "limit": limit - len(found), **place}
        found += [_doubted(row) for row in pairs.rows(conn, {"tenant": tenant_id, **values})]
        if len(looked_at) < LOOKED_AT:
            break
        place = {"at": looked_at[-1].created_at, "id": str(looked_at[-1].id), "other": _LAST}
    return found


def open_pairs(conn: sa.Connection, tenant_id: str, most: int) -> int:
    """How many pairs wait for a person; no more than `most` are counted."""
    return len(page(conn, tenant_id, behind=Place(), decided=False, limit=most))


def find(conn: sa.Connection, tenant_id: str, id: str) -> list[Doubted]:
    """All pairs of one doubt, whatever its state."""
    return [_doubted(row) for row in _ONE.rows(conn, {"tenant": tenant_id, "id": id})]


def settle(conn: sa.Connection, tenant_id: str, account_ids: Collection[str], actor: str) -> int:
    """Close the doubts that name these accounts and ask about nobody any more: of each pair one was told apart, or is
    there no longer; how many.
    """
    return sum(
        len(_SETTLE.rows(conn, {"tenant": tenant_id, "account": one, "actor": actor})) for one in sorted(account_ids)
    )


def merge(conn: sa.Connection, tenant_id: str, keep: str, away: str, actor: str) -> int:
    """What was doubted of `away` is doubted of `keep`; doubts that asked about these two alone are closed; how many."""
    rows = _MERGE.rows(conn, {"tenant": tenant_id, "keep": keep, "away": away, "actor": actor})
    return sum(row.state == "merged" for row in rows)


def split(conn: sa.Connection, tenant_id: str, record_ids: Collection[str], new_id: str) -> None:
    """A doubt about a record goes with it."""
    _SPLIT.rows(conn, {"tenant": tenant_id, "records": sorted(record_ids), "new": new_id})


def last_sign_ins(conn: sa.Connection, tenant_id: str, account_ids: Collection[str]) -> dict[str, datetime]:
    """When each of these accounts, or one that was merged into it, last signed in, as far as the log goes back."""
    rows = _LAST_SIGN_INS.rows(conn, {"tenant": tenant_id, "ids": sorted(account_ids)})
    return {str(row.id): row.at for row in rows if row.at is not None}


def _doubted(row: Any) -> Doubted:
    return Doubted(
        **{
            **row._asdict(),
            "id": str(row.id),
            "one": str(row.one),
            "other": str(row.other),
            "record_id": str(row.record_id),
        }
    )


_TENANT: Final = "CAST(%(tenant)s AS uuid)"
_COLUMNS: Final = """d.id, d.account_id AS one, CAST(c.id AS uuid) AS other, d.record_id, d.reason, d.state,
    d.created_at, d.decided_at, d.decided_by"""
_PAIRS: Final = "duplicates d CROSS JOIN LATERAL jsonb_array_elements_text(d.candidates) AS c(id)"
_BEHIND: Final = """d.id = ANY(CAST(%(ids)s AS uuid[])) AND (d.created_at, d.id, CAST(c.id AS uuid))
        < (CAST(%(at)s AS timestamptz), CAST(%(id)s AS uuid), CAST(%(other)s AS uuid))"""
_ORDER: Final = "ORDER BY d.created_at DESC, d.id DESC, CAST(c.id AS uuid) DESC LIMIT CAST(%(limit)s AS int)"
_TOLD_APART: Final = """EXISTS (SELECT FROM apart p WHERE p.tenant_id = d.tenant_id
    AND p.low = LEAST(d.account_id, CAST(c.id AS uuid)) AND p.high = GREATEST(d.account_id, CAST(c.id AS uuid)))"""
_THERE: Final = "EXISTS (SELECT FROM accounts a WHERE a.tenant_id = d.tenant_id AND a.id = {})"
_NEWER: Final = """EXISTS (SELECT FROM duplicates o WHERE o.tenant_id = d.tenant_id AND o.state = 'open'
    AND (o.created_at, o.id) > (d.created_at, d.id)
    AND ((o.account_id = d.account_id AND o.candidates @> jsonb_build_array(c.id))
        OR (o.account_id = CAST(c.id AS uuid) AND o.candidates @> jsonb_build_array(CAST(d.account_id AS text)))))"""
_OPEN: Final = Statement(f"""
    SELECT {_COLUMNS} FROM {_PAIRS} WHERE d.tenant_id = {_TENANT} AND d.state = 'open' AND {_BEHIND}
        AND {_THERE.format("d.account_id")} AND {_THERE.format("CAST(c.id AS uuid)")}
        AND NOT {_TOLD_APART} AND NOT {_NEWER}
    {_ORDER}
""")
_DECIDED: Final = Statement(f"SELECT {_COLUMNS} FROM {_PAIRS} WHERE d.tenant_id = {_TENANT} AND {_BEHIND} {_ORDER}")


def _newest(state: str) -> str:
    return f"""(SELECT id, created_at FROM duplicates WHERE tenant_id = {_TENANT} AND state = '{state}'
        AND (created_at, id) <= (CAST(%(at)s AS timestamptz), CAST(%(id)s AS uuid))
        ORDER BY created_at DESC, id DESC LIMIT {LOOKED_AT})"""


_OPEN_DOUBTS: Final = Statement(_newest("open"))
_DECIDED_DOUBTS: Final = Statement(
    f"{' UNION ALL '.join(_newest(state) for state in ('merged', 'apart', 'gone'))}"
    f" ORDER BY created_at DESC, id DESC LIMIT {LOOKED_AT}"
)
_ONE: Final = Statement(f"""
    SELECT {_COLUMNS} FROM {_PAIRS} WHERE d.tenant_id = {_TENANT} AND d.id = CAST(%(id)s AS uuid)
    ORDER BY CAST(c.id AS uuid)
""")
_ANYBODY: Final = f"""EXISTS (SELECT FROM jsonb_array_elements_text(d.candidates) AS c(id)
    WHERE {_THERE.format("d.account_id")} AND {_THERE.format("CAST(c.id AS uuid)")}"""
_SETTLE: Final = Statement(f"""
    UPDATE duplicates d SET state = CASE WHEN {_ANYBODY}) THEN 'apart' ELSE 'gone' END,
        decided_at = now(), decided_by = CAST(%(actor)s AS text)
    WHERE d.tenant_id = {_TENANT} AND d.state = 'open' AND (d.account_id = CAST(%(account)s AS uuid)
            OR d.candidates @> jsonb_build_array(CAST(CAST(%(account)s AS uuid) AS text)))
        AND NOT {_ANYBODY} AND NOT {_TOLD_APART})
    RETURNING d.id
""")
_MERGE: Final = Statement(f"""
    UPDATE duplicates d SET
        account_id = CASE WHEN n.left_over IS NULL THEN d.account_id ELSE n.owner END,
        candidates = COALESCE(n.left_over, d.candidates),
        state = CASE WHEN n.left_over IS NULL THEN 'merged' ELSE d.state END,
        decided_at = CASE WHEN n.left_over IS NULL THEN now() END,
        decided_by = CASE WHEN n.left_over IS NULL THEN CAST(%(actor)s AS text) END
    FROM (
        SELECT o.id, w.owner, jsonb_agg(DISTINCT c.id) FILTER (WHERE c.id <> CAST(w.owner AS text)) AS left_over
        FROM duplicates o
        CROSS JOIN LATERAL (SELECT CASE WHEN o.account_id = CAST(%(away)s AS uuid)
            THEN CAST(%(keep)s AS uuid) ELSE o.account_id END AS owner) w
        CROSS JOIN LATERAL (SELECT CASE WHEN e.id = CAST(CAST(%(away)s AS uuid) AS text)
            THEN CAST(CAST(%(keep)s AS uuid) AS text) ELSE e.id END AS id
            FROM jsonb_array_elements_text(o.candidates) AS e(id)) c
        WHERE o.tenant_id = {_TENANT} AND o.state = 'open' AND (o.account_id = CAST(%(away)s AS uuid)
            OR o.candidates @> jsonb_build_array(CAST(CAST(%(away)s AS uuid) AS text)))
        GROUP BY o.id, w.owner) n
    WHERE d.tenant_id = {_TENANT} AND d.id = n.id
    RETURNING d.state
""")
_SPLIT: Final = Statement(f"""
    UPDATE duplicates SET account_id = CAST(%(new)s AS uuid)
    WHERE tenant_id = {_TENANT} AND state = 'open' AND record_id = ANY(CAST(%(records)s AS uuid[]))
""")
_LAST_SIGN_INS: Final = Statement(f"""
    SELECT k.id, (SELECT max(l.at) FROM (
            SELECT k.id UNION ALL SELECT x.id FROM aliases x WHERE x.tenant_id = {_TENANT} AND x.account_id = k.id) m
        CROSS JOIN LATERAL (
            SELECT s.at FROM sign_ins s WHERE s.tenant_id = {_TENANT} AND s.account_id = m.id
                AND s.outcome = 'accepted' ORDER BY s.at DESC LIMIT 1) l) AS at
    FROM unnest(CAST(%(ids)s AS uuid[])) AS k(id)
""")
