"""`rollcall account`: who somebody is, and why.

WHO is an account's id, a userName, an e-mail address, an employee number, or a record's id.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import click
import sqlalchemy as sa

from app.cli.context import FAILED, Context, finish, json_option, table, tenant_option, to_json
from app.cli.context import show as print_result
from app.explaining import explanation
from app.identity.explain import Explanation
from app.identity.naming import name_of
from app.store import finding, people, tenants
from app.store import rules as rulebook
from app.store.engine import reading


@click.group()
def account() -> None:
    """Who somebody is in the learning platform, and why."""


@account.command()
@click.argument("who")
@tenant_option
@json_option
@click.pass_obj
def find(context: Context, who: str, tenant_name: str, as_json: bool) -> None:
    """Find accounts by id, userName, e-mail address or employee number."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        found = finding.find(conn, tenant_id, who, rulebook.current(conn, tenant_id))
    data = [_short(row) for row in found]
    columns = ("id", "name", "status", "userName", "email", "employeeNumber", "roles")
    rows = [[_cell(one[column]) for column in columns] for one in data]
    print_result(data, table(rows, columns) if rows else f"Nobody is known as {who}.", as_json=as_json)
    if not found:
        finish(FAILED)


@account.command()
@click.argument("who")
@tenant_option
@json_option
@click.pass_obj
def show(context: Context, who: str, tenant_name: str, as_json: bool) -> None:
    """Show one account: its status, attributes and roles."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        account_id = the_one(conn, tenant_id, who)
        found = people.accounts(conn, tenant_id, [account_id], lock=False)[account_id]
        records = people.records_of(conn, tenant_id, [account_id])
        sources = rulebook.current(conn, tenant_id).sources
    said = [
        {
            "source": sources[kept.record.source_id].name,
            "id": kept.record.id,
            "userName": kept.user_name,
            "sourceKey": kept.source_key,
            "active": kept.record.active,
            "deleted": kept.record.deleted,
        }
        for kept in records
    ]
    data = {
        "id": found.id,
        "name": name_of(found.id, found.attributes),
        "status": found.status,
        "affiliation": found.affiliation,
        "suspended": found.suspended,
        "attributes": found.attributes,
        "roles": [{"role": g.role, "scope": g.scope, "effective": g.effective} for g in found.grants],
        "manager": found.manager_id,
        "records": said,
    }
    rows = [(name, _cell(value)) for name, value in sorted(found.attributes.items())]
    roles = ", ".join(f"{g.role} ({g.scope})" for g in found.grants if g.effective) or "none"
    text = [
        f"{data['name']}  {found.id}",
        f"status: {found.status} ({found.affiliation})",
        f"roles: {roles}",
        "",
        table(rows, ["attribute", "value"]),
        "",
        table([_record(one) for one in said], ["source", "record", "known there as", "says"]),
    ]
    print_result(data, "\n".join(text), as_json=as_json)


@account.command()
@click.argument("who")
@tenant_option
@json_option
@click.pass_obj
def explain(context: Context, who: str, tenant_name: str, as_json: bool) -> None:
    """Tell why one account is as it is: whose each value is, what lost, who says active, what gave each role."""
    with context.database() as engine, reading(engine) as conn:
        tenant_id = tenants.find(conn, tenant_name).id
        account_id = the_one(conn, tenant_id, who)
        told = explanation(conn, tenant_id, account_id)
        leaders = sorted({one for ids in told.managers.values() for one in ids} | {told.manager_id or account_id})
        known = finding.attributes_of(conn, tenant_id, [*leaders, account_id])
    names = {id: name_of(id, attributes) for id, attributes in known.items()}
    print_result(told.as_dict(), "\n".join(_lines(told, names)), as_json=as_json)


def the_one(conn: sa.Connection, tenant_id: str, who: str) -> str:
    """The id of the one account that `who` means.

    Raises:
        ClickException: nobody or several are known as that.
    """
    found = finding.find(conn, tenant_id, who, rulebook.current(conn, tenant_id))
    if not found:
        raise click.ClickException(f"nobody is known as {who}")
    if len(found) > 1:
        known = "\n".join(f"  {row.id}  {name_of(str(row.id), row.attributes)}" for row in found)
        raise click.ClickException(f"several are known as {who}; name one by its id:\n{known}")
    return str(found[0].id)


def _lines(told: Explanation, names: Mapping[str, str]) -> Iterator[str]:
    yield f"{names.get(told.account_id, told.account_id)}  {told.account_id}"
    yield ""
    yield f"status: {told.status} ({told.affiliation})"
    yield from (f"  {reason}" for reason in told.status_reasons)
    yield ""
    rows = []
    for one in told.attributes:
        value = names.get(one.value, one.value) if one.name == "manager" else one.value
        lost = "; ".join(f"{lost.source}={_cell(lost.value)} ({lost.why})" for lost in one.lost)
        rows.append((one.name, _cell(value), one.source, one.rule, f"{one.since:%Y-%m-%d %H:%M}", lost))
    yield table(rows, ["attribute", "value", "winner", "rule", "since", "lost"])
    yield ""
    yield "roles:" if told.roles else "roles: none"
    for role in told.roles:
        yield f"  {role.role} ({role.scope}){'' if role.effective else ' [not effective]'}: {role.why}"
    if told.managers:
        yield ""
        yield "managers:"
    for kind, ids in told.managers.items():
        yield f"  {kind}: {', '.join(names.get(id, id) for id in ids)}"


def _short(row: Any) -> dict[str, Any]:
    said = row.attributes
    return {
        "id": str(row.id),
        "name": name_of(str(row.id), said),
        "status": row.status,
        "userName": said.get("userName"),
        "email": said.get("emails.work"),
        "employeeNumber": said.get("employeeNumber"),
        "roles": row.roles,
    }


def _record(said: Mapping[str, Any]) -> tuple[str, str, str, str]:
    says = "deleted" if said["deleted"] else "active" if said["active"] else "inactive"
    return (said["source"], said["id"], said["userName"] or said["sourceKey"] or "", says)


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return value if isinstance(value, str) else to_json(value)
