"""`rollcall api`: keys and OAuth clients for learning platforms, HR systems and integrations."""

from __future__ import annotations

import click

from app.adapters import issuing
from app.adapters.api_scopes import SCOPES
from app.cli.context import Context, actor, json_option, show, tenant_option
from app.cli.issuing import a_uuid, end_after, expires_option, list_all, revoke_one
from app.store import credentials, tenants
from app.store.engine import reading

scopes_option = click.option(
    "--scope",
    "scopes",
    multiple=True,
    type=click.Choice(tuple(SCOPES)),
    required=True,
    help="What it may do; may be repeated.",
)
source_option = click.option(
    "--source", "source_name", metavar="NAME", help="The only source that it may write records of."
)


@click.group()
def api() -> None:
    """The REST API's callers."""


@api.group()
def key() -> None:
    """API keys: one secret, sent as a bearer token."""


@api.group()
def client() -> None:
    """OAuth clients: an id and a secret, exchanged for access tokens (client credentials)."""


@key.command("create")
@click.argument("name")
@tenant_option
@scopes_option
@source_option
@expires_option
@json_option
@click.pass_obj
def create_key(
    context: Context,
    name: str,
    tenant_name: str,
    scopes: tuple[str, ...],
    source_name: str | None,
    expires_in: int | None,
    as_json: bool,
) -> None:
    """Issue a key. It is shown this once."""
    issued = _issue(context, "api_key", name, tenant_name, scopes, source_name, expires_in)
    show(
        {"id": issued.id, "key": issued.secret},
        f"Key  {issued.secret}\n(shown this once; id {issued.id})",
        as_json=as_json,
    )


@client.command("create")
@click.argument("name")
@tenant_option
@scopes_option
@source_option
@expires_option
@json_option
@click.pass_obj
def create_client(
    context: Context,
    name: str,
    tenant_name: str,
    scopes: tuple[str, ...],
    source_name: str | None,
    expires_in: int | None,
    as_json: bool,
) -> None:
    """Register a client. Its secret is shown this once."""
    issued = _issue(context, "client", name, tenant_name, scopes, source_name, expires_in)
    data = {"client_id": issued.id, "client_secret": issued.secret}
    show(data, f"client_id      {issued.id}\nclient_secret  {issued.secret}\n(shown this once)", as_json=as_json)


def _issue(
    context: Context,
    kind: credentials.Kind,
    name: str,
    tenant_name: str,
    scopes: tuple[str, ...],
    source_name: str | None,
    days: int | None,
) -> credentials.Issued:
    with context.database() as engine:
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
            source_id = None if source_name is None else tenants.find_source(conn, tenant.id, source_name).id
        end = end_after(days)
        return issuing.issue(
            engine, tenant.id, kind, name, actor=actor(), source_id=source_id, scopes=scopes, expires_at=end
        )


def _add_list_and_revoke(group: click.Group, kind: credentials.Kind) -> None:
    @group.command("list")
    @tenant_option
    @json_option
    @click.pass_obj
    def list_(context: Context, tenant_name: str, as_json: bool) -> None:
        """Show a tenant's, without their secrets."""
        list_all(context, tenant_name, kind, as_json=as_json)

    @group.command()
    @click.argument("id", callback=a_uuid)
    @tenant_option
    @json_option
    @click.pass_obj
    def revoke(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
        """End one now, and the access tokens that it was given."""
        revoke_one(context, tenant_name, id, kind, as_json=as_json)


_add_list_and_revoke(key, "api_key")
_add_list_and_revoke(client, "client")
