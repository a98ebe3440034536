"""No route of the console does anything for whoever may not: asked of each route there is."""

from __future__ import annotations

import re
from collections.abc import Callable
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
from tests.console.conftest import Console

CLOSED = [route for route in rooms.routes() if route.needs != "open"]
ABOVE_THE_LOWEST = [route for route in CLOSED if route.needs != LADDER[0]]
POSTED = [route for route in rooms.routes() if route.method == "POST"]
Enter = Callable[..., Console]


def _name(route: Route) -> str:
    return f"{route.method} {route.rule}"


def _path(route: Route) -> str:
    """An address of the route, with ids that nobody has."""
    return re.sub(r"<[^>]+>", lambda _: str(uuid4()), route.rule)


def _below(role: str) -> str:
    return LADDER[LADDER.index(role) - 1]  # type: ignore[arg-type]


def _marks(engine: sa.Engine) -> list[object]:
    """What any act leaves behind."""
    tables = ("audit", "runs", "credentials", "console_links", "mapping_drafts", "sources", "connections", "clients")
    counts = ", ".join(f"(SELECT count(*) FROM {table})" for table in tables)
    with reading(engine) as conn:
        return list(conn.exec_driver_sql(f"SELECT {counts}, (SELECT sum(revision) FROM tenants)").one())


@pytest.mark.parametrize("route", CLOSED, ids=_name)
def test_nobody_comes_in_without_a_session(application: Flask, engine: sa.Engine, tenant: Tenant, route: Route) -> None:
    before = _marks(engine)
    answer = application.test_client().open(_path(route), method=route.method)
    if route.method == "GET":
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/admin/sign-in?to=%2Fadmin")
    else:
        assert answer.status_code == 401
    assert _marks(engine) == before


@pytest.mark.parametrize("route", CLOSED, ids=_name)
def test_a_session_that_ended_is_none(console: Enter, engine: sa.Engine, tenant: Tenant, route: Route) -> None:
    owner = console("owner")
    with writing(engine) as conn:
        assert console_sessions.end(conn, tenant.id, owner.session_id, "test")
    answer = owner.get(_path(route), follow=False) if route.method == "GET" else owner.post(_path(route), follow=False)
    assert answer.status == (303 if route.method == "GET" else 401)


@pytest.mark.parametrize("route", ABOVE_THE_LOWEST, ids=_name)
def test_a_role_that_is_too_small_is_refused(console: Enter, engine: sa.Engine, route: Route) -> None:
    visitor, before = console(_below(route.needs)), _marks(engine)
    answer = visitor.get(_path(route)) if route.method == "GET" else visitor.post(_path(route))
    assert answer.status == 403
    assert "Ask an owner" in answer.text
    assert _marks(engine) == before


@pytest.mark.parametrize("route", POSTED, ids=_name)
@pytest.mark.parametrize("sent", ["nothing", "a wrong token", "another's token", "from elsewhere", "across sites"])
def test_a_form_without_the_sessions_token_does_nothing(
    console: Enter, engine: sa.Engine, route: Route, sent: str
) -> None:
    owner, other = console("owner"), console("owner")
    before = _marks(engine)
    token = {"nothing": "", "a wrong token": "0" * 64, "another's token": other.csrf}.get(sent, owner.csrf)
    headers = {"from elsewhere": {"Origin": "https://evil.example"}, "across sites": {"Sec-Fetch-Site": "cross-site"}}
    answer = owner.client.post(_path(route), data={"csrf": token}, headers=headers.get(sent, {}))
    assert answer.status_code == 403
    assert "did not come from a page of this session" in answer.text
    assert _marks(engine) == before


@pytest.mark.parametrize("route", [route for route in CLOSED if "<" in route.rule], ids=_name)
def test_ids_that_the_tenant_does_not_have_are_not_found(console: Enter, engine: sa.Engine, route: Route) -> None:
    owner, before = console("owner"), _marks(engine)
    answer = owner.get(_path(route)) if route.method == "GET" else owner.post(_path(route))
    assert answer.status in (404, 422), answer.text
    assert _marks(engine) == before


@pytest.mark.parametrize("route", CLOSED, ids=_name)
@pytest.mark.parametrize("purpose", ["connection", "scim"])
def test_a_set_up_link_opens_its_own_pages_only(console: Enter, engine: sa.Engine, route: Route, purpose: str) -> None:
    holder, before = console(link=purpose, connection_id=str(uuid4()), source_id=str(uuid4())), _marks(engine)
    answer = holder.get(_path(route)) if route.method == "GET" else holder.post(_path(route))
    # Those of its own purpose are about another's connection or source here.
    assert answer.status in ((403, 404) if purpose in route.link else (403,)), answer.text
    assert _marks(engine) == before


def test_every_route_is_in_the_table(application: Flask) -> None:
    """A view that was registered past the router would have no guard."""
    listed = {(route.method, route.rule) for route in rooms.routes()}
    found = {
        (method, rule.rule)
        for rule in application.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
        if rule.rule.startswith("/admin")
    }
    assert {
        one for one in found - listed if one[1] not in ("/admin/<path:rest>", "/admin/assets/<build>/<path:path>")
    } == set()
    assert listed <= found


def test_a_get_is_never_a_change() -> None:
    assert {route.method for route in rooms.routes()} <= {"GET", "POST"}
