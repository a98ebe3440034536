"""`rollcall audit`: what was done, by whom, and whether the chain holds."""

from __future__ import annotations

import click
import sqlalchemy as sa

from app.cli.context import FAILED, Context, finish, json_option, show, table, tenant_option
from app.store import audit as chain
from app.store import tables as t
from app.store import tenants
from app.store.engine import reading


@click.group()
def audit() -> None:
    """What was done, by whom, and whether the chain holds."""


@audit.command("list")
@tenant_option
@click.option("--subject", help="Only what concerns this account, group or run, by its id.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many.")
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, subject: str | None, limit: int, as_json: bool) -> None:
    """Show the newest entries first. Personal values are not shown."""
    c = t.audit.c
    with context.database() as engine, reading(engine) as conn:
        chosen = sa.select(c.number, c.at, c.actor, c.action, c.subject, c.facts)
        chosen = chosen.where(c.tenant_id == tenants.find(conn, tenant_name).id)
        if subject is not None:
            chosen = chosen.where(c.subject == subject)
        found = conn.execute(chosen.order_by(c.number.desc()).limit(limit)).mappings().all()
    # Names of columns are texts of SQLAlchemy's own kind, which JSON does not take for keys.
    rows = [{str(name): value for name, value in row.items()} for row in found]
    lines = [
        (row["number"], f"{row['at']:%Y-%m-%d %H:%M:%S}", row["actor"], row["action"], row["subject"]) for row in rows
    ]
    show(rows, table(lines, ["number", "at (UTC)", "actor", "action", "subject"]), as_json=as_json)


@audit.command()
@tenant_option
@json_option
@click.pass_obj
def verify(context: Context, tenant_name: str, as_json: bool) -> None:
    """Walk the whole chain. Ends with 1 if an entry was changed, is missing, or does not fit."""
    with context.database() as engine, reading(engine) as conn:
        checked, broken = chain.verify(conn, tenants.find(conn, tenant_name).id)
    text = f"{checked} entries, and the chain holds." if broken is None else f"The chain is broken: {broken}."
    show({"checked": checked, "broken": broken}, text, as_json=as_json)
    if broken is not None:
        finish(FAILED)
