"""The provisioning log: every SCIM request of a tenant, written in batches and read newest first.

    insert(…)   one INSERT … SELECT from a JSON recordset, whatever the number of rows
    page(…)     ◀─ (tenant, id), (tenant, source, id), (tenant, resource, id), failures and writes by partial indexes
    forget(…)   what is older than the tenant's `scim.log_days`, a bounded number at a time

An id is the request's own (UUIDv7): the order of the key is that of time. It is the X-Request-Id of the answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.folding import fold
from app.store import tables as t
from app.store.driver import Statement
from app.store.ids import lowest_id
from app.store.tables import Id

FORGOTTEN_AT_ONCE: Final = 5_000
LOOKED_AT: Final = 10_000
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")

_T: Final = t.scim_requests
COLUMNS: Final = tuple(column.name for column in _T.columns)
_TYPED: Final = ", ".join(f"{column.name} {column.type.compile()}" for column in _T.columns)
_INSERT: Final = Statement(
    f"INSERT INTO scim_requests ({', '.join(COLUMNS)}) "
    f"SELECT {', '.join(COLUMNS)} FROM json_to_recordset(%(rows)s) AS r({_TYPED}) ON CONFLICT DO NOTHING"
)

_NAMED: Final = sa.text("""
    SELECT id FROM records WHERE tenant_id = :tenant AND source_id = ANY(:sources)
        AND user_name = :folded COLLATE "C" AND deleted_at IS NULL
    UNION SELECT CAST(resource_id AS uuid) FROM scim_requests
    WHERE tenant_id = :tenant AND resource_name = :folded COLLATE "C" AND status = 201
    UNION (SELECT id FROM records WHERE tenant_id = :tenant AND search @> :external LIMIT 20)
    UNION (SELECT id FROM groups WHERE tenant_id = :tenant AND (search @> :external OR search @> :named) LIMIT 20)
""").bindparams(
    sa.bindparam("sources", type_=sa.ARRAY(Id)),
    sa.bindparam("external", type_=JSONB),
    sa.bindparam("named", type_=JSONB),
)

# A UUIDv7 begins with its millisecond: below this one stands all that is older.
_FORGET: Final = sa.text("""
    WITH old AS (
        SELECT r.tenant_id, r.id FROM tenants n CROSS JOIN LATERAL (
            SELECT s.tenant_id, s.id FROM scim_requests s WHERE s.tenant_id = n.id AND s.id < CAST(
                lpad(to_hex(CAST(1000 * extract(epoch FROM CAST(:now AS timestamptz) - make_interval(
                    days => COALESCE(CAST(n.settings #>> '{scim,log_days}' AS int), :days))) AS bigint)), 12, '0')
                || repeat('0', 20) AS uuid)
            ORDER BY s.id LIMIT :limit
        ) r LIMIT :limit
    ) DELETE FROM scim_requests s USING old WHERE s.tenant_id = old.tenant_id AND s.id = old.id
""")


@dataclass(frozen=True, slots=True)
class Asked:
    """Which requests to show. `statuses` are both inclusive; `before` and `after` are ids, exclusive."""

    source_id: str | None = None
    statuses: tuple[int, int] | None = None
    method: str | None = None
    kind: str | None = None
    resources: Sequence[str] | None = None
    name: str | None = None
    since: datetime | None = None
    before: str | None = None
    after: str | None = None
    limit: int = 100


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some requests. `following`: the `before` with which it goes on; `back_to` is set where looking stopped early."""

    rows: list[dict[str, Any]]
    following: str | None
    back_to: datetime | None


def insert(conn: sa.Connection, rows: str) -> None:
    """Rows as a JSON array of objects by column name. Those that are there already are passed over."""
    _INSERT.rows(conn, {"rows": rows})


def page(conn: sa.Connection, tenant_id: str, asked: Asked) -> list[dict[str, Any]]:
    """Requests of the tenant, newest first, without their payload."""
    shown = [column for column in _T.columns if column.name not in ("tenant_id", "payload")]
    chosen = _with_source(*shown).where(_T.c.tenant_id == tenant_id, *_conditions(asked))
    return [_plain(row) for row in conn.execute(chosen.order_by(_T.c.id.desc()).limit(asked.limit)).mappings()]


def stretch(conn: sa.Connection, tenant_id: str, asked: Asked, looked: int = LOOKED_AT) -> Stretch:
    """A page as `page` gives it that looks at no more than `looked` requests, however rare what is asked for is.

    Those that it looks at are the newest of the source, the resource or the kind of answer, as the indexes have them.
    """
    along = replace(asked, statuses=None if _by_index(asked) else asked.statuses, method=None, kind=None)
    if asked.source_id is None and asked.resources is None and asked.statuses is None:
        along = replace(along, method=asked.method)
    if along == asked:  # nothing is passed over
        rows = page(conn, tenant_id, replace(asked, limit=asked.limit + 1))
        return Stretch(rows[: asked.limit], rows[asked.limit - 1]["id"] if len(rows) > asked.limit else None, None)
    bottom = sa.select(_T.c.id).where(_T.c.tenant_id == tenant_id, *_conditions(along))
    ids = list(conn.execute(bottom.order_by(_T.c.id.desc()).offset(looked - 1).limit(2)).scalars())
    under = ids[1] if len(ids) == 2 else None
    rows = page(conn, tenant_id, replace(asked, after=under or asked.after, limit=asked.limit + 1))
    if len(rows) > asked.limit:
        return Stretch(rows[: asked.limit], rows[asked.limit - 1]["id"], None)
    return Stretch(rows, ids[0] if under else None, instant(ids[0]) if under else None)


def one(conn: sa.Connection, tenant_id: str, id: str, source_id: str | None = None) -> dict[str, Any] | None:
    """One request with its payload."""
    shown = [column for column in _T.columns if column.name != "tenant_id"]
    chosen = _with_source(*shown).where(_T.c.tenant_id == tenant_id, _T.c.id == id)
    if source_id is not None:
        chosen = chosen.where(_T.c.source_id == source_id)
    row = conn.execute(chosen).mappings().one_or_none()
    return None if row is None else _plain(row)


def about(conn: sa.Connection, tenant_id: str, user: str) -> tuple[list[str], str | None]:
    """The `resources` and the `name` to ask for.

    `user` is a resource's id, a userName of now or of a creation, an externalId, or a group's displayName.
    """
    if _UUID.fullmatch(user.lower()):
        return [user.lower()], None
    sources = conn.execute(sa.select(t.sources.c.id).where(t.sources.c.tenant_id == tenant_id)).scalars().all()
    values: dict[str, Any] = {"tenant": tenant_id, "sources": list(sources), "folded": fold(user)}
    values["external"] = {"$t": tenant_id, "externalid": user}  # as adapters.search_document writes them
    values["named"] = {"$t": tenant_id, "displayname": user.casefold()}
    found = conn.execute(_NAMED, values)
    return sorted(str(row.id) for row in found), user


def statuses(text: str) -> tuple[int, int]:
    """The range that ``409`` or ``4xx`` means.

    Raises:
        ValueError: it is neither.
    """
    if not re.fullmatch(r"[1-5](?:[0-9]{2}|xx)", text.lower()):
        raise ValueError("a status is like 409 or 4xx")
    lowest = int(text.lower().replace("x", "0"))
    return (lowest, lowest + 99) if text.lower().endswith("xx") else (lowest, lowest)


def forget(conn: sa.Connection, now: datetime, days: int, limit: int = FORGOTTEN_AT_ONCE) -> int:
    """Delete what is older than each tenant wants, `days` where it did not say; returns how many."""
    return conn.execute(_FORGET, {"now": now, "days": days, "limit": limit}).rowcount


def _plain(row: sa.RowMapping) -> dict[str, Any]:
    """SQLAlchemy's own kind of text is no key for JSON."""
    return {str(name): value for name, value in row.items()}


def _with_source(*columns: sa.Column[Any]) -> sa.Select[Any]:
    joined = sa.and_(t.sources.c.tenant_id == _T.c.tenant_id, t.sources.c.id == _T.c.source_id)
    return sa.select(*columns, t.sources.c.name.label("source")).join_from(_T, t.sources, joined, isouter=True)


def _conditions(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.source_id is not None:
        found.append(_T.c.source_id == asked.source_id)
    if asked.statuses is not None:
        found += [_T.c.status >= asked.statuses[0], _T.c.status <= asked.statuses[1]]
        if asked.statuses[0] >= 400:
            # A generic plan takes the partial index only for its own words, not for a parameter.
            found.append(_T.c.status >= sa.literal_column("400"))
    if asked.method is not None:
        found.append(_T.c.method == asked.method)
        if asked.method != "GET":
            found.append(_T.c.method != sa.literal_column("'GET'"))
    if asked.kind is not None:
        found.append(_T.c.kind == asked.kind)
    if asked.resources is not None:
        mine = _T.c.resource_id == sa.any_(sa.cast(list(asked.resources), sa.ARRAY(sa.Text)))
        found.append(mine if asked.name is None else sa.or_(mine, _T.c.resource_name == fold(asked.name)))
    return [*found, *_between(asked)]


def _between(asked: Asked) -> list[sa.ColumnElement[bool]]:
    found: list[sa.ColumnElement[bool]] = []
    if asked.since is not None:
        found.append(_T.c.id >= lowest_id(asked.since))
    if asked.before is not None:
        found.append(_T.c.id < asked.before)
    if asked.after is not None:
        found.append(_T.c.id > asked.after)
    return found


def _by_index(asked: Asked) -> bool:
    """Whether something else than the status leads along an index."""
    return (
        asked.source_id is not None or asked.resources is not None or asked.statuses is None or asked.statuses[0] < 400
    )


def instant(id: str) -> datetime:
    """The millisecond with which a UUIDv7 begins."""
    return datetime.fromtimestamp(int(id.replace("-", "")[:12], 16) / 1000, UTC)
