"""`rollcall mapping history`, `show-revision`, `revert`: what was saved of the role table, and how it is taken back."""

from __future__ import annotations

from dataclasses import asdict

import click

from app.cli.context import Context, json_option, show, table, tenant_option
from app.cli.mapping import save_shown, tenant_of
from app.cli.previews import expect_option, yes_option
from app.sync import mapping_history
from app.sync.mapping_history import Reverting

revision_argument = click.argument("revision", metavar="REVISION")


@click.command()
@tenant_option
@click.option("--before", type=int, metavar="NUMBER", help="Only what is older than this revision.")
@click.option("--limit", type=click.IntRange(1, 1_000), default=50, show_default=True, help="So many of them.")
@json_option
@click.pass_obj
def history(context: Context, tenant_name: str, before: int | None, limit: int, as_json: bool) -> None:
    """List the saves of the role table, the newest first."""
    with context.database() as engine:
        rows = mapping_history.listing(engine, tenant_of(engine, tenant_name), before, limit)
    lines = [
        (one.revision, f"{one.at:%Y-%m-%d %H:%M}", one.actor, len(mapping_history.differences(one)),
         one.counts.get("gains"), one.counts.get("losses"), one.note)
        for one in rows
    ]  # fmt: skip
    titles = ["revision", "at (UTC)", "by", "lines", "gain", "lose", "note"]
    show(rows, table(lines, titles) if lines else "Nothing was saved yet.", as_json=as_json)


@click.command("show-revision")
@revision_argument
@tenant_option
@json_option
@click.pass_obj
def show_revision(context: Context, revision: str, tenant_name: str, as_json: bool) -> None:
    """Show what a save of the role table changed, line by line."""
    with context.database() as engine:
        found = mapping_history.find(engine, tenant_of(engine, tenant_name), revision)
    told = mapping_history.differences(found)
    head = f"Revision {found.revision}, {found.at:%Y-%m-%d %H:%M} UTC, by {found.actor}"
    counts = ", ".join(f"{number} {name}" for name, number in found.counts.items())
    text = "\n".join([head, *([found.note] if found.note else []), counts, *(f"  {one.words}" for one in told)])
    show({**asdict(found), "differences": told}, text, as_json=as_json)


@click.command()
@revision_argument
@tenant_option
@yes_option
@expect_option
@json_option
@click.pass_obj
def revert(context: Context, revision: str, tenant_name: str, yes: bool, expected: str | None, as_json: bool) -> None:
    """Take a save of the role table back: its lines stand as before, but those that were changed since."""
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        found = mapping_history.revert(engine, tenant_id, revision)
        _tell_left(found, as_json)
        if not found.changes:
            raise click.ClickException("Nothing of this revision is left to take back.")
        note = f"takes back revision {found.revision.revision}"
        save_shown(engine, tenant_id, found.changes, yes, expected, as_json, note=note, reverts=found.revision.id)


def _tell_left(found: Reverting, as_json: bool) -> None:
    for line, why in found.left:
        click.echo(f"Left as it is: {line}: {why}", err=as_json)
