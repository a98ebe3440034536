"""What happened around an account, or whatever else the audit names, newest first, from the logs that tell of it.

    audit (subject)  ─┐
    sign-ins         ─┼─ each by its own index, behind its own position ─▶ merged by time ─▶ moments + positions
    SCIM requests    ─┘  (those that write, about the records)

A page takes the newest of all and remembers for each log how far it came: nothing is shown twice, and nothing left out
between two logs. Sign-ins and requests are kept for as many days as the tenant says; the audit stays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store.driver import Statement

MOST_RECORDS: Final = 20
REQUESTS_LOOKED_AT: Final = 2_000  # of each record: the reads among them are left out
_LOGS: Final = ("audit", "sign-in", "request")
_UUID: Final = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_AT: Final = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?\+00:00"
_AFTER: Final = re.compile(rf"(\d{{0,18}}),((?:{_AT} {_UUID})?),((?:{_UUID})?)")


@dataclass(frozen=True, slots=True)
class Moment:
    """One thing that happened. `kind` is audit, sign-in or request; `ref` names it there: number, code or id.

    `what` is the audit's action, a sign-in's outcome, or a request's method; `facts` are what a sentence is made of.
    """

    at: datetime
    kind: str
    ref: str
    actor: str
    what: str
    facts: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Timeline:
    """Moments, newest first, and where the next page begins (None: nowhere)."""

    moments: list[Moment]
    after: str | None


def of_account(
    conn: sa.Connection, tenant_id: str, account_id: str, *, after: str | None = None, limit: int = 50
) -> Timeline:
    """What happened around one account: its audit, its sign-ins, and what SCIM clients wrote about its records."""
    records = [row.id for row in _RECORDS.rows(conn, {"tenant": tenant_id, "account": account_id})]
    return _page(conn, tenant_id, account_id, after, limit, account_id=account_id, resources=records)


def of_subject(
    conn: sa.Connection, tenant_id: str, subject: str, *, after: str | None = None, limit: int = 50
) -> Timeline:
    """What the audit tells of a run, a connection, a client, or whatever else it names."""
    return _page(conn, tenant_id, subject, after, limit)


def _page(
    conn: sa.Connection,
    tenant_id: str,
    subject: str,
    after: str | None,
    limit: int,
    *,
    account_id: str | None = None,
    resources: Sequence[str] = (),
) -> Timeline:
    positions = _positions(after)
    values = {
        "tenant": tenant_id,
        "subject": subject,
        "account": account_id,
        "resources": list(resources),
        "limit": limit + 1,
    }
    found: list[Moment] = []
    for log, asked in zip(_LOGS, (True, account_id is not None, bool(resources)), strict=True):
        if asked:
            rows = _STATEMENTS[log].rows(conn, {**values, "position": positions[log] or None})
            found += _MADE[log](rows)
    newest = sorted(found, key=lambda one: (one.at, _LOGS.index(one.kind)), reverse=True)
    shown = _in_turn(newest, found)[:limit]
    for one in shown:
        positions[one.kind] = one.facts[_POSITION]
    more = len(found) > len(shown)
    return Timeline([_plain(one) for one in shown], ",".join(positions[log] for log in _LOGS) if more else None)


_POSITION: Final = "position"


def _in_turn(newest: list[Moment], found: Sequence[Moment]) -> list[Moment]:
    """By time, but each log in its own order: its clock may lag behind its numbers by a moment."""
    turns = {log: iter([one for one in found if one.kind == log]) for log in _LOGS}
    return [next(turns[one.kind]) for one in newest]


def _positions(after: str | None) -> dict[str, str]:
    """What `_page` wrote; anything else begins at the newest."""
    told = _AFTER.fullmatch(after or "")
    return dict(zip(_LOGS, told.groups() if told else ("", "", ""), strict=True))


def _plain(moment: Moment) -> Moment:
    facts = {name: value for name, value in moment.facts.items() if name != _POSITION}
    return Moment(moment.at, moment.kind, moment.ref, moment.actor, moment.what, facts)


def _audited(rows: Iterable[Any]) -> list[Moment]:
    found = []
    for row in rows:
        facts = {name: value for name, value in row.facts.items() if name != "personalDigest"}
        facts |= {"personal": row.personal, _POSITION: str(row.number)}
        found.append(Moment(row.at, "audit", str(row.number), row.actor, row.action, facts))
    return found


def _signed_in(rows: Iterable[Any]) -> list[Moment]:
    return [
        Moment(
            row.at,
            "sign-in",
            row.code,
            row.connection or "",
            row.outcome,
            {
                "reason": row.reason,
                "session": row.session_id,
                "agent": row.agent,
                "address": row.address,
                _POSITION: f"{row.at.isoformat()} {row.id}",
            },
        )
        for row in rows
    ]


def _requested(rows: Iterable[Any]) -> list[Moment]:
    return [
        Moment(
            row.at,
            "request",
            row.id,
            row.source or "",
            row.method,
            {
                "path": row.path,
                "status": row.status,
                "scim_type": row.scim_type,
                "detail": row.detail,
                "effect": row.effect,
                _POSITION: row.id,
            },
        )
        for row in rows
    ]


_HERE: Final = "tenant_id = CAST(%(tenant)s AS uuid)"
_LIMIT: Final = "LIMIT CAST(%(limit)s AS int)"
_RECORDS: Final = Statement(f"""
    SELECT id FROM records WHERE {_HERE} AND account_id = CAST(%(account)s AS uuid) AND source_key IS NULL
    LIMIT {MOST_RECORDS}
""")
_MADE: Final = {"audit": _audited, "sign-in": _signed_in, "request": _requested}
_STATEMENTS: Final = {
    "audit": Statement(f"""
        SELECT number, at, actor, action, facts, personal FROM audit
        WHERE {_HERE} AND subject = CAST(%(subject)s AS text)
            AND number < COALESCE(CAST(%(position)s AS bigint), 9223372036854775807)
        ORDER BY number DESC {_LIMIT}"""),
    "sign-in": Statement(f"""
        SELECT s.id, s.code, s.at, s.outcome, s.reason, s.session_id, s.agent, s.address, c.name AS connection FROM (
            SELECT * FROM sign_ins WHERE {_HERE} AND account_id = CAST(%(account)s AS uuid)
                AND at <= COALESCE(CAST(split_part(%(position)s, ' ', 1) AS timestamptz), 'infinity')
                AND (at, id) < (COALESCE(CAST(split_part(%(position)s, ' ', 1) AS timestamptz), 'infinity'),
                    COALESCE(CAST(split_part(%(position)s, ' ', 2) AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff'))
            ORDER BY at DESC, id DESC {_LIMIT}) s
        LEFT JOIN connections c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id
        ORDER BY s.at DESC, s.id DESC"""),
    "request": Statement(f"""
        SELECT r.id, r.at, r.method, r.path, r.status, r.scim_type, r.detail, r.effect, s.name AS source
        FROM unnest(CAST(%(resources)s AS text[])) AS k(resource) CROSS JOIN LATERAL (
            SELECT * FROM (
                SELECT id, at, method, path, status, scim_type, detail, effect, source_id FROM scim_requests
                WHERE {_HERE} AND resource_id = k.resource COLLATE "C"
                    AND id < COALESCE(CAST(%(position)s AS uuid), 'ffffffff-ffff-ffff-ffff-ffffffffffff')
                ORDER BY id DESC LIMIT {REQUESTS_LOOKED_AT}) newest
            WHERE method NOT IN ('GET', 'HEAD') {_LIMIT}) r
        LEFT JOIN sources s ON s.{_HERE} AND s.id = r.source_id
        ORDER BY r.id DESC {_LIMIT}"""),
}
