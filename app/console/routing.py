"""One table of routes, and the way from a request to a handler. Nobody passes it by another way.

    request ─▶ visit? ─no─▶ the sign-in page (GET), 401 (else)
                 └─▶ role or link suffices? ─no─▶ 403
                       └─▶ POST: from our own page, with its token? ─no─▶ 403 ─▶ handler

An open route is for whoever is not in yet; its forms carry a token of a cookie of their own.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal
from urllib.parse import quote, urlsplit

import sqlalchemy as sa
from flask import Blueprint, Response, g, request
from werkzeug.exceptions import HTTPException

from app.console import proof
from app.console.desk import Desk
from app.console.reach import demand_origins
from app.console.rendering import HEADERS, Refused, is_fragment, page
from app.console.visit import Visit, cookie_name, csrf_of, door_cookie_name, is_csrf, visit_of
from app.identity.console_roles import TITLES, ConsoleRole
from app.identity.writes import BusyError
from app.settings import SettingsError
from app.store.engine import reading
from app.store.tenants import NotFoundError
from sso import cookies

Handler = Callable[..., Response]
Needs = ConsoleRole | Literal["open"]

SIGN_IN: Final = "/admin/sign-in"
NOT_OURS: Final = "This form did not come from a page of this session. Go back, reload the page and send it again."
BUSY: Final = "Others are changing the same things at this moment. Nothing was changed; please try again."
NOWHERE: Final = "There is nothing at this address, or it belongs to another organisation."
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Route:
    """`handler` is called with the desk, the visit (None possible where `needs` is open), and the path's parts by name.

    `link` names the purposes of set-up links whose holders may come too; the handler sees to their one connection or
    source. What is `grave` asks whoever showed no credential lately to show one again first. What decides who people
    are (`origins`) can make anybody of anybody: it needs the highest place that a role of the learning platform opens.
    """

    method: Literal["GET", "POST"]
    rule: str
    handler: Handler
    needs: Needs = "auditor"
    link: tuple[str, ...] = ()
    grave: bool = False
    origins: bool = False


@dataclass(frozen=True, slots=True)
class Section:
    """An entry of the navigation. `icon` is a name among the vendored ones."""

    name: str
    title: str
    icon: str
    href: str
    order: int
    needs: ConsoleRole = "auditor"
    active: bool = False


def add(blueprint: Blueprint, desk: Desk, routes: Iterable[Route], sections: Sequence[Section]) -> None:
    """Register the routes, and what becomes of everything that goes wrong."""
    listed = sorted(sections, key=lambda section: section.order)
    for route in routes:
        endpoint = f"{route.method} {route.rule}".replace(".", "_")
        view = _guarded(route, desk, listed)
        blueprint.add_url_rule(route.rule, endpoint, view, methods=[route.method], provide_automatic_options=False)
    for rule in ("/admin/<path:rest>",):
        blueprint.add_url_rule(rule, f"unknown {rule}", _unknown, methods=["GET", "POST"])
    _handle_errors(blueprint)


def _guarded(route: Route, desk: Desk, sections: Sequence[Section]) -> Handler:
    def view(**parts: object) -> Response:
        path = {name: str(part) for name, part in parts.items()}  # <uuid:id> comes as an object
        g.public_url = desk.public_url
        # Pages that look for news send no more than htmx's GETs: left open, they must not keep a session going.
        by_itself = request.method == "GET" and is_fragment()
        visit = visit_of(desk.engine, request.cookies.get(cookie_name(desk.public_url)), by_itself=by_itself)
        g.visit = visit
        g.door = _door(desk)
        if route.needs == "open":
            return _open(route, desk, visit, path)
        if visit is None:
            return _sent_to_sign_in()
        g.sections = _shown(sections, visit)
        _demand_role(route, visit)
        if route.method == "POST":
            _demand_own_form(request.cookies.get(cookie_name(desk.public_url), ""))
        if route.origins and visit.link is None:  # whoever made the link had to reach as far
            with reading(desk.engine) as conn:
                demand_origins(conn, visit)
        if route.grave and not proof.is_fresh(visit, desk.now()):
            return proof.first()
        return route.handler(desk, visit, **path)

    return view


def _open(route: Route, desk: Desk, visit: Visit | None, path: dict[str, str]) -> Response:
    name, door = door_cookie_name(desk.public_url), g.door
    g.door_csrf = csrf_of(door)
    if route.method == "POST":
        # Whoever is in has pages whose forms carry the session's token.
        _demand_own_form(request.cookies.get(cookie_name(desk.public_url), "") if visit else door)
    answer = route.handler(desk, visit, **path)
    if door != request.cookies.get(name):
        answer.set_cookie(
            name, door, httponly=True, samesite="Lax", secure=cookies.is_secure(desk.public_url), path="/"
        )
    return answer


def _door(desk: Desk) -> str:
    """The browser's own secret, in or not."""
    held = request.cookies.get(door_cookie_name(desk.public_url))
    return held if held is not None and cookies.is_value(held) else cookies.new_value()


def _demand_role(route: Route, visit: Visit) -> None:
    assert route.needs != "open"
    if visit.link is not None:
        if visit.link.purpose not in route.link:
            raise Refused(403, "Your set-up link does not lead here. It is for one connection alone.", "Not for you")
    elif not visit.may(route.needs):
        raise Refused(
            403,
            f"This is for the role {TITLES[route.needs]} and above; yours is {TITLES[visit.role or '']}. "
            "Ask an owner of this organisation.",
            "Not for your role",
        )


def _demand_own_form(secret: str) -> None:
    """Both what the browser says of where the form came from, and the token that only our pages hold."""
    origin, site = request.headers.get("Origin"), request.headers.get("Sec-Fetch-Site")
    if origin is not None and urlsplit(origin).netloc != request.host:
        raise Refused(403, NOT_OURS)
    if site is not None and site != "same-origin":
        raise Refused(403, NOT_OURS)
    token = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    if not secret or not is_csrf(secret, token):
        raise Refused(403, NOT_OURS)


def _sent_to_sign_in() -> Response:
    if request.method != "GET":
        return page("refused.html", 401, title="You are not signed in", sentence="Your session is over. Sign in again.")
    to = f"{SIGN_IN}?to={quote(request.full_path.rstrip('?'), safe='')}"
    if request.headers.get("HX-Request") == "true":  # a piece of a page: the whole page must go
        return Response(status=401, headers={**HEADERS, "HX-Redirect": to})
    return Response(status=303, headers={**HEADERS, "Location": to})


def _shown(sections: Sequence[Section], visit: Visit) -> list[Section]:
    """What the visitor may open; the one that they are in is active."""
    mine = [one for one in sections if visit.link is None and visit.may(one.needs)]
    here = [one for one in mine if request.path == one.href or _is_below(request.path, one)]
    best = max(here, key=lambda one: len(one.href), default=None)
    return [replace(one, active=one is best) for one in mine]


def _is_below(path: str, section: Section) -> bool:
    """Everything lies below the overview's address; only the page itself is in that section."""
    return section.href != "/admin" and path.startswith(f"{section.href}/")


def _unknown(rest: str) -> Response:
    raise Refused(404, NOWHERE, "Nothing here")


def _handle_errors(blueprint: Blueprint) -> None:
    def refused(error: Refused) -> Response:
        return page("refused.html", error.status, title=error.title, sentence=error.sentence)

    def http(error: HTTPException) -> Response:
        return page("refused.html", error.code or 500, title=error.name, sentence=error.description or "")

    def unforeseen(error: Exception) -> Response:
        log.error("the console failed", exc_info=error)
        sentence = (
            f"Something went wrong here; nothing was saved. Tell whoever runs Rollcall this number: {g.request_id}."
        )
        return page("refused.html", 500, title="That went wrong", sentence=sentence)

    def answering(status: int, title: str, sentence: str) -> Callable[[Exception], Response]:
        return lambda _error: page("refused.html", status, title=title, sentence=sentence)

    blueprint.register_error_handler(Refused, refused)
    blueprint.register_error_handler(HTTPException, http)
    blueprint.register_error_handler(Exception, unforeseen)
    blueprint.register_error_handler(NotFoundError, answering(404, "Nothing here", NOWHERE))
    blueprint.register_error_handler(
        SettingsError, lambda error: page("refused.html", 503, title="Not set up", sentence=str(error))
    )
    sentence = "Something in the address or the form is no text or number that can be kept. Nothing was changed."
    blueprint.register_error_handler(sa.exc.DataError, answering(422, "That cannot be read", sentence))
    for kind in (BusyError, sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError):
        blueprint.register_error_handler(kind, answering(503, "Please try again", BUSY))
