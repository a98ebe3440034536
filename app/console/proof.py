"""Whether it is still the person who came in: what is grave asks for a credential again after half an hour.

a grave form ─▶ fresh? ─no─▶ /admin/proof ─▶ the credential ─▶ back to the page of the form
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final
from urllib.parse import quote, urlsplit

from flask import Response, request

from app.console.rendering import back
from app.console.visit import Visit
from sso.paths import is_local

FRESH: Final = timedelta(minutes=30)
PATH: Final = "/admin/proof"
HOME: Final = "/admin"


def is_fresh(visit: Visit, now: datetime) -> bool:
    """Whether a credential was shown lately. A set-up link is one, and ends by itself."""
    proven = visit.session.proven_at
    return visit.link is not None or (proven is not None and now - proven < FRESH)


def first() -> Response:
    """To the page that asks for it, and from there back to the page of the form."""
    to = quote(inside(urlsplit(request.headers.get("Referer", "")).path), safe="")
    return back(f"{PATH}?to={to}", "This is a grave step. Show that it is you, then do it once more.", "info")


def inside(path: str) -> str:
    """A path of the console's, where somebody is sent on to; the overview if it is none."""
    return path if is_local(path) and path.startswith(f"{HOME}/") else HOME
