"""`rollcall duplicate`: who may be one person, and what people decided about it.

One person: `rollcall account merge`. Two people: `rollcall duplicate apart`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
import sqlalchemy as sa

from app import duplicates
from app.cli.account import the_one
from app.cli.context import Context, actor, json_option, table, tenant_option
from app.cli.context import show as print_result
from app.cli.issuing import minute
from app.duplicates import Duplicate, Side
from app.identity.changes import effective_roles
from app.identity.merging_evidence import Evidence, Voice
from app.identity.naming import called
from app.store import rules as rulebook
from app.store import tenants
from app.store.engine import reading


@click.group()
def duplicate() -> None:
    """Accounts that may be one person."""


@duplicate.command("list")
@tenant_option
@click.option("--state", type=click.Choice(["open", "decided", "all"]), default="open", show_default=True)
@click.option("--limit", type=click.IntRange(1, 500), default=50, show_default=True)
@json_option
@click.pass_obj
def list_(context: Context, tenant_name: str, state: str, limit: int, as_json: bool) -> None:
    """Show pairs, the newest first, and what speaks for them."""
    decided = {"open": False, "decided": True, "all": None}[state]
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            sources = _sources(conn, tenant_id)
        page = duplicates.page(engine, tenant_id, decided=decided, limit=limit)
    titles = ["doubt", "state", "since", "one", "other", "agree in"]
    text = table([_row(one) for one in page.pairs], titles) if page.pairs else "Nobody may be somebody else."
    more = "\nThere are more: --limit." if page.next is not None else ""
    data = {"pairs": [_data(one, sources) for one in page.pairs], "more": bool(more)}
    print_result(data, text + more, as_json=as_json)


@duplicate.command()
@click.argument("doubt")
@click.argument("other", required=False)
@tenant_option
@json_option
@click.pass_obj
def show(context: Context, doubt: str, other: str | None, tenant_name: str, as_json: bool) -> None:
    """Show the pairs of a DOUBT side by side; or of any two people, each named as WHO."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            pair = None if other is None else (the_one(conn, tenant_id, doubt), the_one(conn, tenant_id, other))
            sources = _sources(conn, tenant_id)
        if pair is None:
            found = duplicates.show(engine, tenant_id, doubt)
        else:
            found = [duplicates.side_by_side(engine, tenant_id, *pair)]
    text = "\n\n".join("\n".join(_lines(one)) for one in found)
    print_result([_data(one, sources) for one in found], text, as_json=as_json)


@duplicate.command()
@click.argument("one")
@click.argument("other")
@tenant_option
@click.option("--reason", default="", help="Why, for the audit.")
@json_option
@click.pass_obj
def apart(context: Context, one: str, other: str, tenant_name: str, reason: str, as_json: bool) -> None:
    """Say that ONE and OTHER are two people: the pair is asked about no more."""
    with context.database() as engine:
        with reading(engine) as conn:
            tenant_id = tenants.find(conn, tenant_name).id
            pair = the_one(conn, tenant_id, one), the_one(conn, tenant_id, other)
        new = duplicates.tell_apart(engine, tenant_id, *pair, actor=actor(), reason=reason)
    text = "These are two people." if new else "These were told apart before."
    print_result({"accounts": pair, "changed": new}, text, as_json=as_json)


def _row(pair: Duplicate) -> tuple[str, str, str, str, str, str]:
    doubt = pair.doubt
    assert doubt is not None
    agreeing = ", ".join(one.what for one in pair.evidence if one.verdict == "agrees")
    names = (_name(pair.one, doubt.one), _name(pair.other, doubt.other))
    return doubt.id, doubt.state, minute(doubt.created_at), *names, agreeing


def _name(side: Side | None, id: str) -> str:
    return id if side is None else f"{called(side.account)} {id}"


def _sources(conn: sa.Connection, tenant_id: str) -> dict[str, str]:
    return {id: source.name for id, source in rulebook.current(conn, tenant_id).sources.items()}


def _data(pair: Duplicate, sources: Mapping[str, str]) -> dict[str, Any]:
    return {
        "doubt": None if pair.doubt is None else asdict(pair.doubt),
        "one": _side(pair.one, sources),
        "other": _side(pair.other, sources),
        "evidence": [asdict(one) for one in pair.evidence],
        "toldApart": pair.told_apart,
    }


def _side(side: Side | None, sources: Mapping[str, str]) -> dict[str, Any] | None:
    if side is None:
        return None
    return {
        "id": side.account.id,
        "name": called(side.account),
        "status": side.account.status,
        "suspended": side.account.suspended,
        "affiliation": side.account.affiliation,
        "administers": side.administers,
        "roles": effective_roles(side.account.grants),
        "lastSignIn": side.last_sign_in,
        "records": [
            {
                "id": kept.record.id,
                "source": sources.get(kept.record.source_id),
                "active": kept.record.active,
                "deleted": kept.record.deleted,
            }
            for kept in side.records
        ],
    }


def _lines(pair: Duplicate) -> Iterator[str]:
    for side in (pair.one, pair.other):
        if side is not None:
            roles = ", ".join(sorted({one for names in effective_roles(side.account.grants).values() for one in names}))
            seen = minute(side.last_sign_in) if side.last_sign_in else "not in the log"
            yield f"{called(side.account)}  {side.account.id}  {side.account.status}"
            yield f"  roles: {roles or 'none'}; records: {len(side.records)}; last sign-in: {seen}"
    if pair.doubt is not None:
        yield f"{pair.doubt.state}: {pair.doubt.reason}"
    if pair.told_apart:
        yield "A person told these two apart."
    yield table([_compared(one) for one in pair.evidence], ["what", "verdict", "one", "other"])


def _compared(one: Evidence) -> tuple[str, str, str, str]:
    what = f"{one.what} ({one.numbering})" if one.numbering else one.what
    return what, one.verdict, _voices(one.one), _voices(one.other)


def _voices(voices: tuple[Voice, ...]) -> str:
    return "; ".join(f"{voice.value} ({', '.join(voice.sources)})" for voice in voices) or "-"
