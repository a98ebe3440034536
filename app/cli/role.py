"""`rollcall role`: the roles that the learning platform knows, what they rank and where they stand in the console."""

from __future__ import annotations

import click

from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.previews import expect_option, saved_or_refused, shown_or_refused, told, yes_option
from app.identity.console_roles import LADDER
from app.identity.writes import BusyError
from app.store import mappings as store
from app.store import tenants
from app.store.engine import reading
from app.sync import roles
from app.sync.mapping_changes import MappingError
from app.sync.roles import RoleChange

NOWHERE = "none"


@click.group()
def role() -> None:
    """The roles of the learning platform."""


@role.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show the roles, the highest rank first."""
    with context.database() as engine, reading(engine) as conn:
        rows = store.roles(conn, tenants.find(conn, tenant_name).id)
    lines = [
        (one.name, one.rank, "yes" if one.administrator else "", one.console or "", one.description) for one in rows
    ]
    show(rows, table(lines, ["role", "rank", "administrator", "console", "description"]), as_json=as_json)


@role.command("set")
@click.argument("name")
@tenant_option
@click.option("--rank", type=int, help="0 to 1,000; where the highest role wins, the higher rank does.")
@click.option("--administrator/--no-administrator", default=None, help="Whether it runs the learning platform.")
@click.option("--console", type=click.Choice([*LADDER, NOWHERE]), help="What whoever holds it may do in the console.")
@click.option("--description", metavar="TEXT", help="One sentence, for people.")
@yes_option
@expect_option
@json_option
@click.pass_obj
def set_(
    context: Context,
    name: str,
    tenant_name: str,
    rank: int | None,
    administrator: bool | None,
    console: str | None,
    description: str | None,
    yes: bool,
    expected: str | None,
    as_json: bool,
) -> None:
    """Make a role, or change what is said of it. Whose effective roles turn is shown first."""
    change = RoleChange(name, rank, administrator, "" if console == NOWHERE else console, description)
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        shown = shown_or_refused(lambda: roles.preview(engine, tenant_id, change))
        if not yes and expected is None:
            click.echo(told(shown), err=as_json)
            click.confirm("Save this?", abort=True, err=as_json)
        hash_ = expected or shown.hash
        saved_or_refused(
            lambda: roles.save(engine, tenant_id, change, actor=actor(), expected_hash=hash_, wait=True), as_json
        )


@role.command()
@click.argument("name")
@tenant_option
@json_option
@click.pass_obj
def remove(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Remove a role that no line of the role table gives and nobody holds."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        try:
            roles.remove(engine, tenant_id, name, actor=actor())
        except (MappingError, BusyError) as error:
            raise click.ClickException(str(error)) from error
    show({"removed": name}, f"The role {name} is removed.", as_json=as_json)
