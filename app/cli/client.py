"""`rollcall client`: relying parties, the LMSs that people sign in to through Rollcall."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from app.adapters import registering
from app.adapters.registering import CONFIDENTIAL
from app.adapters.relying_parties import relying_party
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.issuing import a_uuid, end_after, expires_option, minute, state
from app.events.issuing import ensure_key
from app.store import clients, tenants
from app.store.clients import ListedClient
from app.store.engine import reading
from app.store.tenants import NotFoundError
from sso import redirect_uris
from sso.issuer_keys import check_address
from sso.jwks import usable_keys
from sso.relying_parties import OPENID, SCOPES, RelyingParty

LONGEST_OVERLAP: Final = 24 * 365 * 3  # hours


def _address(_ctx: click.Context, _parameter: click.Parameter, value: Any) -> Any:
    """A check for an option that is an address, or several."""
    for one in (value,) if isinstance(value, str) else value or ():
        try:
            redirect_uris.check(one)
        except ValueError as error:
            raise click.BadParameter(str(error)) from None
    return value


@click.group()
def client() -> None:
    """Learning platforms that people sign in to (OpenID Connect)."""


@client.command()
@click.argument("name")
@tenant_option
@click.option(
    "--redirect-uri", "uris", multiple=True, required=True, callback=_address, metavar="URL", help="May be repeated."
)
@click.option(
    "--post-logout-redirect-uri",
    "after_logout",
    multiple=True,
    callback=_address,
    metavar="URL",
    help="Where people may be sent after signing out; may be repeated.",
)
@click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(tuple(SCOPES)),
    help="What it may ask for; may be repeated. Without: openid, profile, email, roles.",
)
@click.option("--public", is_flag=True, help="It cannot keep a secret: it has none, and proves itself by PKCE alone.")
@click.option("--native", is_flag=True, help="A program on the person's device: the port on loopback is free.")
@click.option("--auth-method", type=click.Choice(CONFIDENTIAL), help="How it sends its secret; without: by HTTP Basic.")
@click.option("--jwks-url", metavar="URL", help="It signs instead of sending a secret: where its keys stand.")
@click.option(
    "--jwks-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Or a file with its key set."
)
@click.option(
    "--token-format", type=click.Choice(("opaque", "jwt")), default="opaque", show_default=True, help="Access tokens."
)
@click.option("--audience", metavar="TEXT", help="The `aud` of its access tokens; without: its id.")
@click.option(
    "--id-token-algorithm", type=click.Choice(("RS256", "ES256")), default="RS256", show_default=True, help="ID tokens."
)
@click.option("--introspects", is_flag=True, help="It may ask about every token of the tenant.")
@click.option("--back-channel-logout-uri", callback=_address, metavar="URL", help="Told when a session ends.")
@expires_option
@json_option
@click.pass_obj
def create(
    context: Context,
    name: str,
    tenant_name: str,
    uris: tuple[str, ...],
    after_logout: tuple[str, ...],
    scopes: tuple[str, ...],
    public: bool,
    native: bool,
    auth_method: str | None,
    jwks_url: str | None,
    jwks_file: Path | None,
    expires_in: int | None,
    as_json: bool,
    **other: Any,
) -> None:
    """Register a client. Its secret is shown this once."""
    if public and (auth_method or expires_in or other["introspects"]):
        raise click.UsageError("a public client has no secret: no --auth-method, --expires-in, --introspects")
    if scopes and OPENID not in scopes:
        raise click.UsageError("a client that people sign in to needs --scope openid")
    keys = _keys(jwks_url, jwks_file)
    if keys and (public or auth_method or expires_in):
        raise click.UsageError("a client that signs has no secret: no --public, --auth-method, --expires-in")
    chosen = {**other, **keys, "kind": "native" if native else "web"}
    chosen["auth_method"] = "private_key_jwt" if keys else "none" if public else auth_method or "client_secret_basic"
    if scopes:
        chosen["scopes"] = tuple(dict.fromkeys(scopes))
    vault = context.vault
    with context.database() as engine:
        ensure_key(engine, vault)
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
        party = RelyingParty("", tenant.id, name, uris, after_logout, **chosen)
        id, secret = registering.register(engine, party, expires_at=end_after(expires_in), actor=actor())
    _tell(context, id, secret, as_json=as_json)


@client.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's clients."""
    found = _all(context, tenant_name)
    rows = [
        (one.client.name, _kind(one), _state(one), " ".join(one.client.redirect_uris), one.client.id) for one in found
    ]
    titles = ["name", "kind", "state", "redirect URIs", "client_id"]
    show([_data(one) for one in found], table(rows, titles), as_json=as_json)


@client.command("show")
@click.argument("id", callback=a_uuid)
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """Show one client: its addresses, what it may ask for, its secrets' ends and last uses."""
    found = next((one for one in _all(context, tenant_name) if one.client.id == id), None)
    if found is None:
        raise NotFoundError("the tenant has no such client")
    data = _data(found)
    lines = [(name.replace("_", " "), _text(value)) for name, value in data.items() if name != "secrets"]
    secrets = [(f"{one.hint}…", state(one), minute(one.last_used_at)) for one in found.secrets]
    text = "\n".join(f"{name:25}  {value}" for name, value in lines)
    show(data, f"{text}\n\n{table(secrets, ['secret', 'state', 'last used'])}", as_json=as_json)


@client.command()
@click.argument("id", callback=a_uuid)
@tenant_option
@click.option(
    "--overlap",
    default=24,
    show_default=True,
    type=click.IntRange(0, LONGEST_OVERLAP),
    help="Hours that the secrets that are there stay valid.",
)
@expires_option
@json_option
@click.pass_obj
def rotate(context: Context, id: str, tenant_name: str, overlap: int, expires_in: int | None, as_json: bool) -> None:
    """Issue a further secret; the ones that are there end after the overlap."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant, row = tenants.find(conn, tenant_name), clients.find(conn, id)
        if row is not None and relying_party(row).auth_method not in CONFIDENTIAL:
            raise click.UsageError("a client that is public, or signs, has no secret")
        secret = registering.add_secret(
            engine,
            tenant.id,
            id,
            overlap=timedelta(hours=overlap),
            expires_at=end_after(expires_in),
            actor=actor(),
        )
    _tell(context, id, secret, as_json=as_json)


@client.command()
@click.argument("id", callback=a_uuid)
@tenant_option
@json_option
@click.pass_obj
def remove(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """End a client, its secrets, and all tokens that it got for people."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
        registering.remove(engine, tenant.id, id, actor=actor())
    show({"client_id": id, "removed": True}, f"{id} is removed.", as_json=as_json)


def _keys(url: str | None, file: Path | None) -> dict[str, str]:
    """Whose signature proves the client; empty where a secret does."""
    if url is not None and file is not None:
        raise click.UsageError("either --jwks-url or --jwks-file")
    try:
        if url is not None:
            check_address(url)
            return {"jwks_url": url}
        if file is None:
            return {}
        text = file.read_text(encoding="utf-8")
        if not usable_keys(text):
            raise ValueError("the key set has no key")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return {"jwks": text}


def _all(context: Context, tenant_name: str) -> Sequence[ListedClient]:
    with context.database() as engine, reading(engine) as conn:
        return clients.listing(conn, tenants.find(conn, tenant_name).id)


def _data(one: ListedClient) -> dict[str, Any]:
    party = relying_party(one.client)
    said = {name: getattr(party, name) for name in RelyingParty.__slots__ if name not in ("id", "tenant_id")}
    dates = {"created_at": one.created_at, "removed_at": one.removed_at, "secrets": one.secrets}
    return {"client_id": party.id, **said, **dates}


def _kind(one: ListedClient) -> str:
    party = relying_party(one.client)
    return f"{'public ' if party.auth_method == 'none' else ''}{party.kind}"


def _state(one: ListedClient) -> str:
    if one.removed_at is not None:
        return "removed"
    if relying_party(one.client).auth_method not in CONFIDENTIAL:
        return "valid"
    return ", ".join(sorted({state(each) for each in one.secrets}))


def _text(value: object) -> str:
    return " ".join(value) if isinstance(value, tuple) else "" if value is None else str(value)


def _tell(context: Context, client_id: str, secret: str | None, *, as_json: bool) -> None:
    issuer = context.settings.public_url
    discovery = f"{issuer}/.well-known/openid-configuration"
    data = {"client_id": client_id, "client_secret": secret, "issuer": issuer, "discovery_url": discovery}
    lines = [("Issuer", issuer), ("Discovery", discovery), ("Client id", client_id)]
    if secret is not None:
        lines.append(("Client secret", f"{secret}\n(shown this once)"))
    show(data, "\n".join(f"{name:13}  {value}" for name, value in lines), as_json=as_json)
