"""The provisioning log: what providers asked, newest first; one request with all that it did; what refusals mean."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final
from urllib.parse import urlencode

import orjson
import sqlalchemy as sa
from flask import Response

from app.adapters.scim_effects import words
from app.adapters.scim_trace import trace
from app.console.desk import Desk
from app.console.provisioning import own
from app.console.provisioning.own import HOME
from app.console.rendering import arg, page
from app.console.routing import Route
from app.console.scim_dictionary import called, meaning, meanings
from app.console.scim_vendors import vendors
from app.console.visit import Visit
from app.store import scim_requests, tenants
from app.store.engine import reading
from app.store.scim_requests import METHODS, Asked
from app.store.tenant_settings import value
from app.store.tenants import NotFoundError

HERE: Final = f"{HOME}/requests"
SHOWN: Final = 50
STATUSES: Final = {
    "": "Any answer",
    "2xx": "Done (2xx)",
    "4xx": "Refused (4xx)",
    "5xx": "Failed (5xx)",
    "409": "409 taken",
}
RESOURCES: Final = {"": "Users and groups", "User": "Users", "Group": "Groups"}
SINCE: Final = {"": "Any time", "1": "Last hour", "24": "Last day", "168": "Last 7 days"}
_ACCOUNT: Final = re.compile(r"account [0-9a-f-]{36}: ")
FILTERS: Final = ("source", "status", "method", "resource", "since", "q")


def listing(desk: Desk, visit: Visit) -> Response:
    """A page of the log, by the filters of the address."""
    said = {name: arg(name) for name in FILTERS}
    with reading(desk.engine) as conn:
        sources = [one for one in tenants.sources(conn, visit.tenant_id) if one.kind != "login"]
        days = value(tenants.find(conn, visit.tenant_name).settings, "scim.log_days")
        found = scim_requests.stretch(conn, visit.tenant_id, _asked(conn, desk, visit, said))
    more = urlencode({**{name: text for name, text in said.items() if text}, "before": found.following or ""})
    return page(
        "provisioning/requests.html",
        rows=[{**row, "words": _words(row)} for row in found.rows],
        back_to=found.back_to,
        next=f"{HERE}?{more}" if found.following else "",
        first=f"{HERE}?{urlencode({name: text for name, text in said.items() if text})}" if arg("before") else "",
        given=said,
        filtered=any(said.values()),
        sources=[("", "Any source"), *((one.id, one.name) for one in sources)],
        statuses=_statuses(said["status"]),
        methods=[("", "Any method"), *((one, one) for one in METHODS)],
        resources=list(RESOURCES.items()),
        times=list(SINCE.items()),
        days=days,
    )


def one(desk: Desk, visit: Visit, request_id: str) -> Response:
    """One request: what was sent, what was answered, what it did to whom, and what to do if it was refused."""
    with reading(desk.engine) as conn:
        found = trace(conn, visit.tenant_id, own.an_id(request_id))
    if found is None:
        raise NotFoundError("the log has no such request")
    row = found.row
    payload = None if row["payload"] is None else orjson.dumps(row["payload"], option=orjson.OPT_INDENT_2).decode()
    names = {one.id: one.title for one in vendors()}
    refusal = meaning(row["status"], row["scim_type"]) if row["status"] >= 400 else None
    return page(
        "provisioning/request.html",
        trace=found,
        row=row,
        payload=payload,
        refusal=refusal,
        refusals=[(each, meaning(int(each["status"]), each.get("scimType"))) for each in found.refusals],
        shown=[(names.get(id, id), text) for id, text in (refusal.shown if refusal else {}).items()],
        called=[(names.get(id, id), text) for id, text in called(row["method"], row["kind"]).items()],
    )


def dictionary(desk: Desk, visit: Visit) -> Response:
    """Every refusal that Rollcall answers, in words."""
    names = {one.id: one.title for one in vendors()}
    return page("provisioning/errors.html", meanings=meanings(), names=names)


def _asked(conn: sa.Connection, desk: Desk, visit: Visit, said: Mapping[str, str]) -> Asked:
    """Whatever is no filter is left out: an address that was bent asks for more, never for another tenant's."""
    resources, name = scim_requests.about(conn, visit.tenant_id, said["q"]) if said["q"] else (None, None)
    hours = said["since"] if said["since"] in SINCE else ""
    return Asked(
        source_id=_id(said["source"]),
        statuses=_range(said["status"]),
        method=said["method"] if said["method"] in METHODS else None,
        kind=said["resource"] if said["resource"] in RESOURCES and said["resource"] else None,
        resources=resources,
        name=name,
        since=desk.now() - timedelta(hours=int(hours)) if hours else None,
        before=_id(arg("before")),
        limit=SHOWN,
    )


def _range(status: str) -> tuple[int, int] | None:
    try:
        return scim_requests.statuses(status) if status else None
    except ValueError:
        return None


def _statuses(chosen: str) -> list[tuple[str, str]]:
    """What is offered, and what an address asks for besides."""
    more = {} if chosen in STATUSES or _range(chosen) is None else {chosen: chosen}
    return list({**STATUSES, **more}.items())


def _id(text: str) -> str | None:
    try:
        return own.an_id(text)
    except NotFoundError:
        return None


def _words(row: Mapping[str, Any]) -> str:
    """In one line, without the accounts' ids: the request's own page has them."""
    if row["status"] >= 400 and row["detail"]:
        return str(row["detail"])
    return _ACCOUNT.sub("account: ", words(row["effect"], row["method"], row["status"]))


ROUTES: Final = (
    Route("GET", HERE, listing),
    Route("GET", f"{HERE}/<request_id>", one),
    Route("GET", f"{HOME}/errors", dictionary),
)
