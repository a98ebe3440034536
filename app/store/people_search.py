"""Find people by anything that is known of them, or walk through all of them by name.

    text ──▶ ways: each one range of an index, with a limit ──▶ merged, the surest first ──▶ rows
    none ──▶ by name; with a role, group or source: along that one's own index ──▶ a page, and where it ends

| way | index |
|---|---|
| name, family name; "given family" and "family given" | `accounts.name`, `accounts.family_name` |
| e-mail (its beginning), employee number | `identifiers` |
| userName (its beginning), the source's own id | `records`, one range a source |
| id of an account, of one that was merged away, of a record | keys |
| externalId, phone, any address; `title=Trainer` for any SCIM attribute | `records.search`, equality only |

Nothing is counted, and no way reads more than its limit, so that a search costs the same however large the tenant is.
`attribute=value` alone is linear in those who share the value, since GIN gathers all of them before the first is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from app.store import people_ways as ways
from app.store import rules as rulebook
from app.store.driver import Statement
from app.store.people_rows import SUSPENDED, Narrow, PersonRow, shown

__all__ = ["LOOKED_AT", "MOST", "Page", "PersonRow", "search"]

MOST: Final = 200  # rows a page
LOOKED_AT: Final = 500  # accounts a page, when filters leave most of them out
_FIRST: Final = "00000000-0000-0000-0000-000000000000"
_ID_LENGTH: Final = 36


@dataclass(frozen=True, slots=True)
class Page:
    """Rows, and where the next page begins (None: nowhere).

    `more` without `after`: a search found more than it shows; say more of the person. `after` with few rows, or none:
    the filters left out all others of those looked at; go on from there.
    """

    rows: list[PersonRow]
    after: str | None = None
    more: bool = False


def search(
    conn: sa.Connection,
    tenant_id: str,
    text: str,
    *,
    status: str | None = None,
    role: str | None = None,
    source_id: str | None = None,
    group_id: str | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """Who is known by `text`, the surest first; without text everybody, page by page.

    `status` is active, inactive or suspended; `role` an effective one of any scope; `group_id` means direct members.
    Without text the order is by name; with a group, role or source (the first of them that is set) by that one's own
    ids, as there may be any number of them. `after` is of a page before with the same filters; another is as none.
    """
    narrow = Narrow(status, role, source_id, group_id)
    limit = max(1, min(limit, MOST))
    if text.strip():
        return _searched(conn, tenant_id, text.strip(), narrow, limit)
    return _walked(conn, tenant_id, narrow, after, limit)


def _searched(conn: sa.Connection, tenant_id: str, text: str, narrow: Narrow, limit: int) -> Page:
    most = MOST if narrow.asked else limit + 1
    rules = rulebook.current(conn, tenant_id)
    found = ways.found(conn, tenant_id, text, rules, most)
    rows, _ = shown(conn, tenant_id, found.people, narrow, limit + 1)
    return Page(rows[:limit], more=len(rows) > limit or found.more)


def _walked(conn: sa.Connection, tenant_id: str, narrow: Narrow, after: str | None, limit: int) -> Page:
    road = next((name for name in ("group_id", "role", "source_id") if getattr(narrow, name) is not None), "name")
    name, id = _cursor(road, after)
    filtered = bool(set(narrow.asked) - {road, "status", SUSPENDED}) or (road != "name" and bool(narrow.status))
    most = LOOKED_AT if filtered else limit + 1
    values = {
        "tenant": tenant_id,
        "name": name,
        "after": id,
        "role": narrow.role,
        "source_id": narrow.source_id,
        "group_id": narrow.group_id,
        "most": most,
    }
    met = _ROADS[_statement(road, narrow.status)].rows(conn, values)
    walked = list(_once(met))
    rows, looked_at = shown(conn, tenant_id, [(row.id, "") for row in walked], narrow, limit)
    if looked_at < len(walked):
        return Page(rows, _cursor_text(road, walked[looked_at - 1]))
    return Page(rows, _cursor_text(road, met[-1]) if len(met) == most else None)


def _statement(road: str, status: str | None) -> str:
    return f"name {status}" if road == "name" and status in ("active", "inactive", SUSPENDED) else road


def _once(rows: Sequence[Any]) -> Iterator[Any]:
    """An account with two records of a source, or two in a group, is met once a page."""
    met: set[str] = set()
    for row in rows:
        if row.id is not None and row.id not in met:
            met.add(row.id)
            yield row


def _cursor_text(road: str, row: Any) -> str:
    return f"{road[0]}{row.key}{row.name}"


def _cursor(road: str, after: str | None) -> tuple[str, str]:
    """(name, id) behind which the page begins."""
    if after and after[0] == road[0] and "\0" not in after:
        try:
            return after[1 + _ID_LENGTH :], str(UUID(after[1 : 1 + _ID_LENGTH]))
        except ValueError:
            pass
    return "", _FIRST


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_AFTER: Final = "(name, id) > (CAST(%(name)s AS text), CAST(%(after)s AS uuid))"
_LIMIT: Final = "LIMIT CAST(%(most)s AS int)"


def _by_name(which: str) -> str:
    return f"""SELECT id, id AS key, name FROM accounts WHERE {_HERE} AND {which} AND {_AFTER}
        ORDER BY name, id {_LIMIT}"""


_ROADS: Final = {
    "name": Statement(f"""
        SELECT id, key, name FROM (
            ({_by_name("status = 'active'")}) UNION ALL ({_by_name("status = 'inactive'")})) merged
        ORDER BY name, id {_LIMIT}"""),
    "name active": Statement(_by_name("status = 'active'")),
    "name inactive": Statement(_by_name("status = 'inactive'")),
    f"name {SUSPENDED}": Statement(_by_name("suspended")),
    "role": Statement(f"""
        SELECT DISTINCT account_id AS id, account_id AS key, '' AS name FROM grants
        WHERE {_HERE} AND role = CAST(%(role)s AS text) AND effective AND account_id > CAST(%(after)s AS uuid)
        ORDER BY account_id {_LIMIT}"""),
    "source_id": Statement(f"""
        SELECT account_id AS id, id AS key, '' AS name FROM records
        WHERE {_HERE} AND source_id = CAST(%(source_id)s AS uuid) AND deleted_at IS NULL
            AND id > CAST(%(after)s AS uuid) AND account_id IS NOT NULL
        ORDER BY id {_LIMIT}"""),
    "group_id": Statement(f"""
        SELECT r.account_id AS id, m.member_id AS key, '' AS name FROM (
            SELECT member_id FROM members WHERE {_HERE} AND group_id = CAST(%(group_id)s AS uuid) AND kind = 'User'
                AND member_id > CAST(%(after)s AS uuid)
            ORDER BY member_id {_LIMIT}) m
        CROSS JOIN LATERAL (SELECT account_id FROM records WHERE {_HERE} AND id = m.member_id OFFSET 0) r
        ORDER BY m.member_id"""),
}
