"""`rollcall mapping`: the role table. Every change is shown before it is saved."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.lazy import LazyGroup
from app.cli.previews import expect_option, saved_or_refused, shown_or_refused, told, yes_option
from app.store import mapping_pages, tenants
from app.store import mappings as store
from app.store.engine import reading
from app.sync import mapping_file, mappings
from app.sync.mapping_changes import Change, MappingError

UNMAPPED = 500

Command = TypeVar("Command", bound=Callable[..., Any])

role_option = click.option("--role", metavar="NAME", help="The role of the learning platform.")
scope_option = click.option("--scope", help="tenant (the default), branch:<name> or course:<name>.")
priority_option = click.option("--priority", type=int, default=0, help="Decides between roles of the same rank.")
remove_option = click.option("--remove", is_flag=True, help="Show what removing it would do.")


def match_options(command: Command) -> Command:
    """What has to be met: exactly one of them."""
    for option in (
        click.option("--source", "source_name", metavar="NAME", help="The source that says it; a group needs one."),
        click.option("--group", metavar="NAME", help="A group's display name or id."),
        click.option("--scim-role", metavar="VALUE", help="A value of SCIM roles."),
        click.option("--entitlement", metavar="VALUE", help="A value of SCIM entitlements."),
        click.option("--attribute", metavar="NAME=VALUE", help="A value of an attribute: title=Trainer."),
    ):
        command = option(command)
    return command


@click.group(
    cls=LazyGroup,
    lazy={
        "history": "mapping_history:history",
        "revert": "mapping_history:revert",
        "show-revision": "mapping_history:show_revision",
    },
)
def mapping() -> None:
    """Which groups and attributes give which roles."""


@mapping.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show the role table, the groups that nothing is mapped to (the first 500 by name), and the roles."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        rows = store.listing(conn, tenant_id)
        unmapped = mapping_pages.unmapped(conn, tenant_id, limit=UNMAPPED)
        roles = store.roles(conn, tenant_id)
    lines = [
        (one.source, f"{one.kind} {one.attribute}" if one.attribute else one.kind, one.match, one.role, one.scope,
         one.priority, one.state)
        for one in rows
    ]  # fmt: skip
    groups = [(one.source, one.name, one.counted, one.id) for one in unmapped]
    text = [
        table(lines, ["source", "kind", "match", "role", "scope", "priority", "state"]) if lines else "No mapping.",
        "",
        f"Groups without a mapping{_first(groups)}:" if groups else "Every group has a mapping.",
        *([table(groups, ["source", "group", "members", "id"])] if groups else []),
        "",
        f"Roles: {', '.join(f'{one.name} (administrator)' if one.administrator else one.name for one in roles)}",
    ]
    show({"mappings": rows, "unmappedGroups": unmapped, "roles": roles}, "\n".join(text), as_json=as_json)


@mapping.command("set")
@tenant_option
@match_options
@role_option
@scope_option
@priority_option
@yes_option
@expect_option
@json_option
@click.pass_obj
def set_(context: Context, tenant_name: str, yes: bool, expected: str | None, as_json: bool, **said: Any) -> None:
    """Give a role to whoever meets something. Another role for the same match is another line."""
    if said["role"] is None:
        raise click.UsageError("--role is missing")
    _save(context, tenant_name, [_change("set", **said)], yes, expected, as_json)


@mapping.command()
@tenant_option
@match_options
@role_option
@scope_option
@yes_option
@expect_option
@json_option
@click.pass_obj
def remove(context: Context, tenant_name: str, yes: bool, expected: str | None, as_json: bool, **said: Any) -> None:
    """Take lines out of the table: all of the match, or only those of a role and scope."""
    _save(context, tenant_name, [_change("remove", **said)], yes, expected, as_json)


@mapping.command()
@tenant_option
@match_options
@role_option
@scope_option
@priority_option
@remove_option
@json_option
@click.pass_obj
def preview(context: Context, tenant_name: str, remove: bool, as_json: bool, **said: Any) -> None:
    """Show who would gain and who would lose a role, and save nothing."""
    change = _change("remove" if remove else "set", **said)
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        shown = shown_or_refused(lambda: mappings.preview(engine, tenant_id, [change]))
    show(shown.as_dict(), told(shown), as_json=as_json)


@mapping.command()
@tenant_option
@click.option("--output", type=click.Path(dir_okay=False, path_type=Path), help="The file; else it is printed.")
@json_option
@click.pass_obj
def export(context: Context, tenant_name: str, output: Path | None, as_json: bool) -> None:
    """Write the role table as CSV; with --json, print what was written or would be."""
    with context.database() as engine, reading(engine) as conn:
        rows = store.listing(conn, tenants.find(conn, tenant_name).id)
    text = mapping_file.to_csv(rows)
    if output is not None:
        output.write_text(text, encoding="utf-8")
    if as_json:
        show({"mappings": rows, "file": output}, "", as_json=True)
    elif output is None:
        click.echo(text, nl=False)


@mapping.command("import")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@tenant_option
@yes_option
@expect_option
@json_option
@click.pass_obj
def import_(context: Context, file: Path, tenant_name: str, yes: bool, expected: str | None, as_json: bool) -> None:
    """Make the role table what the CSV file says: lines that are not in it are removed."""
    text = file.read_text(encoding="utf-8")

    def changes(engine: sa.Engine, tenant_id: str) -> list[Change]:
        with reading(engine) as conn:
            return mapping_file.changes(text, store.listing(conn, tenant_id))

    _save(context, tenant_name, changes, yes, expected, as_json)


def _save(
    context: Context,
    tenant_name: str,
    wanted: Sequence[Change] | Callable[[sa.Engine, str], list[Change]],
    yes: bool,
    expected: str | None,
    as_json: bool,
) -> None:
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        try:
            changes = wanted(engine, tenant_id) if callable(wanted) else list(wanted)
        except MappingError as error:
            raise click.ClickException(str(error)) from error
        save_shown(engine, tenant_id, changes, yes, expected, as_json)


def _first(groups: Sequence[object]) -> str:
    return f" (the first {UNMAPPED})" if len(groups) == UNMAPPED else ""


def save_shown(
    engine: sa.Engine,
    tenant_id: str,
    changes: Sequence[Change],
    yes: bool,
    expected: str | None,
    as_json: bool,
    *,
    note: str = "",
    reverts: str | None = None,
) -> None:
    """Show what the changes do, ask unless that was said already, and save what was shown."""
    shown = shown_or_refused(lambda: mappings.preview(engine, tenant_id, changes))
    if not yes and expected is None:
        click.echo(told(shown), err=as_json)
        click.confirm("Save this?", abort=True, err=as_json)
    facts: Any = {"actor": actor(), "expected_hash": expected or shown.hash, "note": note, "reverts": reverts}
    saved_or_refused(lambda: mappings.save(engine, tenant_id, changes, **facts, wait=True), as_json)


def tenant_of(engine: sa.Engine, name: str) -> str:
    """The id of the tenant called so."""
    with reading(engine) as conn:
        return tenants.find(conn, name).id


def _change(
    verb: Any,
    *,
    source_name: str | None,
    group: str | None,
    scim_role: str | None,
    entitlement: str | None,
    attribute: str | None,
    role: str | None,
    scope: str | None,
    priority: int = 0,
) -> Change:
    said = {"group": group, "role": scim_role, "entitlement": entitlement, "attribute": attribute}
    given = {kind: match for kind, match in said.items() if match is not None}
    if len(given) != 1:
        raise click.UsageError("give one of --group, --scim-role, --entitlement, --attribute")
    ((kind, match),) = given.items()
    name = None
    if kind == "attribute":
        name, equals, match = match.partition("=")
        if not equals:
            raise click.UsageError("--attribute is written as NAME=VALUE")
    return Change(verb, kind, match, role, scope, priority, source_name, name)
