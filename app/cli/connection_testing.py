"""`rollcall connection test` and `refresh`: is it as it should be, and what does its provider say now."""

from __future__ import annotations

import click

from app.adapters import connection_checks
from app.adapters.metadata_refresh import MetadataRefresh
from app.cli.connection import name_argument
from app.cli.context import FAILED, Context, actor, finish, json_option, show, table, tenant_option
from app.outbound import way_out
from app.store import connections, tenants
from app.store.engine import reading


@click.command()
@name_argument
@tenant_option
@json_option
@click.pass_obj
def test(context: Context, name: str, tenant_name: str, as_json: bool) -> None:
    """Check a connection. Ends with 1 when something failed; it changes nothing."""
    with context.database() as engine, reading(engine) as conn:
        found = connections.named(conn, tenants.find(conn, tenant_name).id, name)
    web = way_out(context.settings.public_url, context.settings.outbound_networks or ())
    checks = connection_checks.run(found, web, context.settings.public_url)
    rows = [(one.outcome, one.name, one.says + (f"\n{'':<8}▶ {one.remedy}" if one.remedy else "")) for one in checks]
    show(checks, table(rows, ["", "check", "says"]), as_json=as_json)
    if any(one.outcome == "failed" for one in checks):
        finish(FAILED)


@click.command()
@name_argument
@tenant_option
@click.option("--accept-certificates", is_flag=True, help="Take them even if all are new: you compared fingerprints.")
@json_option
@click.pass_obj
def refresh(context: Context, name: str, tenant_name: str, accept_certificates: bool, as_json: bool) -> None:
    """Read a connection's metadata again now. Ends with 1 when it is not taken over."""
    web = way_out(context.settings.public_url, context.settings.outbound_networks or ())
    with context.database() as engine:
        with reading(engine) as conn:
            found = connections.named(conn, tenants.find(conn, tenant_name).id, name)
        done = MetadataRefresh(engine, web).refresh(found, accept=accept_certificates, actor=actor())
    text = f"Changed: {', '.join(done.changed)}." if done.changed else "Nothing is new."
    show(done, done.failure or text, as_json=as_json)
    if done.failure:
        finish(FAILED)
