"""What sources send and nobody understands: counted by source and path, so that nothing is dropped in silence."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.store import tables as t
from app.store.engine import reading

LONGEST_PATH: Final = 200
MOST_PATHS: Final = 50
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_REPORT = sa.text("""
    INSERT INTO drift (tenant_id, source_id, path, times, first_at, last_at)
    SELECT :tenant, :source, p, 1, now(), now() FROM unnest(CAST(:paths AS text[])) AS p
    ON CONFLICT (tenant_id, source_id, path) DO UPDATE SET times = drift.times + 1, last_at = now()
""")


def report(engine: sa.Engine, tenant_id: str, source_id: str, paths: Sequence[str]) -> None:
    """Count paths that were ignored: at most 50 a request, each cut to 200 characters."""
    cut = sorted({path.replace("\x00", "")[:LONGEST_PATH] for path in paths})[:MOST_PATHS]
    with reading(engine) as conn:
        conn.execute(_REPORT, {"tenant": tenant_id, "source": source_id, "paths": cut})


@dataclass(frozen=True, slots=True)
class Drift:
    """One path that nobody understood. `source` is the source's name."""

    source: str
    source_id: str
    path: str
    times: int
    first_at: datetime
    last_at: datetime


def page(conn: sa.Connection, tenant_id: str, after: str, limit: int) -> list[Drift]:
    """What was counted, by source and path, behind the mark `after` ("" is the beginning)."""
    keys = (t.drift.c.source_id, t.drift.c.path)
    chosen = _LISTED.where(t.drift.c.tenant_id == tenant_id)
    source_id, _, path = after.partition(" ")
    if _UUID.fullmatch(source_id):
        chosen = chosen.where(sa.tuple_(*keys) > sa.tuple_(sa.literal(source_id, t.Id), sa.literal(path, sa.Text)))
    rows = conn.execute(chosen.order_by(*keys).limit(limit)).mappings()
    return [Drift(**row) for row in rows]


def mark(last: Drift) -> str:
    """Where a page that ended with this one goes on."""
    return f"{last.source_id} {last.path}"


def listing(conn: sa.Connection, tenant_id: str) -> list[Drift]:
    """What was counted, the newest first."""
    rows = conn.execute(
        _LISTED.where(t.drift.c.tenant_id == tenant_id).order_by(t.drift.c.last_at.desc(), t.drift.c.path)
    )
    return [Drift(**row) for row in rows.mappings()]


_SOURCE: Final = sa.and_(t.sources.c.tenant_id == t.drift.c.tenant_id, t.sources.c.id == t.drift.c.source_id)
_LISTED: Final = sa.select(
    t.sources.c.name.label("source"),
    t.drift.c.source_id,
    t.drift.c.path,
    t.drift.c.times,
    t.drift.c.first_at,
    t.drift.c.last_at,
).join_from(t.drift, t.sources, _SOURCE)
