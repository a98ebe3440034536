"""`rollcall ownership` and `rollcall source map`: whose word counts, and what a source's codes mean."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import click
import sqlalchemy as sa

from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.store import rules as rulebook
from app.store import tenants
from app.store.engine import reading
from app.sync import rules
from app.sync.rule_changes import Owners


@click.group()
def ownership() -> None:
    """Whose word counts for each attribute of an account."""


@ownership.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show the table: attribute by owner, first to last."""
    with context.database() as engine, reading(engine) as conn:
        owned = rulebook.current(conn, tenants.find(conn, tenant_name).id).ownership
    shown = {name: {"owners": rule.owners, "createOnly": rule.create_only} for name, rule in sorted(owned.items())}
    rows = [(name, " > ".join(rule.owners), " ".join(rule.create_only)) for name, rule in sorted(owned.items())]
    show(shown, table(rows, ["attribute", "owners", "first value only"]), as_json=as_json)


@ownership.command("set")
@click.argument("attribute")
@click.argument("owners", nargs=-1, required=True)
@click.option("--dry-run", is_flag=True, help="Show whom it would change, and save nothing.")
@click.option("--create-only", multiple=True, metavar="OWNER", help="May give a first value, and never change it.")
@tenant_option
@json_option
@click.pass_obj
def set_(
    context: Context,
    attribute: str,
    owners: tuple[str, ...],
    create_only: tuple[str, ...],
    dry_run: bool,
    tenant_name: str,
    as_json: bool,
) -> None:
    """Say who owns ATTRIBUTE: OWNERS are kinds of sources (idp, hris, crm) or sources, first to last."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        if dry_run:
            _show_plan(engine, tenant_id, Owners(attribute, owners, create_only), as_json=as_json)
            return
        with _explained():
            run = rules.set_owners(engine, tenant_id, attribute, owners, create_only=create_only, actor=actor())
    text = f"{attribute} belongs to {', then '.join(owners)}. Everybody is derived again by run {run}."
    show({"attribute": attribute, "owners": owners, "createOnly": create_only, "run": run}, text, as_json=as_json)


@ownership.command()
@click.argument("attribute")
@tenant_option
@json_option
@click.pass_obj
def reset(context: Context, attribute: str, tenant_name: str, as_json: bool) -> None:
    """Go back to the built-in rule for ATTRIBUTE."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        with _explained():
            run = rules.reset_owners(engine, tenant_id, attribute, actor=actor())
    text = f"{attribute} follows the built-in rule again. Everybody is derived again by run {run}."
    show({"attribute": attribute, "run": run}, text, as_json=as_json)


@click.command("map")
@click.argument("source")
@click.argument("attribute")
@click.argument("code")
@click.argument("name", required=False)
@tenant_option
@json_option
@click.pass_obj
def source_map(
    context: Context, source: str, attribute: str, code: str, name: str | None, tenant_name: str, as_json: bool
) -> None:
    """Say what CODE of SOURCE means in the LMS: its NAME. Without NAME the code is taken as it is."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
        with _explained():
            run = rules.set_meaning(engine, tenant_id, source, attribute, code, name, actor=actor())
    meaning = f"means {name}" if name else "is taken as it is"
    text = f"{attribute} {code} of {source} {meaning}. Everybody is derived again by run {run}."
    show({"source": source, "attribute": attribute, "code": code, "name": name, "run": run}, text, as_json=as_json)


def _show_plan(engine: sa.Engine, tenant_id: str, change: Owners, *, as_json: bool) -> None:
    with _explained():
        run_id, summary = rules.proposed(engine, tenant_id, change, actor=actor())
    counted = ", ".join(f"{number} {effect}" for effect, number in summary["counts"].items()) or "nobody"
    text = f"Nothing was saved. Changed: {counted}. {summary['verdict']} The list: rollcall run show {run_id}"
    show({"run": run_id, **summary}, text, as_json=as_json)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except rules.RuleError as error:
        raise click.UsageError(str(error)) from error
