"""Every page of the console with an address in the demo: from the table of routes, so that a new page is among them.

routes ─▶ GET ─▶ each part of the rule (`<source_id>`) by its name ─▶ an address
                            └▶ or by rule, where a page is about a special one: SPECIAL
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import Final

import sqlalchemy as sa
from werkzeug.routing import Map, Rule

from app import console
from app.console import assets
from app.console.visit import cookie_name
from app.demo import stage
from app.store import console_sessions
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing
from tests.journeys.demo_served import Demo

NAME: Final = "Olga Owner"

# What of the demo to show where a rule has such a part: a statement that yields the one value; :tenant is its id.
PARTS: Final = {
    "account_id": """SELECT account_id FROM records WHERE tenant_id = :tenant AND account_id IS NOT NULL
        GROUP BY account_id ORDER BY count(*) DESC, account_id LIMIT 1""",
    "source_id": "SELECT id FROM sources WHERE tenant_id = :tenant AND name = 'okta'",
    "connection_id": "SELECT id FROM connections WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "group_id": "SELECT id FROM groups WHERE tenant_id = :tenant ORDER BY display_name LIMIT 1",
    "doubt_id": "SELECT id FROM duplicates WHERE tenant_id = :tenant ORDER BY created_at LIMIT 1",
    "draft_id": "SELECT id FROM mapping_drafts WHERE tenant_id = :tenant ORDER BY created_at LIMIT 1",
    "revision_id": "SELECT id FROM mapping_revisions WHERE tenant_id = :tenant ORDER BY revision LIMIT 1",
    "name": "SELECT 'instructor'",
    "run_id": "SELECT id FROM runs WHERE tenant_id = :tenant ORDER BY id DESC LIMIT 1",
    "request_id": "SELECT id FROM scim_requests WHERE tenant_id = :tenant ORDER BY id DESC LIMIT 1",
    "client_id": "SELECT id FROM clients WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
    "tenant": "SELECT name FROM tenants WHERE id = :tenant",
    "attribute": "SELECT 'title'",
    "code": "SELECT code FROM sign_ins WHERE tenant_id = :tenant AND outcome = 'refused' ORDER BY at DESC LIMIT 1",
    "id": "SELECT id FROM administrators WHERE tenant_id = :tenant ORDER BY id LIMIT 1",
}
# The same for one rule alone: (rule, part).
_HR: Final = "SELECT id FROM sources WHERE tenant_id = :tenant AND kind = 'hris'"
SPECIAL: Final[dict[tuple[str, str], str]] = {
    ("/admin/sources/<source_id>/upload", "source_id"): _HR,
    ("/admin/sources/<source_id>/values", "source_id"): _HR,
    ("/admin/sources/<source_id>", "source_id"): _HR,
}
# Pages that are no page by themselves, and why.
WITHOUT: Final[dict[str, str]] = {
    "/admin/access/authenticator": "the owner has none to replace: tests/journeys/test_console_ways_in.py looks at it",
    "/admin/sources/ownership/type": "it leads on to the line of one type",
    "/admin/sign-in-connections/<connection_id>/metadata.xml": "the demo's connection is OpenID's, which has none",
    "/admin/sign-in-connections/<connection_id>/tests/<test_id>": "is of one session and fifteen minutes; "
    "test_console_sign_in makes a test, and looks at it",
}


@dataclass(frozen=True, slots=True)
class Session:
    """A session of the demo's owner in the console, as the browser's cookie."""

    name: str
    value: str


def rules() -> list[str]:
    """The rules of all pages that somebody who is in can open."""
    return sorted({route.rule for route in console.routes() if route.method == "GET" and route.needs != "open"})


def address(conn: sa.Connection, tenant_id: str, rule: str) -> str:
    """The rule with something of the demo in each of its parts.

    Raises:
        AssertionError: nobody said what to show, or the demo has no such thing.
    """

    def shown(part: re.Match[str]) -> str:
        statement = SPECIAL.get((rule, part[1])) or PARTS.get(part[1])
        assert statement, f"{rule}: say in tests/journeys/console_pages.py what of the demo to show as {part[1]}"
        found = conn.execute(sa.text(statement), {"tenant": tenant_id}).scalar()
        assert found is not None, f"{rule}: the demo has no {part[1]}"
        return str(found)

    return re.sub(r"<(?:\w+:)?(\w+)>", shown, rule)


def loose(html: str) -> list[str]:
    """Links of a page that lead to no page of the console."""
    known = Map([Rule(route.rule) for route in console.routes() if route.method == "GET"]).bind("")
    hrefs = {unescape(href) for href in re.findall(r'href="(/admin[^"]*)"', html)}
    paths = {href.partition("#")[0].partition("?")[0] for href in hrefs if not href.startswith(assets.PREFIX)}
    return sorted(path for path in paths if not known.test(path))


def name_of(rule: str) -> str:
    """The page's name in pictures: `/admin/people/<id>/roles` is `people-roles`."""
    words = [word for word in rule.split("/")[2:] if not word.startswith("<")]
    if rule.endswith(">"):
        words.append("one")
    return "-".join(words) or "overview"


def enter(demo: Demo) -> Session:
    """Begin a session of the demo's owner, whoever is in already."""
    with demo.server.engine() as engine, writing(engine) as conn:
        owner = conn.execute(sa.select(t.administrators).where(t.administrators.c.email == stage.OWNER)).one()
        begun = console_sessions.begin(
            conn, NewConsoleSession(owner.tenant_id, "password", administrator_id=str(owner.id), proven=True)
        )
    return Session(cookie_name(demo.rollcall), begun.secret)


def address_in(demo: Demo, rule: str) -> str:
    """The rule's address in the demo that runs."""
    with demo.server.engine() as engine, reading(engine) as conn:
        tenant_id = str(conn.execute(sa.text("SELECT id FROM tenants WHERE name = :n"), {"n": stage.TENANT}).scalar())
        return address(conn, tenant_id, rule)
