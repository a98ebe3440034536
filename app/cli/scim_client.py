"""`rollcall scim client`: OAuth clients of SCIM sources, by secret or by their issuer's signed assertions."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import click

from app.adapters import issuing
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.issuing import a_uuid, end_after, expires_option, minute, state, tenant_of
from app.store import scim_clients, tenants
from app.store.engine import reading
from app.store.scim_clients import SCOPE, Federation
from sso.issuer_keys import check_address
from sso.jwks import usable_keys

LONGEST_OVERLAP: Final = 24 * 365 * 3  # hours


@click.group()
def client() -> None:
    """OAuth clients of sources. An id and secrets or an issuer are exchanged for access tokens with the scope scim."""


@client.command()
@click.argument("name")
@tenant_option
@click.option("--source", "source_name", required=True, metavar="NAME", help="The source that it speaks for.")
@expires_option
@click.option(
    "--issuer",
    metavar="URL",
    help="Whose signed assertions it shows; without: its own.",
)
@click.option("--subject", metavar="TEXT", help="The assertions' sub.")
@click.option("--audience", metavar="TEXT", help="The assertions' aud; of its own: the token URL.")
@click.option("--jwks-url", metavar="URL", help="Where the signer's keys stand.")
@click.option(
    "--jwks-file", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="Or a file with the key set."
)
@json_option
@click.pass_obj
def create(
    context: Context,
    name: str,
    tenant_name: str,
    source_name: str,
    expires_in: int | None,
    as_json: bool,
    **trust: Any,
) -> None:
    """Register a client. A secret is shown this once."""
    federation = _federation(_token_url(context), **trust)
    if federation is not None and expires_in is not None:
        raise click.UsageError("a client with an issuer has no secret that --expires-in could end")
    with context.database() as engine:
        with reading(engine) as conn:
            source = tenants.find_source(conn, tenants.find(conn, tenant_name).id, source_name)
        client_id, secret = issuing.create_client(
            engine, source, name, actor=actor(), federation=federation, expires_at=end_after(expires_in)
        )
    _show(context, client_id, secret, as_json=as_json)


@client.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's clients and their secrets' ends and last uses."""
    with context.database() as engine, reading(engine) as conn:
        found = scim_clients.listing(conn, tenants.find(conn, tenant_name).id)
    rows = [
        (one.name, one.source, *shown, one.id)
        for one in found
        for shown in (
            [(f"{each.hint}…", state(each), minute(each.last_used_at)) for each in one.secrets]
            or [(f"assertions of {one.federation.issuer}" if one.federation else "", "", "")]
        )
    ]
    titles = ["name", "source", "proves itself by", "state", "last used", "client_id"]
    show(found, table(rows, titles), as_json=as_json)


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
        tenant_id, end = tenant_of(engine, tenant_name), end_after(expires_in)
        hours = timedelta(hours=overlap)
        issued = issuing.add_secret(engine, tenant_id, id, actor=actor(), overlap=hours, expires_at=end)
    _show(context, id, issued.secret, as_json=as_json)


@client.command()
@click.argument("id", callback=a_uuid)
@tenant_option
@json_option
@click.pass_obj
def remove(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """End a client, its secrets and its tokens. A server may take a token for a second more."""
    with context.database() as engine:
        issuing.remove_client(engine, tenant_of(engine, tenant_name), id, actor=actor())
    show({"client_id": id, "removed": True}, f"{id} is removed.", as_json=as_json)


def _federation(
    token_url: str,
    issuer: str | None,
    subject: str | None,
    audience: str | None,
    jwks_url: str | None,
    jwks_file: Path | None,
) -> Federation | None:
    if not any((issuer, subject, audience, jwks_url, jwks_file)):
        return None
    if bool(issuer) != bool(subject) or (issuer and not audience) or (jwks_url is None) == (jwks_file is None):
        raise click.UsageError(
            "an issuer needs --issuer, --subject, --audience, and --jwks-url or --jwks-file; "
            "a client that signs by itself one of the last two"
        )
    try:
        if jwks_url is not None:
            check_address(jwks_url)
        jwks = None if jwks_file is None else jwks_file.read_text(encoding="utf-8")
        if jwks is not None and not usable_keys(jwks):
            raise ValueError("the key set has no key")
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    return Federation(issuer or "", subject or "", audience or token_url, jwks_url, jwks)


def _token_url(context: Context) -> str:
    return f"{context.settings.public_url}/oauth/token"


def _show(context: Context, client_id: str, secret: str | None, *, as_json: bool) -> None:
    url = _token_url(context)
    base_url = context.settings.scim_base_url
    data = {"client_id": client_id, "client_secret": secret, "token_url": url, "scope": SCOPE, "base_url": base_url}
    lines = [("SCIM base URL", base_url), ("Token URL", url), ("Client id", client_id), ("Scope", SCOPE)]
    if secret is not None:
        lines.append(("Client secret", f"{secret}\n(shown this once)"))
    show(data, "\n".join(f"{name:13}  {value}" for name, value in lines), as_json=as_json)
