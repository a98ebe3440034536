"""How each SCIM source of a tenant is: who it brought, when it asked last, how much of a day was refused, what waits.

One statement, whatever the number of sources: of each the newest thousand requests of the day are looked at, no more.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store.ids import lowest_id
from app.store.tables import Id

MOST_SOURCES: Final = 100
MOST_COUNTED: Final = 1_000
DAY: Final = timedelta(hours=24)

# A sign-in speaks about people too, but not over SCIM.
_HEALTH: Final = sa.text(f"""
    SELECT s.id, s.name, s.kind, s.system, s.state, s.created_at,
        COALESCE(CAST(l.counts ->> (s.id || '/User') AS bigint), 0) AS users,
        COALESCE(CAST(l.counts ->> (s.id || '/Group') AS bigint), 0) AS groups,
        r.id AS last_id, r.at AS last_at, r.method AS last_method, r.path AS last_path, r.status AS last_status,
        r.scim_type AS last_scim_type, r.detail AS last_detail, r.user_agent AS last_user_agent,
        d.asked, d.refused, p.pending
    FROM sources s JOIN ledger l ON l.tenant_id = s.tenant_id
    LEFT JOIN LATERAL (
        SELECT * FROM scim_requests q WHERE q.tenant_id = :tenant AND q.source_id = s.id ORDER BY q.id DESC LIMIT 1
    ) r ON true
    CROSS JOIN LATERAL (
        SELECT count(*) AS asked, count(*) FILTER (WHERE x.status >= 400) AS refused FROM (
            SELECT q.status FROM scim_requests q WHERE q.tenant_id = :tenant AND q.source_id = s.id AND q.id >= :day
            ORDER BY q.id DESC LIMIT {MOST_COUNTED}
        ) x
    ) d
    CROSS JOIN LATERAL (
        SELECT count(*) AS pending FROM async_requests a WHERE a.tenant_id = :tenant AND a.source_id = s.id
    ) p
    WHERE s.tenant_id = :tenant AND s.kind <> 'login' AND (CAST(:only AS uuid) IS NULL OR s.id = :only)
        AND (s.kind = 'idp' OR EXISTS (
            SELECT FROM credentials c WHERE c.tenant_id = :tenant AND c.source_id = s.id
                AND c.kind <> 'access_token' AND c.kind IN ('scim_token', 'client')
                AND (c.kind = 'scim_token' OR 'scim' = ANY(c.scopes))))
    ORDER BY s.name LIMIT {MOST_SOURCES}
""").bindparams(sa.bindparam("tenant", type_=Id), sa.bindparam("only", type_=Id), sa.bindparam("day", type_=Id))

_PENDING: Final = sa.text("""
    SELECT id, method, kind, attempts, next_at, created_at FROM async_requests
    WHERE tenant_id = :tenant AND source_id = :source ORDER BY id LIMIT :limit
""").bindparams(sa.bindparam("tenant", type_=Id), sa.bindparam("source", type_=Id))


@dataclass(frozen=True, slots=True)
class LastRequest:
    """The newest request of a source, as the provisioning log has it."""

    id: str
    at: datetime
    method: str
    path: str
    status: int
    scim_type: str | None
    detail: str | None
    user_agent: str | None


@dataclass(frozen=True, slots=True)
class Health:
    """One source. `asked` and `refused` are of the last 24 hours, of its newest thousand requests at most."""

    id: str
    name: str
    kind: str
    system: str
    state: str
    users: int
    groups: int
    last: LastRequest | None
    asked: int
    refused: int
    pending: int

    @property
    def is_capped(self) -> bool:
        return self.asked >= MOST_COUNTED


def listing(conn: sa.Connection, tenant_id: str, now: datetime, source_id: str | None = None) -> list[Health]:
    """The sources that speak SCIM: identity providers, and whoever else was given a token. At most 100, by name."""
    rows = conn.execute(_HEALTH, {"tenant": tenant_id, "only": source_id, "day": lowest_id(now - DAY)})
    return [_health(row) for row in rows]


def pending(conn: sa.Connection, tenant_id: str, source_id: str, limit: int = 20) -> Sequence[Any]:
    """The oldest requests of a source that are still to be carried out."""
    return conn.execute(_PENDING, {"tenant": tenant_id, "source": source_id, "limit": limit}).all()


def _health(row: Any) -> Health:
    last = None
    if row.last_id is not None:
        told = (row.last_method, row.last_path, row.last_status, row.last_scim_type, row.last_detail)
        last = LastRequest(str(row.last_id), row.last_at, *told, row.last_user_agent)
    who = (str(row.id), row.name, row.kind, row.system, row.state)
    return Health(*who, row.users, row.groups, last, row.asked, row.refused, row.pending)
