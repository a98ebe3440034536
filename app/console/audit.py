"""The audit in the console: filtered, each entry with what was before and after, exported, and its chain checked.

/admin/audit ─▶ one page of app.store.audit_log ─▶ rows in words
…/export.csv, …/export.json: all that fit, written while they are read
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
import sqlalchemy as sa
from flask import Response

from app.console.desk import Desk
from app.console.rendering import Refused, arg, download, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import audit as chain
from app.store import audit_log
from app.store.audit_log import Asked, Logged
from app.store.engine import reading, snapshot

SECTION: Final = Section("audit", "Audit", "history", "/admin/audit", 80)
FILTERS: Final = ("actor", "action", "subject", "since", "until")
SHOWN: Final = 50
CHECKED: Final = 5_000  # entries of the chain's end
# The beginnings of what entries are called.
ACTIONS: Final = (
    ("", "Any action"),
    ("account.", "Accounts"),
    ("record.", "Records"),
    ("group.", "Groups"),
    ("mapping.", "Mappings"),
    ("run.", "Runs"),
    ("import.", "Imports"),
    ("source.", "Sources"),
    ("setting.", "Settings"),
    ("connection.", "Connections"),
    ("session.", "Sessions"),
    ("credential.", "Tokens and keys"),
    ("client.", "Clients"),
    ("scim_client.", "SCIM clients"),
    ("receiver.", "Receivers"),
    ("administrator.", "Administrators"),
    ("console.", "Console sessions"),
    ("set_up_link.", "Set-up links"),
)
# Where the subject of an action has a page, by the action's first word.
PAGES: Final = {
    "account": "/admin/people",
    "record": "/admin/people",
    "run": "/admin/runs",
    "source": "/admin/sources",
    "connection": "/admin/sign-in-connections",
}


@dataclass(frozen=True, slots=True)
class Shown:
    """An entry in words. `before` and `after` are what of it is personal; `documents` what is long, by name."""

    entry: Logged
    href: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    documents: Mapping[str, str]


def listing(desk: Desk, visit: Visit) -> Response:
    """One page of what fits."""
    asked = {name: arg(name) for name in FILTERS}
    with reading(desk.engine) as conn:
        found = audit_log.page(conn, visit.tenant_id, _asked(asked, arg("before")))
    kept = {name: value for name, value in asked.items() if value}
    return page(
        "audit/list.html",
        title="Audit",
        asked=asked,
        kept=kept,
        actions=ACTIONS,
        entries=[shown(entry) for entry in found.entries],
        found=found,
        export=urlencode(kept),
        next=f"/admin/audit?{urlencode({**kept, 'before': found.before})}" if found.before else "",
        first=f"/admin/audit?{urlencode(kept)}" if arg("before") else "",
    )


def check(desk: Desk, visit: Visit) -> Response:
    """Whether the newest entries hang together, and end where the ledger says."""
    with snapshot(desk.engine) as conn:
        found = chain.verify_newest(conn, visit.tenant_id, CHECKED)
    return page("audit/check.html", title="Check the chain", found=found)


def as_csv(desk: Desk, visit: Visit) -> Response:
    """All that fits, without what is personal."""
    asked = _asked({name: arg(name) for name in FILTERS}, "")
    return download("audit.csv", _csv(desk.engine, visit.tenant_id, asked))


def as_json(desk: Desk, visit: Visit) -> Response:
    """The same, one object a line."""
    asked = _asked({name: arg(name) for name in FILTERS}, "")
    return download("audit.jsonl", _json(desk.engine, visit.tenant_id, asked), "application/x-ndjson")


def shown(entry: Logged) -> Shown:
    """The entry with its personal values as before and after, where they are such, and what is long apart."""
    personal = entry.personal or {}
    documents = {
        name: orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
        for name, value in personal.items()
        if isinstance(value, Mapping)
    }
    plain = {name: value for name, value in personal.items() if name not in documents}
    pairs = all(isinstance(value, list) and len(value) == 2 for value in plain.values())
    before = {name: value[0] for name, value in plain.items() if value[0] is not None} if pairs else None
    after = {name: value[1] for name, value in plain.items() if value[1] is not None} if pairs else plain
    return Shown(entry, _href(entry), before, after, documents)


def _href(entry: Logged) -> str:
    where = PAGES.get(entry.action.partition(".")[0])
    return f"{where}/{entry.subject}" if where and _is_id(entry.subject) else ""


def _is_id(text: str) -> bool:
    try:
        UUID(text)
    except ValueError:
        return False
    return True


def _asked(asked: Mapping[str, str], before: str) -> Asked:
    """The filters as the store takes them; days are whole ones, in UTC."""
    return Asked(
        actor=asked["actor"] or None,
        action=asked["action"] or None,
        subject=asked["subject"] or None,
        since=_day(asked["since"], time.min),
        until=_day(asked["until"], time.max),
        before=int(before) if before.isdecimal() and len(before) < 19 else None,
        limit=SHOWN,
    )


def _day(text: str, at: time) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.combine(date.fromisoformat(text), at, UTC)
    except ValueError:
        raise Refused(400, "A day is written as 2026-11-30.", "That is no day") from None


def _csv(engine: sa.Engine, tenant_id: str, asked: Asked) -> Iterator[str]:
    yield _line(audit_log.COLUMNS)
    with reading(engine) as conn:
        for entry in audit_log.export(conn, tenant_id, asked):
            yield _line(entry.as_row())


def _json(engine: sa.Engine, tenant_id: str, asked: Asked) -> Iterator[str]:
    with reading(engine) as conn:
        for entry in audit_log.export(conn, tenant_id, asked):
            yield orjson.dumps(entry.as_dict()).decode() + "\n"


def _line(values: tuple[str, ...] | list[str]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow(values)
    return written.getvalue()


ROUTES: Final = (
    Route("GET", "/admin/audit", listing),
    Route("GET", "/admin/audit/check", check),
    Route("GET", "/admin/audit/export.csv", as_csv),
    Route("GET", "/admin/audit/export.jsonl", as_json),
)
