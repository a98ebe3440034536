"""`rollcall scim token`: what identity providers show at the SCIM door. The other verbs have files of their own."""

from __future__ import annotations

from datetime import timedelta

import click

from app.adapters import issuing
from app.cli.context import Context, actor, json_option, show, tenant_option
from app.cli.issuing import a_uuid, end_after, expires_option, list_all, revoke_one, tenant_of
from app.cli.lazy import LazyGroup
from app.store import credentials, tenants
from app.store.engine import reading


@click.group(
    cls=LazyGroup,
    lazy={
        "check": "scim_check:check",
        "client": "scim_client:client",
        "log": "scim_log:log",
        "receiver": "receiver:receiver",
        "schema": "scim_schema:schema",
    },
)
def scim() -> None:
    """SCIM for identity providers."""


@scim.group()
def token() -> None:
    """Bearer tokens; each belongs to one source."""


@token.command()
@tenant_option
@click.option("--source", "source_name", required=True, metavar="NAME", help="The source that will show it.")
@click.option("--name", default="scim", show_default=True, help="A label to recognise it by.")
@expires_option
@json_option
@click.pass_obj
def create(
    context: Context, tenant_name: str, source_name: str, name: str, expires_in: int | None, as_json: bool
) -> None:
    """Issue a token. It is shown this once."""
    with context.database() as engine:
        with reading(engine) as conn:
            source = tenants.find_source(conn, tenants.find(conn, tenant_name).id, source_name)
        end = end_after(expires_in)
        issued = issuing.issue(
            engine, source.tenant_id, "scim_token", name, actor=actor(), source_id=source.id, expires_at=end
        )
    _show(context, issued, as_json=as_json)


@token.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's tokens, without their secrets."""
    list_all(context, tenant_name, "scim_token", as_json=as_json)


@token.command()
@click.argument("id", callback=a_uuid)
@tenant_option
@click.option(
    "--overlap", default=24, show_default=True, type=click.IntRange(0, 24 * 90), help="Hours that both are valid."
)
@expires_option
@json_option
@click.pass_obj
def rotate(context: Context, id: str, tenant_name: str, overlap: int, expires_in: int | None, as_json: bool) -> None:
    """Issue a token in the place of one that ends after the overlap."""
    with context.database() as engine:
        tenant_id, end = tenant_of(engine, tenant_name), end_after(expires_in)
        hours = timedelta(hours=overlap)
        issued = issuing.rotate(engine, tenant_id, id, "scim_token", actor=actor(), overlap=hours, expires_at=end)
    _show(context, issued, as_json=as_json)


@token.command()
@click.argument("id", callback=a_uuid)
@tenant_option
@json_option
@click.pass_obj
def revoke(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """End a token now. A server may take it for a second more."""
    revoke_one(context, tenant_name, id, "scim_token", as_json=as_json)


def _show(context: Context, issued: credentials.Issued, *, as_json: bool) -> None:
    base_url = context.settings.scim_base_url
    data = {"id": issued.id, "token": issued.secret, "base_url": base_url}
    show(
        data,
        f"SCIM base URL  {base_url}\nToken          {issued.secret}\n(shown this once; id {issued.id})",
        as_json=as_json,
    )
