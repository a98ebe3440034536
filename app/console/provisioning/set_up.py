"""Connecting a provider: its own steps, our address and token to copy, and the first request as it comes.

Whoever has a set-up link for the source may come here and make a token, and sees nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flask import Response

from app.adapters import issuing
from app.console.desk import Desk
from app.console.provisioning import own, terms
from app.console.provisioning.own import HOME
from app.console.rendering import arg, field, page
from app.console.routing import Route
from app.console.scim_dictionary import meaning
from app.console.scim_vendors import Vendor, filled, named, of_system, vendors
from app.console.visit import Visit
from app.store import credentials, scim_clients, scim_health
from app.store.engine import reading
from app.store.tenants import SourceRow

LINK: Final = ("scim",)


def show(desk: Desk, visit: Visit, source_id: str) -> Response:
    """The steps. It asks again every two seconds until something came."""
    return _page(desk, visit, source_id, arg("idp"))


def make_token(desk: Desk, visit: Visit, source_id: str) -> Response:
    """A token, shown this once, among the steps in which it is needed."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
    said, idp = terms.read(), field("idp")
    if said.errors:
        return _page(desk, visit, source_id, idp, 422, errors=said.errors)
    issued = issuing.issue(
        desk.engine,
        visit.tenant_id,
        "scim_token",
        said.name,
        actor=visit.actor,
        source_id=source.id,
        expires_at=said.end(desk.now()),
    )
    return _page(desk, visit, source_id, idp, token=issued.secret)


def _page(
    desk: Desk,
    visit: Visit,
    source_id: str,
    idp: str,
    status: int = 200,
    *,
    token: str | None = None,
    errors: Mapping[str, str] | None = None,
) -> Response:
    now = desk.now()
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        health = next(iter(scim_health.listing(conn, visit.tenant_id, now, source.id)), None)
        tokens = credentials.living(conn, visit.tenant_id, ["scim_token"], source_id=source.id)
    last = None if health is None else health.last
    vendor = named(idp) or of_system(source.system)
    return page(
        "provisioning/set_up.html",
        status,
        source=source,
        vendor=vendor,
        vendors=vendors(),
        steps=filled(vendor, _values(desk, token)),
        base_url=desk.settings.scim_base_url,
        token=token,
        tokens=tokens,
        last=last,
        health=health,
        refusal=None if last is None or last.status < 400 else meaning(last.status, last.scim_type),
        lives=list(terms.LIVES.items()),
        state=lambda one: terms.state(one, now),
        errors=errors or {},
        token_name=_name(vendor, source),
    )


def _values(desk: Desk, token: str | None) -> Mapping[str, str | None]:
    return {
        "base_url": desk.settings.scim_base_url,
        "token": token,
        "token_url": f"{desk.public_url}/oauth/token",
        "scope": scim_clients.SCOPE,
    }


def _name(vendor: Vendor, source: SourceRow) -> str:
    return f"{vendor.title} ({source.name})"


ROUTES: Final = (
    Route("GET", f"{HOME}/<source_id>/set-up", show, "auditor", LINK),
    Route("POST", f"{HOME}/<source_id>/set-up", make_token, "admin", LINK, origins=True),
)
