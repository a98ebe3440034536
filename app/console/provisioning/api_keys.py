"""API keys: for learning platforms, HR systems and integrations that call the REST API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from flask import Response

from app.adapters import issuing
from app.adapters.api_scopes import SCOPES
from app.console.desk import Desk
from app.console.provisioning import own, terms
from app.console.provisioning.own import HOME
from app.console.rendering import Refused, back, field, fields, page
from app.console.routing import Route
from app.console.visit import Visit
from app.store import credentials, tenants
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading

HERE: Final = f"{HOME}/api-keys"
KIND: Final = "api_key"
GONE: Final = "This key is revoked already. Reload the page: it shows what is valid now."


def show(desk: Desk, visit: Visit) -> Response:
    """The keys, and a form for a new one."""
    return _page(desk, visit)


def create(desk: Desk, visit: Visit) -> Response:
    """A new key, shown this once."""
    said, scopes = terms.read(), sorted(set(fields("scopes")))
    errors = dict(said.errors)
    if not scopes or not set(scopes) <= set(SCOPES):
        errors["scopes"] = "Tick what the key may do, and no more than it needs."
    with reading(desk.engine) as conn:
        bound = field("source")
        source = tenants.source_by_id(conn, visit.tenant_id, own.an_id(bound)) if bound else None
    if errors:
        return _page(desk, visit, 422, errors=errors, chosen=scopes)
    issued = issuing.issue(
        desk.engine,
        visit.tenant_id,
        KIND,
        said.name,
        actor=visit.actor,
        source_id=None if source is None else source.id,
        scopes=scopes,
        expires_at=said.end(desk.now()),
    )
    return _page(desk, visit, issued={"name": said.name, "secret": issued.secret})


def rotate(desk: Desk, visit: Visit, key_id: str) -> Response:
    """A new key in the place of one that stays valid for the chosen time."""
    with reading(desk.engine) as conn:
        old = own.credential(conn, visit, None, key_id, KIND)
    said = terms.read(old.name)
    if said.errors:
        raise Refused(422, "Choose one of the offered times.")
    end = said.end(desk.now())
    try:
        issued = issuing.rotate(
            desk.engine, visit.tenant_id, old.id, KIND, actor=visit.actor, overlap=said.overlap, expires_at=end
        )
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    return _page(desk, visit, issued={"name": old.name, "secret": issued.secret})


def revoke(desk: Desk, visit: Visit, key_id: str) -> Response:
    """End it now."""
    with reading(desk.engine) as conn:
        old = own.credential(conn, visit, None, key_id, KIND)
    try:
        issuing.revoke(desk.engine, visit.tenant_id, old.id, KIND, actor=visit.actor)
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    return back(HERE, f"The key {old.name} ({old.hint}…) is revoked.")


def _page(desk: Desk, visit: Visit, status: int = 200, **values: Any) -> Response:
    now = desk.now()
    with reading(desk.engine) as conn:
        keys = credentials.living(conn, visit.tenant_id, [KIND])
        sources = [one for one in tenants.sources(conn, visit.tenant_id) if one.kind != "login"]
    shown: Mapping[str, Any] = {"errors": {}, "issued": None, "chosen": (), **values}
    return page(
        "provisioning/api_keys.html",
        status,
        keys=keys,
        sources=[("", "Any source"), *((one.id, one.name) for one in sources)],
        scopes=list(SCOPES.items()),
        lives=list(terms.LIVES.items()),
        overlaps=list(terms.OVERLAPS.items()),
        state=lambda one: terms.state(one, now),
        **shown,
    )


ROUTES: Final = (
    Route("GET", HERE, show),
    Route("POST", HERE, create, "admin", origins=True),
    Route("POST", f"{HERE}/<key_id>/rotate", rotate, "admin", origins=True),
    Route("POST", f"{HERE}/<key_id>/revoke", revoke, "admin"),
)
