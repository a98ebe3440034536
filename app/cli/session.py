"""`rollcall session`: who is signed in, in which browsers."""

from __future__ import annotations

import click

from app.adapters import signing_out
from app.cli.account import the_one
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.issuing import a_uuid, minute
from app.store import sessions, tenants
from app.store.engine import reading


def _uuids(ctx: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(a_uuid(ctx, parameter, value) for value in values)


@click.group()
def session() -> None:
    """Who is signed in, in which browsers."""


@session.command("list")
@tenant_option
@click.option("--account", "who", metavar="WHO", required=True, help="An account's id, userName or e-mail address.")
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, who: str, as_json: bool) -> None:
    """Show a person's sessions. Those that are over are left out."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        found = sessions.listing(conn, tenant_id, the_one(conn, tenant_id, who))
    rows = [
        (minute(one.created_at), minute(one.seen_at), minute(one.expires_at), one.connection, one.agent[:60], one.id)
        for one in found
    ]
    titles = ["since", "last seen", "until", "connection", "browser", "id"]
    show(found, table(rows, titles) if rows else "Nobody is signed in there.", as_json=as_json)


@session.command()
@click.argument("ids", nargs=-1, metavar="[ID]...", callback=_uuids)
@tenant_option
@click.option("--account", "who", metavar="WHO", help="A person: their account's id, userName or e-mail address.")
@click.option("--everywhere", is_flag=True, help="All sessions of --account, and whatever hangs on them.")
@json_option
@click.pass_obj
def revoke(
    context: Context, ids: tuple[str, ...], tenant_name: str, who: str | None, everywhere: bool, as_json: bool
) -> None:
    """End sessions. It shows in every process at once."""
    if bool(ids) == bool(who) or everywhere != bool(who):
        raise click.UsageError("name sessions by their ids, or a person by --account WHO --everywhere")
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            account_id = the_one(conn, tenant_id, who) if who else None
        if account_id is not None:
            ended = signing_out.end_all(engine, tenant_id, account_id, actor())
        else:
            ended = signing_out.end(engine, tenant_id, ids, actor())
    data = {"ended": [one.id for one in ended]}
    show(data, f"{len(ended)} sessions ended." if len(ended) != 1 else "1 session ended.", as_json=as_json)
