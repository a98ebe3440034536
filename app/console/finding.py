"""Pages and people by name: what the command palette shows, and a page of its own without scripts."""

from __future__ import annotations

from typing import Final

from flask import Response, g

from app.console.desk import Desk
from app.console.rendering import arg, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import people_search
from app.store.engine import reading

PEOPLE: Final = 8
LEAST: Final = 2  # letters before people are searched


def find(desk: Desk, visit: Visit) -> Response:
    """Sections whose name holds the text, and the surest people; without a text the sections."""
    text = arg("q")
    found = people_search.Page([])
    if len(text) >= LEAST:
        with reading(desk.engine) as conn:
            found = people_search.search(conn, visit.tenant_id, text, limit=PEOPLE)
    return page("find.html", text=text, pages=_pages(text), people=found.rows, more=found.more)


def _pages(text: str) -> list[Section]:
    wanted = text.casefold()
    sections: list[Section] = g.sections
    return [section for section in sections if wanted in section.title.casefold()]


ROUTES: Final = (Route("GET", "/admin/find", find),)
