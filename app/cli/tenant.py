"""`rollcall tenant`: the customers of the learning platform."""

from __future__ import annotations

import click

from app.cli.context import Context, json_option, name_of, show, table
from app.store import tenants
from app.store.engine import reading, writing


@click.group()
def tenant() -> None:
    """The customers of the learning platform."""


@tenant.command()
@click.argument("name", callback=name_of("tenant"))
@json_option
@click.pass_obj
def create(context: Context, name: str, as_json: bool) -> None:
    """Add a tenant with the roles learner, instructor, manager and admin."""
    with context.database() as engine, writing(engine) as conn:
        made = tenants.create(conn, name)
    show({"id": made.id, "name": made.name}, f"Tenant {made.name} is there ({made.id}).", as_json=as_json)


@tenant.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Show all tenants."""
    with context.database() as engine, reading(engine) as conn:
        found = tenants.listing(conn)
    rows = [(each.name, each.id, each.revision) for each in found]
    show(found, table(rows, ["name", "id", "revision"]), as_json=as_json)
