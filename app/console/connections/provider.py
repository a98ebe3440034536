"""What the provider says of itself: entered, understood and shown, and only then saved.

SAML: an address, a file, pasted, or by hand ─┐
                                              ├─▶ kept with the set-up ─▶ looked at ─▶ save: the connection
OpenID: issuer ─▶ client id and secret ───────┘
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response, request

from app.adapters import connecting, setting_up, understanding
from app.adapters.connecting import Change
from app.adapters.connection_schemas import BadConnectionError, parse
from app.adapters.connection_view import certificate
from app.adapters.metadata_import import LARGEST, MetadataError
from app.adapters.understanding import NotUnderstoodError, Understood, sentence
from app.console.connections.place import BASE, LINK, Place, place_of, tabs, way
from app.console.desk import Desk
from app.console.rendering import Refused, back, field, page
from app.console.routing import Route
from app.console.visit import Visit
from app.store.tenants import NameTakenError
from sso.connections import Saml

AUTH_METHODS: Final = (
    ("client_secret_basic", "Client secret, by HTTP Basic (usual)"),
    ("client_secret_post", "Client secret, in the form"),
    ("private_key_jwt", "Signed assertion: our keys at /.well-known/jwks.json"),
)
_KEPT: Final = ("url", "document", "entity_id", "hand_entity_id", "sso_url", "certificate", "issuer", "client_id")


def show(desk: Desk, visit: Visit, connection_id: str) -> Response:
    return _page(desk, visit, place_of(desk, visit, connection_id))


def understand(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """Look at what was entered; it is kept, and shown to be saved."""
    place = place_of(desk, visit, connection_id)
    try:
        found = _saml(desk, place) if place.kind == "saml" else _issuer(desk, place)
    except NotUnderstoodError as error:
        return _page(desk, visit, place, {error.field: error.sentence})
    if place.stored is not None and place.setup is None:
        setting_up.adopt(desk.engine, place.stored, place.vendor.key, visit.actor)
    setting_up.keep(desk.engine, visit.tenant_id, place.id, found)
    return back(f"{place.href}/provider")


def forget(desk: Desk, visit: Visit, connection_id: str) -> Response:
    """Enter something else."""
    place = place_of(desk, visit, connection_id)
    setting_up.keep(desk.engine, visit.tenant_id, place.id, None)
    return back(f"{place.href}/provider")


def save(desk: Desk, visit: Visit, connection_id: str) -> Response:
    place = place_of(desk, visit, connection_id)
    found = setting_up.understood(place.setup)
    if found is None and not (place.kind == "oidc" and place.stored is not None):
        raise Refused(409, "Nothing is entered yet, or it was saved already. Enter it again.")
    try:
        if place.kind == "oidc":
            _save_client(desk, visit, place)
        elif place.stored is None:
            assert place.setup is not None
            setting_up.make(
                desk.engine, desk.vault, place.setup, {}, desk.now(), visit.actor, claims=place.guide.claims
            )
        else:
            assert found is not None
            setting_up.take_over(desk.engine, desk.vault, place.stored, found, desk.now(), visit.actor)
    except NotUnderstoodError as error:
        return _page(desk, visit, place, {error.field: error.sentence})
    except (BadConnectionError, MetadataError, NameTakenError) as error:
        return _page(desk, visit, place, {"": sentence(str(error))})
    if place.enabled:
        return back(place.href, "Saved.")
    after = "claims" if visit.link else "people"
    return back(f"{place.href}/{after}", "Saved. The connection is still switched off: nobody can use it yet.")


def _saml(desk: Desk, place: Place) -> Understood:
    """By the way whose button was pressed, else by the first that holds something: an address may stand there still."""
    now, wanted = desk.now(), field("entity_id") or None
    current = None if place.stored is None else parse("saml", place.stored.settings)
    assert current is None or isinstance(current, Saml)
    upload, pressed = request.files.get("file"), field("way")
    by_file = place.guide.prefers == "file"
    allowed = {"main": ("file",) if by_file else ("url",), "other": ("file", "document", "url"), "hand": ("hand",)}
    ways = allowed.get(pressed, ("file", "document", "hand", "url"))
    if "file" in ways and upload is not None and upload.filename:
        return understanding.from_document(upload.read(LARGEST + 1), wanted, now, current, field="file")
    if "document" in ways and field("document"):
        return understanding.from_document(field("document").encode(), wanted, now, current)
    if "hand" in ways and (pressed == "hand" or field("hand_entity_id") or field("sso_url") or field("certificate")):
        return understanding.by_hand(field("hand_entity_id"), field("sso_url"), field("certificate"), now)
    if "url" in ways and field("url"):
        return understanding.from_address(desk.web, field("url"), wanted, now, current)
    at = {"main": "file" if by_file else "url", "other": "document"}.get(pressed, "file" if by_file else "url")
    raise NotUnderstoodError(at, "Give an address, a file, or the text: one of them is enough.")


def _issuer(desk: Desk, place: Place) -> Understood:
    issuer = place.guide.issuer if place.guide.fixed_issuer else field("issuer")
    if place.stored is not None:
        issuer = place.stored.settings["issuer"]
    return understanding.of_issuer(desk.web, issuer)


def _save_client(desk: Desk, visit: Visit, place: Place) -> None:
    client_id, secret, method = field("client_id"), field("client_secret"), field("auth_method", AUTH_METHODS[0][0])
    if not client_id:
        raise NotUnderstoodError("client_id", f"It is needed: {place.vendor.called} shows it for the application.")
    needs_secret = method != "private_key_jwt" and (place.stored is None or place.stored.secret is None)
    if needs_secret and not secret:
        raise NotUnderstoodError("client_secret", "It is needed. It is shown once there; make a new one if it is lost.")
    settings: dict[str, Any] = {"client_id": client_id, "auth_method": method}
    settings |= {each.name: field(each.name) for each in place.guide.fields if field(each.name)}
    missing = next((each for each in place.guide.fields if not field(each.name)), None)
    if missing is not None:
        raise NotUnderstoodError(missing.name, f"It is needed. {missing.hint}")
    if place.stored is None:
        assert place.setup is not None
        setting_up.make(
            desk.engine,
            desk.vault,
            place.setup,
            settings,
            desk.now(),
            visit.actor,
            secret=secret or None,
            claims=place.guide.claims,
        )
        return
    change = Change(settings=settings, secret=secret or None)
    connecting.change(desk.engine, desk.vault, visit.tenant_id, place.name, change, visit.actor)
    setting_up.keep(desk.engine, visit.tenant_id, place.id, None)


def _page(desk: Desk, visit: Visit, place: Place, errors: Mapping[str, str] | None = None) -> Response:
    found = setting_up.understood(place.setup)
    shown = [certificate(one, desk.now()) for one in (found.settings.get("certificates") or ())] if found else []
    said = place.stored.settings if place.stored else {}
    kept = {name: field(name) for name in _KEPT} if errors else {}
    values = {
        "url": place.stored.metadata_url if place.stored else None,
        "issuer": said.get("issuer") or place.guide.issuer,
        "client_id": said.get("client_id"),
        "auth_method": said.get("auth_method", AUTH_METHODS[0][0]),
        **{each.name: field(each.name) if errors else said.get(each.name) for each in place.guide.fields},
        **{name: value for name, value in kept.items() if value},
    }
    return page(
        "connections/provider.html",
        422 if errors else 200,
        place=place,
        way=way(place, visit, "provider"),
        tabs=tabs(place, visit, "provider"),
        found=found,
        certificates=shown,
        values=values,
        errors=errors or {},
        auth_methods=AUTH_METHODS,
        has_secret=place.stored is not None and place.stored.secret is not None,
    )


ROUTES: Final = (
    Route("GET", f"{BASE}/<connection_id>/provider", show, needs="admin", link=LINK),
    Route("POST", f"{BASE}/<connection_id>/provider", understand, needs="admin", link=LINK),
    Route("POST", f"{BASE}/<connection_id>/provider/forget", forget, needs="admin", link=LINK),
    Route("POST", f"{BASE}/<connection_id>/provider/save", save, needs="admin", link=LINK, origins=True),
)
