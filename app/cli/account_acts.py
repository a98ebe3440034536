"""`rollcall account set|unset|grant|revoke|suspend|reinstate|derive`: what a person decides about one account."""

from __future__ import annotations

from dataclasses import replace

import click

from app.cli.account import account, the_one
from app.cli.context import Context, actor, json_option, show, tenant_option
from app.identity.changes import diff
from app.identity.model import EMPTY
from app.identity.writes import ByHand, Outcome, Rederive
from app.provisioning import provision
from app.store import tenants
from app.store.engine import reading

note_option = click.option("--note", default="", help="Why, for the audit.")
scope_option = click.option(
    "--scope", default="tenant", show_default=True, help="tenant, branch:<name> or course:<name>."
)


@account.command("set")
@click.argument("who")
@click.argument("attribute")
@click.argument("value", required=False)
@click.option("--none", "empty", is_flag=True, help="There is to be no value.")
@tenant_option
@note_option
@json_option
@click.pass_obj
def set_(
    context: Context,
    who: str,
    attribute: str,
    value: str | None,
    empty: bool,
    tenant_name: str,
    note: str,
    as_json: bool,
) -> None:
    """Set a value by hand: it stays, whatever sources say, until it is taken back. A manager is named as WHO."""
    if (value is None) != empty:
        raise click.UsageError("name a VALUE, or --none")
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        said = the_one(conn, tenant_id, value) if attribute == "manager" and value is not None else value
    _decide(context, tenant_name, who, ByHand("", values={attribute: EMPTY if empty else said}, note=note), as_json)


@account.command()
@click.argument("who")
@click.argument("attribute")
@tenant_option
@note_option
@json_option
@click.pass_obj
def unset(context: Context, who: str, attribute: str, tenant_name: str, note: str, as_json: bool) -> None:
    """Take back a value that was set by hand: sources speak about it again."""
    _decide(context, tenant_name, who, ByHand("", taken_back=frozenset({attribute}), note=note), as_json)


@account.command()
@click.argument("who")
@click.argument("role")
@scope_option
@tenant_option
@note_option
@json_option
@click.pass_obj
def grant(context: Context, who: str, role: str, scope: str, tenant_name: str, note: str, as_json: bool) -> None:
    """Give a role by hand, beside what mappings give."""
    _decide(context, tenant_name, who, ByHand("", given=frozenset({(role, scope)}), note=note), as_json)


@account.command()
@click.argument("who")
@click.argument("role")
@scope_option
@tenant_option
@note_option
@json_option
@click.pass_obj
def revoke(context: Context, who: str, role: str, scope: str, tenant_name: str, note: str, as_json: bool) -> None:
    """Take back a role that was given by hand. What a mapping gives, only the mapping takes."""
    _decide(context, tenant_name, who, ByHand("", taken=frozenset({(role, scope)}), note=note), as_json)


@account.command()
@click.argument("who")
@tenant_option
@note_option
@json_option
@click.pass_obj
def suspend(context: Context, who: str, tenant_name: str, note: str, as_json: bool) -> None:
    """Take somebody's access away, whatever sources say, and sign them out everywhere."""
    _decide(context, tenant_name, who, ByHand("", suspended=True, note=note), as_json)


@account.command()
@click.argument("who")
@tenant_option
@note_option
@json_option
@click.pass_obj
def reinstate(context: Context, who: str, tenant_name: str, note: str, as_json: bool) -> None:
    """End a suspension: sources say again whether the account is active."""
    _decide(context, tenant_name, who, ByHand("", suspended=False, note=note), as_json)


@account.command()
@click.argument("who")
@tenant_option
@json_option
@click.pass_obj
def derive(context: Context, who: str, tenant_name: str, as_json: bool) -> None:
    """Work an account out anew from what its records say."""
    _decide(context, tenant_name, who, Rederive(""), as_json)


def _decide(context: Context, tenant_name: str, who: str, write: ByHand | Rederive, as_json: bool) -> None:
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            account_id = the_one(conn, tenant_id, who)
        [outcome] = provision(engine, tenant_id, [replace(write, account_id=account_id)], actor=actor())
    changes = [
        {"attribute": one.attribute, "before": one.before, "after": one.after}
        for one in diff(outcome.before, outcome.after)
    ]
    data = {"id": account_id, "changed": outcome.changed, "changes": changes}
    show(data, _sentence(outcome, [str(one["attribute"]) for one in changes]), as_json=as_json)


def _sentence(outcome: Outcome, changed: list[str]) -> str:
    if changed:
        return f"Changed: {', '.join(changed)}. The account is {outcome.after.status}."
    return "Noted; nothing that is seen changed." if outcome.changed else "Nothing changed."
