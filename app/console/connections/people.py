"""Who gets in by a connection: its title, its domains, what becomes of strangers, and the SCIM source beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, cast, get_args

from flask import Response

from app.adapters import connecting
from app.adapters.connecting import Change
from app.adapters.connection_schemas import BadConnectionError
from app.adapters.understanding import sentence
from app.console.connections.place import BASE, Place, made, place_of, tabs, way
from app.console.desk import Desk
from app.console.rendering import Refused, back, field, page
from app.console.routing import Route
from app.console.scim_vendors import of_system
from app.console.visit import Visit
from app.identity.model import SourceKind
from app.store import tenants
from app.store.engine import reading
from app.store.tenants import SourceRow
from sso.connections import Arrival

ARRIVALS: Final = (
    (
        "link",
        "Let in only people who are here already",
        "By SCIM, HR or an import. Anybody else is refused, with a sentence that says whom to ask.",
    ),
    (
        "create",
        "Make an account at the first sign-in",
        "Whoever the provider lets through has an account from then on. Nobody who was deactivated comes back by it.",
    ),
)
_FIELDS: Final = ("title", "domains")


def show(desk: Desk, visit: Visit, connection_id: str) -> Response:
    return _page(desk, visit, place_of(desk, visit, connection_id))


def save(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored, arrival = made(place), field("arrival")
    if arrival not in get_args(Arrival):
        raise Refused(422, "Choose what becomes of people who are not here yet.")
    domains = field("domains").replace(",", " ").split()
    wanted = Change(title=field("title"), domains=domains, arrival=cast(Arrival, arrival), paired=field("paired") or "")
    if not _differs(desk, place, wanted):
        return _onward(place, "Nothing changed.")
    try:
        connecting.change(desk.engine, desk.vault, visit.tenant_id, stored.name, wanted, visit.actor)
    except BadConnectionError as error:
        said = sentence(str(error))
        at = "title" if said.startswith("Title") else "domains" if "domain" in said else "paired"
        return _page(desk, visit, place, {at: said})
    return _onward(place, "Saved.")


def _onward(place: Place, said: str) -> Response:
    return back(f"{place.href}/people" if place.enabled else f"{place.href}/claims", said)


def _differs(desk: Desk, place: Place, wanted: Change) -> bool:
    """A save that changes nothing would derive everybody again for nothing."""
    stored = made(place)
    with reading(desk.engine) as conn:
        names = {source.id: source.name for source in tenants.sources(conn, stored.tenant_id)}
    paired = names.get(stored.source_settings.get("paired_source_id") or "", "")
    before = (stored.title, list(stored.domains), stored.source_settings.get("arrival", "link"), paired)
    return before != (wanted.title, list(wanted.domains or ()), wanted.arrival, wanted.paired)


def _page(desk: Desk, visit: Visit, place: Place, errors: Mapping[str, str] | None = None) -> Response:
    stored = made(place)
    with reading(desk.engine) as conn:
        sources = tenants.sources(conn, visit.tenant_id)
    idps = [one for one in sources if one.kind == SourceKind.IDP and one.state != "retired"]
    paired = next((one.name for one in sources if one.id == stored.source_settings.get("paired_source_id")), "")
    if not paired and not place.enabled:
        paired = _likely(place, idps)
    return page(
        "connections/people.html",
        422 if errors else 200,
        place=place,
        way=way(place, visit, "people"),
        tabs=tabs(place, visit, "people"),
        errors=errors or {},
        title_value=field("title") if errors else stored.title,
        domains=field("domains") if errors else " ".join(stored.domains),
        arrival=field("arrival") if errors else stored.source_settings.get("arrival", "link"),
        arrivals=ARRIVALS,
        paired=field("paired") if errors else paired,
        sources=[("", "None"), *((one.name, one.name) for one in idps)],
    )


def _likely(place: Place, idps: Sequence[SourceRow]) -> str:
    """The one SCIM source of the provider that is being set up, if there is exactly one."""
    same = [one.name for one in idps if of_system(one.system).title == place.vendor.title]
    return same[0] if len(same) == 1 else ""


ROUTES: Final = (
    Route("GET", f"{BASE}/<connection_id>/people", show, needs="admin"),
    Route("POST", f"{BASE}/<connection_id>/people", save, needs="admin", origins=True),
)
