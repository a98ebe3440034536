"""What pages about sources show: each in one statement, however many people there are."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.identity.naming import name_of
from app.store import tables as t

MOST_SOURCES: Final = 200
MOST_KEYS: Final = 50
MOST_DRIFT: Final = 100
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_LAST: Final = "ffffffff-ffff-ffff-ffff-ffffffffffff"

_OVERVIEW = sa.text("""
    SELECT s.id, s.name, s.kind, s.system, s.affiliation, s.employee_namespace, s.state, s.created_at,
        COALESCE((l.counts ->> (s.id || '/User'))::bigint, 0) AS records,
        COALESCE((l.counts ->> (s.id || '/Group'))::bigint, 0) AS groups,
        ARRAY(SELECT d.domain FROM domains d WHERE d.tenant_id = s.tenant_id AND d.source_id = s.id
            ORDER BY d.domain LIMIT 20) AS domains,
        (SELECT r.created_at FROM runs r WHERE r.tenant_id = s.tenant_id AND r.source_id = s.id
            ORDER BY r.created_at DESC LIMIT 1) AS imported_at,
        -- By the pair: asked for the newest of one source alone, a plan may walk through everybody's requests.
        (SELECT q.at FROM scim_requests q WHERE q.tenant_id = :tenant
            AND (q.source_id, q.id) BETWEEN (s.id, CAST(:first AS uuid)) AND (s.id, CAST(:last AS uuid))
            ORDER BY q.source_id DESC, q.id DESC LIMIT 1) AS asked_at
    FROM sources s JOIN ledger l ON l.tenant_id = s.tenant_id
    WHERE s.tenant_id = :tenant AND (CAST(:only AS text) IS NULL OR s.id::text = :only)
    ORDER BY s.state = 'retired', s.name LIMIT :most
""").columns(id=t.sources.c.id.type)


@dataclass(frozen=True, slots=True)
class SourceSeen:
    """A source and how it goes: living `records` and `groups`, and when it was last heard."""

    id: str
    name: str
    kind: str
    system: str
    affiliation: str
    employee_namespace: str | None
    state: str
    created_at: datetime
    records: int
    groups: int
    domains: tuple[str, ...]
    imported_at: datetime | None
    asked_at: datetime | None

    @property
    def heard_at(self) -> datetime | None:
        """The last import or SCIM request."""
        return max((at for at in (self.imported_at, self.asked_at) if at is not None), default=None)

    @property
    def takes_files(self) -> bool:
        """Whether records of it come as files and pushes."""
        return self.kind in ("hris", "crm")


def overview(conn: sa.Connection, tenant_id: str, only: str | None = None) -> list[SourceSeen]:
    """The tenant's sources, retired ones last; or the one of that id."""
    asked = {"tenant": tenant_id, "only": only, "most": MOST_SOURCES, "first": _FIRST, "last": _LAST}
    rows = conn.execute(_OVERVIEW, asked).mappings()
    return [SourceSeen(**{**row, "id": str(row["id"]), "domains": tuple(row["domains"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class KeySeen:
    """An API key that may feed a source; `source_id` None: it may feed all of the tenant's."""

    id: str
    name: str
    source_id: str | None
    last_used_at: datetime | None


def keys_for(conn: sa.Connection, tenant_id: str, source_id: str) -> list[KeySeen]:
    """The API keys that may send records of the source now."""
    c = t.credentials.c
    chosen = sa.select(c.id, c.name, c.source_id, c.last_used_at).where(
        c.tenant_id == tenant_id,
        c.kind == "api_key",
        c.revoked_at.is_(None),
        sa.or_(c.expires_at.is_(None), c.expires_at > sa.func.now()),
        sa.or_(c.source_id.is_(None), c.source_id == source_id),
        sa.literal("records:write") == sa.any_(c.scopes),
    )
    rows = conn.execute(chosen.order_by(c.name).limit(MOST_KEYS)).mappings()
    return [KeySeen(**{**row, "id": str(row["id"])}) for row in rows]


@dataclass(frozen=True, slots=True)
class DriftSeen:
    """A path that arrived and no field knows."""

    path: str
    times: int
    first_at: datetime
    last_at: datetime


def drift_of(conn: sa.Connection, tenant_id: str, source_id: str) -> list[DriftSeen]:
    """What the source sent and nobody understood, the newest first; a hundred at most."""
    c = t.drift.c
    chosen = sa.select(c.path, c.times, c.first_at, c.last_at).where(c.tenant_id == tenant_id, c.source_id == source_id)
    rows = conn.execute(chosen.order_by(c.last_at.desc(), c.path).limit(MOST_DRIFT)).mappings()
    return [DriftSeen(**row) for row in rows]


def names(conn: sa.Connection, tenant_id: str, account_ids: Collection[str]) -> Mapping[str, str]:
    """Account id -> the name that a page shows."""
    if not account_ids:
        return {}
    c = t.accounts.c
    chosen = sa.select(c.id, c.attributes).where(c.tenant_id == tenant_id, c.id.in_(list(account_ids)))
    return {str(row.id): name_of(str(row.id), row.attributes) for row in conn.execute(chosen)}


def chosen_settings(conn: sa.Connection, tenant_id: str) -> Mapping[str, Any]:
    """The column `tenants.settings`."""
    settings: Mapping[str, Any] = conn.execute(
        sa.select(t.tenants.c.settings).where(t.tenants.c.id == tenant_id)
    ).scalar_one()
    return settings
