"""`rollcall admin`: who administers a tenant in the console. What is lost there is found again here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from datetime import timedelta
from typing import Any, TypeVar

import click
import sqlalchemy as sa

from app.adapters import administering
from app.adapters.administering import DAYS, MOST_DAYS, Doer, Invited, NotDoneError
from app.cli.context import Context, actor, json_option, show, table, tenant_option
from app.cli.issuing import minute, tenant_of
from app.identity.console_roles import LADDER
from app.store import administrators
from app.store.administrators import Administrator
from app.store.engine import reading

T = TypeVar("T")


@click.group()
def admin() -> None:
    """Who administers a tenant in the console."""


@admin.command()
@click.argument("email")
@tenant_option
@click.option("--role", type=click.Choice(LADDER), help="What they may do. Without it: owner.")
@click.option("--name", default="", help="What they are called. Without it: their address.")
@click.option(
    "--expires-in",
    metavar="DAYS",
    type=click.IntRange(1, MOST_DAYS),
    default=DAYS,
    show_default=True,
    help="How long the link is good for.",
)
@click.option("--start-over", is_flag=True, help="Forget what they sign in with: it was lost, or stolen.")
@json_option
@click.pass_obj
def invite(
    context: Context,
    email: str,
    tenant_name: str,
    role: str | None,
    name: str,
    expires_in: int,
    start_over: bool,
    as_json: bool,
) -> None:
    """Make somebody an administrator, or let one come in again, by a link that works once.

    An address that is an administrator's already gets a new link; older ones that nobody used end.
    """
    lifetime, doer = timedelta(days=expires_in), _doer()
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        known = _find(engine, tenant_id, email)
        if known is not None and role not in (None, known.role):
            raise click.UsageError(f"{known.email} is {known.role} already; `rollcall admin role` changes it")
        if known is None:
            chosen = role or LADDER[-1]
            invited = _done(lambda: administering.invite(engine, tenant_id, email, name, chosen, lifetime, doer))
        else:
            invited = _done(
                lambda: administering.invite_again(engine, tenant_id, known.id, lifetime, doer, start_over=start_over)
            )
    address = link(context.settings.public_url, invited)
    data = {
        "id": invited.administrator_id,
        "email": invited.email,
        "role": invited.role,
        "link": address,
        "expires_at": invited.link.expires_at,
    }
    until = minute(invited.link.expires_at)
    text = f"{invited.email} ({invited.role}) comes in once, until {until} UTC, by\n\n  {address}"
    show(data, text, as_json=as_json)


@admin.command("list")
@tenant_option
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, as_json: bool) -> None:
    """Show the administrators, and how each can come in."""
    found: list[administrators.Listed] = []
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenant_of(engine, tenant_name)
        while some := administrators.listing(conn, tenant_id, after=found[-1].email if found else ""):
            found += some
    rows = [(one.email, one.role, one.name, _ways(one), minute(one.signed_in_at), one.id) for one in found]
    titles = ["address", "role", "name", "comes in by", "last came in", "id"]
    empty = "There is no administrator yet: `rollcall admin invite` makes one."
    show([asdict(one) for one in found], table(rows, titles) if rows else empty, as_json=as_json)


@admin.command()
@click.argument("email")
@click.argument("role", type=click.Choice(LADDER))
@tenant_option
@json_option
@click.pass_obj
def role(context: Context, email: str, role: str, tenant_name: str, as_json: bool) -> None:
    """Give an administrator another role, at once."""
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        found = _the_one(engine, tenant_id, email)
        _done(lambda: administering.change_role(engine, tenant_id, found.id, role, _doer()))
    show({"id": found.id, "role": role}, f"{found.email} is {role} now.", as_json=as_json)


@admin.command()
@click.argument("email")
@tenant_option
@json_option
@click.pass_obj
def remove(context: Context, email: str, tenant_name: str, as_json: bool) -> None:
    """Remove an administrator: sessions, links and what they sign in with end."""
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        found = _the_one(engine, tenant_id, email)
        _done(lambda: administering.remove(engine, tenant_id, found.id, _doer()))
    show({"id": found.id, "removed": True}, f"{found.email} is no administrator any more.", as_json=as_json)


@admin.command("revoke-link")
@click.argument("email")
@tenant_option
@json_option
@click.pass_obj
def revoke_link(context: Context, email: str, tenant_name: str, as_json: bool) -> None:
    """End the links of an administrator that nobody used."""
    with context.database() as engine:
        tenant_id = tenant_of(engine, tenant_name)
        found = _the_one(engine, tenant_id, email)
        count = _done(lambda: administering.revoke_invitation(engine, tenant_id, found.id, _doer()))
    show({"id": found.id, "revoked": count}, "Ended." if count else "There was none.", as_json=as_json)


def link(public_url: str, invited: Invited) -> str:
    """The address that lets them in."""
    return f"{public_url}/admin/invitation/{invited.link.secret}"


def _doer() -> Doer:
    """Whoever can run commands on the server may everything."""
    return Doer(actor(), "owner")


def _find(engine: sa.Engine, tenant_id: str, email: str) -> Administrator | None:
    with reading(engine) as conn:
        return administrators.by_email(conn, tenant_id, email)


def _the_one(engine: sa.Engine, tenant_id: str, email: str) -> Administrator:
    found = _find(engine, tenant_id, email)
    if found is None:
        raise click.ClickException(f"there is no administrator {email}; `rollcall admin list` shows them")
    return found


def _done(act: Callable[[], T]) -> T:
    try:
        return act()
    except NotDoneError as error:
        raise click.ClickException(str(error)) from error


def _ways(one: administrators.Listed) -> str:
    ways: list[Any] = []
    if one.by_password:
        ways.append("password and code")
    if one.passkeys:
        ways.append("passkey" if one.passkeys == 1 else f"{one.passkeys} passkeys")
    if one.invited_until:
        ways.append(f"link until {minute(one.invited_until)}")
    return ", ".join(ways) or "nothing"
