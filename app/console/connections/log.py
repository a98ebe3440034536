"""The sign-in log: attempts by filter, one attempt by the code that a person reads out, and every reason explained."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from flask import Response

from app.console.connections.place import BASE, section_tabs
from app.console.connections.reasons import REASONS
from app.console.desk import Desk
from app.console.rendering import Refused, arg, back, page
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.naming import name_of
from app.store import connections, finding, sign_in_log, sign_ins
from app.store.engine import reading
from app.store.sign_in_log import OUTCOMES, Row, Wanted
from sso.agents import in_words

SHOWN: Final = 50
TONES: Final = {"accepted": "success", "refused": "danger", "tested": "info"}
WORDS: Final = {"accepted": "Signed in", "refused": "Refused", "tested": "Test"}


def attempts(desk: Desk, visit: Visit) -> Response:
    if arg("code"):
        return _by_code(desk, visit, arg("code"))
    wanted, asked = _wanted()
    with reading(desk.engine) as conn:
        found = sign_in_log.page(conn, visit.tenant_id, wanted, _place(arg("after")), SHOWN + 1)
        names = connections.listing(conn, visit.tenant_id)
        people = finding.attributes_of(
            conn, visit.tenant_id, sorted({one.account_id for one in found if one.account_id})
        )
    shown = found[:SHOWN]
    more = urlencode({**asked, "after": _after(shown[-1])}) if len(found) > SHOWN else ""
    titles = {one.id: one.title for one in names}
    return page(
        "connections/log.html",
        rows=[_row(one, titles, people) for one in shown],
        asked=asked,
        outcomes=[("", "Any outcome"), *((one, WORDS[one]) for one in OUTCOMES)],
        reasons=[("", "Any reason"), *((one, one.replace("_", " ").capitalize()) for one in sorted(REASONS))],
        connections=[("", "Any connection"), *((one.id, one.title) for one in names)],
        next=f"{BASE}/log?{more}" if more else "",
        first=f"{BASE}/log?{urlencode(asked)}" if arg("after") else "",
        tabs=section_tabs(f"{BASE}/log"),
    )


def trace(desk: Desk, visit: Visit, code: str) -> Response:
    with reading(desk.engine) as conn:
        found = sign_ins.find(conn, visit.tenant_id, code)
        everyone = connections.listing(conn, visit.tenant_id) if found else []
        account = found.account_id if found else None
        people = finding.attributes_of(conn, visit.tenant_id, [str(account)]) if account else {}
    if found is None:
        raise Refused(
            404,
            f"No attempt has the code {code[:20]}. Attempts are kept for as many days as the tenant's setting says, "
            "and of one network address only some of many refused ones are written down.",
            "No such attempt",
        )
    connection = next((one for one in everyone if one.name == found.connection), None)
    return page(
        "connections/trace.html",
        found=found,
        word=WORDS[found.outcome],
        tone=TONES[found.outcome],
        reason=REASONS.get(found.reason or ""),
        failing=next((step for step in found.steps if step.get("ok") is False), None),
        connection=connection,
        browser=in_words(found.agent),
        person=name_of(str(account), people[str(account)]) if account and str(account) in people else None,
    )


def reasons(_desk: Desk, _visit: Visit) -> Response:
    return page("connections/reasons.html", reasons=REASONS.values(), tabs=section_tabs(f"{BASE}/reasons"))


def _by_code(desk: Desk, visit: Visit, code: str) -> Response:
    with reading(desk.engine) as conn:
        found = sign_ins.find(conn, visit.tenant_id, code)
    if found is None:
        return back(f"{BASE}/log", f"No attempt has the code {code[:20]}.", "warning")
    return back(f"{BASE}/log/{found.code}")


def _wanted() -> tuple[Wanted, dict[str, str]]:
    """What the address asks for; what cannot be is not asked."""
    outcome, reason = arg("outcome"), arg("reason")
    since, until = _day(arg("since")), _day(arg("until"))
    found = Wanted(
        outcome=outcome if outcome in OUTCOMES else None,
        reason=reason if reason in REASONS else None,
        connection_id=_uuid(arg("connection")),
        account_id=_uuid(arg("account")),
        since=since,
        until=until and until + timedelta(days=1),
    )
    said = {
        "outcome": found.outcome,
        "reason": found.reason,
        "connection": found.connection_id,
        "account": found.account_id,
        "since": arg("since") if since else None,
        "until": arg("until") if until else None,
    }
    return found, {name: value for name, value in said.items() if value}


def _row(one: Row, titles: dict[str, str], people: dict[str, Any]) -> dict[str, Any]:
    person = people.get(one.account_id or "")
    return {
        "code": one.code,
        "at": one.at,
        "word": WORDS[one.outcome],
        "tone": TONES[one.outcome],
        "reason": one.reason,
        "connection": titles.get(one.connection_id or "", "removed" if one.connection_id else ""),
        "account_id": one.account_id,
        "person": name_of(one.account_id or "", person) if person else None,
        "browser": in_words(one.agent),
        "address": one.address,
    }


def _after(row: Row) -> str:
    return f"{row.at.isoformat()}~{row.id}"


def _place(text: str) -> tuple[datetime, str] | None:
    at, _, id = text.partition("~")
    try:
        return (datetime.fromisoformat(at), str(UUID(id))) if id else None
    except ValueError:
        return None


def _day(text: str) -> datetime | None:
    try:
        return datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        return None


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


ROUTES: Final = (
    Route("GET", f"{BASE}/log", attempts),
    Route("GET", f"{BASE}/log/<code>", trace),
    Route("GET", f"{BASE}/reasons", reasons),
)
