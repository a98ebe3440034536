"""`rollcall sign-in`: the log of attempts to sign in, and why one failed."""

from __future__ import annotations

import click

from app.cli.account import the_one
from app.cli.context import FAILED, Context, finish, json_option, show, table, tenant_option
from app.cli.issuing import second
from app.store import sign_ins, tenants
from app.store.engine import reading
from app.store.sign_ins import Listed
from sso.refusals import SENTENCES


@click.group("sign-in")
def sign_in() -> None:
    """Attempts to sign in, and why one failed."""


@sign_in.command("list")
@tenant_option
@click.option("--account", "who", metavar="WHO", help="Those of one person: an id, userName or e-mail address.")
@click.option("--refused", is_flag=True, help="Only those that failed.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 1000), help="How many at most.")
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, who: str | None, refused: bool, limit: int, as_json: bool) -> None:
    """Show the newest attempts. `sign-in show CODE` tells all of one."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        account_id = the_one(conn, tenant_id, who) if who else None
        found = sign_ins.listing(conn, tenant_id, account_id=account_id, limit=limit, refused=refused)
    rows = [(second(one.at), one.code, one.outcome, one.reason, one.connection, one.account_id) for one in found]
    titles = ["at", "code", "outcome", "reason", "connection", "account"]
    show(found, table(rows, titles) if rows else "Nobody tried.", as_json=as_json)


@sign_in.command("show")
@click.argument("code")
@tenant_option
@json_option
@click.pass_obj
def show_(context: Context, code: str, tenant_name: str, as_json: bool) -> None:
    """Show one attempt by the code that the person read. It names the check that failed."""
    with context.database() as engine, reading(engine) as conn:
        found = sign_ins.find(conn, tenants.find(conn, tenant_name).id, code)
    if found is None:
        show(None, f"There is no attempt {code}; they are kept for `sign_in.log_days` days.", as_json=as_json)
        finish(FAILED)
        return
    show(found, "\n".join(_lines(found)), as_json=as_json)


def _lines(found: Listed) -> list[str]:
    said = {
        "code": found.code,
        "at": second(found.at),
        "outcome": found.outcome + (f" ({found.reason})" if found.reason else ""),
        "the person read": SENTENCES.get(found.reason or ""),
        "connection": found.connection,
        "account": found.account_id,
        "session": found.session_id,
        "browser": found.agent,
        "address": found.address,
    }
    lines = [f"{name:<15}  {value}" for name, value in said.items() if value]
    return [*lines, *(f"  {_step(step)}" for step in found.steps)]


def _step(step: object) -> str:
    return "  ".join(f"{name}={value}" for name, value in step.items()) if isinstance(step, dict) else str(step)
