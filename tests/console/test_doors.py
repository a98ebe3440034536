"""No route of the console does anything for whoever may not: asked of each route there is.

Each test goes over the whole table and names the routes that fail.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app import console as rooms
from app.console.routing import Route
from app.identity.console_roles import LADDER
from app.store import console_sessions
from app.store.engine import reading, writing
from app.store.tenants import Tenant
from tests.console.conftest import Console, Seen

ROUTES = rooms.routes()
CLOSED = [route for route in ROUTES if route.needs != "open"]
UNLISTED = {"/admin/<path:rest>", "/admin/assets/<build>/<path:path>"}
Enter = Callable[..., Console]


def _name(route: Route) -> str:
    return f"{route.method} {route.rule}"


def _path(route: Route) -> str:
    """An address of the route, with ids that nobody has."""
    return re.sub(r"<[^>]+>", lambda _: str(uuid4()), route.rule)


def _asked(visitor: Console, route: Route, **options: Any) -> Seen:
    return (visitor.get if route.method == "GET" else visitor.post)(_path(route), **options)


@pytest.fixture
def marks(engine: sa.Engine) -> Callable[[], list[object]]:
    """What any act leaves behind."""
    tables = ("audit", "runs", "credentials", "console_links", "mapping_drafts", "sources", "connections", "clients")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)

    def read() -> list[object]:
        with reading(engine) as conn:
            return list(conn.exec_driver_sql(f"SELECT {counts}, (SELECT sum(revision) FROM tenants)").one())

    return read


def test_nobody_comes_in_without_a_session(application: Flask, marks: Any, tenant: Tenant) -> None:
    before, wrong = marks(), {}
    for route in CLOSED:
        answer = application.test_client().open(_path(route), method=route.method)
        sent_away = answer.status_code == 303 and answer.headers["Location"].startswith("/admin/sign-in?to=%2Fadmin")
        if not (sent_away if route.method == "GET" else answer.status_code == 401):
            wrong[_name(route)] = answer.status_code
    assert wrong == {}
    assert marks() == before


def test_a_session_that_ended_is_none(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    owner, wrong = console("owner"), {}
    with writing(engine) as conn:
        assert console_sessions.end(conn, tenant.id, owner.session_id, "test")
    for route in CLOSED:
        answer = _asked(owner, route, follow=False)
        if answer.status != (303 if route.method == "GET" else 401):
            wrong[_name(route)] = answer.status
    assert wrong == {}


def test_a_role_that_is_too_small_is_refused(console: Enter, marks: Any) -> None:
    visitors, wrong = {role: console(role) for role in LADDER}, {}
    before = marks()
    for route in CLOSED:
        if route.needs == LADDER[0]:
            continue
        answer = _asked(visitors[LADDER[LADDER.index(route.needs) - 1]], route)  # type: ignore[arg-type]
        if answer.status != 403 or "Ask an owner" not in answer.text:
            wrong[_name(route)] = answer.status
    assert wrong == {}
    assert marks() == before


@pytest.mark.parametrize("sent", ["nothing", "a wrong token", "another's token", "from elsewhere", "across sites"])
def test_a_form_without_the_sessions_token_does_nothing(console: Enter, marks: Any, sent: str) -> None:
    owner, other = console("owner"), console("owner")
    before, wrong = marks(), {}
    token = {"nothing": "", "a wrong token": "0" * 64, "another's token": other.csrf}.get(sent, owner.csrf)
    headers = {"from elsewhere": {"Origin": "https://evil.example"}, "across sites": {"Sec-Fetch-Site": "cross-site"}}
    for route in ROUTES:
        if route.method != "POST":
            continue
        answer = owner.client.post(_path(route), data={"csrf": token}, headers=headers.get(sent, {}))
        if answer.status_code != 403 or "did not come from a page of this session" not in answer.text:
            wrong[_name(route)] = answer.status_code
    assert wrong == {}
    assert marks() == before


def test_ids_that_the_tenant_does_not_have_are_not_found(console: Enter, marks: Any) -> None:
    owner, wrong = console("owner"), {}
    before = marks()
    for route in CLOSED:
        if "<" in route.rule and (answer := _asked(owner, route)).status not in (404, 422):
            wrong[_name(route)] = answer.status
    assert wrong == {}
    assert marks() == before


@pytest.mark.parametrize("purpose", ["connection", "scim"])
def test_a_set_up_link_opens_its_own_pages_only(console: Enter, marks: Any, purpose: str) -> None:
    holder = console(link=purpose, connection_id=str(uuid4()), source_id=str(uuid4()))
    before, wrong = marks(), {}
    for route in CLOSED:
        if route.rule == "/admin/sign-out":  # nothing of anybody's, and the end of the holder's session
            continue
        # Those of its own purpose are about another's connection or source here.
        answer = _asked(holder, route)
        if answer.status not in ((403, 404) if purpose in route.link else (403,)):
            wrong[_name(route)] = answer.status
    assert wrong == {}
    assert marks() == before


def test_every_route_is_in_the_table(application: Flask) -> None:
    """A view that was registered past the router would have no guard."""
    listed = {(route.method, route.rule) for route in ROUTES}
    found = {
        (method, rule.rule)
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/admin") and rule.rule not in UNLISTED
    }
    assert found == listed
