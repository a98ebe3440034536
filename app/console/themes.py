"""Light, dark, or as the system has it: kept in the browser."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.console.desk import Desk
from app.console.rendering import back, field
from app.console.routing import Route
from app.console.visit import THEME_COOKIE, THEMES, Visit
from sso import cookies
from sso.paths import is_local

YEAR: Final = 365 * 24 * 3600


def choose(desk: Desk, visit: Visit | None) -> Response:
    """Keep the choice and go back to where it was made."""
    to, chosen = field("to"), field("theme")
    answer = back(to if is_local(to) and to.startswith("/admin") else "/admin")
    if chosen in THEMES:
        secure = cookies.is_secure(desk.public_url)
        answer.set_cookie(
            THEME_COOKIE, chosen, max_age=YEAR, path="/admin", httponly=True, samesite="Lax", secure=secure
        )
    return answer


ROUTES: Final = (Route("POST", "/admin/theme", choose, "open"),)
