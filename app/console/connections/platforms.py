"""The learning platforms that people sign in to through Rollcall: clients of its OpenID provider."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, cast, get_args

from flask import Response

from app.adapters import registering
from app.adapters.registering import CONFIDENTIAL
from app.adapters.relying_parties import relying_party
from app.console.connections.place import BASE, section_tabs
from app.console.desk import Desk
from app.console.rendering import Refused, back, field, fields, page, whole
from app.console.routing import Route
from app.console.visit import Visit
from app.events.issuing import ensure_key
from app.store import clients
from app.store.clients import ListedClient
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading
from sso import provider_metadata, redirect_uris
from sso.relying_parties import OPENID, SCOPES, AuthMethod, RelyingParty

HERE: Final = f"{BASE}/platforms"
LONGEST_NAME: Final = 100
MOST_OVERLAP: Final = 24 * 90  # hours
METHODS: Final = (
    ("client_secret_basic", "Client secret, by HTTP Basic (usual)"),
    ("client_secret_post", "Client secret, in the form"),
    ("none", "None: it cannot keep a secret, and proves itself by PKCE alone"),
)
_USUAL: Final = (OPENID, "profile", "email", "roles")


def listing(desk: Desk, visit: Visit) -> Response:
    with reading(desk.engine) as conn:
        found = clients.listing(conn, visit.tenant_id)
    return page(
        "connections/platforms.html",
        rows=[_shown(one) for one in found if one.removed_at is None],
        removed=[_shown(one) for one in found if one.removed_at is not None],
        endpoints=_endpoints(desk),
        tabs=section_tabs(HERE),
    )


def new(_desk: Desk, _visit: Visit) -> Response:
    return _form({})


def create(desk: Desk, visit: Visit) -> Response:
    name, method = field("name"), field("auth_method", METHODS[0][0])
    uris, after = _lines("redirect_uris"), _lines("post_logout_redirect_uris")
    logout, scopes = field("back_channel_logout_uri"), tuple(one for one in fields("scopes") if one in SCOPES)
    errors = _errors(name, uris, after, [logout] if logout else [])
    if method not in get_args(AuthMethod) or method == "private_key_jwt":
        errors["auth_method"] = "Choose one of these."
    if errors:
        return _form(errors)
    ensure_key(desk.engine, desk.vault())
    party = RelyingParty(
        "",
        visit.tenant_id,
        name,
        tuple(uris),
        tuple(after),
        kind="native" if field("native") == "yes" else "web",
        auth_method=cast(AuthMethod, method),
        scopes=tuple(dict.fromkeys((OPENID, *scopes))),
        back_channel_logout_uri=logout or None,
    )
    id, secret = registering.register(desk.engine, party, expires_at=None, actor=visit.actor)
    return _one(desk, visit, id, secret=secret, fresh=True)


def show(desk: Desk, visit: Visit, client_id: str) -> Response:
    return _one(desk, visit, client_id)


def rotate(desk: Desk, visit: Visit, client_id: str) -> Response:
    found = _client(desk, visit, client_id)
    if relying_party(found.client).auth_method not in CONFIDENTIAL or found.removed_at is not None:
        raise Refused(409, "It has no secret.")
    overlap = whole(field("overlap", "24"))
    if overlap is None or overlap > MOST_OVERLAP:
        raise Refused(422, f"The overlap is in whole hours, 0 to {MOST_OVERLAP}. Nothing was changed.")
    secret = registering.add_secret(
        desk.engine, visit.tenant_id, client_id, overlap=timedelta(hours=overlap), expires_at=None, actor=visit.actor
    )
    return _one(desk, visit, client_id, secret=secret)


def remove(desk: Desk, visit: Visit, client_id: str) -> Response:
    found = _client(desk, visit, client_id)
    try:
        registering.remove(desk.engine, visit.tenant_id, client_id, actor=visit.actor)
    except UnknownCredentialError:
        raise Refused(409, "It is removed already.") from None
    return back(HERE, f"{found.client.name} is removed: nobody can sign in to it any more, and its tokens ended.")


def _one(desk: Desk, visit: Visit, id: str, *, secret: str | None = None, fresh: bool = False) -> Response:
    found = _client(desk, visit, id)
    return page(
        "connections/platform.html",
        client=_shown(found),
        party=relying_party(found.client),
        scopes=SCOPES,
        secrets=found.secrets,
        secret=secret,
        fresh=fresh,
        confidential=relying_party(found.client).auth_method in CONFIDENTIAL,
        endpoints=_endpoints(desk),
        now=desk.now(),
    )


def _client(desk: Desk, visit: Visit, id: str) -> ListedClient:
    with reading(desk.engine) as conn:
        listed = clients.listing(conn, visit.tenant_id)
    found = next((one for one in listed if one.client.id == id), None)
    if found is None:
        raise Refused(404, "There is no such learning platform, or it belongs to another organisation.", "Nothing here")
    return found


def _shown(one: ListedClient) -> dict[str, Any]:
    party = relying_party(one.client)
    used = [each.last_used_at for each in one.secrets if each.last_used_at]
    return {
        "id": one.client.id,
        "name": one.client.name,
        "redirect_uris": one.client.redirect_uris,
        "public": party.auth_method == "none",
        "created_at": one.created_at,
        "removed_at": one.removed_at,
        "last_used_at": max(used, default=None),
    }


def _endpoints(desk: Desk) -> Sequence[tuple[str, str]]:
    said = provider_metadata.document(desk.public_url)
    return (
        ("Issuer", said["issuer"]),
        ("Discovery document", desk.public_url + provider_metadata.OPENID_DOCUMENT),
        ("Authorization endpoint", said["authorization_endpoint"]),
        ("Token endpoint", said["token_endpoint"]),
        ("Userinfo endpoint", said["userinfo_endpoint"]),
        ("JWKS", said["jwks_uri"]),
        ("End session endpoint", said["end_session_endpoint"]),
    )


def _errors(name: str, uris: Sequence[str], after: Sequence[str], logout: Sequence[str]) -> dict[str, str]:
    errors: dict[str, str] = {}
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        errors["name"] = f"One line of at most {LONGEST_NAME} characters."
    if not uris:
        errors["redirect_uris"] = "At least one: the platform's documentation names it."
    given = {"redirect_uris": uris, "post_logout_redirect_uris": after, "back_channel_logout_uri": logout}
    for at, addresses in given.items():
        for one in addresses:
            try:
                redirect_uris.check(one)
            except ValueError as error:
                errors.setdefault(at, f"{error}.")
    return errors


def _lines(name: str) -> list[str]:
    return [line.strip() for line in field(name).splitlines() if line.strip()]


def _form(errors: Mapping[str, str]) -> Response:
    entered = ("name", "redirect_uris", "post_logout_redirect_uris", "back_channel_logout_uri", "auth_method", "native")
    return page(
        "connections/platform_new.html",
        422 if errors else 200,
        errors=errors,
        values={name: field(name) for name in entered},
        chosen=fields("scopes") if errors else _USUAL,
        scopes=SCOPES,
        methods=METHODS,
    )


ROUTES: Final = (
    Route("GET", HERE, listing),
    Route("GET", f"{HERE}/new", new, needs="admin"),
    Route("POST", f"{HERE}/new", create, needs="admin"),
    Route("GET", f"{HERE}/<client_id>", show),
    Route("POST", f"{HERE}/<client_id>/rotate", rotate, needs="admin"),
    Route("POST", f"{HERE}/<client_id>/remove", remove, needs="admin"),
)
