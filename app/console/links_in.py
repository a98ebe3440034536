"""Addresses that let somebody in once: an invitation, and a set-up link for a customer's IT.

GET shows what the address leads to and changes nothing, since mail scanners open what they find; the button uses it up.
"""

from __future__ import annotations

from typing import Final

from flask import Response

from app.adapters import coming_in
from app.console import entering
from app.console.desk import Desk
from app.console.rendering import Refused, page
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.console_roles import SENTENCES, TITLES
from app.store import console_links
from app.store.console_links import Link
from app.store.engine import reading

WAY_BACK: Final = "/admin/access/way-back"
OVER: Final = {
    "used": "It was used already, and works once.",
    "revoked": "It was taken back, or a newer one took its place.",
    "expired": "Its time is over.",
}
NEW_INVITATION: Final = (
    "If you set up a way to come in again, sign in. Otherwise ask whoever invited you for a new one: an owner makes it "
    "in the console, or whoever runs the server by `rollcall admin invite`."
)
NEW_SET_UP: Final = "If it was you who opened it, go on in that browser. Otherwise ask whoever sent it for a new one."


def invitation(desk: Desk, visit: Visit | None, token: str) -> Response:
    """Who invites to what."""
    link = _link(desk, token, invited=True)
    if link.state != "open":
        return _over(link, "This invitation does not work any more", NEW_INVITATION)
    role = link.role or ""
    return page(
        "ways_in/invitation.html",
        token=token,
        link=link,
        title_of_role=TITLES.get(role, ""),
        sentence=SENTENCES.get(role, ""),
        signed_in_as=visit.name if visit else "",
    )


def accept(desk: Desk, visit: Visit | None, token: str) -> Response:
    """Use it up, and come in."""
    entering.in_pace(desk, "link")
    link = _link(desk, token, invited=True)
    begun = coming_in.by_invitation(desk.engine, link, entering.visitor())
    if begun is None:
        return invitation(desk, visit, token)
    return entering.entered(desk, visit, begun, WAY_BACK)


def set_up(desk: Desk, visit: Visit | None, token: str) -> Response:
    """What is to be set up, for whom."""
    link = _link(desk, token, invited=False)
    inside = visit is not None and visit.link is not None and visit.link.id == link.id
    if link.state != "open" and not inside:
        return _over(link, "This set-up link does not work any more", NEW_SET_UP)
    return page("ways_in/set_up.html", token=token, link=link, inside=inside, onward=landing(link))


def open_set_up(desk: Desk, visit: Visit | None, token: str) -> Response:
    """Use it up, and come in for that one thing."""
    entering.in_pace(desk, "link")
    link = _link(desk, token, invited=False)
    begun = coming_in.by_set_up_link(desk.engine, link, entering.visitor())
    if begun is None:
        return set_up(desk, visit, token)
    return entering.entered(desk, visit, begun, landing(link))


def landing(link: Link) -> str:
    """Where the holder of a set-up link works."""
    if link.purpose == "connection":
        return f"/admin/sign-in-connections/{link.connection_id}"
    return f"/admin/provisioning/{link.source_id}/set-up"


def _link(desk: Desk, token: str, *, invited: bool) -> Link:
    with reading(desk.engine) as conn:
        found = console_links.find(conn, token)
    if found is None or (found.purpose == "invitation") != invited:
        raise Refused(
            404,
            "This address is not complete, or there never was one like it. Copy all of it from where you got it.",
            "Nothing here",
        )
    return found


def _over(link: Link, title: str, remedy: str) -> Response:
    return page("ways_in/over.html", 410, title=title, why=OVER.get(link.state, ""), remedy=remedy)


ROUTES: Final = (
    Route("GET", "/admin/invitation/<token>", invitation, "open"),
    Route("POST", "/admin/invitation/<token>", accept, "open"),
    Route("GET", "/admin/set-up/<token>", set_up, "open"),
    Route("POST", "/admin/set-up/<token>", open_set_up, "open"),
)
