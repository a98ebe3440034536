"""A source's bearer tokens: issue, rotate with an overlap, revoke."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.adapters import issuing
from app.console.desk import Desk
from app.console.provisioning import own, sources, terms
from app.console.provisioning.own import HOME
from app.console.rendering import Refused, back
from app.console.routing import Route
from app.console.visit import Visit
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading

KIND: Final = "scim_token"
GONE: Final = "This token is revoked already. Reload the page: it shows what is valid now."


def create(desk: Desk, visit: Visit, source_id: str) -> Response:
    """A new token, shown this once."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
    said = terms.read()
    if said.errors:
        return sources.render(desk, visit, source_id, 422, errors=said.errors, form="token")
    issued = issuing.issue(
        desk.engine,
        visit.tenant_id,
        KIND,
        said.name,
        actor=visit.actor,
        source_id=source.id,
        expires_at=said.end(desk.now()),
    )
    return sources.render(desk, visit, source_id, issued={"what": "token", "name": said.name, "secret": issued.secret})


def rotate(desk: Desk, visit: Visit, source_id: str, token_id: str) -> Response:
    """A new token in the place of one that stays valid for the chosen time."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        old = own.credential(conn, visit, source, token_id, KIND)
    said = terms.read(old.name)
    if said.errors:
        raise Refused(422, "Choose one of the offered times.")
    times = (said.overlap, said.end(desk.now()))
    try:
        issued = issuing.rotate(
            desk.engine, visit.tenant_id, old.id, KIND, actor=visit.actor, overlap=times[0], expires_at=times[1]
        )
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    told = {"what": "token", "name": old.name, "secret": issued.secret, "old": _until(said.overlap.total_seconds())}
    return sources.render(desk, visit, source_id, issued=told)


def revoke(desk: Desk, visit: Visit, source_id: str, token_id: str) -> Response:
    """End it now."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        old = own.credential(conn, visit, source, token_id, KIND)
    try:
        issuing.revoke(desk.engine, visit.tenant_id, old.id, KIND, actor=visit.actor)
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    return back(own.page_of(source), f"The token {old.name} ({old.hint}…) is revoked.")


def _until(seconds: float) -> str:
    return "ended at once" if seconds == 0 else f"stays valid for {terms.OVERLAPS[str(int(seconds // 3600))][3:]}"


ROUTES: Final = (
    Route("POST", f"{HOME}/<source_id>/tokens", create, "admin", origins=True),
    Route("POST", f"{HOME}/<source_id>/tokens/<token_id>/rotate", rotate, "admin", origins=True),
    Route("POST", f"{HOME}/<source_id>/tokens/<token_id>/revoke", revoke, "admin"),
)
