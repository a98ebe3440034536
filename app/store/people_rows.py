"""People as a list shows them: rows for account ids that somebody found, kept in their order, narrowed by filters.

    ids in order ─▶ a hundred at a time: one look-up an account, and one a filter ─▶ rows, until there are enough

Each filter is a lateral look-up by a whole key: joined as sets, a plan without values would read all grants or members.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Final

import sqlalchemy as sa

from app.identity.naming import name_of
from app.store.driver import Statement

AT_ONCE: Final = 100
SUSPENDED: Final = "suspended"  # asked for as a status: whom an administrator suspended


@dataclass(frozen=True, slots=True)
class PersonRow:
    """One account in a list. `sources` are the names of those with a living record; `matched` says what was found."""

    id: str
    name: str
    email: str | None
    user_name: str | None
    title: str | None
    status: str
    suspended: bool
    roles: tuple[str, ...]
    sources: tuple[str, ...]
    matched: str = ""


@dataclass(frozen=True, slots=True)
class Narrow:
    """Who stays in a list: `status` is active, inactive or suspended; `group_id` means its direct members."""

    status: str | None = None
    role: str | None = None
    source_id: str | None = None
    group_id: str | None = None

    @property
    def asked(self) -> tuple[str, ...]:
        """The filters that are set."""
        names = ("status", "role", "source_id", "group_id")
        set_ = tuple(name for name in names if getattr(self, name) is not None)
        return tuple(SUSPENDED if name == "status" and self.status == SUSPENDED else name for name in set_)


def shown(
    conn: sa.Connection, tenant_id: str, found: Sequence[tuple[str, str]], narrow: Narrow, limit: int
) -> tuple[list[PersonRow], int]:
    """At most `limit` rows for these (account id, what matched), and how many of `found` were looked at for them."""
    rows: list[PersonRow] = []
    for start in range(0, len(found), AT_ONCE):
        some = found[start : start + AT_ONCE]
        kept = {row.id: row for row in _read(conn, tenant_id, [id for id, _ in some], narrow)}
        for place, (id, matched) in enumerate(some, start + 1):
            if id in kept:
                rows.append(replace(kept[id], matched=matched))
                if len(rows) == limit:
                    return rows, place
    return rows, len(found)


def _read(conn: sa.Connection, tenant_id: str, ids: Sequence[str], narrow: Narrow) -> Iterator[PersonRow]:
    values = {
        "tenant": tenant_id,
        "ids": list(ids),
        "status": narrow.status,
        "role": narrow.role,
        "source_id": narrow.source_id,
        "group_id": narrow.group_id,
    }
    for row in _rows(narrow.asked).rows(conn, values):
        yield _row(row)


def _row(row: Any) -> PersonRow:
    said: Mapping[str, Any] = row.attributes
    return PersonRow(
        id=row.id,
        name=name_of(row.id, said),
        email=_email(said),
        user_name=said.get("userName"),
        title=said.get("title"),
        status=row.status,
        suspended=row.suspended,
        roles=tuple(row.roles),
        sources=tuple(row.sources),
    )


def _email(said: Mapping[str, Any]) -> str | None:
    """The address at work, else any other."""
    known = sorted((name != "emails.work", name) for name in said if name.startswith("emails."))
    return said[known[0][1]] if known else None


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_NARROWED: Final = {
    "status": "a.status = CAST(%(status)s AS text)",
    SUSPENDED: "a.suspended",
}
_LOOKED_UP: Final = {
    "role": f"""SELECT FROM grants WHERE {_HERE} AND account_id = a.id AND role = CAST(%(role)s AS text) AND effective
        LIMIT 1""",
    "source_id": f"""SELECT FROM records WHERE {_HERE} AND account_id = a.id
        AND source_id = CAST(%(source_id)s AS uuid) AND deleted_at IS NULL LIMIT 1""",
    "group_id": f"""SELECT FROM records r CROSS JOIN LATERAL (
            SELECT FROM members WHERE {_HERE} AND group_id = CAST(%(group_id)s AS uuid) AND member_id = r.id OFFSET 0) m
        WHERE r.{_HERE} AND r.account_id = a.id LIMIT 1""",
}


@cache
def _rows(asked: tuple[str, ...]) -> Statement:
    looked_up = "".join(
        f"CROSS JOIN LATERAL ({_LOOKED_UP[name]}) AS by_{name}\n" for name in asked if name in _LOOKED_UP
    )
    narrowed = " AND ".join(["true", *(_NARROWED[name] for name in asked if name in _NARROWED)])
    return Statement(f"""
        SELECT a.id, a.status, a.suspended, a.roles, a.attributes, COALESCE(s.names, '{{}}') AS sources
        FROM unnest(CAST(%(ids)s AS uuid[])) AS k(id)
        CROSS JOIN LATERAL (
            SELECT id, status, suspended, roles, attributes FROM accounts WHERE {_HERE} AND id = k.id OFFSET 0) a
        {looked_up}
        CROSS JOIN LATERAL (
            SELECT array_agg(DISTINCT o.name) AS names FROM (
                SELECT source_id FROM records WHERE {_HERE} AND account_id = a.id AND deleted_at IS NULL OFFSET 0) r
            CROSS JOIN LATERAL (SELECT name FROM sources WHERE {_HERE} AND id = r.source_id OFFSET 0) o) s
        WHERE {narrowed}
    """)
