"""`rollcall audit`: what was done, by whom, and whether the chain holds."""

from __future__ import annotations

import csv
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import click

from app.cli.context import FAILED, Context, finish, json_option, show, table, tenant_option, to_json
from app.store import audit as chain
from app.store import audit_log, tenants
from app.store.audit_log import Asked
from app.store.engine import reading, snapshot

DAY: Final = click.DateTime(("%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"))


@click.group()
def audit() -> None:
    """What was done, by whom, and whether the chain holds."""


def _narrowing(command: Callable[..., None]) -> Callable[..., None]:
    """The options by which entries are narrowed."""
    for option in (
        click.option("--before", metavar="NUMBER", type=click.IntRange(1), help="Only older ones than this entry."),
        click.option("--until", type=DAY, help="Up to this day or moment, in UTC."),
        click.option("--since", type=DAY, help="From this day or moment on, in UTC."),
        click.option("--action", help="What was done, or its beginning: connection., account.suspended."),
        click.option("--actor", help="Who did it, or the beginning: cli:, scim:okta."),
        click.option("--subject", help="Only what concerns this account, group or run, by its id."),
    ):
        command = option(command)
    return command


@audit.command("list")
@tenant_option
@_narrowing
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many.")
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool, limit: int, **narrowed: Any) -> None:
    """Show the newest entries first. Personal values are not shown."""
    with context.database() as engine, reading(engine) as conn:
        found = list(audit_log.export(conn, tenants.find(conn, tenant_name).id, _asked(**narrowed), most=limit))
    lines = [(one.number, f"{one.at:%Y-%m-%d %H:%M:%S}", one.actor, one.action, one.subject) for one in found]
    shown = table(lines, ["number", "at (UTC)", "actor", "action", "subject"])
    show([one.as_dict() for one in found], shown, as_json=as_json)


@audit.command()
@tenant_option
@_narrowing
@json_option
@click.pass_obj
def export(context: Context, tenant_name: str, as_json: bool, **narrowed: Any) -> None:
    """Write all entries as CSV, or with --json one JSON object a line; the newest first, without personal values."""
    rows = csv.writer(sys.stdout, lineterminator="\n")
    with context.database() as engine, reading(engine) as conn:
        found = audit_log.export(conn, tenants.find(conn, tenant_name).id, _asked(**narrowed))
        if not as_json:
            rows.writerow(audit_log.COLUMNS)
        for one in found:
            if as_json:
                click.echo(to_json(one.as_dict()))
            else:
                rows.writerow(one.as_row())


def _asked(since: datetime | None, until: datetime | None, **narrowed: Any) -> Asked:
    def utc(at: datetime | None) -> datetime | None:
        return None if at is None else at.replace(tzinfo=UTC)

    return Asked(since=utc(since), until=utc(until), **narrowed)


@audit.command()
@tenant_option
@json_option
@click.pass_obj
def verify(context: Context, tenant_name: str, as_json: bool) -> None:
    """Walk the whole chain. Ends with 1 if an entry was changed, is missing, or does not fit."""
    with context.database() as engine, snapshot(engine) as conn:
        checked, broken = chain.verify(conn, tenants.find(conn, tenant_name).id)
    text = f"{checked} entries, and the chain holds." if broken is None else f"The chain is broken: {broken}."
    show({"checked": checked, "broken": broken}, text, as_json=as_json)
    if broken is not None:
        finish(FAILED)
