"""`rollcall db`: the database's tables."""

from __future__ import annotations

import click

from app.cli.context import FAILED, Context, finish, json_option, show
from app.store import migrate
from app.store.engine import check_server, make_migration_engine


@click.group()
def db() -> None:
    """The database's tables."""


@db.command()
@json_option
@click.pass_obj
def upgrade(context: Context, as_json: bool) -> None:
    """Bring the tables to this release's revision. It is safe to repeat and to run twice at once."""
    with context.database_url() as url:
        revision = migrate.upgrade(url)
    show({"revision": revision}, f"The database is at revision {revision}.", as_json=as_json)


@db.command()
@json_option
@click.pass_obj
def check(context: Context, as_json: bool) -> None:
    """Say whether the tables are this release's; ends with 1 when they are not."""
    with context.database_url() as url:
        engine = make_migration_engine(url, lock_timeout_ms=migrate.LOCK_TIMEOUT_MS)
        with engine.connect() as conn:
            server = check_server(conn)
            ok = migrate.is_head(conn)
    report = {"ok": ok, "revision": migrate.head(), "postgresql": server}
    text = f"PostgreSQL {server}, {'at' if ok else 'not at'} revision {migrate.head()}."
    show(report, text if ok else f"{text} Run `rollcall db upgrade`.", as_json=as_json)
    if not ok:
        finish(FAILED)
