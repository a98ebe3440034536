"""A test of a connection: on to the provider and back, then everything that was found out.

The report is of this console session alone, for minutes. The holder of a set-up link sees what was sent and whether
they would be let in; neither account nor roles, which are of the tenant's people.
"""

from __future__ import annotations

from typing import Any, Final

from flask import Response

from app.console.connections.guides import KIND_TITLES
from app.console.connections.place import BASE, LINK, made, place_of, tabs, way
from app.console.connections.reasons import REASONS
from app.console.desk import Desk
from app.console.rendering import Refused, back, page
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.matching import RULES
from app.identity.naming import name_of
from app.store import connections, finding, sign_in_tests
from app.store.engine import reading
from sso import cookies
from sso.browser import leave, set_cookie, visitor
from sso.connections import Connection
from sso.keeping import Tester
from sso.refusals import SENTENCES

FOUND: Final = {
    "link": "by the sign-ins of the same person before",
    "new": "nobody was found",
    **{rule: f"by {rule}" for rule in RULES.values()},
}


def show(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    made(place)
    with reading(desk.engine) as conn:
        latest = sign_in_tests.latest(conn, visit.tenant_id, place.id, visit.session.id)
    return page(
        "connections/test.html",
        place=place,
        way=way(place, visit, "test"),
        tabs=tabs(place, visit, "test"),
        latest=latest,
        kept=sign_in_tests.KEPT_MINUTES,
        kind_title=KIND_TITLES[place.kind],
    )


def begin(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """Off to the provider, in this browser, which alone can come back with the answer."""
    place = place_of(desk, visit, connection_id)
    connection = _connection(desk, made(place).id)
    tester, who = Tester(connections.new_id(), visit.session.id), visitor()
    report = f"{place.href}/tests/{tester.id}"
    begun = desk.arrivals.tests.begin(connection, tester, report, desk.arrivals.browser(who), who)
    if begun is None:
        return back(report)
    answer = leave(begun.message, f"You are being taken to {connection.title}, for a test.")
    set_cookie(answer, cookies.pending_cookie(desk.public_url), begun.browser)
    return answer


def report(desk: Desk, visit: Visit, connection_id: str, test_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    with reading(desk.engine) as conn:
        found = sign_in_tests.find(conn, visit.tenant_id, test_id, place.id, visit.session.id)
        name = None if found is None or visit.link else _name(conn, visit.tenant_id, found.report)
    if found is None:
        raise Refused(
            404,
            f"There is no such test of yours, or it is older than {sign_in_tests.KEPT_MINUTES} minutes: what it "
            "brought is not kept longer. The sign-in log still says how it went. Test again.",
            "No such test",
        )
    said = found.report
    return page(
        "connections/tested.html",
        place=place,
        way=way(place, visit, "test"),
        tabs=tabs(place, visit, "test"),
        test=found,
        report=said,
        reason=REASONS.get(said["reason"] or ""),
        sentence=SENTENCES.get(said["reason"] or ""),
        found_by=FOUND.get((said["found"] or {}).get("rule", ""), ""),
        name=name,
        counts={
            state: sum(one["state"] == state for one in said["said"]) for state in ("mapped", "unknown", "ignored")
        },
    )


def _name(conn: Any, tenant_id: str, report: Any) -> str | None:
    account = (report["found"] or {}).get("account_id")
    found = finding.attributes_of(conn, tenant_id, [account]) if account else {}
    return name_of(account, found[account]) if account in found else None


def _connection(desk: Desk, id: str) -> Connection:
    found = desk.connections.find(id)
    if found is None:
        raise Refused(404, "There is no such connection.", "Nothing here")
    return found


ROUTES: Final = (
    Route("GET", f"{BASE}/<connection_id>/test", show, needs="admin", link=LINK),
    Route("POST", f"{BASE}/<connection_id>/test", begin, needs="admin", link=LINK),
    Route("GET", f"{BASE}/<connection_id>/tests/<test_id>", report, needs="admin", link=LINK),
)
