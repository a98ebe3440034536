"""Pages out, forms in.

handler ─▶ page(template, …) ─▶ the whole page, or for htmx its inner part ─▶ headers that keep the browser strict
        └▶ back(href, "Saved.") ─▶ 303, and the sentence on the next page
        └▶ raise Refused(409, "…") ─▶ a page with one plain sentence
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal
from urllib.parse import quote, unquote
from uuid import UUID

import orjson
from flask import Response, g, redirect, render_template, request

from app.console import assets
from app.console.visit import SAID_COOKIE, THEME_COOKIE, THEMES, Theme, Visit
from sso import cookies
from sso.paths import is_local

Kind = Literal["success", "info", "warning", "danger"]

HEADERS: Final = {
    "Cache-Control": "no-store",
    # Not `no-referrer`: browsers would then say of our own forms that they come from nowhere (Origin: null).
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "font-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), publickey-credentials-get=(self)",
    "Vary": "HX-Request",
}
LONGEST_SAID: Final = 1_000  # characters of a message that travels in a cookie
SAID_SECONDS: Final = 60


class Refused(Exception):
    """What was asked is not done. The sentence is for whoever asked, and says what to do instead."""

    def __init__(self, status: int, sentence: str, title: str = "That cannot be done") -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.title = status, sentence, title


def page(template: str, status: int = 200, **values: Any) -> Response:
    """A page of `templates/console/`. `values` are the template's, beside what every page has."""
    visit: Visit | None = g.get("visit")
    said = _said()
    context = {
        "visit": visit,
        "csrf_token": visit.csrf if visit else g.get("door_csrf", ""),
        "sections": g.get("sections", ()),
        "said": said,
        "build": assets.BUILD,
        "theme": theme(),
        "fragment": is_fragment(),
        "here": request.path,
    }
    assert not context.keys() & values.keys(), "a page's own values go by other names than those that every page has"
    context |= values
    answer = Response(render_template(f"console/{template}", **context), status, mimetype="text/html")
    answer.headers.update(HEADERS)
    if said:
        answer.delete_cookie(SAID_COOKIE, path="/admin")
    return answer


def back(href: str, said: str = "", kind: Kind = "success") -> Response:
    """Go on to a page of ours, by GET, and say there what was done."""
    assert is_local(href)
    answer = redirect(href, 303, Response)
    assert isinstance(answer, Response)
    answer.headers.update(HEADERS)
    if said:
        # A cookie holds ASCII only.
        text = quote(orjson.dumps([[kind, said[:LONGEST_SAID]]]).decode(), safe="")
        answer.set_cookie(
            SAID_COOKIE,
            text,
            max_age=SAID_SECONDS,
            path="/admin",
            httponly=True,
            samesite="Lax",
            secure=cookies.is_secure(g.public_url),
        )
    return answer


def download(name: str, lines: Iterable[str], type: str = "text/csv") -> Response:
    """A file, written while it is read. `name` is ASCII, with its ending."""
    answer = Response(lines, mimetype=type)
    answer.headers.update(HEADERS)
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def field(name: str, default: str = "") -> str:
    """One field of the form, without surrounding space."""
    return request.form.get(name, default).strip()


def fields(name: str) -> Sequence[str]:
    """All values of a field that may come several times."""
    return [one.strip() for one in request.form.getlist(name)]


def arg(name: str, default: str = "") -> str:
    """One part of the address's query, without surrounding space."""
    return request.args.get(name, default).strip()


def id_arg(name: str) -> str | None:
    """One part of the query that is an id; None when it is none."""
    try:
        return str(UUID(arg(name)))
    except ValueError:
        return None


def whole(text: str) -> int | None:
    """A number of a form or an address; None when it is none that a column can hold."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 19 else None


def is_fragment() -> bool:
    """Whether htmx asks, which takes the inner part alone; a page that it restores is wanted whole."""
    asked = request.headers.get("HX-Request") == "true"
    return asked and request.headers.get("HX-History-Restore-Request") != "true"


def theme() -> Theme:
    """What this browser chose."""
    chosen = request.cookies.get(THEME_COOKIE, "system")
    return next((known for known in THEMES if known == chosen), "system")


def _said() -> list[tuple[str, str]]:
    text = request.cookies.get(SAID_COOKIE)
    if not text:
        return []
    try:
        found = orjson.loads(unquote(text))
        return [(str(kind), str(sentence)[:LONGEST_SAID]) for kind, sentence in found]
    except (ValueError, TypeError):
        return []
