"""Set-up links: made for a customer's IT, listed, taken back."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Response

from app.adapters import set_up_links
from app.adapters.administering import Doer, NotDoneError
from app.adapters.set_up_links import DAYS, MOST_DAYS
from app.console.desk import Desk
from app.console.links_in import landing
from app.console.rendering import Refused, arg, back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from app.store import console_links
from app.store.engine import reading

HOME: Final = "/admin/set-up-links"
SHOWN: Final = 50
STATES: Final = {
    "open": ("Not opened yet", "info"),
    "used": ("Opened", "success"),
    "revoked": ("Taken back", "neutral"),
    "expired": ("Over", "neutral"),
}


def show(desk: Desk, visit: Visit, status: int = 200, **values: object) -> Response:
    """The list, and the form that makes one; `?for=` chooses what it is for."""
    before = arg("before")
    with reading(desk.engine) as conn:
        found = console_links.listing(conn, visit.tenant_id, _uuid(before), SHOWN + 1)
    return page(
        "set_up_links/list.html",
        status,
        found=found[:SHOWN],
        next=found[SHOWN - 1].id if len(found) > SHOWN else "",
        before=before,
        states=STATES,
        landing=landing,
        targets=[
            (f"{one.purpose} {one.id}", f"{'Sign-in' if one.purpose == 'connection' else 'Provisioning'}: {one.title}")
            for one in set_up_links.targets(desk.engine, visit.tenant_id)
        ],
        chosen=arg("for"),
        days=DAYS,
        most_days=MOST_DAYS,
        home=HOME,
        **values,
    )


def make(desk: Desk, visit: Visit) -> Response:
    """A link; its address is shown in this answer only."""
    said = {name: field(name) for name in ("target", "note", "days")}
    purpose, _, target_id = said["target"].partition(" ")
    days = int(said["days"]) if said["days"].isascii() and said["days"].isdecimal() and len(said["days"]) < 4 else 0
    try:
        target, link = set_up_links.make(
            desk.engine, visit.tenant_id, purpose, target_id, said["note"], days, _doer(visit)
        )
    except NotDoneError as error:
        return show(desk, visit, 422, form=said, errors={error.field: str(error)})
    address = f"{desk.public_url}/admin/set-up/{link.secret}"
    return page("set_up_links/link.html", target=target, link=link, note=said["note"], address=address, home=HOME)


def revoke(desk: Desk, visit: Visit, id: UUID) -> Response:
    """Whoever came in by it is out."""
    if not set_up_links.revoke(desk.engine, visit.tenant_id, str(id), _doer(visit)):
        raise Refused(404, "There is no such link, or it was taken back already.", "Nothing here")
    return back(HOME, "The link is taken back; whoever came in by it is out.")


def _doer(visit: Visit) -> Doer:
    assert visit.role is not None
    return Doer(visit.actor, visit.role)


def _uuid(text: str) -> str | None:
    try:
        return str(UUID(text))
    except ValueError:
        return None


ROUTES: Final = (
    Route("GET", HOME, show),
    Route("POST", HOME, make, "admin", grave=True, origins=True),
    Route("POST", f"{HOME}/<uuid:id>/revoke", revoke, "admin"),
)
