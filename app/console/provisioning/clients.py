"""A source's OAuth clients: by secrets, or by the signed assertions of an issuer (workload identity federation)."""

from __future__ import annotations

from typing import Final

from flask import Response

from app.adapters import issuing
from app.console.desk import Desk
from app.console.provisioning import own, sources, terms
from app.console.provisioning.own import HOME
from app.console.rendering import Refused, back, field
from app.console.routing import Route
from app.console.visit import Visit
from app.store.credentials import UnknownCredentialError
from app.store.engine import reading
from app.store.scim_clients import Federation
from sso.issuer_keys import check_address
from sso.jwks import usable_keys

LONGEST: Final = 2_000
LARGEST_KEYS: Final = 65_536
GONE: Final = "This client or secret is removed already. Reload the page: it shows what is valid now."


def create(desk: Desk, visit: Visit, source_id: str) -> Response:
    """A client with a secret that is shown this once, or with the issuer whose assertions it shows."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
    said = terms.read()
    errors, federation, form = dict(said.errors), None, "client"
    if field("proof") == "issuer":
        form = "trust"
        federation, wrong = _federation()
        errors |= wrong
    if errors:
        return sources.render(desk, visit, source_id, 422, errors=errors, form=form)
    id, secret = issuing.create_client(
        desk.engine,
        source,
        said.name,
        actor=visit.actor,
        federation=federation,
        expires_at=None if federation else said.end(desk.now()),
    )
    told = {"what": "client", "name": said.name, "client_id": id, "secret": secret}
    return sources.render(desk, visit, source_id, issued=told)


def add_secret(desk: Desk, visit: Visit, source_id: str, client_id: str) -> Response:
    """A further secret; those that are there end after the overlap."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        client = own.credential(conn, visit, source, client_id, "client")
    said = terms.read(client.name)
    if said.errors:
        raise Refused(422, "Choose one of the offered times.")
    end = said.end(desk.now())
    try:
        issued = issuing.add_secret(
            desk.engine, visit.tenant_id, client.id, actor=visit.actor, overlap=said.overlap, expires_at=end
        )
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    told = {"what": "client", "name": client.name, "client_id": client.id, "secret": issued.secret}
    return sources.render(desk, visit, source_id, issued=told)


def revoke_secret(desk: Desk, visit: Visit, source_id: str, client_id: str, secret_id: str) -> Response:
    """End one secret now; the client's other secrets and its access tokens stay."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        own.credential(conn, visit, source, client_id, "client")
        secret = own.credential(conn, visit, source, secret_id, "client_secret")
    try:
        issuing.revoke(desk.engine, visit.tenant_id, secret.id, "client_secret", actor=visit.actor)
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    return back(own.page_of(source), f"The secret {secret.hint}… of {secret.name} is revoked.")


def remove(desk: Desk, visit: Visit, source_id: str, client_id: str) -> Response:
    """End the client with all that it has."""
    with reading(desk.engine) as conn:
        source = own.source(conn, visit, source_id)
        client = own.credential(conn, visit, source, client_id, "client")
    try:
        issuing.remove_client(desk.engine, visit.tenant_id, client.id, actor=visit.actor)
    except UnknownCredentialError:
        raise Refused(409, GONE) from None
    return back(own.page_of(source), f"The client {client.name} is removed, its secrets and tokens with it.")


def _federation() -> tuple[Federation | None, dict[str, str]]:
    said = {name: field(name) for name in ("issuer", "subject", "audience", "jwks_url", "jwks")}
    errors = {
        name: "Paste it as the provider shows it; it is compared letter by letter."
        for name in ("issuer", "subject", "audience")
        if not said[name] or len(said[name]) > LONGEST
    }
    if bool(said["jwks_url"]) == bool(said["jwks"]):
        errors["jwks_url"] = "Give either the address of the keys or the keys themselves."
    elif len(said["jwks"]) > LARGEST_KEYS or len(said["jwks_url"]) > LONGEST:
        errors["jwks_url"] = "This is too long to be keys."
    else:
        errors |= _wrong_keys(said["jwks_url"], said["jwks"])
    if errors:
        return None, errors
    keys = (said["jwks_url"] or None, said["jwks"] or None)
    return Federation(said["issuer"], said["subject"], said["audience"], *keys), {}


def _wrong_keys(url: str, keys: str) -> dict[str, str]:
    try:
        if url:
            check_address(url)
        elif not usable_keys(keys):
            return {"jwks": "There is no public key in it that could be used."}
    except ValueError as error:
        return {"jwks_url" if url else "jwks": f"{str(error)[:1].upper()}{str(error)[1:]}."}
    return {}


ROUTES: Final = (
    Route("POST", f"{HOME}/<source_id>/clients", create, "admin", origins=True),
    Route("POST", f"{HOME}/<source_id>/clients/<client_id>/secrets", add_secret, "admin", origins=True),
    Route("POST", f"{HOME}/<source_id>/clients/<client_id>/secrets/<secret_id>/revoke", revoke_secret, "admin"),
    Route("POST", f"{HOME}/<source_id>/clients/<client_id>/remove", remove, "admin"),
)
