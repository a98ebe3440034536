"""`rollcall connection`: the identity providers that a tenant's people sign in through."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from app.adapters import connecting
from app.adapters.connection_view import described
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.issuing import minute
from app.cli.lazy import LazyGroup
from app.store import connections, tenants
from app.store.engine import reading

name_argument = click.argument("name")


@click.group(
    cls=LazyGroup,
    lazy={
        "create": "connection_making:create",
        "prepare": "connection_making:prepare",
        "refresh": "connection_testing:refresh",
        "set": "connection_making:set_",
        "test": "connection_testing:test",
    },
)
def connection() -> None:
    """The identity providers that a tenant's people sign in through."""


@connection.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show a tenant's connections."""
    with context.database() as engine, reading(engine) as conn:
        found = connections.listing(conn, tenants.find(conn, tenant_name).id)
    data = [described(one, context.settings.public_url) for one in found]
    rows = [
        (one["name"], one["type"], one["state"], one["title"], " ".join(one["domains"]), len(one["warnings"]) or "")
        for one in data
    ]
    show(data, table(rows, ["name", "type", "state", "title", "domains", "warnings"]), as_json=as_json)


@connection.command("show")
@name_argument
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Show one connection. It says what its provider must know, and which certificates are about to end."""
    with context.database() as engine, reading(engine) as conn:
        found = connections.named(conn, tenants.find(conn, tenant_name).id, name)
    data = described(found, context.settings.public_url)
    show(data, text_of(data), as_json=as_json)


@connection.command()
@name_argument
@tenant_option
@json_option
@click.pass_obj
def enable(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Let people sign in through a connection again."""
    _switch(context, name, tenant_name, enabled=True, as_json=as_json)


@connection.command()
@name_argument
@tenant_option
@click.option("--end-sessions", is_flag=True, help="End the sessions that began through it as well.")
@json_option
@click.pass_obj
def disable(context: Context, name: str, tenant_name: str, end_sessions: bool, as_json: bool) -> None:
    """Let nobody sign in through a connection. Whoever is signed in stays so."""
    _switch(context, name, tenant_name, enabled=False, as_json=as_json, end_sessions=end_sessions)


@connection.command()
@name_argument
@tenant_option
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@click.pass_obj
def remove(context: Context, name: str, tenant_name: str, yes: bool, as_json: bool) -> None:
    """Remove a connection. Its sessions end; its source is retired."""
    if not yes:
        click.confirm(f"Remove {name} of {tenant_name} and sign its people out?", abort=True, err=True)
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        ended = connecting.remove(engine, tenant_id, name, actor())
    data = {"name": name, "removed": True, "sessions_ended": ended}
    show(data, f"{name} is removed; {ended} sessions ended.", as_json=as_json)


def text_of(data: dict[str, Any]) -> str:
    """A connection for people: what it is, what its provider must know, its certificates, what to care for."""
    plain = {
        name: value for name, value in data.items() if name not in ("addresses", "certificates", "warnings", "settings")
    }
    lines = [*_lines(plain), "", text_of_addresses(data["addresses"]), "", "settings:"]
    lines += _lines({name: value for name, value in data["settings"].items() if name != "certificates"}, "  ")
    for one in data["certificates"]:
        until = f"{minute(one['not_before'])} to {minute(one['not_after'])}"
        lines += ["", f"certificate of {one['subject']}", f"  valid    {until}", f"  SHA-256  {one['fingerprint']}"]
    return "\n".join([*lines, *(f"\nwarning: {one}" for one in data["warnings"])])


def text_of_addresses(told: dict[str, str]) -> str:
    """What the identity provider must be told."""
    return "\n".join(["for the identity provider:", *_lines(told, "  ")])


def _lines(said: dict[str, Any], indent: str = "") -> list[str]:
    return [
        f"{indent}{name:<24}  {_text(value)}" for name, value in said.items() if value not in (None, [], (), {}, "")
    ]


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return f"{minute(value)} UTC"
    if isinstance(value, (list, tuple)):
        return " ".join(str(one) for one in value)
    if isinstance(value, dict):
        return "; ".join(f"{name}: {_text(one)}" for name, one in value.items())
    return str(value)


def _switch(
    context: Context, name: str, tenant_name: str, *, enabled: bool, as_json: bool, end_sessions: bool = False
) -> None:
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        change = connecting.Change(enabled=enabled)
        connecting.change(engine, lambda: context.vault, tenant_id, name, change, actor())
        ended = connecting.end_sessions(engine, tenant_id, name, actor()) if end_sessions else 0
    data = {"name": name, "enabled": enabled, "sessions_ended": ended}
    said = f"{name} is switched {'on' if enabled else 'off'}."
    show(data, f"{said} {ended} sessions ended." if end_sessions else said, as_json=as_json)
