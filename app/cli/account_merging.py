"""`rollcall account merge|split`: two accounts that are one person, and one account that is two."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import click

from app import merging
from app.cli import account_acts
from app.cli.account import account, the_one
from app.cli.context import Context, actor, finish, json_option, show, table, tenant_option, to_json
from app.identity.changes import effective_roles
from app.identity.merging_shown import Compared, MergePreview, RoleChange, SplitPreview
from app.identity.model import Account
from app.identity.naming import called
from app.store import tenants
from app.store.engine import reading

__all__ = ["account", "account_acts"]  # one group, whose verbs stand in three files

REFUSED = 1
dry_run_option = click.option("--dry-run", is_flag=True, help="Show what would happen, and save nothing.")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
reason_option = click.option("--reason", default="", help="Why, for the audit.")
administrator_option = click.option(
    "--administrator", is_flag=True, help="An administrator role is concerned, and it is meant."
)


@account.command()
@click.argument("keep")
@click.argument("away")
@tenant_option
@dry_run_option
@yes_option
@reason_option
@administrator_option
@json_option
@click.pass_obj
def merge(
    context: Context,
    keep: str,
    away: str,
    tenant_name: str,
    dry_run: bool,
    yes: bool,
    reason: str,
    administrator: bool,
    as_json: bool,
) -> None:
    """Make one account of two. KEEP keeps its id and learning history; AWAY's id means KEEP from then on."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            ids = the_one(conn, tenant_id, keep), the_one(conn, tenant_id, away)
        shown = merging.preview_merge(engine, tenant_id, *ids)
        if dry_run:
            show(_merge_data(shown), "\n".join(_merge_told(shown)), as_json=as_json)
            if shown.refusal is not None:
                finish(REFUSED)
            return
        if not yes:
            click.echo("\n".join(_merge_told(shown)), err=as_json)
            click.confirm("Make one account of them?", abort=True, err=as_json)
        done = merging.merge(engine, tenant_id, *ids, actor=actor(), reason=reason, administrator=administrator)
    data = {"account": done.account.id, "merged": done.away, "records": done.records, "sessions": done.sessions}
    text = f"{done.away} is {done.account.id} from now on: {called(done.account)}. {_ended(done.sessions)}"
    show(data, text, as_json=as_json)


@account.command()
@click.argument("who")
@click.option("--record", "records", metavar="ID", multiple=True, help="A record of the other person; several.")
@click.option("--taken-back", metavar="ID", help="Instead: what came with this account when it was merged into WHO.")
@click.option(
    "--keeps-id",
    type=click.Choice(["this", "new"]),
    required=True,
    help="Who keeps id and learning history: this, the records that are not named; new, those that are.",
)
@tenant_option
@dry_run_option
@yes_option
@reason_option
@administrator_option
@json_option
@click.pass_obj
def split(
    context: Context,
    who: str,
    records: tuple[str, ...],
    taken_back: str | None,
    keeps_id: Literal["this", "new"],
    tenant_name: str,
    dry_run: bool,
    yes: bool,
    reason: str,
    administrator: bool,
    as_json: bool,
) -> None:
    """Make two accounts of one: the records that are named are another person's. `account show` lists them."""
    if bool(records) == bool(taken_back):
        raise click.UsageError("name the other person's records by --record, or what to take back by --taken-back")
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            id = the_one(conn, tenant_id, who)
        if taken_back:
            came = {alias.id: alias.records for alias in merging.came_with(engine, tenant_id, id)}
            if taken_back not in came:
                raise click.ClickException(f"no account {taken_back} was merged into {id}")
            records = came[taken_back]
        shown = merging.preview_split(engine, tenant_id, id, records, keeps_id=keeps_id)
        if dry_run:
            show(_split_data(shown), "\n".join(_split_told(shown)), as_json=as_json)
            if shown.refusal is not None:
                finish(REFUSED)
            return
        if not yes:
            click.echo("\n".join(_split_told(shown)), err=as_json)
            click.confirm("Make two accounts of it?", abort=True, err=as_json)
        done = merging.split(
            engine,
            tenant_id,
            id,
            records,
            keeps_id=keeps_id,
            actor=actor(),
            reason=reason,
            administrator=administrator,
        )
    data = {
        "account": done.account.id,
        "new": done.new.id,
        "records": done.records,
        "aliases": done.aliases,
        "sessions": done.sessions,
    }
    text = f"{done.new.id} is a new account: {called(done.new)}. {done.account.id} is {called(done.account)}."
    show(data, f"{text} {_ended(done.sessions)}", as_json=as_json)


def _merge_data(shown: MergePreview) -> dict[str, Any]:
    return {
        "keep": shown.keep.id,
        "away": shown.away.id,
        "attributes": [_compared(one, ("keep", "away", "merged")) for one in shown.attributes],
        "roles": effective_roles(shown.merged.grants),
        "gained": shown.gained,
        "lost": shown.lost,
        "records": [kept.record.id for kept in shown.records],
        "sessions": shown.sessions,
        "reports": shown.reports,
        "toldApart": shown.told_apart,
        "asksAdministrator": shown.asks_administrator,
        "refusal": None if shown.refusal is None else str(shown.refusal),
    }


def _split_data(shown: SplitPreview) -> dict[str, Any]:
    return {
        "account": shown.before.id,
        "attributes": [_compared(one, ("before", "stays", "leaves")) for one in shown.attributes],
        "roles": {"stays": effective_roles(shown.stays.grants), "leaves": effective_roles(shown.leaves.grants)},
        "staying": [kept.record.id for kept in shown.staying],
        "leaving": [kept.record.id for kept in shown.leaving],
        "sessions": shown.sessions,
        "reports": shown.reports,
        "asksAdministrator": shown.asks_administrator,
        "refusal": None if shown.refusal is None else str(shown.refusal),
    }


def _merge_told(shown: MergePreview) -> Iterator[str]:
    yield _side_by_side(shown.attributes, ["attribute", "kept", "goes", "merged"])
    yield ""
    yield from _role_lines(shown.gained, shown.lost)
    yield f"{len(shown.records)} records move, {len(shown.reports)} people get another manager."
    yield _ended(shown.sessions, "would end")
    if shown.told_apart:
        yield "A person told these two apart before."
    yield from _warnings(shown.asks_administrator, shown.refusal)


def _split_told(shown: SplitPreview) -> Iterator[str]:
    yield _side_by_side(shown.attributes, ["attribute", "before", "keeps the id", "new"])
    yield ""
    yield f"roles of who keeps the id: {_roles(shown.stays)}"
    yield f"roles of the new account: {_roles(shown.leaves)}"
    yield f"{len(shown.leaving)} records go to the new account, {len(shown.staying)} stay."
    yield _ended(shown.sessions, "would end")
    yield from _warnings(shown.asks_administrator, shown.refusal)


def _warnings(asks_administrator: bool, refusal: merging.NotMergedError | None) -> Iterator[str]:
    if asks_administrator:
        yield "An administrator role is concerned: --administrator says that it is meant."
    if refusal is not None:
        yield f"Refused: {refusal}"


def _side_by_side(attributes: Sequence[Compared], titles: Sequence[str]) -> str:
    rows = [(one.attribute, *(_cell(each) for each in (one.first, one.second, one.third))) for one in attributes]
    return table(rows, titles)


def _role_lines(gained: Sequence[RoleChange], lost: Sequence[RoleChange]) -> Iterator[str]:
    for word, changes in (("gains", gained), ("loses", lost)):
        if changes:
            yield f"{word}: {', '.join(f'{one.role} ({one.scope})' for one in changes)}"


def _roles(account: Account) -> str:
    found = [f"{role} ({scope})" for scope, roles in effective_roles(account.grants).items() for role in roles]
    return ", ".join(found) or "none"


def _compared(one: Compared, names: tuple[str, str, str]) -> dict[str, Any]:
    values = zip(names, (one.first, one.second, one.third), strict=True)
    return {"attribute": one.attribute, **dict(values), "differs": one.differs}


def _ended(sessions: int, verb: str = "ended") -> str:
    return f"{sessions} {'session' if sessions == 1 else 'sessions'} {verb}."


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    return value if isinstance(value, str) else to_json(value)
