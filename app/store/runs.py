"""Runs: work on more people than one transaction takes, kept as a list of changes and a position in it.

planning ──▶ planned ──▶ held, queued: see `app.store.plans`
held ──allow──▶ queued ──claim──▶ running ──▶ complete        position = the last change that is committed
  ├─ reject ▶ rejected    ▲           │
  └─ 7 days ▶ expired     └─ stalled ─┘  its worker was killed: another goes on behind the position

A change's payload is {"account": id} (derive again), or a record that a source sent, with the effect that was planned.
Once a run is over, what was applied is deleted; what was not stays with its outcome. A large run's changes may be
stored before its reason is: it is preparing until that transaction queues it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import JSONB

from app.store import tables as t
from app.store.ids import is_id
from app.store.tenants import NotFoundError

STALLED_SECONDS: Final = 120


@dataclass(frozen=True, slots=True)
class Run:
    """A run. `position` of `total` changes are done; `summary` tells its story in counts and names no person."""

    tenant_id: str
    id: str
    kind: str
    source_id: str | None
    state: str
    actor: str
    summary: Mapping[str, Any]
    position: int
    total: int
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class RunChange:
    """One change of a run; `outcome` is None while it waits, and after it was applied."""

    number: int
    payload: Mapping[str, Any]
    outcome: str | None


_COLUMNS: Final = tuple(column for column in t.runs.c if column.name != "worker")
RUN_COLUMNS: Final = ", ".join(f"r.{column.name}" for column in _COLUMNS)  # of a statement that calls it `r`
_ADD = sa.text("""
    WITH run AS (
        INSERT INTO runs (tenant_id, id, kind, source_id, state, actor, summary, total, expires_at)
        VALUES (:tenant, :id, :kind, :source, :state, :actor, :summary, jsonb_array_length(:payloads), :expires)
    )
    INSERT INTO run_changes (tenant_id, run_id, number, payload, effect)
    SELECT :tenant, :id, p.number, p.payload, p.payload ->> 'effect'
    FROM jsonb_array_elements(:payloads) WITH ORDINALITY AS p(payload, number)
""").bindparams(sa.bindparam("summary", type_=JSONB), sa.bindparam("payloads", type_=JSONB))


def queue(
    conn: sa.Connection,
    tenant_id: str,
    *,
    kind: str,
    actor: str,
    account_ids: Sequence[str],
    summary: dict[str, Any],
    source_id: str | None = None,
) -> str:
    """A run that derives these accounts again, in the caller's transaction. Returns its id; wake a worker after COMMIT.

    `kind` is mapping or group.
    """
    payloads = [{"account": one} for one in account_ids]
    return add(
        conn, tenant_id, kind=kind, state="queued", actor=actor, payloads=payloads, summary=summary, source_id=source_id
    )


def add(
    conn: sa.Connection,
    tenant_id: str,
    *,
    kind: str,
    state: str,
    actor: str,
    payloads: Sequence[Mapping[str, Any]],
    summary: Mapping[str, Any],
    source_id: str | None = None,
    expires_at: datetime | None = None,
) -> str:
    """A run of these changes, queued or held, in one statement. Returns its id."""
    run_id = str(uuid_utils.uuid7())
    conn.execute(
        _ADD,
        {
            "tenant": tenant_id,
            "id": run_id,
            "kind": kind,
            "source": source_id,
            "state": state,
            "actor": actor,
            "summary": dict(summary),
            "payloads": list(payloads),
            "expires": expires_at,
        },
    )
    return run_id


_CLAIM = sa.text(f"""
    UPDATE runs r SET state = 'running', worker = :worker, updated_at = now()
    FROM (
        SELECT tenant_id, id FROM runs
        WHERE (state = 'queued' OR (state = 'running' AND updated_at < now() - :stalled * interval '1 second'))
            AND (CAST(:only AS uuid) IS NULL OR id = :only) AND NOT id = ANY(CAST(:left AS uuid[]))
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) due WHERE r.tenant_id = due.tenant_id AND r.id = due.id
    RETURNING {RUN_COLUMNS}
""")


def claim(conn: sa.Connection, worker: str, *, only: str | None = None, left: Collection[str] = ()) -> Run | None:
    """Take the oldest run that is queued, or whose worker went silent; not those in `left`, or `only` that one."""
    parameters = {"worker": worker, "stalled": STALLED_SECONDS, "only": only, "left": list(left)}
    row = conn.execute(_CLAIM, parameters).mappings().one_or_none()
    return None if row is None else run_of(row)


def due(conn: sa.Connection, run: Run, after: int, limit: int) -> list[RunChange]:
    """The next changes behind number `after`, those already settled included."""
    c = t.run_changes.c
    chosen = sa.select(c.number, c.payload, c.outcome).where(*_of(run.tenant_id, run.id), c.number > after)
    return [RunChange(**row) for row in conn.execute(chosen.order_by(c.number).limit(limit)).mappings()]


_MOVE = sa.text("""
    WITH moved AS (
        UPDATE runs SET position = :position, updated_at = now()
        WHERE tenant_id = :tenant AND id = :id AND state = 'running' AND worker = :worker RETURNING id
    ), told AS (
        UPDATE run_changes c SET outcome = o.outcome
        FROM moved, jsonb_to_recordset(:outcomes) AS o(number bigint, outcome text)
        WHERE c.tenant_id = :tenant AND c.run_id = moved.id AND c.number = o.number
    )
    SELECT EXISTS (SELECT FROM moved)
""").bindparams(sa.bindparam("outcomes", type_=JSONB))


def move(conn: sa.Connection, run: Run, worker: str, position: int, outcomes: Mapping[int, str]) -> bool:
    """All up to `position` is done; `outcomes` tells of what was not applied. False: the run is another's now."""
    told = [{"number": number, "outcome": outcome} for number, outcome in outcomes.items()]
    parameters = {"tenant": run.tenant_id, "id": run.id, "worker": worker, "position": position, "outcomes": told}
    return bool(conn.execute(_MOVE, parameters).scalar())


_RELEASE = sa.text("""
    UPDATE runs SET state = 'queued', worker = NULL, updated_at = now()
    WHERE tenant_id = :tenant AND id = :id AND state = 'running' AND worker = :worker
""")


def release(conn: sa.Connection, run: Run, worker: str) -> None:
    """Put the run back: it goes on behind its position another time."""
    conn.execute(_RELEASE, {"tenant": run.tenant_id, "id": run.id, "worker": worker})


_COMPLETE = sa.text("""
    WITH ended AS (
        UPDATE runs SET state = 'complete', updated_at = now(), summary = summary || jsonb_build_object('notApplied',
            (SELECT count(*) FROM run_changes WHERE tenant_id = :tenant AND run_id = :id AND outcome IS NOT NULL))
        WHERE tenant_id = :tenant AND id = :id AND state = 'running' AND worker = :worker RETURNING id
    ), shown AS (
        UPDATE groups SET pending_run_id = NULL
        WHERE tenant_id = :tenant AND pending_run_id IN (SELECT id FROM ended)
    ), stripped AS (
        UPDATE run_changes SET payload = payload - 'record' - 'changes'
        WHERE tenant_id = :tenant AND run_id IN (SELECT id FROM ended) AND outcome IS NOT NULL
    )
    DELETE FROM run_changes
    WHERE tenant_id = :tenant AND run_id IN (SELECT id FROM ended) AND outcome IS NULL
""")


def complete(conn: sa.Connection, run: Run, worker: str) -> None:
    """The run is over: groups that showed it as pending no longer do."""
    conn.execute(_COMPLETE, {"tenant": run.tenant_id, "id": run.id, "worker": worker})


_ALLOW = sa.text("""
    UPDATE runs SET state = 'queued', expires_at = NULL, updated_at = now(),
        summary = summary || :note
    WHERE tenant_id = :tenant AND id = :id AND state = 'held' AND expires_at > :now
""").bindparams(sa.bindparam("note", type_=JSONB))


def allow(conn: sa.Connection, tenant_id: str, run_id: str, actor: str, now: datetime, reason: str = "") -> bool:
    """Queue a held run. False: it is not held (any more)."""
    note = {"allowedBy": actor, **({"reason": reason} if reason else {})}
    parameters = {"tenant": tenant_id, "id": run_id, "note": note, "now": now}
    return conn.execute(_ALLOW, parameters).rowcount == 1


_END_HELD = """
    WITH ended AS (
        UPDATE runs SET state = :state, updated_at = now(), summary = summary || :note
        WHERE state IN ({states}) AND {which} RETURNING tenant_id, id
    ), shown AS (
        UPDATE groups g SET pending_run_id = NULL FROM ended
        WHERE g.tenant_id = ended.tenant_id AND g.pending_run_id = ended.id
    ), gone AS (
        DELETE FROM run_changes c USING ended WHERE c.tenant_id = ended.tenant_id AND c.run_id = ended.id
    )
    SELECT tenant_id, id FROM ended
"""
_REJECT = sa.text(_END_HELD.format(states="'held', 'planned', 'planning'", which="tenant_id = :tenant AND id = :id"))
_EXPIRE = sa.text(_END_HELD.format(states="'held', 'planned'", which="expires_at <= :now"))
_REJECT = _REJECT.bindparams(sa.bindparam("note", type_=JSONB))
_EXPIRE = _EXPIRE.bindparams(sa.bindparam("note", type_=JSONB))


def reject(conn: sa.Connection, tenant_id: str, run_id: str, actor: str, reason: str = "") -> bool:
    """Throw a plan or a held run away. False: it is neither (any more)."""
    note = {"rejectedBy": actor, **({"reason": reason} if reason else {})}
    rows = conn.execute(_REJECT, {"tenant": tenant_id, "id": run_id, "state": "rejected", "note": note})
    return len(rows.all()) == 1


def expire(conn: sa.Connection, now: datetime) -> int:
    """End the held runs of all tenants whose time is over. Returns how many."""
    return len(conn.execute(_EXPIRE, {"now": now, "state": "expired", "note": {}}).all())


_BEGIN = sa.text("""
    UPDATE runs SET state = 'queued', summary = :summary, created_at = now(), updated_at = now()
    WHERE tenant_id = :tenant AND id = :id AND state IN ('preparing', 'queued')
""").bindparams(sa.bindparam("summary", type_=JSONB))
_DROP_PREPARED = """
    WITH gone AS (DELETE FROM runs WHERE state = 'preparing' AND {which} RETURNING tenant_id, id)
    DELETE FROM run_changes c USING gone WHERE c.tenant_id = gone.tenant_id AND c.run_id = gone.id
"""
_DROP_ONE = sa.text(_DROP_PREPARED.format(which="tenant_id = :tenant AND id = :id"))
_DROP_OLD = sa.text(_DROP_PREPARED.format(which="created_at < now() - interval '1 hour'"))


def begin(conn: sa.Connection, tenant_id: str, run_id: str, summary: Mapping[str, Any]) -> None:
    """What was prepared is to be carried out: in the transaction that gives the reason. Wake a worker after COMMIT."""
    conn.execute(_BEGIN, {"tenant": tenant_id, "id": run_id, "summary": dict(summary)})


def drop_prepared(conn: sa.Connection, tenant_id: str, run_id: str) -> None:
    """The reason never came."""
    conn.execute(_DROP_ONE, {"tenant": tenant_id, "id": run_id})


def forget_prepared(conn: sa.Connection) -> None:
    """What a process left that was killed before it could begin it."""
    conn.execute(_DROP_OLD)


def listing(conn: sa.Connection, tenant_id: str, *, state: str | None = None, limit: int = 100) -> list[Run]:
    """The tenant's runs, the newest first."""
    chosen = sa.select(*_COLUMNS).where(t.runs.c.tenant_id == tenant_id, t.runs.c.state != "preparing")
    if state is not None:
        chosen = chosen.where(t.runs.c.state == state)
    rows = conn.execute(chosen.order_by(t.runs.c.created_at.desc(), t.runs.c.id.desc()).limit(limit))
    return [run_of(row) for row in rows.mappings()]


def page(
    conn: sa.Connection,
    tenant_id: str,
    *,
    state: str | None = None,
    source_id: str | None = None,
    before: tuple[datetime, str] | None = None,
    limit: int = 50,
) -> list[Run]:
    """The next runs before (time, id), the newest first, of one state and source or of all."""
    c = t.runs.c
    chosen = sa.select(*_COLUMNS).where(c.tenant_id == tenant_id)
    if state is not None:
        chosen = chosen.where(c.state == state)
    if source_id is not None:
        chosen = chosen.where(c.source_id == source_id)
    if before is not None:
        at, run_id = before
        place = sa.tuple_(sa.literal(at, c.created_at.type), sa.literal(run_id, c.id.type))
        chosen = chosen.where(sa.tuple_(c.created_at, c.id) < place)
    rows = conn.execute(chosen.order_by(c.created_at.desc(), c.id.desc()).limit(limit))
    return [run_of(row) for row in rows.mappings()]


def find(conn: sa.Connection, tenant_id: str, run_id: str) -> Run:
    """One run.

    Raises:
        NotFoundError: the tenant has none of that id.
    """
    chosen = sa.select(*_COLUMNS).where(t.runs.c.tenant_id == tenant_id, is_id(t.runs.c.id, run_id))
    row = conn.execute(chosen).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"the tenant has no run {run_id}")
    return run_of(row)


def _of(tenant_id: str, run_id: str) -> tuple[sa.ColumnElement[bool], sa.ColumnElement[bool]]:
    return t.run_changes.c.tenant_id == tenant_id, t.run_changes.c.run_id == run_id


def run_of(row: Any) -> Run:
    """A row of `runs`."""
    ids = {name: None if row[name] is None else str(row[name]) for name in ("tenant_id", "id", "source_id")}
    return Run(**{**row, **ids})
