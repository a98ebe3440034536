"""Which attribute or claim says what. Most providers' usual names are known, so that nothing has to be said."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Final

from flask import Response

from app.adapters import connecting
from app.adapters.connecting import Change
from app.adapters.connection_schemas import BadConnectionError
from app.adapters.understanding import sentence
from app.console.connections.place import BASE, LINK, Place, made, place_of, tabs, way
from app.console.desk import Desk
from app.console.rendering import back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from app.store import sign_in_tests
from app.store.engine import reading
from sso.claim_names import USUAL
from sso.connections import ClaimMap
from sso.reports import NAME_ID

# What each is for, in the order in which they matter.
MEANINGS: Final[Mapping[str, tuple[str, str]]] = {
    "subject": (
        "Lasting name",
        "By this a person is found again. Empty: the NameID, or sub. Change it only before use.",
    ),
    "user_name": ("User name", "What the paired SCIM source knows the person by: their userName there."),
    "email": ("Work address", "Finds a person where the source may speak for the address's domain."),
    "given_name": ("Given name", ""),
    "family_name": ("Family name", ""),
    "display_name": ("Display name", ""),
    "employee_number": ("Employee number", "Finds a person before any address does."),
    "groups": ("Groups", "Each value is a group; mappings give roles to groups. None sent: nothing changes."),
}
_FIELDS: Final = tuple(one.name for one in fields(ClaimMap))


def show(desk: Desk, visit: Visit, connection_id: str) -> Response:
    return _page(desk, visit, place_of(desk, visit, connection_id))


def save(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    said: dict[str, Any] = {name: _names(field(name)) or None for name in _FIELDS}
    onward = f"{place.href}/claims" if place.enabled else f"{place.href}/test"
    if {name: value for name, value in said.items() if value} == dict(stored.claims):
        return back(onward, "Nothing changed.")
    try:
        change = Change(claims=said)
        connecting.change(desk.engine, desk.vault, visit.tenant_id, stored.name, change, visit.actor)
    except BadConnectionError as error:
        name, _, text = str(error).partition(": ")
        return _page(desk, visit, place, {name: sentence(text or name)})
    return back(onward, "Saved.")


def _names(text: str) -> list[str]:
    """One name a line, or separated by commas: the first that is there wins."""
    return [name for line in text.replace(",", "\n").splitlines() if (name := line.strip())]


def _page(desk: Desk, visit: Visit, place: Place, errors: Mapping[str, str] | None = None) -> Response:
    stored = made(place)
    with reading(desk.engine) as conn:
        latest = sign_in_tests.latest(conn, visit.tenant_id, place.id, visit.session.id)
    usual = USUAL["saml" if place.kind == "saml" else "oidc"]
    said = latest.report["said"] if latest else ()
    return page(
        "connections/claims.html",
        422 if errors else 200,
        place=place,
        way=way(place, visit, "claims"),
        tabs=tabs(place, visit, "claims"),
        errors=errors or {},
        meanings=MEANINGS,
        values={name: field(name) if errors else ", ".join(stored.claims.get(name, ())) for name in _FIELDS},
        usual={name: usual.get(name, ()) for name in _FIELDS},
        seen=[one["name"] for one in said if one["name"] != NAME_ID],
        tested=latest,
    )


ROUTES: Final = (
    Route("GET", f"{BASE}/<connection_id>/claims", show, needs="admin", link=LINK),
    Route("POST", f"{BASE}/<connection_id>/claims", save, needs="admin", link=LINK, origins=True),
)
