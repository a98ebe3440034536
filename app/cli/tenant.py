"""`rollcall tenant`: the customers of the learning platform."""

from __future__ import annotations

import click
import sqlalchemy as sa

from app.cli.context import Context, actor, json_option, name_of, show, table
from app.store import tenant_settings, tenants
from app.store.engine import reading, writing
from app.sync import rules, source_changes
from app.sync.rule_changes import HighestRole


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
    show(
        {"id": made.id, "name": made.name},
        f"Tenant {made.name} is there ({made.id}).\n"
        f"Invite who administers it: rollcall admin invite EMAIL --tenant {made.name}",
        as_json=as_json,
    )


@tenant.command("list")
@json_option
@click.pass_obj
def list_(context: Context, as_json: bool) -> None:
    """Show all tenants."""
    with context.database() as engine, reading(engine) as conn:
        found = tenants.listing(conn)
    rows = [(each.name, each.id, each.revision) for each in found]
    show(found, table(rows, ["name", "id", "revision"]), as_json=as_json)


@tenant.command("set")
@click.argument("name", callback=name_of("tenant"))
@click.argument("setting", required=False)
@click.argument("value", required=False)
@json_option
@click.pass_obj
def set_(context: Context, name: str, setting: str | None, value: str | None, as_json: bool) -> None:
    """Choose one of the tenant's settings; without SETTING, show all of them."""
    with context.database() as engine:
        with reading(engine) as conn:
            found = tenants.find(conn, name)
        if setting is not None:
            if value is None:
                raise click.UsageError("name the value as well")
            _choose(engine, found.id, setting, value)
            with reading(engine) as conn:
                found = tenants.find(conn, name)
    chosen = {one.name: tenant_settings.value(found.settings, one.name) for one in tenant_settings.SETTINGS}
    rows = [(one.name, chosen[one.name], one.sentence) for one in tenant_settings.SETTINGS]
    show(chosen, table(rows, ["setting", "value", "meaning"]), as_json=as_json)


def _choose(engine: sa.Engine, tenant_id: str, setting: str, value: str) -> None:
    try:
        if setting == source_changes.ROLE_RULE:
            change = HighestRole(bool(tenant_settings.read(setting, value)))
            rules.set_at_once(engine, tenant_id, change, actor=actor())
        else:
            source_changes.choose(engine, tenant_id, {setting: value}, actor=actor())
    except ValueError as error:
        raise click.UsageError(str(error)) from error
