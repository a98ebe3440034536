"""One connection: how it is set and how it fares, and what is done to it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from flask import Response

from app.adapters import connecting, connection_checks
from app.adapters.connecting import Change
from app.adapters.connection_schemas import BadConnectionError
from app.adapters.connection_view import described
from app.adapters.metadata_refresh import MetadataRefresh
from app.adapters.understanding import sentence
from app.console.connections.listing import DAY
from app.console.connections.place import BASE, LINK, Place, made, place_of, tabs, way
from app.console.connections.settings import SETTINGS, changed, shown
from app.console.desk import Desk
from app.console.phrases import many
from app.console.rendering import Refused, back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from app.outbound import way_out
from app.store import connection_setups, saml_keys, sign_in_log, sign_in_tests, tenants
from app.store.connections import Stored
from app.store.engine import reading, writing
from sso import certificates

RECENT: Final = 10
KEY_WARNED: Final = timedelta(days=90)


def show(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    if place.stored is None:
        return back(f"{place.href}/set-up")
    if visit.link is not None:
        return _for_link(desk, visit, place)
    stored, now = place.stored, desk.now()
    with reading(desk.engine) as conn:
        lately = sign_in_log.lately(conn, visit.tenant_id, [stored.id], now - DAY)[stored.id]
        wanted = sign_in_log.Wanted(connection_id=stored.id)
        recent = sign_in_log.page(conn, visit.tenant_id, wanted, limit=RECENT)
        paired = _paired(conn, stored)
        keys = [] if stored.kind == "oidc" else saml_keys.listing(conn)
    return page(
        "connections/show.html",
        place=place,
        data=described(stored, desk.public_url, now),
        tabs=tabs(place, visit, "") if stored.enabled else None,
        way=None if stored.enabled else way(place, visit, "switch"),
        lately=lately,
        recent=recent,
        paired=paired,
        settings=shown(stored),
        keys=[_key(one, now) for one in keys],
        on=stored.enabled and stored.source_state == "active",
    )


def _for_link(desk: Desk, visit: Visit, place: Place) -> Response:
    """The whole of what the holder of a set-up link may know of the connection."""
    stored = made(place)
    return page(
        "connections/handed.html",
        place=place,
        data=described(stored, desk.public_url, desk.now()),
        way=way(place, visit, "switch"),
        tested=_tested(desk, stored),
    )


def switch(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """The last step of a set-up has an address of its own; it is the connection's page."""
    return show(desk, visit, connection_id)


def enable(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    if visit.link is not None and not _tested(desk, stored):
        raise Refused(
            409,
            "With a set-up link a connection can be switched on once a test went well after its last change. Test it.",
        )
    _change(desk, visit, stored, Change(enabled=True))
    return back(place.href, f"{stored.title} is switched on: people can sign in by it.")


def disable(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    _change(desk, visit, stored, Change(enabled=False))
    ended = 0
    if field("sessions") == "yes":
        ended = connecting.end_sessions(desk.engine, visit.tenant_id, stored.name, visit.actor)
        desk.wake("logout")
    more = f" {many(ended, 'session')} ended." if ended else " Whoever is signed in stays so."
    return back(place.href, f"{stored.title} is switched off: nobody can sign in by it.{more}", "warning")


def end_sessions(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    ended = connecting.end_sessions(desk.engine, visit.tenant_id, made(place).name, visit.actor)
    desk.wake("logout")
    return back(place.href, f"{ended} sessions ended.")


def remove(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    if field("name") != stored.name:
        raise Refused(422, f"To remove it, type its name: {stored.name}. Nothing was changed.")
    ended = connecting.remove(desk.engine, visit.tenant_id, stored.name, visit.actor)
    with writing(desk.engine) as conn:
        connection_setups.discard(conn, visit.tenant_id, stored.id)
    desk.wake("logout")
    return back(BASE, f"{stored.title} is removed; {ended} sessions ended.")


def refresh(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """Read its metadata again now."""
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    if stored.metadata_url is None:
        raise Refused(409, "It has no address of metadata: bring the document under Provider.")
    reader = MetadataRefresh(desk.engine, desk.web)
    done = reader.refresh(stored, accept=field("accept") == "yes", actor=visit.actor)
    if done.failure:
        return back(place.href, f"Not taken over: {done.failure}.", "danger")
    said = f"Taken over: {', '.join(done.changed)}." if done.changed else "Nothing is new."
    return back(place.href, f"The metadata was read. {said}")


def checks(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    web = way_out(desk.public_url, desk.settings.outbound_networks or ())
    found = connection_checks.run(made(place), web, desk.public_url, desk.clock)
    return page("connections/checks.html", place=place, checks=found, tabs=tabs(place, visit, "checks"))


def edit(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    return page("connections/settings.html", place=place, settings=shown(made(place)), errors={})


def save(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    try:
        different = changed(stored)
        if different:
            _change(desk, visit, stored, Change(settings=different))
    except BadConnectionError as error:
        name, _, text = str(error).partition(": ")
        at = name if name in SETTINGS else ""
        errors = {at: sentence(text if at else str(error))}
        return page("connections/settings.html", 422, place=place, settings=shown(stored, form=True), errors=errors)
    return back(place.href, "Saved." if different else "Nothing changed.")


def secret(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """A new client secret from the provider, in place of the old one."""
    place = place_of(desk, visit, connection_id)
    stored = made(place)
    if not field("client_secret"):
        raise Refused(422, "Paste the new client secret. The old one stays.")
    try:
        _change(desk, visit, stored, Change(secret=field("client_secret")))
    except BadConnectionError as error:
        raise Refused(422, f"{error}. The old one stays.") from None
    return back(place.href, "The new client secret is kept. Test the connection before the old one ends.")


def _change(desk: Desk, visit: Visit, stored: Stored, wanted: Change) -> None:
    connecting.change(desk.engine, desk.vault, visit.tenant_id, stored.name, wanted, visit.actor)


def _tested(desk: Desk, stored: Stored) -> bool:
    with reading(desk.engine) as conn:
        return sign_in_tests.passed(conn, stored.tenant_id, stored.id, stored.updated_at)


def _paired(conn: Any, stored: Stored) -> str | None:
    wanted = stored.source_settings.get("paired_source_id")
    found = tenants.sources(conn, stored.tenant_id) if wanted else []
    return next((one.name for one in found if one.id == wanted), None)


def _key(one: Any, now: Any) -> dict[str, Any]:
    read = certificates.read(one.certificate)
    return {
        "fingerprint": read.fingerprint,
        "not_after": read.not_after,
        "soon": read.not_after - now < KEY_WARNED,
        "signs_from": one.signs_from,
        "signs": one.signs_from <= now,
    }


ROUTES: Final = (
    Route("GET", f"{BASE}/<connection_id>", show, link=LINK),
    Route("GET", f"{BASE}/<connection_id>/switch", switch, link=LINK),
    Route("GET", f"{BASE}/<connection_id>/checks", checks),
    Route("GET", f"{BASE}/<connection_id>/settings", edit, needs="admin"),
    Route("POST", f"{BASE}/<connection_id>/settings", save, needs="admin", origins=True),
    Route("POST", f"{BASE}/<connection_id>/enable", enable, needs="admin", link=LINK, origins=True),
    Route("POST", f"{BASE}/<connection_id>/disable", disable, needs="admin"),
    Route("POST", f"{BASE}/<connection_id>/sessions/end", end_sessions, needs="admin"),
    Route("POST", f"{BASE}/<connection_id>/refresh", refresh, needs="admin", origins=True),
    Route("POST", f"{BASE}/<connection_id>/secret", secret, needs="admin", origins=True),
    Route("POST", f"{BASE}/<connection_id>/remove", remove, needs="admin"),
)
