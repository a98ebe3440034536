"""The sign-in log as the console shows it: filtered, page by page, and what each connection came to lately.

Each page walks along one index, the newest first. Of a connection without a wanted outcome there are three walks, one
an outcome, since the outcome stands before the time in its index.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, get_args

import sqlalchemy as sa

from app.store.driver import Statement
from app.store.sign_ins import Outcome

MOST_COUNTED: Final = 1_000
OUTCOMES: Final[tuple[Outcome, ...]] = get_args(Outcome)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which attempts. None: any. `since` and `until` are instants, the second one beyond the last."""

    outcome: Outcome | None = None
    reason: str | None = None
    connection_id: str | None = None
    account_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One attempt of a list."""

    id: str
    code: str
    at: datetime
    outcome: str
    reason: str | None
    connection_id: str | None
    account_id: str | None
    agent: str
    address: str


@dataclass(frozen=True, slots=True)
class Lately:
    """Of one connection: when somebody came in by it last, and how many were refused since a moment, capped."""

    last: datetime | None
    refused: int


def page(
    conn: sa.Connection, tenant_id: str, wanted: Wanted, before: tuple[datetime, str] | None = None, limit: int = 50
) -> list[Row]:
    """The newest attempts that fit, from beyond the time and id `before`."""
    outcomes: Sequence[str | None] = (wanted.outcome,)
    if wanted.connection_id is not None and wanted.outcome is None:
        outcomes = OUTCOMES
    values: dict[str, Any] = {"tenant": tenant_id, "limit": limit, **_values(wanted)}
    if before is not None:
        values |= {"at": before[0], "id": before[1]}
    walks = " UNION ALL ".join(f"({_walk(wanted, outcome, before is not None)})" for outcome in outcomes)
    found = conn.execute(sa.text(f"SELECT * FROM ({walks}) w ORDER BY at DESC, id DESC LIMIT :limit"), values)
    return [Row(**{**row, **_texts(dict(row))}) for row in found.mappings()]


def lately(conn: sa.Connection, tenant_id: str, ids: Sequence[str], since: datetime) -> Mapping[str, Lately]:
    """What each of these connections came to."""
    rows = _LATELY.rows(conn, {"tenant": tenant_id, "ids": list(ids), "since": since})
    return {str(row.id): Lately(row.last, row.refused) for row in rows}


def _walk(wanted: Wanted, outcome: str | None, further: bool) -> str:
    said = ["tenant_id = CAST(:tenant AS uuid)"]
    if outcome is not None:  # as it stands: partial indexes are found by literals alone
        assert outcome in OUTCOMES
        said.append(f"outcome = '{outcome}'")
    said += [_CONDITIONS[name] for name in _values(wanted)]
    if further:
        said.append("(at, id) < (CAST(:at AS timestamptz), CAST(:id AS uuid))")
    return f"SELECT {_COLUMNS} FROM sign_ins WHERE {' AND '.join(said)} ORDER BY at DESC, id DESC LIMIT :limit"


def _values(wanted: Wanted) -> dict[str, Any]:
    return {name: value for name in _CONDITIONS if (value := getattr(wanted, name)) is not None}


def _texts(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: str(row[name]) if row[name] is not None else None for name in _IDS}


_IDS: Final = ("id", "connection_id", "account_id")
_COLUMNS: Final = ", ".join(one.name for one in fields(Row))
_CONDITIONS: Final = {
    "reason": "reason = CAST(:reason AS text)",
    "connection_id": "connection_id = CAST(:connection_id AS uuid)",
    "account_id": "account_id = CAST(:account_id AS uuid)",
    "since": "at >= CAST(:since AS timestamptz)",
    "until": "at < CAST(:until AS timestamptz)",
}
_LATELY: Final = Statement(f"""
    SELECT c.id,
        (SELECT s.at FROM sign_ins s WHERE s.tenant_id = CAST(%(tenant)s AS uuid) AND s.connection_id = c.id
            AND s.outcome = 'accepted' ORDER BY s.at DESC LIMIT 1) AS last,
        (SELECT count(*) FROM (SELECT 1 FROM sign_ins r WHERE r.tenant_id = CAST(%(tenant)s AS uuid)
            AND r.connection_id = c.id AND r.outcome = 'refused' AND r.at > CAST(%(since)s AS timestamptz)
            LIMIT {MOST_COUNTED + 1}) x) AS refused
    FROM unnest(CAST(%(ids)s AS uuid[])) AS c(id)
""")
