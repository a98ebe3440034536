"""`rollcall scim log`: what identity providers asked, and what it did."""

from __future__ import annotations

import re
import time
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import click
import orjson
import sqlalchemy as sa

from app.adapters.scim_effects import words
from app.cli.context import FAILED, Context, finish, json_option, show, table, tenant_option, to_json
from app.cli.issuing import a_uuid
from app.store import scim_requests as store
from app.store import tenants
from app.store.engine import reading

FOLLOW_SECONDS: Final = 1.0
LATE: Final = timedelta(seconds=10)  # how long after a later one a request may still come into the table
TITLES: Final = ("at (UTC)", "source", "method", "path", "status", "ms", "effect", "id")
_SPANS: Final = {"m": "minutes", "h": "hours", "d": "days"}


@click.group(invoke_without_command=True)
@click.option("--tenant", "tenant_name", metavar="NAME", help="The tenant.")
@click.option("--source", "source_name", metavar="NAME", help="Only those of this source.")
@click.option("--status", metavar="STATUS", callback=lambda _c, _p, text: _statuses(text), help="409, or 4xx.")
@click.option("--method", type=click.Choice(store.METHODS, case_sensitive=False), help="Only this method.")
@click.option("--user", metavar="ID|USERNAME", help="Only those about one user or group.")
@click.option("--since", metavar="WHEN", callback=lambda _c, _p, text: _instant(text), help="30m, 2h, 7d, or a date.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="The newest so many.")
@click.option("--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@json_option
@click.pass_context
def log(ctx: click.Context, tenant_name: str | None, follow: bool, as_json: bool, **asked: Any) -> None:
    """Show the newest requests first; with a verb, one of them."""
    if ctx.invoked_subcommand is not None:
        return
    if tenant_name is None:
        raise click.UsageError("Missing option '--tenant'.")
    with ctx.obj.database() as engine:
        with reading(engine) as conn:
            tenant = tenants.find(conn, tenant_name)
            wanted = _asked(conn, tenant.id, **asked)
            rows = store.page(conn, tenant.id, wanted)
        if not follow:
            show([_told(row) for row in rows], table([_line(row) for row in rows], TITLES), as_json=as_json)
            return
        _print(reversed(rows), as_json=as_json)
        _follow(engine, tenant.id, wanted, rows, as_json=as_json)


@log.command("show")
@click.argument("id", callback=a_uuid)
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, id: str, tenant_name: str, as_json: bool) -> None:
    """Show one request with what it sent, secrets masked. ID is the answer's X-Request-Id."""
    with context.database() as engine, reading(engine) as conn:
        row = store.one(conn, tenants.find(conn, tenant_name).id, id)
    if row is None:
        click.echo("Error: the tenant's provisioning log has no request of this id", err=True)
        finish(FAILED)
        return
    told = _told(row)
    lines = [
        f"{name:12}  {value}" for name, value in told.items() if value is not None and name not in ("payload", "effect")
    ]
    payload = "" if row["payload"] is None else orjson.dumps(row["payload"], option=orjson.OPT_INDENT_2).decode()
    show(told, "\n".join([*lines, *([payload] if payload else [])]), as_json=as_json)


def _follow(
    engine: sa.Engine, tenant_id: str, wanted: store.Asked, rows: Sequence[dict[str, Any]], *, as_json: bool
) -> None:
    """Requests are written in batches by several processes: what comes late is looked for behind the newest."""
    seen = {row["id"]: row["at"] for row in rows}
    while True:
        time.sleep(FOLLOW_SECONDS)
        newest = max(seen.values(), default=datetime.now(UTC))
        with reading(engine) as conn:
            came = store.page(conn, tenant_id, replace(wanted, since=newest - LATE, limit=1000))
        fresh = [row for row in reversed(came) if row["id"] not in seen]
        seen = {id: at for id, at in seen.items() if at > newest - 2 * LATE} | {row["id"]: row["at"] for row in fresh}
        _print(fresh, as_json=as_json)


def _print(rows: Any, *, as_json: bool) -> None:
    for row in rows:
        click.echo(to_json(_told(row)) if as_json else "  ".join(str(cell or "-") for cell in _line(row)))


def _asked(conn: sa.Connection, tenant_id: str, **asked: Any) -> store.Asked:
    named = asked.pop("source_name")
    user = asked.pop("user")
    resources, name = (None, None) if user is None else store.about(conn, tenant_id, user)
    return store.Asked(
        source_id=None if named is None else tenants.find_source(conn, tenant_id, named).id,
        statuses=asked["status"],
        method=asked["method"] and asked["method"].upper(),
        resources=resources,
        name=name,
        since=asked["since"],
        limit=asked["limit"],
    )


def _told(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "summary": words(row["effect"], row["method"], row["status"])}


def _line(row: dict[str, Any]) -> tuple[object, ...]:
    effect = row["detail"] if row["status"] >= 400 else words(row["effect"], row["method"], row["status"])
    return (
        f"{row['at']:%Y-%m-%d %H:%M:%S}",
        row["source"],
        row["method"],
        row["path"],
        row["status"],
        round(row["milliseconds"]),
        effect,
        row["id"],
    )


def _statuses(text: str | None) -> tuple[int, int] | None:
    try:
        return None if text is None else store.statuses(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    span = re.fullmatch(r"(\d{1,5})([mhd])", text)
    if span:
        return datetime.now(UTC) - timedelta(**{_SPANS[span[2]]: int(span[1])})
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise click.BadParameter("write 30m, 2h, 7d, or a date like 2026-11-25T13:00") from None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
