"""The one connection that an address names, made or still being set up, for whoever may see it.

id ─▶ a UUID? ─▶ the set-up link's own? ─▶ the tenant's? ─▶ Place          else: nothing here (404)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.adapters.connection_view import addresses
from app.console.connections import guides
from app.console.connections.guides import Guide, Vendor
from app.console.desk import Desk
from app.console.rendering import Refused
from app.console.visit import Visit
from app.store import connection_setups, connections
from app.store.connection_setups import Setup
from app.store.connections import Stored
from app.store.engine import reading

BASE: Final = "/admin/sign-in-connections"
LINK: Final = ("connection",)  # purposes of set-up links whose holders may come too
LABELS: Final[Mapping[str, str]] = {
    "entity_id": "Entity ID (audience, identifier)",
    "acs_url": "ACS URL (reply URL)",
    "slo_url": "Single logout URL",
    "metadata_url": "Our metadata",
    "redirect_uri": "Redirect URI (callback)",
    "post_logout_redirect_uri": "Post-logout redirect URI",
    "backchannel_logout_uri": "Back-channel logout URI",
    "frontchannel_logout_uri": "Front-channel logout URI",
    "sign_in_url": "Begins a sign-in (bookmark, tile)",
}
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_SPECIAL: Final = re.compile(r"([./?+*()])")
_STEPS: Final = (
    ("guide", "At {vendor}", False),
    ("provider", "What {vendor} says", False),
    ("people", "Who gets in", True),
    ("claims", "Attributes", False),
    ("test", "Test", False),
    ("switch", "Switch on", False),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A connection as the pages need it. `stored` is None while it is being set up; one of both is there."""

    id: str
    stored: Stored | None
    setup: Setup | None
    vendor: Vendor
    guide: Guide
    public_url: str

    @property
    def kind(self) -> str:
        return self._one.kind

    @property
    def name(self) -> str:
        return self._one.name

    @property
    def title(self) -> str:
        return self._one.title

    @property
    def href(self) -> str:
        return f"{BASE}/{self.id}"

    @property
    def enabled(self) -> bool:
        return self.stored is not None and self.stored.enabled

    @property
    def values(self) -> Mapping[str, str]:
        """What the provider must know of us, by name."""
        told = addresses(self.public_url, self._one.tenant_name, self.name, self.kind, self.id)
        if "acs_url" in told:  # some want a regular expression that the address must fit
            told["acs_pattern"] = "^" + _SPECIAL.sub(r"\\\1", told["acs_url"]) + "$"
        return told

    @property
    def told(self) -> list[tuple[str, str]]:
        """The same for people: what it is called, and the value."""
        return [(LABELS[name], value) for name, value in self.values.items() if name in LABELS]

    @property
    def _one(self) -> Stored | Setup:
        one = self.stored or self.setup
        assert one is not None
        return one


def place_of(desk: Desk, visit: Visit, id: str) -> Place:
    """The connection of that id.

    Raises:
        Refused: 404, there is none of the visitor's, or their set-up link is for another one.
    """
    mine = visit.link is None or visit.link.connection_id == id
    if not mine or not _UUID.fullmatch(id):
        raise _nothing()
    with reading(desk.engine) as conn:
        stored = connections.find(conn, id)
        setup = connection_setups.find(conn, visit.tenant_id, id)
    if stored is not None and stored.tenant_id != visit.tenant_id:
        raise _nothing()
    one = stored or setup
    if one is None or (stored is None and setup is not None and setup.made_at is not None):
        raise _nothing()
    vendor, guide = guides.guide(setup.vendor if setup else guides.OTHER, one.kind)
    return Place(id, stored, setup, vendor, guide, desk.public_url)


def made(place: Place) -> Stored:
    """The connection, which must be there by now.

    Raises:
        Refused: 409, it is still being set up.
    """
    if place.stored is None:
        raise Refused(409, f"First enter what {place.vendor.called} says of itself: until then there is no connection.")
    return place.stored


def way(place: Place, visit: Visit, now: str) -> list[tuple[str, str, str]]:
    """The steps of setting it up, for the page called `now`. What decides about people is not the link holder's."""
    open_steps = [step for step in _STEPS if not (step[2] and visit.link is not None)]
    here = [name for name, _, _ in open_steps].index(now)
    found = [] if visit.link else [("Provider", f"{BASE}/new" if place.stored is None else "", "done")]
    for number, (name, title, _) in enumerate(open_steps):
        reachable = place.stored is not None or name in ("guide", "provider")
        state = "now" if number == here else "done" if number < here else "later"
        found.append((title.format(vendor=place.vendor.called), f"{place.href}/{name}" if reachable else "", state))
    return found


def tabs(place: Place, visit: Visit, now: str) -> list[tuple[str, str, bool]]:
    """The pages of a connection that is on."""
    entries = [
        ("Overview", ""),
        (f"At {place.vendor.called}", "/guide"),
        ("Provider", "/provider"),
        ("Who gets in", "/people"),
        ("Attributes", "/claims"),
        ("Test", "/test"),
        ("Checks", "/checks"),
    ]
    if visit.link is not None:
        entries = [entry for entry in entries if entry[1] not in ("/people", "/checks")]
    return [(title, f"{place.href}{path}", path == (f"/{now}" if now else "")) for title, path in entries]


def section_tabs(now: str) -> list[tuple[str, str, bool]]:
    """The pages of the section."""
    entries = (
        ("Connections", BASE),
        ("Sign-in log", f"{BASE}/log"),
        ("Reasons", f"{BASE}/reasons"),
        ("Learning platforms", f"{BASE}/platforms"),
    )
    return [(title, href, href == now) for title, href in entries]


def _nothing() -> Refused:
    return Refused(404, "There is no such connection, or it belongs to another organisation.", "Nothing here")
