"""What the imports of one source have to know of each other, and of those whom the source speaks about."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.store import tables as t
from app.store.tenant_settings import value

SAID_ANEW: Final = "dropped: the source spoke of this person again"

_HOLD = sa.text("SELECT pg_advisory_xact_lock(hashtextextended('imports:' || :tenant || :source, 0))")
_POPULATION = sa.text("""
    SELECT count(*) FROM accounts a WHERE a.tenant_id = :tenant AND a.status = 'active' AND EXISTS (
        SELECT FROM records r WHERE r.tenant_id = :tenant AND r.account_id = a.id AND r.source_id = :source
            AND r.deleted_at IS NULL)
""")


def hold(conn: sa.Connection, tenant_id: str, source_id: str) -> None:
    """Until COMMIT no other import of this source is judged: two of half the threshold do not pass side by side."""
    conn.execute(_HOLD, {"tenant": tenant_id, "source": source_id})


def population(conn: sa.Connection, tenant_id: str, source_id: str) -> int:
    """How many active people the source speaks about."""
    return int(conn.execute(_POPULATION, {"tenant": tenant_id, "source": source_id}).scalar_one())


def threshold(conn: sa.Connection, tenant_id: str) -> tuple[float, int]:
    """The tenant's share (0 to 1) and floor (people): who loses something in more than both is held."""
    chosen = sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id)
    settings = conn.execute(chosen).scalar_one()
    return float(value(settings, "guard.share")), int(value(settings, "guard.floor"))


_SUPERSEDE = sa.text("""
    WITH older AS (
        SELECT id, state, CASE WHEN state IN ('queued', 'running') THEN position ELSE 0 END AS position FROM runs
        WHERE tenant_id = :tenant AND source_id = :source AND kind = 'import'
            AND state IN ('planning', 'planned', 'held', 'queued', 'running')
            AND (CAST(:before AS uuid) IS NULL OR id < :before)
        ORDER BY id FOR UPDATE
    ), dropped AS (
        UPDATE run_changes c SET outcome = :outcome FROM older
        WHERE c.tenant_id = :tenant AND c.run_id = older.id AND c.number > older.position AND c.outcome IS NULL
            AND c.payload ->> 'key' = ANY(CAST(:keys AS text[]))
        RETURNING c.run_id, c.number
    ), emptied AS (
        SELECT older.id FROM older WHERE older.state IN ('planned', 'held') AND NOT EXISTS (
            SELECT FROM run_changes c WHERE c.tenant_id = :tenant AND c.run_id = older.id AND c.outcome IS NULL
                AND NOT EXISTS (SELECT FROM dropped d WHERE d.run_id = c.run_id AND d.number = c.number))
    )
    UPDATE runs SET state = 'expired', updated_at = now(), summary = summary || '{"replaced": true}'
    WHERE tenant_id = :tenant AND id IN (SELECT id FROM emptied)
""")


def supersede(
    conn: sa.Connection, tenant_id: str, source_id: str, keys: Sequence[str], before: str | None = None
) -> None:
    """A newer read speaks of these records: older runs and plans of the source no longer do.

    One that is left empty expires. `before` is the read's own run, if it has one: only what came before it is older.
    """
    parameters = {"tenant": tenant_id, "source": source_id, "keys": list(keys), "outcome": SAID_ANEW}
    conn.execute(_SUPERSEDE, {**parameters, "before": before})


_NEWER = sa.text("""
    SELECT EXISTS (SELECT FROM runs WHERE tenant_id = :tenant AND source_id = :source AND kind = 'import'
        AND id > :run AND state IN ('held', 'queued', 'running', 'complete'))
""")


def heard_since(conn: sa.Connection, tenant_id: str, source_id: str, run_id: str) -> bool:
    """Whether an import of the source was taken in that began after this one."""
    parameters = {"tenant": tenant_id, "source": source_id, "run": run_id}
    return bool(conn.execute(_NEWER, parameters).scalar_one())


_LOSSES = sa.text("""
    SELECT COALESCE(sum((summary ->> 'losses')::bigint), 0) FROM runs
    WHERE tenant_id = :tenant AND source_id = :source AND kind = 'import' AND created_at > :since
        AND state IN ('queued', 'running', 'complete') AND NOT summary ? 'allowedBy'
""")


def losses_since(conn: sa.Connection, tenant_id: str, source_id: str, since: datetime) -> int:
    """How many people lost access or a role by imports of this source that nobody was asked about."""
    return int(conn.execute(_LOSSES, {"tenant": tenant_id, "source": source_id, "since": since}).scalar_one())
