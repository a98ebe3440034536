"""Duplicates: who may be one person, side by side with the evidence, for whoever decides."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from flask import Response

from app import duplicates as inbox
from app.console.desk import Desk
from app.console.rendering import arg, back, field, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.identity.merging_guards import NotMergedError
from app.store.duplicates import Place

SECTION: Final = Section("duplicates", "Duplicates", "users-group", "/admin/duplicates", 70)
HERE: Final = "/admin/duplicates"


def listing(desk: Desk, visit: Visit) -> Response:
    """The pairs that wait, or those that are decided."""
    decided = arg("state") == "decided"
    found = inbox.page(desk.engine, visit.tenant_id, behind=_place(arg("after"), decided), decided=decided)
    state = "?state=decided" if decided else "?state=open"
    return page(
        "duplicates/list.html",
        title="Duplicates",
        pairs=found.pairs,
        decided=decided,
        waiting=inbox.waiting(desk.engine, visit.tenant_id),
        next=f"{HERE}{state}&after={_text(found.next)}" if found.next else "",
        first=f"{HERE}{state}" if arg("after") else "",
    )


def show(desk: Desk, visit: Visit, doubt_id: str) -> Response:
    """All pairs of one doubt, side by side."""
    pairs = inbox.show(desk.engine, visit.tenant_id, doubt_id)
    return page("duplicates/show.html", title="One person, or two?", pairs=pairs)


def tell_apart(desk: Desk, visit: Visit) -> Response:
    """They are two people."""
    one, other, to = field("one"), field("other"), HERE
    try:
        inbox.tell_apart(desk.engine, visit.tenant_id, one, other, actor=visit.actor, reason=field("reason"))
    except NotMergedError as error:
        return back(to, str(error), "danger")
    return back(to, "Two people. The pair is not asked about again, and what they share leads to neither of them.")


def _place(text: str, decided: bool) -> Place | None:
    at, _, ids = text.partition("~")
    try:
        id, other = (str(UUID(one)) for one in ids.split("~"))
        return Place(datetime.fromisoformat(at), id, other, decided)
    except ValueError:
        return None


def _text(place: Place) -> str:
    return f"{place.at.isoformat().replace('+00:00', 'Z')}~{place.id}~{place.other}"


ROUTES: Final = (
    Route("GET", HERE, listing),
    Route("GET", f"{HERE}/<uuid:doubt_id>", show),
    Route("POST", f"{HERE}/apart", tell_apart, "admin"),
)
