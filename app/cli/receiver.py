"""`rollcall scim receiver`: who hears SCIM events (RFC 9967), pushed as Security Event Tokens (RFC 8935)."""

from __future__ import annotations

import sys
from typing import Any

import click
import sqlalchemy as sa

from app.cli.context import FAILED, Context, actor, finish, json_option, show, table, tenant_option
from app.cli.issuing import a_uuid, second
from app.events.delivery import Delivery
from app.events.issuing import Issuer
from app.events.receivers import Registration, probe, register, way_out
from app.events.receivers import remove as unregister
from app.outbound import OutboundError
from app.store import receivers, tenants
from app.store.engine import reading
from app.store.receivers import Receiver
from scim import events

id_argument = click.argument("id", callback=a_uuid)


@click.group()
def receiver() -> None:
    """Receivers of SCIM events (RFC 9967). What happens to a source's resources is pushed to them."""


@receiver.command()
@tenant_option
@click.option("--source", "source_name", metavar="NAME", help="Whose resources it hears of; without: all sources.")
@click.option("--url", required=True, help="Where events are posted; https, or http on loopback.")
@click.option("--audience", required=True, help="What the receiver expects in `aud`.")
@click.option("--events", "names", metavar="LIST", help="Events, separated by commas, as prov:delete; without: all.")
@click.option("--external-id", is_flag=True, help="Tell the externalId, which may be personal.")
@click.option("--token-stdin", is_flag=True, help="Read from standard input what it expects as bearer token.")
@json_option
@click.pass_obj
def add(
    context: Context,
    tenant_name: str,
    source_name: str | None,
    url: str,
    audience: str,
    names: str | None,
    external_id: bool,
    token_stdin: bool,
    as_json: bool,
) -> None:
    """Register a receiver. It hears what happens from now on."""
    vault = context.vault
    token = sys.stdin.readline().strip() if token_stdin else None
    wanted = [name.strip() for name in (names or "").split(",") if name.strip()]
    with context.database() as engine:
        tenant_id, source_id = _names(engine, tenant_name, source_name)
        said = Registration(url, audience, source_id, wanted, token, external_id)
        try:
            id = register(engine, vault, way_out(context.settings), tenant_id, said, actor=actor())
        except (ValueError, OutboundError) as error:
            raise click.UsageError(str(error)) from error
        found = _found(engine, tenant_id, id)
    jwks = f"{context.settings.public_url}/.well-known/jwks.json"
    data = {**_data(found), "issuer": context.settings.public_url, "jwks_uri": jwks}
    show(data, f"{_text(found)}\nissuer        {context.settings.public_url}\nkeys          {jwks}", as_json=as_json)


@receiver.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's receivers. What waits is entries that it has not looked at yet."""
    with context.database() as engine, reading(engine) as conn:
        found = receivers.listing(conn, tenants.find(conn, tenant_name).id)
    rows = [(each.source or "all", each.url, _state(each), each.waiting, each.id) for each in found]
    titles = ["source", "url", "state", "waiting", "id"]
    show([_data(each) for each in found], table(rows, titles), as_json=as_json)


@receiver.command("show")
@id_argument
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """Show one receiver. It says what it hears, where it stands, why it failed last."""
    with context.database() as engine:
        found = _found(engine, _names(engine, tenant_name, None)[0], id)
    show(_data(found), _text(found), as_json=as_json)


@receiver.command()
@id_argument
@tenant_option
@json_option
@click.pass_obj
def test(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """Send a verification event. Ends with 1 when it is not taken; if it is, a failing receiver is tried at once."""
    vault = context.vault
    with context.database() as engine:
        found = _found(engine, _names(engine, tenant_name, None)[0], id)
        issuer = Issuer(engine, vault, context.settings.public_url)
        delivered = probe(Delivery(engine, issuer, way_out(context.settings)), found)
    text = "The receiver took it." if delivered.taken else f"The receiver did not take it: {delivered.failure}"
    show({"taken": delivered.taken, "failure": delivered.failure or None}, text, as_json=as_json)
    if not delivered.taken:
        finish(FAILED)


@receiver.command()
@id_argument
@tenant_option
@json_option
@click.pass_obj
def remove(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """Remove a receiver. What it has not heard yet is not sent."""
    with context.database() as engine:
        unregister(engine, _names(engine, tenant_name, None)[0], id, actor=actor())
    show({"id": id, "removed": True}, f"{id} is removed.", as_json=as_json)


def _names(engine: sa.Engine, tenant_name: str, source_name: str | None) -> tuple[str, str | None]:
    with reading(engine) as conn:
        tenant = tenants.find(conn, tenant_name)
        return tenant.id, None if source_name is None else tenants.find_source(conn, tenant.id, source_name).id


def _found(engine: sa.Engine, tenant_id: str, id: str) -> Receiver:
    with reading(engine) as conn:
        return receivers.find(conn, tenant_id, id)


def _state(found: Receiver) -> str:
    return f"failing ({found.failures})" if found.failures else "ok"


def _data(found: Receiver) -> dict[str, Any]:
    """Without the token, even sealed."""
    return {
        "id": found.id,
        "source": found.source,
        "url": found.url,
        "audience": found.audience,
        "events": list(found.events),
        "external_id": found.external_id,
        "has_token": found.token is not None,
        "position": found.position,
        "waiting": found.waiting,
        "failures": found.failures,
        "failure": found.failure,
        "next_at": found.next_at,
        "delivered_at": found.delivered_at,
    }


def _text(found: Receiver) -> str:
    lines = {
        "id": found.id,
        "source": found.source or "all",
        "url": found.url,
        "audience": found.audience,
        "events": ", ".join(uri.removeprefix(events.PREFIX) for uri in found.events),
        "state": _state(found),
        "waiting": f"{found.waiting} entries after number {found.position}",
        "last failure": found.failure or "",
        "tried again": second(found.next_at),
        "last taken": second(found.delivered_at),
    }
    return "\n".join(f"{name:<14}{value}".rstrip() for name, value in lines.items())
