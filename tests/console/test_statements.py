"""How many statements each page makes: few, and no more for a tenant that has several times as much of everything."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

import pytest
import sqlalchemy as sa

from app import console as rooms
from app.console.routing import Route
from tests.console.conftest import Console
from tests.console.test_other_tenants import parts_of
from tests.console.world import World, build
from tests.databases import statements

MOST: Final = 12
MORE: Final = {
    "/admin": 16,  # one for each kind of thing that may need attention
    "/admin/people/<uuid:account_id>/timeline": 13,  # the person, and one for each log
}
# Two of a page's say whose session it is, and that its holder was here.
PAGES: Final = [route for route in rooms.routes() if route.method == "GET" and route.needs != "open"]
SEARCHES: Final = {
    "/admin/people": ("q=p", "q=p1", "q=p1@alpha.example", "q=nobody", "status=active", "role=learner"),
    "/admin/find": ("q=p", "q=p1", "q=nobody"),
    "/admin/audit": ("action=account.", "actor=nobody"),
    "/admin/provisioning/requests": ("q=p1", "status=refused", "method=PATCH"),
    "/admin/sign-in-connections/log": ("outcome=refused", "reason=not_provisioned"),
    "/admin/runs": ("state=held",),
    "/admin/duplicates": ("state=merged",),
}

Enter = Callable[..., Console]


@pytest.fixture
def worlds(engine: sa.Engine) -> tuple[World, World]:
    return build(engine, "alpha"), build(engine, "bravo", few=9, many=60)


def _address(route: Route, world: World) -> str:
    parts = parts_of(route, world)
    return re.sub(r"<(?:\w+:)?(\w+)>", lambda found: parts[found[1]], route.rule)


def _made(visitor: Console, address: str) -> tuple[int, list[str]]:
    """The answer's status, and the statements of the second time: by then the process remembers what it may."""
    visitor.get(address, follow=False)
    with statements() as seen:
        status = visitor.get(address, follow=False).status
    return status, seen


def test_no_page_makes_more_statements_for_a_larger_tenant(console: Enter, worlds: tuple[World, World]) -> None:
    visitors = [console("owner", tenant_id=world.tenant_id) for world in worlds]
    wrong = {}
    for route in PAGES:
        for search in ("", *SEARCHES.get(route.rule, ())):
            asked = f"{route.rule}?{search}" if search else route.rule
            made = [
                _made(one, f"{_address(route, world)}?{search}") for one, world in zip(visitors, worlds, strict=True)
            ]
            (status, few), (again, many) = made
            if status != again or len(many) > len(few) or len(many) > MORE.get(route.rule, MOST) or status >= 500:
                wrong[asked] = [f"{status}: {len(few)}", f"{again}: {len(many)}"]
    assert wrong == {}
