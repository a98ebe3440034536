"""Drafts of the role table: changes that somebody looks at before saving them, and whom they concern.

waiting ─claim─▶ working ─▶ ready ─▶ saved          done of total people are worked out, in the order of their numbers
                   │  └ stop ▶ stopped   └▶ stale    the list may be another by now: work it out again
                   ├ its worker was killed: another goes on behind `done`
                   └ it cannot be worked out ▶ failed
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON, JSONB

from app.store.driver import Statement
from app.store.ids import is_id
from app.store.role_reads import ids_of
from app.store.run_tables import mapping_draft_lines as lines_of
from app.store.run_tables import mapping_drafts as drafts
from app.store.tenants import NotFoundError

STALLED_SECONDS: Final = 30
STREAMED: Final = 5_000  # lines a page of what is streamed
OPEN: Final = ("waiting", "working")


@dataclass(frozen=True, slots=True)
class MappingDraft:
    """A draft. `done` of `total` people are worked out; `counts` has gains, losses, kept and accounts so far.

    `changes` are JSON values of `Change`; `plan` the lines that they come to. `failure` is a sentence. `revision` and
    `as_of` are what it was worked out with. `others`: whether people whom it does not concern administer, where those
    whom it concerns stop doing so. `removes_last_administrator`: it cannot be saved.
    """

    tenant_id: str
    id: str
    actor: str
    note: str
    changes: Sequence[Mapping[str, Any]]
    plan: Mapping[str, Any]
    reverts: str | None
    state: str
    done: int
    total: int
    counts: Mapping[str, int]
    others: bool | None
    removes_last_administrator: bool
    hash: str | None
    revision: int | None
    as_of: int | None
    failure: str | None
    run_id: str | None
    created_at: datetime
    updated_at: datetime

    @property
    def is_open(self) -> bool:
        """Whether it waits for a worker or is being worked out."""
        return self.state in OPEN


@dataclass(frozen=True, slots=True)
class DraftLine:
    """Somebody who gains, loses or keeps a role; `number` counts those of the same kind."""

    number: int
    account_id: str
    name: str
    role: str
    scope: str


_COLUMNS: Final = tuple(column for column in drafts.c if column.name not in ("worker", "claimed_at"))
_NAMES: Final = ", ".join(f"d.{column.name}" for column in _COLUMNS)
_DRAFT_LINE: Final = (lines_of.c.number, lines_of.c.account_id, lines_of.c.name, lines_of.c.role, lines_of.c.scope)


def add(conn: sa.Connection, tenant_id: str, id: str, **values: Any) -> None:
    """A new draft that waits."""
    conn.execute(sa.insert(drafts).values(tenant_id=tenant_id, id=id, state="waiting", **values))


def find(conn: sa.Connection, tenant_id: str, draft_id: str) -> MappingDraft:
    """One draft.

    Raises:
        NotFoundError: the tenant has none of that id.
    """
    chosen = sa.select(*_COLUMNS).where(drafts.c.tenant_id == tenant_id, is_id(drafts.c.id, draft_id))
    row = conn.execute(chosen).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no draft {draft_id}")
    return _draft(row)


def listing(conn: sa.Connection, tenant_id: str, *, limit: int = 20) -> list[MappingDraft]:
    """The newest drafts that are not saved. There are few: old ones are forgotten."""
    chosen = sa.select(*_COLUMNS).where(drafts.c.tenant_id == tenant_id, drafts.c.state != "saved")
    rows = conn.execute(chosen.order_by(drafts.c.created_at.desc(), drafts.c.id.desc()).limit(limit))
    return [_draft(row) for row in rows.mappings()]


def lines(
    conn: sa.Connection, tenant_id: str, draft_id: str, kind: str, *, after: int = 0, limit: int = 100
) -> list[DraftLine]:
    """Those who gain, lose or keep (`kind` gain, loss or kept) a role, behind number `after`."""
    c = lines_of.c
    mine = (c.tenant_id == tenant_id, c.draft_id == draft_id, c.kind == kind, c.number > after)
    rows = conn.execute(sa.select(*_DRAFT_LINE).where(*mine).order_by(c.number).limit(limit))
    return [DraftLine(row.number, str(row.account_id), row.name, row.role, row.scope) for row in rows]


_RECORDS = sa.text("""
    SELECT COALESCE(sum(CAST(c.value AS bigint)), 0) FROM ledger, jsonb_each_text(counts) c
    WHERE tenant_id = :tenant AND c.key LIKE '%/User'
""")


def records_kept(conn: sa.Connection, tenant_id: str) -> int:
    """How many living records the tenant has."""
    return int(conn.execute(_RECORDS, {"tenant": tenant_id}).scalar_one())


_CLAIM = sa.text(f"""
    UPDATE mapping_drafts d SET state = 'working', worker = :worker, claimed_at = now(), updated_at = now()
    FROM (
        SELECT tenant_id, id FROM mapping_drafts
        WHERE (state = 'waiting' OR (state = 'working' AND claimed_at < now() - :stalled * interval '1 second'))
            AND (CAST(:only AS uuid) IS NULL OR id = :only)
        ORDER BY created_at, id LIMIT 1 FOR UPDATE SKIP LOCKED
    ) due WHERE d.tenant_id = due.tenant_id AND d.id = due.id
    RETURNING {_NAMES}
""")


def claim(conn: sa.Connection, worker: str, *, only: str | None = None) -> MappingDraft | None:
    """Take the oldest draft that waits, or whose worker went silent; or `only` that one."""
    parameters = {"worker": worker, "stalled": STALLED_SECONDS, "only": only}
    row = conn.execute(_CLAIM, parameters).mappings().one_or_none()
    return None if row is None else _draft(row)


_GATHER = sa.text("""
    WITH mine AS (
        UPDATE mapping_drafts SET total = :total, done = 0, revision = :revision, as_of = :as_of, plan = :plan,
            hash = :sum, counts = :counts, claimed_at = now(), updated_at = now()
        WHERE tenant_id = :tenant AND id = :id AND state = 'working' AND worker = :worker RETURNING id
    ), people AS (
        INSERT INTO mapping_draft_people (tenant_id, draft_id, number, account_id)
        SELECT :tenant, mine.id, p.number, p.id
        FROM mine, unnest(CAST(:accounts AS uuid[])) WITH ORDINALITY AS p(id, number)
    )
    SELECT count(*) FROM mine
""").bindparams(sa.bindparam("plan", type_=JSONB), sa.bindparam("counts", type_=JSONB))


def gather(
    conn: sa.Connection,
    draft: MappingDraft,
    worker: str,
    account_ids: Sequence[str],
    *,
    plan: Mapping[str, Any],
    revision: int,
    as_of: int,
) -> bool:
    """Whom it concerns is known. False: it was stopped, or is another worker's."""
    parameters = {
        "tenant": draft.tenant_id,
        "id": draft.id,
        "worker": worker,
        "accounts": ids_of(account_ids),
        "total": len(account_ids),
        "plan": dict(plan),
        "revision": revision,
        "as_of": as_of,
        "sum": "0",
        "counts": {"gains": 0, "losses": 0, "kept": 0, "accounts": len(account_ids)},
    }
    return bool(conn.execute(_GATHER, parameters).scalar())


_DUE = Statement("""
    SELECT account_id FROM mapping_draft_people
    WHERE tenant_id = %(tenant)s AND draft_id = %(id)s AND number > %(after)s ORDER BY number LIMIT %(limit)s
""")


def due(conn: sa.Connection, draft: MappingDraft, after: int, limit: int) -> list[str]:
    """The next people behind number `after`."""
    parameters = {"tenant": draft.tenant_id, "id": draft.id, "after": after, "limit": limit}
    return [row[0] for row in _DUE.rows(conn, parameters)]


_ADVANCE = sa.text("""
    WITH mine AS (
        UPDATE mapping_drafts SET done = :done, hash = :sum, counts = :counts, claimed_at = now(), updated_at = now()
        WHERE tenant_id = :tenant AND id = :id AND state = 'working' AND worker = :worker AND done = :before
        RETURNING id
    ), lines AS (
        INSERT INTO mapping_draft_lines (tenant_id, draft_id, kind, number, account_id, name, role, scope)
        SELECT :tenant, mine.id, l.kind, l.number, l.account_id, l.name, l.role, l.scope
        FROM mine, json_to_recordset(:lines) AS l(kind text, number bigint, account_id uuid, name text, role text,
            scope text)
    ), people AS (
        UPDATE mapping_draft_people p SET standing = CAST(:standings AS jsonb) ->> CAST(p.account_id AS text)
        FROM mine
        WHERE CAST(:standings AS jsonb) <> '{}' AND p.tenant_id = :tenant AND p.draft_id = mine.id
            AND p.number > :before AND p.number <= :done
    )
    SELECT count(*) FROM mine
""").bindparams(
    *(sa.bindparam(name, type_=JSONB) for name in ("counts", "standings")), sa.bindparam("lines", type_=JSON)
)


def advance(
    conn: sa.Connection,
    draft: MappingDraft,
    worker: str,
    *,
    before: int,
    done: int,
    sum: str,
    counts: Mapping[str, int],
    lines: Sequence[Mapping[str, Any]],
    standings: Mapping[str, str],
) -> bool:
    """People from number `before` up to `done` are worked out; `lines` are rows of `mapping_draft_lines`.

    False: it was stopped, or is another worker's.
    """
    parameters = {
        "tenant": draft.tenant_id,
        "id": draft.id,
        "worker": worker,
        "before": before,
        "done": done,
        "sum": sum,
        "counts": dict(counts),
        "standings": dict(standings),
        "lines": list(lines),
    }
    return bool(conn.execute(_ADVANCE, parameters).scalar())


def end(conn: sa.Connection, draft: MappingDraft, worker: str, state: str, **values: Any) -> bool:
    """It is ready, or failed. False: it was stopped, or is another worker's."""
    c = drafts.c
    mine = (c.tenant_id == draft.tenant_id, c.id == draft.id, c.state == "working", c.worker == worker)
    ended = sa.update(drafts).where(*mine).values(state=state, updated_at=sa.func.now(), **values)
    return conn.execute(ended).rowcount == 1


def turn(conn: sa.Connection, tenant_id: str, draft_id: str, of: Collection[str], state: str, **values: Any) -> bool:
    """From one of these states to another. False: it is in none of them."""
    c = drafts.c
    mine = (c.tenant_id == tenant_id, c.id == draft_id, c.state.in_(sorted(of)))
    turned = sa.update(drafts).where(*mine).values(state=state, updated_at=sa.func.now(), **values)
    return conn.execute(turned).rowcount == 1


def clear(conn: sa.Connection, tenant_id: str, draft_id: str) -> None:
    """Nobody is worked out."""
    parameters = {"tenant": tenant_id, "id": draft_id}
    for table in ("mapping_draft_people", "mapping_draft_lines"):
        conn.execute(sa.text(f"DELETE FROM {table} WHERE tenant_id = :tenant AND draft_id = :id"), parameters)


def _draft(row: Any) -> MappingDraft:
    ids = {name: None if row[name] is None else str(row[name]) for name in ("tenant_id", "id", "reverts", "run_id")}
    counts = dict(row["counts"] or {})
    last, others = bool(counts.pop("removesLastAdministrator", False)), counts.pop("others", None)
    return MappingDraft(**{**row, **ids, "counts": counts}, others=others, removes_last_administrator=last)
