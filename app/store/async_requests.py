"""SCIM requests that are carried out later: kept, taken up one at a time for each source, ended with an audit entry.

add ─▶ claim ─▶ done (what an earlier attempt did already) ─▶ … ─▶ complete: entry and deletion, one transaction
                                                             └─ later(…): others hold the people, or no database

What a request does stands in the audit with its transaction (`facts.txn`), written with the effect. So an attempt
after a crash knows exactly what was done: it reads the entries from `began` on.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import JSONB

from app.store.audit import Entry
from app.store.outward_tables import async_requests as t
from app.store.saving import Telling, save_ledger
from app.store.tables import audit, sources, tenants

COMPLETED: Final = "request.completed"
LEASE_SECONDS: Final = 60
MOST_WAITING: Final = 1_000  # of one source; more are answered at once


@dataclass(frozen=True, slots=True)
class Kept:
    """A request that was taken up. `began` is the audit number from which its own entries may stand."""

    tenant_id: str
    id: str
    source_id: str
    source: str
    source_state: str
    tenant_settings: Mapping[str, Any]
    tenant_revision: int
    method: str
    kind: str | None
    resource_id: str | None
    body: Mapping[str, Any] | None
    conditions: Mapping[str, str | None]
    began: int
    attempts: int

    @property
    def txn(self) -> str:
        return self.id


_ADD = sa.text("""
    INSERT INTO async_requests (tenant_id, id, source_id, method, kind, resource_id, body, conditions)
    SELECT :tenant, :id, :source, :method, :kind, :resource, :body, :conditions
    WHERE (SELECT count(*) FROM async_requests WHERE tenant_id = :tenant AND source_id = :source) < :most
""").bindparams(sa.bindparam("body", type_=JSONB), sa.bindparam("conditions", type_=JSONB))


def add(conn: sa.Connection, tenant_id: str, source_id: str, request: Any) -> str | None:
    """Keep a `scim.store.Later`. Returns its id; None when too many of the source wait already."""
    id = str(uuid_utils.uuid7())
    made = id if request.method == "POST" and request.kind else request.id
    values = {
        "tenant": tenant_id,
        "id": id,
        "source": source_id,
        "method": request.method,
        "kind": request.kind,
        "resource": made,
        "body": request.body,
        "conditions": dict(request.conditions),
        "most": MOST_WAITING,
    }
    return id if conn.execute(_ADD, values).rowcount else None


_CLAIM = sa.text(f"""
    UPDATE async_requests q SET worker = :worker, claimed_at = now(), attempts = attempts + 1,
        began = COALESCE(q.began, (SELECT next_audit FROM ledger l WHERE l.tenant_id = q.tenant_id))
    FROM (
        SELECT o.tenant_id, o.id FROM async_requests o
        WHERE (o.worker IS NULL OR o.claimed_at < now() - interval '{LEASE_SECONDS} seconds')
            AND (o.next_at IS NULL OR o.next_at <= :now)
            AND NOT EXISTS (SELECT FROM async_requests e
                WHERE e.tenant_id = o.tenant_id AND e.source_id = o.source_id AND e.id < o.id)
        ORDER BY o.id LIMIT 1 FOR UPDATE OF o SKIP LOCKED
    ) due
    WHERE q.tenant_id = due.tenant_id AND q.id = due.id
    RETURNING q.tenant_id, q.id
""")


def claim(conn: sa.Connection, worker: str, now: datetime) -> Kept | None:
    """The oldest request of some source, unless another worker has it."""
    row = conn.execute(_CLAIM, {"worker": worker, "now": now}).one_or_none()
    if row is None:
        return None
    found = conn.execute(_KEPT.where(t.c.tenant_id == row.tenant_id, t.c.id == row.id)).one()
    return Kept(**found._mapping)


def keep_claim(conn: sa.Connection, kept: Kept, worker: str) -> bool:
    """The request takes long. False: another worker has it by now."""
    return conn.execute(sa.update(t).where(*_mine(kept, worker)).values(claimed_at=sa.func.now())).rowcount == 1


def later(conn: sa.Connection, kept: Kept, worker: str, at: datetime) -> None:
    """It is tried again from `at` on."""
    conn.execute(sa.update(t).where(*_mine(kept, worker)).values(worker=None, next_at=at))


def done(conn: sa.Connection, kept: Kept) -> Sequence[Any]:
    """What the request has done in earlier attempts: rows of action and facts."""
    own = audit.c.facts["txn"].astext
    mine = sa.or_(own == kept.txn, own.startswith(f"{kept.txn}:", autoescape=True))
    entries = sa.select(audit.c.action, audit.c.facts).where(
        audit.c.tenant_id == kept.tenant_id, audit.c.number >= kept.began, mine, audit.c.action != COMPLETED
    )
    return conn.execute(entries.order_by(audit.c.number)).all()


def complete(conn: sa.Connection, kept: Kept, worker: str, entries: Sequence[Entry], now: datetime) -> bool:
    """End the request and tell so, in the caller's transaction. False: another worker has it; nothing is written."""
    if conn.execute(sa.delete(t).where(*_mine(kept, worker))).rowcount != 1:
        return False
    save_ledger(conn, kept.tenant_id, [], Telling([], list(entries), {}), 0, now)
    return True


def _mine(kept: Kept, worker: str) -> tuple[sa.ColumnElement[bool], ...]:
    return (t.c.tenant_id == kept.tenant_id, t.c.id == kept.id, t.c.worker == worker)


_KEPT: Final = (
    sa.select(
        t.c.tenant_id,
        t.c.id,
        t.c.source_id,
        sources.c.name.label("source"),
        sources.c.state.label("source_state"),
        tenants.c.settings.label("tenant_settings"),
        tenants.c.revision.label("tenant_revision"),
        t.c.method,
        t.c.kind,
        t.c.resource_id,
        t.c.body,
        t.c.conditions,
        t.c.began,
        t.c.attempts,
    )
    .join_from(t, tenants, tenants.c.id == t.c.tenant_id)
    .join(sources, sa.and_(sources.c.tenant_id == t.c.tenant_id, sources.c.id == t.c.source_id))
)
