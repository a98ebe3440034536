"""Plans that a worker makes, kept as runs: what came is staged, then each line gets its effect.

planning ──claim──▶ planning, a chunk at a time ──▶ planned ──▶ held, queued or complete (`app.sync`)
    └─ a record is wrong ▶ failed                      └─ thrown away ▶ rejected, 7 days ▶ expired

`position` of `total` counts what was looked at while it is planned. A line's `effect` is what it would do; a line that
was found wrong, or is said anew by a later read, has an outcome.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import JSONB

from app.store import tables as t
from app.store.ids import is_id
from app.store.runs import RUN_COLUMNS, STALLED_SECONDS, Run, run_of

STAGED_AT_ONCE: Final = 1_000


@dataclass(frozen=True, slots=True)
class PlanLine:
    """One line of a plan or run; `payload` has name, account and changes where they are known."""

    number: int
    payload: Mapping[str, Any]
    effect: str | None
    outcome: str | None


def begin(
    conn: sa.Connection,
    tenant_id: str,
    *,
    kind: str,
    actor: str,
    summary: Mapping[str, Any],
    source_id: str | None = None,
) -> str:
    """A plan that is still to be made, in the caller's transaction. Returns the run's id."""
    run_id = str(uuid_utils.uuid7())
    row = {"tenant_id": tenant_id, "id": run_id, "kind": kind, "source_id": source_id, "state": "planning"}
    conn.execute(sa.insert(t.runs).values(**row, actor=actor, summary=dict(summary)))
    return run_id


_STAGE = sa.text("""
    INSERT INTO run_changes (tenant_id, run_id, number, payload)
    SELECT :tenant, :id, :after + p.number, p.payload
    FROM jsonb_array_elements(:payloads) WITH ORDINALITY AS p(payload, number)
""").bindparams(sa.bindparam("payloads", type_=JSONB))
_TOTAL = sa.text("UPDATE runs SET total = :total WHERE tenant_id = :tenant AND id = :id")


def stage(conn: sa.Connection, tenant_id: str, run_id: str, payloads: Iterable[Mapping[str, Any]]) -> int:
    """What is to be planned, in its order, a thousand at a time. Returns how many there are."""
    total, some = 0, list[Mapping[str, Any]]()

    def put() -> None:
        conn.execute(_STAGE, {"tenant": tenant_id, "id": run_id, "after": total - len(some), "payloads": some})
        some.clear()

    for payload in payloads:
        some.append(payload)
        total += 1
        if len(some) == STAGED_AT_ONCE:
            put()
    if some:
        put()
    set_total(conn, tenant_id, run_id, total)
    return total


def set_total(conn: sa.Connection, tenant_id: str, run_id: str, total: int) -> None:
    """How many there are to look at."""
    conn.execute(_TOTAL, {"tenant": tenant_id, "id": run_id, "total": total})


_CLAIM = sa.text(f"""
    UPDATE runs r SET worker = :worker, updated_at = now()
    FROM (
        SELECT tenant_id, id FROM runs
        WHERE state = 'planning' AND (worker IS NULL OR updated_at < now() - :stalled * interval '1 second')
            AND (CAST(:only AS uuid) IS NULL OR id = :only) AND NOT id = ANY(CAST(:left AS uuid[]))
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) due WHERE r.tenant_id = due.tenant_id AND r.id = due.id
    RETURNING {RUN_COLUMNS}
""")


def claim(conn: sa.Connection, worker: str, *, only: str | None = None, left: Collection[str] = ()) -> Run | None:
    """Take the oldest plan that nobody makes, or whose worker went silent."""
    parameters = {"worker": worker, "stalled": STALLED_SECONDS, "only": only, "left": list(left)}
    row = conn.execute(_CLAIM, parameters).mappings().one_or_none()
    return None if row is None else run_of(row)


_PUT = sa.text("""
    WITH moved AS (
        UPDATE runs SET position = :position, updated_at = now(), summary = summary || :summary
        WHERE tenant_id = :tenant AND id = :id AND state = 'planning' AND worker = :worker RETURNING id
    ), told AS (
        INSERT INTO run_changes (tenant_id, run_id, number, payload, effect, outcome)
        SELECT :tenant, moved.id, l.number, l.payload, l.effect, l.outcome
        FROM moved, jsonb_to_recordset(:lines) AS l(number bigint, payload jsonb, effect text, outcome text)
        ON CONFLICT (tenant_id, run_id, number) DO UPDATE SET payload = excluded.payload, effect = excluded.effect,
            outcome = COALESCE(run_changes.outcome, excluded.outcome)
    )
    SELECT EXISTS (SELECT FROM moved)
""").bindparams(sa.bindparam("summary", type_=JSONB), sa.bindparam("lines", type_=JSONB))


def put(
    conn: sa.Connection,
    run: Run,
    worker: str,
    position: int,
    lines: Sequence[PlanLine],
    summary: Mapping[str, Any] | None = None,
) -> bool:
    """All up to `position` is looked at, and these lines are what it comes to. False: the plan is another's now."""
    told = [
        {"number": line.number, "payload": line.payload, "effect": line.effect, "outcome": line.outcome}
        for line in lines
    ]
    parameters = {"tenant": run.tenant_id, "id": run.id, "worker": worker, "position": position}
    return bool(conn.execute(_PUT, {**parameters, "lines": told, "summary": dict(summary or {})}).scalar())


_COUNTS = sa.text("""
    SELECT effect, count(*) AS times FROM run_changes
    WHERE tenant_id = :tenant AND run_id = :id AND effect IS NOT NULL AND outcome IS NULL GROUP BY effect
""")
_PEOPLE = sa.text("""
    SELECT count(DISTINCT payload ->> 'account') FILTER (WHERE effect = ANY(CAST(:losses AS text[]))) AS losing,
        count(DISTINCT payload ->> 'account') FILTER (WHERE payload ? 'living') AS living,
        count(*) FILTER (WHERE outcome IS NOT NULL) AS left_out
    FROM run_changes WHERE tenant_id = :tenant AND run_id = :id AND (effect IS NOT NULL OR outcome IS NOT NULL)
""")


@dataclass(frozen=True, slots=True)
class Counted:
    """A plan's lines: how many by effect, how many people lose something, are active now, and lines left out."""

    by_effect: Mapping[str, int]
    losing: int
    living: int
    left_out: int


def counted(conn: sa.Connection, tenant_id: str, run_id: str, losses: Collection[str]) -> Counted:
    """What the lines come to, as they are now."""
    of = {"tenant": tenant_id, "id": run_id}
    effects = {row.effect: row.times for row in conn.execute(_COUNTS, of)}
    people = conn.execute(_PEOPLE, {**of, "losses": list(losses)}).one()
    return Counted(effects, people.losing, people.living, people.left_out)


_END = sa.text("""
    WITH ended AS (
        UPDATE runs SET state = :state, updated_at = now(), worker = NULL, expires_at = :expires,
            summary = summary || :summary
        WHERE tenant_id = :tenant AND id = :id AND state = 'planning' AND worker = :worker RETURNING id
    ), dropped AS (
        DELETE FROM run_changes WHERE tenant_id = :tenant AND run_id IN (SELECT id FROM ended)
            AND :state = 'failed' AND outcome IS NULL
    )
    UPDATE run_changes SET payload = payload - 'record'
    WHERE tenant_id = :tenant AND run_id IN (SELECT id FROM ended) AND :state = 'failed' AND outcome IS NOT NULL
""").bindparams(sa.bindparam("summary", type_=JSONB))


def end(
    conn: sa.Connection, run: Run, worker: str, state: str, summary: Mapping[str, Any], expires: datetime | None
) -> None:
    """The plan is made (planned), or cannot be made (failed): then only the lines that are wrong stay."""
    parameters = {"tenant": run.tenant_id, "id": run.id, "worker": worker, "state": state, "expires": expires}
    conn.execute(_END, {**parameters, "summary": dict(summary)})


_RELEASE = sa.text("""
    UPDATE runs SET worker = NULL, updated_at = now()
    WHERE tenant_id = :tenant AND id = :id AND state = 'planning' AND worker = :worker
""")


def release(conn: sa.Connection, run: Run, worker: str) -> None:
    """Let another worker go on with it."""
    conn.execute(_RELEASE, {"tenant": run.tenant_id, "id": run.id, "worker": worker})


_KEYS = sa.text("SELECT payload ->> 'key' FROM run_changes WHERE tenant_id = :tenant AND run_id = :id")


def keys(conn: sa.Connection, tenant_id: str, run_id: str) -> list[str]:
    """The source's keys of all lines."""
    return [key for key in conn.execute(_KEYS, {"tenant": tenant_id, "id": run_id}).scalars() if key is not None]


_SETTLE = sa.text("""
    WITH dropped AS (
        DELETE FROM run_changes WHERE tenant_id = :tenant AND run_id = :id AND effect = :unchanged AND outcome IS NULL
    )
    UPDATE runs SET state = :state, position = 0, created_at = now(), updated_at = now(), expires_at = :expires,
        summary = summary || :summary
    WHERE tenant_id = :tenant AND id = :id
""").bindparams(sa.bindparam("summary", type_=JSONB))


def settle(
    conn: sa.Connection,
    tenant_id: str,
    run_id: str,
    state: str,
    summary: Mapping[str, Any],
    *,
    unchanged: str,
    expires: datetime | None,
) -> None:
    """The plan becomes a run, held or queued; lines that change nothing are left out.

    It counts as of now: that is when its losses happen.
    """
    parameters = {"tenant": tenant_id, "id": run_id, "state": state, "unchanged": unchanged, "expires": expires}
    conn.execute(_SETTLE, {**parameters, "summary": dict(summary)})


def locked(conn: sa.Connection, tenant_id: str, run_id: str) -> str | None:
    """The run's state, which stays as it is until COMMIT; None where there is no such run."""
    chosen = sa.select(t.runs.c.state).where(t.runs.c.tenant_id == tenant_id, is_id(t.runs.c.id, run_id))
    return conn.execute(chosen.with_for_update()).scalar_one_or_none()


def page(
    conn: sa.Connection, tenant_id: str, run_id: str, *, effect: str | None = None, after: int = 0, limit: int = 50
) -> list[PlanLine]:
    """The next lines behind number `after`, of one effect or of all."""
    c = t.run_changes.c
    chosen = sa.select(c.number, c.payload, c.effect, c.outcome).where(
        c.tenant_id == tenant_id, c.run_id == run_id, c.number > after
    )
    if effect is not None:
        chosen = chosen.where(c.effect == effect)
    return [PlanLine(**row) for row in conn.execute(chosen.order_by(c.number).limit(limit)).mappings()]


def accounts_up_to(conn: sa.Connection, tenant_id: str, most: int) -> int:
    """How many accounts there are, counted no further than `most`."""
    some = sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant_id).limit(most).subquery()
    return int(conn.execute(sa.select(sa.func.count()).select_from(some)).scalar_one())


def accounts_after(conn: sa.Connection, tenant_id: str, last: str | None, limit: int) -> list[str]:
    """The next account ids behind `last`, in their order."""
    chosen = sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant_id)
    if last is not None:
        chosen = chosen.where(t.accounts.c.id > last)
    return [str(one) for one in conn.execute(chosen.order_by(t.accounts.c.id).limit(limit)).scalars()]


def population(conn: sa.Connection, tenant_id: str, *, active: bool = False) -> int:
    """How many accounts there are, or how many active ones."""
    chosen = sa.select(sa.func.count()).select_from(t.accounts).where(t.accounts.c.tenant_id == tenant_id)
    return int(conn.execute(chosen.where(t.accounts.c.status == "active") if active else chosen).scalar_one())


def again(conn: sa.Connection, tenant_id: str, run_id: str) -> None:
    """Make the plan of a rule once more from the start."""
    clear(conn, tenant_id, run_id)
    mine = (t.runs.c.tenant_id == tenant_id, t.runs.c.id == run_id)
    told = t.runs.c.summary.op("-")(sa.literal("last"))
    conn.execute(sa.update(t.runs).where(*mine).values(state="planning", position=0, worker=None, summary=told))


def clear(conn: sa.Connection, tenant_id: str, run_id: str) -> None:
    """Drop the run's lines."""
    mine = (t.run_changes.c.tenant_id == tenant_id, t.run_changes.c.run_id == run_id)
    conn.execute(sa.delete(t.run_changes).where(*mine))


_EVERYBODY = sa.text("""
    UPDATE runs SET state = 'queued', position = 0, worker = NULL, created_at = now(), updated_at = now(),
        expires_at = NULL, total = (SELECT count(*) FROM accounts WHERE tenant_id = :tenant),
        summary = (summary - 'last') || :summary || CAST('{"everybody": true}' AS jsonb)
    WHERE tenant_id = :tenant AND id = :id RETURNING total
""").bindparams(sa.bindparam("summary", type_=JSONB))


def everybody(conn: sa.Connection, tenant_id: str, run_id: str, summary: Mapping[str, Any]) -> int:
    """The run derives everybody again, from now on. Returns how many they are; whoever carries it out lists them."""
    parameters = {"tenant": tenant_id, "id": run_id, "summary": dict(summary)}
    return int(conn.execute(_EVERYBODY, parameters).scalar_one())


_MINE = sa.text("""
    SELECT id FROM runs WHERE tenant_id = :tenant AND id = :id AND state = 'running' AND worker = :worker FOR UPDATE
""")
_LIST = sa.text("""
    WITH listed AS (
        INSERT INTO run_changes (tenant_id, run_id, number, payload)
        SELECT :tenant, :id, row_number() OVER (ORDER BY a.id), jsonb_build_object('account', a.id)
        FROM accounts a WHERE a.tenant_id = :tenant RETURNING number
    )
    UPDATE runs SET summary = summary - 'everybody', total = (SELECT count(*) FROM listed), updated_at = now()
    WHERE tenant_id = :tenant AND id = :id
""")


def list_everybody(conn: sa.Connection, run: Run, worker: str) -> bool:
    """All accounts as the run's lines, in place of those of its plan. False: the run is another's now.

    A hundred thousand of them are more than a request writes: so the run lists them, in a transaction of its own.
    """
    of = {"tenant": run.tenant_id, "id": run.id}
    if conn.execute(_MINE, {**of, "worker": worker}).one_or_none() is None:
        return False
    clear(conn, run.tenant_id, run.id)
    conn.execute(_LIST, of)
    return True
