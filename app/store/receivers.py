"""Receivers of SCIM events, and what there is to tell each: the audit entries behind its position, in their order.

    entries of the tenant    … 41  42  43  44 …        a receiver's position: the last one that it has heard
    claim ─▶ due(…) ─▶ moved(…) ─▶ … ─▶ released       one worker at a time holds a receiver, for a minute at most

An entry's number is given under the lock of the tenant's ledger row, which is held until COMMIT: whoever sees a number
sees every lower one, so that a position cannot skip what a slow transaction commits later.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.store.outward_tables import receivers as t
from app.store.tables import Id, ledger, sources, tenants
from app.store.tenants import NotFoundError

LEASE_SECONDS: Final = 60
ALL_SOURCES: Final = "*"


@dataclass(frozen=True, slots=True)
class Receiver:
    """A receiver as it is stored. `source_id` None: it hears all sources. `token` is sealed."""

    tenant_id: str
    id: str
    source_id: str | None
    source: str | None
    url: str
    audience: str
    events: tuple[str, ...]
    external_id: bool
    position: int
    waiting: int
    failures: int
    failure: str | None
    next_at: datetime | None
    delivered_at: datetime | None
    created_at: datetime
    token: bytes | None = field(repr=False)


def add(
    conn: sa.Connection,
    tenant_id: str,
    *,
    source_id: str | None,
    url: str,
    audience: str,
    events: Sequence[str],
    external_id: bool,
    token: bytes | None,
) -> str:
    """A receiver that hears what happens from now on. Returns its id."""
    id = str(uuid_utils.uuid7())
    newest = sa.select(ledger.c.next_audit - 1).where(ledger.c.tenant_id == tenant_id).scalar_subquery()
    conn.execute(
        sa.insert(t).values(
            tenant_id=tenant_id,
            id=id,
            source_id=source_id,
            url=url,
            audience=audience,
            events=list(events),
            external_id=external_id,
            token=token,
            position=newest,
        )
    )
    _announce(conn, tenant_id)
    return id


def begin_here(conn: sa.Connection, tenant_id: str, id: str) -> None:
    """It hears what comes after the newest entry: what told of its own making is not for it."""
    newest = sa.select(ledger.c.next_audit - 1).where(ledger.c.tenant_id == tenant_id).scalar_subquery()
    conn.execute(sa.update(t).where(t.c.tenant_id == tenant_id, t.c.id == id).values(position=newest))


def remove(conn: sa.Connection, tenant_id: str, id: str) -> None:
    """It hears nothing more.

    Raises:
        NotFoundError: the tenant has no such receiver.
    """
    if conn.execute(sa.delete(t).where(t.c.tenant_id == tenant_id, t.c.id == id)).rowcount == 0:
        raise NotFoundError("the tenant has no such receiver")
    _announce(conn, tenant_id)


def listing(conn: sa.Connection, tenant_id: str) -> list[Receiver]:
    """The tenant's receivers, oldest first."""
    return [_receiver(row) for row in conn.execute(_LISTED.where(t.c.tenant_id == tenant_id).order_by(t.c.id))]


def find(conn: sa.Connection, tenant_id: str, id: str) -> Receiver:
    """One of the tenant's receivers.

    Raises:
        NotFoundError: the tenant has no such receiver.
    """
    row = conn.execute(_LISTED.where(t.c.tenant_id == tenant_id, t.c.id == id)).one_or_none()
    if row is None:
        raise NotFoundError("the tenant has no such receiver")
    return _receiver(row)


def try_now(conn: sa.Connection, tenant_id: str, id: str) -> None:
    """A failing receiver is tried without waiting for its time."""
    conn.execute(sa.update(t).where(t.c.tenant_id == tenant_id, t.c.id == id).values(next_at=None))


def heard(settings: Mapping[str, Any], source_id: str) -> tuple[str, ...]:
    """The event URIs that some receiver hears of this source. `settings` is the column `tenants.settings`."""
    known = settings.get("receivers") or {}
    return tuple(sorted({*known.get(ALL_SOURCES, ()), *known.get(source_id, ())}))


_CLAIM = sa.text(f"""
    UPDATE receivers r SET worker = :worker, claimed_at = now()
    FROM (
        SELECT o.tenant_id, o.id FROM receivers o JOIN ledger l ON l.tenant_id = o.tenant_id
        WHERE o.position < l.next_audit - 1 AND (o.next_at IS NULL OR o.next_at <= :now)
            AND (o.worker IS NULL OR o.claimed_at < now() - interval '{LEASE_SECONDS} seconds')
            AND NOT o.id = ANY(:left)
        ORDER BY o.next_at NULLS FIRST, o.claimed_at NULLS FIRST LIMIT 1 FOR UPDATE OF o SKIP LOCKED
    ) due
    WHERE r.tenant_id = due.tenant_id AND r.id = due.id
    RETURNING r.tenant_id, r.id
""").bindparams(sa.bindparam("left", type_=sa.ARRAY(Id)))


def claim(conn: sa.Connection, worker: str, now: datetime, left: Sequence[str] = ()) -> Receiver | None:
    """A receiver that has something to hear and that nobody else serves, but none of `left`."""
    row = conn.execute(_CLAIM, {"worker": worker, "now": now, "left": list(left)}).one_or_none()
    return None if row is None else find(conn, str(row.tenant_id), str(row.id))


_DUE = sa.text("""
    SELECT a.number, a.at, a.action, a.facts, a.personal, COALESCE(r.id, g.id) AS resource,
        COALESCE(r.document ->> 'externalId', g.external_id) AS external_id
    FROM (
        SELECT * FROM audit WHERE tenant_id = :tenant AND number > :after ORDER BY number LIMIT :limit
    ) a
    LEFT JOIN records r ON r.tenant_id = :tenant AND r.source_key IS NULL
        AND r.id = CASE WHEN a.action LIKE 'record.%' THEN CAST(a.facts ->> 'record' AS uuid) END
    LEFT JOIN groups g ON g.tenant_id = :tenant
        AND g.id = CASE WHEN a.action LIKE 'group.%' THEN CAST(a.facts ->> 'group' AS uuid) END
    LEFT JOIN sources s ON s.tenant_id = :tenant AND s.id = COALESCE(r.source_id, g.source_id,
        CASE WHEN a.action = 'request.completed' THEN CAST(a.facts ->> 'source' AS uuid) END)
    WHERE s.kind <> 'login' AND (CAST(:source AS uuid) IS NULL OR s.id = :source)
    ORDER BY a.number
""")
_LAST = sa.text("""
    SELECT max(number) FROM (
        SELECT number FROM audit WHERE tenant_id = :tenant AND number > :after ORDER BY number LIMIT :limit
    ) a
""")


def due(conn: sa.Connection, receiver: Receiver, limit: int) -> tuple[Sequence[Any], int]:
    """What the next `limit` entries tell about this receiver's resources, and the number of the last of them.

    Rows of number, at, action, facts, personal, resource (its id) and external_id. What lies between them concerns
    other sources, or no SCIM resource.
    """
    where = {"tenant": receiver.tenant_id, "after": receiver.position, "limit": limit}
    last = conn.execute(_LAST, where).scalar_one()
    rows = conn.execute(_DUE, {**where, "source": receiver.source_id}).all()
    end = receiver.position if last is None else last
    return [row for row in rows if row.number <= end], end


def moved(conn: sa.Connection, receiver: Receiver, worker: str, position: int, delivered: datetime | None) -> bool:
    """It has heard everything up to `position`. False: another worker took the receiver over, or it was removed."""
    values: dict[str, Any] = {"position": position, "claimed_at": sa.func.now()}
    if delivered is not None:
        values |= {"failures": 0, "failure": None, "next_at": None, "delivered_at": delivered}
    return _change(conn, receiver, worker, values)


def failed(conn: sa.Connection, receiver: Receiver, worker: str, failure: str, next_at: datetime) -> None:
    """It did not take what it was sent: the same is sent again from `next_at` on."""
    values = {"failures": t.c.failures + 1, "failure": failure, "next_at": next_at, "worker": None}
    _change(conn, receiver, worker, values)


def released(conn: sa.Connection, receiver: Receiver, worker: str) -> None:
    """Whoever comes next may serve it."""
    _change(conn, receiver, worker, {"worker": None})


def sealed_tokens(conn: sa.Connection) -> Sequence[Any]:
    """All tokens, locked: rows of tenant_id, id, token."""
    chosen = sa.select(t.c.tenant_id, t.c.id, t.c.token).where(t.c.token.is_not(None))
    return conn.execute(chosen.with_for_update()).all()


def replace_token(conn: sa.Connection, tenant_id: str, id: str, token: bytes) -> None:
    """The same token, sealed anew."""
    conn.execute(sa.update(t).where(t.c.tenant_id == tenant_id, t.c.id == id).values(token=token))


def _change(conn: sa.Connection, receiver: Receiver, worker: str, values: Mapping[str, Any]) -> bool:
    mine = (t.c.tenant_id == receiver.tenant_id, t.c.id == receiver.id, t.c.worker == worker)
    return conn.execute(sa.update(t).where(*mine).values(**values)).rowcount == 1


def _announce(conn: sa.Connection, tenant_id: str) -> None:
    """The tenant's row says who hears what: a request reads that row anyway, and need not ask here."""
    tenant = sa.select(tenants.c.settings).where(tenants.c.id == tenant_id).with_for_update()
    settings = dict(conn.execute(tenant).scalar_one())
    known: dict[str, list[str]] = {}
    for row in conn.execute(sa.select(t.c.source_id, t.c.events).where(t.c.tenant_id == tenant_id)):
        key = row.source_id or ALL_SOURCES
        known[key] = sorted({*known.get(key, ()), *row.events})
    settings["receivers"] = known
    conn.execute(sa.update(tenants).where(tenants.c.id == tenant_id).values(settings=settings))


def _receiver(row: Any) -> Receiver:
    return Receiver(**{**row._mapping, "events": tuple(row.events)})


_WAITING: Final = sa.select(ledger.c.next_audit - 1 - t.c.position).where(ledger.c.tenant_id == t.c.tenant_id)
_LISTED: Final = sa.select(
    *(column for column in t.c if column.name not in ("worker", "claimed_at")),
    sources.c.name.label("source"),
    _WAITING.scalar_subquery().label("waiting"),
).select_from(
    t.outerjoin(sources, sa.and_(sources.c.tenant_id == t.c.tenant_id, sources.c.id == t.c.source_id)),
)
