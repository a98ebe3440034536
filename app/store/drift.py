"""What sources send and nobody understands: counted by source and path, so that nothing is dropped in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import sqlalchemy as sa

from app.store.engine import reading

LONGEST_PATH: Final = 200
MOST_PATHS: Final = 50

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
