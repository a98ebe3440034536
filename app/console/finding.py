"""Pages, people and the code of a sign-in: what the command palette finds, and a page of its own without scripts."""

from __future__ import annotations

import re
from typing import Final

from flask import Response, g

from app.console.desk import Desk
from app.console.rendering import arg, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.store import people_search, sign_ins
from app.store.engine import reading

PEOPLE: Final = 8
LEAST: Final = 2  # letters before people are searched
CODE: Final = re.compile(r"[0-9A-Za-z]{3}[- ]?[0-9A-Za-z]{3}")  # as a person reads it out: K7F-2MQ


def find(desk: Desk, visit: Visit) -> Response:
    """Sections whose name holds the text, the surest people, a sign-in by its code; without a text the sections."""
    text = arg("q")
    found, attempt = people_search.Page([]), None
    if len(text) >= LEAST:
        with reading(desk.engine) as conn:
            found = people_search.search(conn, visit.tenant_id, text, limit=PEOPLE)
            if CODE.fullmatch(text):
                attempt = sign_ins.find(conn, visit.tenant_id, text)
    return page("find.html", text=text, pages=_pages(text), people=found.rows, more=found.more, attempt=attempt)


def _pages(text: str) -> list[Section]:
    wanted = text.casefold()
    sections: list[Section] = g.sections
    return [section for section in sections if wanted in section.title.casefold()]


ROUTES: Final = (Route("GET", "/admin/find", find),)
