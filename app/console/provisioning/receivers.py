"""Receivers of SCIM events: who hears of changes, how far each is, why one failed."""

from __future__ import annotations

from typing import Any, Final

from flask import Response

from app.console.desk import Desk
from app.console.provisioning import own
from app.console.provisioning.own import HOME
from app.console.rendering import back, field, fields, page
from app.console.routing import Route
from app.console.visit import Visit
from app.events import receivers as registering
from app.events.receivers import Registration
from app.outbound import OutboundError
from app.store import receivers as store
from app.store import tenants
from app.store.engine import reading
from scim import events

HERE: Final = f"{HOME}/receivers"
TITLES: Final = {
    events.CREATE: "A resource was created",
    events.PUT: "A resource was replaced",
    events.PATCH: "A resource was changed",
    events.DELETE: "A resource was deleted",
    events.ACTIVATE: "A user became active",
    events.DEACTIVATE: "A user became inactive",
    events.ASYNC: "An asynchronous request was carried out",
}
JOB: Final = "deliver"


def show(desk: Desk, visit: Visit) -> Response:
    """All receivers, and a form for a new one."""
    return _page(desk, visit)


def add(desk: Desk, visit: Visit) -> Response:
    """Register one; it hears what happens from now on."""
    said = {name: field(name) for name in ("url", "audience", "source", "token")}
    chosen = [one for one in fields("events") if one]
    errors = {}
    if not said["url"]:
        errors["url"] = "Where are events to be posted? An https address."
    if not said["audience"]:
        errors["audience"] = "What the receiver expects in aud; ask whoever runs it."
    if errors:
        return _page(desk, visit, 422, errors=errors, given=said, chosen=chosen)
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, said["source"]).id if said["source"] else None
    registration = Registration(
        said["url"], said["audience"], source, chosen, said["token"] or None, field("external_id") == "yes"
    )
    way = registering.way_out(desk.settings)
    try:
        registering.register(desk.engine, desk.vault(), way, visit.tenant_id, registration, actor=visit.actor)
    except (ValueError, OutboundError) as error:
        place = "url" if isinstance(error, OutboundError) else "audience" if "audience" in str(error) else "token"
        said_so = f"{str(error)[:1].upper()}{str(error)[1:]}."
        return _page(desk, visit, 422, errors={place: said_so}, given=said, chosen=chosen)
    return back(HERE, "The receiver is registered. It hears what happens from now on.")


def remove(desk: Desk, visit: Visit, receiver_id: str) -> Response:
    """It hears nothing more."""
    registering.remove(desk.engine, visit.tenant_id, own.an_id(receiver_id), actor=visit.actor)
    return back(HERE, "The receiver is removed. What it had not heard yet is not sent.")


def retry(desk: Desk, visit: Visit, receiver_id: str) -> Response:
    """Try a failing one now."""
    registering.try_now(desk.engine, visit.tenant_id, own.an_id(receiver_id), actor=visit.actor)
    desk.wake(JOB)
    return back(HERE, "It is tried now; what came of it shows here in a moment.")


def _page(desk: Desk, visit: Visit, status: int = 200, **values: Any) -> Response:
    with reading(desk.engine) as conn:
        found = store.listing(conn, visit.tenant_id)
        sources = [one for one in tenants.sources(conn, visit.tenant_id) if one.kind != "login"]
    shown: dict[str, Any] = {"errors": {}, "given": {}, "chosen": (), **values}
    return page(
        "provisioning/receivers.html",
        status,
        found=found,
        sources=[("", "All sources"), *((one.id, one.name) for one in sources)],
        names=[(uri.removeprefix(events.PREFIX), TITLES[uri]) for uri in events.URIS],
        jwks=f"{desk.public_url}/.well-known/jwks.json",
        issuer=desk.public_url,
        prefix=events.PREFIX,
        **shown,
    )


ROUTES: Final = (
    Route("GET", HERE, show),
    Route("POST", HERE, add, "admin"),
    Route("POST", f"{HERE}/<receiver_id>/remove", remove, "admin"),
    Route("POST", f"{HERE}/<receiver_id>/retry", retry, "admin"),
)
