"""The audit log as it is read: the newest first, narrowed, page by page, and exported.

    numbers   1 … ───────────[ low ≤ number < before ]◀─ at most 5,000 entries a page are looked at, backwards
                                    │                    subject: by its own index, without that limit
                                    └▶ entries that fit, and the number to go on from

No index serves actor or action: each would be written with every change of anybody. Numbers have no gaps, so a page
knows what it looked at, and says so; a time is found among them by halving. An entry's time is when its transaction
began, and its number when it ended: around a time a few minutes more are looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store.cells import plain
from app.store.driver import Statement
from app.store.engine import dumps

LOOKED_AT: Final = 5_000
SLACK: Final = timedelta(minutes=5)
COLUMNS: Final = ("number", "at", "actor", "action", "subject", "facts")
_EXPORTED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class Asked:
    """Which entries. `actor` and `action` are their beginnings, `before` a number, `since` and `until` inclusive."""

    actor: str | None = None
    action: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    before: int | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Logged:
    """One entry. `personal` is None where there was nothing personal, or it was erased."""

    number: int
    at: datetime
    actor: str
    action: str
    subject: str
    facts: Mapping[str, Any]
    personal: Mapping[str, Any] | None

    def as_dict(self, *, personal: bool = False) -> dict[str, Any]:
        """JSON values; what is personal only if it is asked for."""
        shown = {name: getattr(self, name) for name in COLUMNS}
        return {**shown, "at": self.at.isoformat(), **({"personal": self.personal} if personal else {})}

    def as_row(self) -> list[str]:
        """Texts for CSV by `COLUMNS`. None of them is taken for a formula by whoever opens it in a spreadsheet."""
        said = [self.number, self.at.isoformat(), self.actor, self.action, self.subject, dumps(self.facts)]
        return [plain(str(one)) for one in said]


@dataclass(frozen=True, slots=True)
class Page:
    """Entries, newest first. `before` is where to go on (None: nothing is left).

    `cut`: the page ended because it looked at its limit of entries, not because it is full; `looked_until` is the time
    of the oldest one that it looked at, None where it looked at none.
    """

    entries: list[Logged]
    before: int | None
    cut: bool = False
    looked_until: datetime | None = None


def page(conn: sa.Connection, tenant_id: str, asked: Asked) -> Page:
    """The newest entries below `before` that fit."""
    newest = int(_NEXT.value(conn, {"tenant": tenant_id}) or 1)
    high = newest if asked.before is None else min(asked.before, newest)
    if asked.until is not None:
        high = min(high, _number_at(conn, tenant_id, asked.until + SLACK))
    end = 1 if asked.since is None else max(1, _number_at(conn, tenant_id, asked.since - SLACK))
    low = end if asked.subject is not None else max(end, high - LOOKED_AT)
    statement = _OF_SUBJECT if asked.subject is not None else _ALL
    values = {
        "tenant": tenant_id,
        "low": low,
        "high": high,
        "subject": asked.subject,
        "actor": asked.actor,
        "action": asked.action,
        "since": asked.since,
        "until": asked.until,
        "limit": asked.limit + 1,
    }
    found = [_logged(row) for row in statement.rows(conn, values)] if low < high else []
    if len(found) > asked.limit:
        return Page(found[: asked.limit], found[asked.limit - 1].number, looked_until=found[asked.limit - 1].at)
    cut = low > end
    looked_until = _AT.value(conn, {"tenant": tenant_id, "number": low}) if low < high else None
    return Page(found, low if cut else None, cut=cut, looked_until=looked_until)


def export(conn: sa.Connection, tenant_id: str, asked: Asked, most: int | None = None) -> Iterator[Logged]:
    """All entries that fit, newest first, a thousand in memory at a time; at most `most`."""
    given, before = 0, asked.before
    while most is None or given < most:
        limit = _EXPORTED_AT_ONCE if most is None else min(_EXPORTED_AT_ONCE, most - given)
        found = page(conn, tenant_id, replace(asked, before=before, limit=limit))
        yield from found.entries
        given, before = given + len(found.entries), found.before
        if before is None:
            return


def _number_at(conn: sa.Connection, tenant_id: str, at: datetime) -> int:
    """The first number of about that time; the next one to be given if there is none yet."""
    return int(_HALVED.value(conn, {"tenant": tenant_id, "at": at}) or 1)


def _logged(row: Any) -> Logged:
    facts = {name: value for name, value in row.facts.items() if name != "personalDigest"}
    return Logged(row.number, row.at, row.actor, row.action, row.subject, facts, row.personal)


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_FITS: Final = f"""
    SELECT number, at, actor, action, subject, facts, personal FROM audit
    WHERE {_HERE} AND number >= CAST(%(low)s AS bigint) AND number < CAST(%(high)s AS bigint)
        AND (CAST(%(actor)s AS text) IS NULL OR starts_with(actor, CAST(%(actor)s AS text)))
        AND (CAST(%(action)s AS text) IS NULL OR starts_with(action, CAST(%(action)s AS text)))
        AND (CAST(%(since)s AS timestamptz) IS NULL OR at >= CAST(%(since)s AS timestamptz))
        AND (CAST(%(until)s AS timestamptz) IS NULL OR at <= CAST(%(until)s AS timestamptz))
"""
_ORDERED: Final = "ORDER BY number DESC LIMIT CAST(%(limit)s AS int)"
_ALL: Final = Statement(f"{_FITS} {_ORDERED}")
_OF_SUBJECT: Final = Statement(f"{_FITS} AND subject = CAST(%(subject)s AS text) {_ORDERED}")
_NEXT: Final = Statement(f"SELECT next_audit FROM ledger WHERE {_HERE}")
_AT: Final = Statement(f"SELECT at FROM audit WHERE {_HERE} AND number = CAST(%(number)s AS bigint)")
_HALVED: Final = Statement(f"""
    WITH RECURSIVE span (low, high) AS (
        SELECT CAST(1 AS bigint), next_audit FROM ledger WHERE {_HERE}
        UNION ALL
        SELECT CASE WHEN m.at < CAST(%(at)s AS timestamptz) THEN s.middle + 1 ELSE s.low END,
            CASE WHEN m.at < CAST(%(at)s AS timestamptz) THEN s.high ELSE s.middle END
        FROM (SELECT low, high, (low + high) / 2 AS middle FROM span WHERE low < high) s
        CROSS JOIN LATERAL (SELECT at FROM audit WHERE {_HERE} AND number = s.middle OFFSET 0) m
    )
    SELECT low FROM span ORDER BY high - low LIMIT 1
""")
