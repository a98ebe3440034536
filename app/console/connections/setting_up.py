"""The beginning of a set-up: which provider, by which protocol, and what is to be done there."""

from __future__ import annotations

from typing import Final

from flask import Response, redirect

from app.adapters import setting_up
from app.adapters.understanding import sentence
from app.console.connections import guides
from app.console.connections.place import BASE, LINK, Place, place_of, tabs, way
from app.console.desk import Desk
from app.console.rendering import Refused, back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from sso import metadata
from sso.connections import Addresses, Connection, Saml


def choose(_desk: Desk, _visit: Visit) -> Response:
    return page("connections/new.html", vendors=guides.vendors().values(), kinds=guides.KIND_TITLES)


def begin(desk: Desk, visit: Visit) -> Response:
    vendor, kind = guides.vendors().get(field("vendor")), field("kind")
    if vendor is None or kind not in vendor.guides:
        raise Refused(422, "Choose a provider and a protocol.")
    title = vendor.title if vendor.key != guides.OTHER else visit.tenant_name.capitalize()
    try:
        id = setting_up.begin(
            desk.engine,
            desk.vault,
            desk.public_url,
            visit.tenant_id,
            kind,
            vendor.key,
            vendor.name,
            title,
            visit.actor,
        )
    except ValueError as error:
        raise Refused(409, sentence(str(error))) from None
    return back(f"{BASE}/{id}/guide")


def guide(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    return page("connections/guide.html", place=place, way=way(place, visit, "guide"), tabs=tabs(place, visit, "guide"))


def our_metadata(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """The same document as at its public address, as a file: for providers that cannot reach it."""
    place = place_of(desk, visit, connection_id)
    if place.kind != "saml":
        raise Refused(404, "OpenID Connect has no such document.")
    keys = desk.connections.saml_keys()
    document = metadata.ours(Addresses(desk.public_url, place.id), keys, _to_publish(desk, place), desk.now())
    answer = Response(document, mimetype="application/samlmetadata+xml")
    answer.headers["Content-Disposition"] = f'attachment; filename="rollcall-{place.name}.xml"'
    answer.headers["Cache-Control"] = "no-store"
    return answer


def discard(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    if place.stored is not None or place.setup is None:
        raise Refused(409, "It is a connection by now: remove it on its own page.")
    setting_up.discard(desk.engine, place.setup, visit.actor)
    return back(BASE, f"The set-up of {place.title} is discarded.")


def _to_publish(desk: Desk, place: Place) -> Connection:
    found = desk.connections.find(place.id) if place.stored else None
    return found or Connection(place.id, "", place.name, place.title, "", Saml("", "", ()), enabled=False)


def to_guide(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """The address of a set-up as it is remembered: to where it was left."""
    place = place_of(desk, visit, connection_id)
    answer = redirect(f"{place.href}/{'provider' if place.setup and place.setup.said else 'guide'}", 303, Response)
    assert isinstance(answer, Response)
    return answer


ROUTES: Final = (
    Route("GET", f"{BASE}/new", choose, needs="admin"),
    Route("POST", f"{BASE}/new", begin, needs="admin"),
    Route("GET", f"{BASE}/<connection_id>/guide", guide, link=LINK),
    Route("GET", f"{BASE}/<connection_id>/metadata.xml", our_metadata, link=LINK),
    Route("GET", f"{BASE}/<connection_id>/set-up", to_guide, link=LINK),
    Route("POST", f"{BASE}/<connection_id>/discard", discard, needs="admin"),
)
