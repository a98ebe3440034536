"""One account of two, two of one: shown attribute by attribute first, then done, and taken back by its opposite."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, cast

from flask import Response, request

from app import duplicates, merging
from app.console.desk import Desk
from app.console.phrases import many
from app.console.reach import demand_over
from app.console.rendering import arg, back, field, fields, page
from app.console.routing import Route
from app.console.visit import Visit
from app.identity.merging_guards import NotMergedError
from app.identity.merging_shown import Compared
from app.identity.naming import called
from app.merging import KeepsId
from app.store import people, people_search, tenants
from app.store.engine import reading
from app.store.tenants import NotFoundError


def merge_page(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Whom to merge with; with `other`, what it would come to, whichever of the two is kept."""
    name = _name(desk, visit, account_id)
    if not arg("other"):
        with reading(desk.engine) as conn:
            found = people_search.search(conn, visit.tenant_id, arg("q"), limit=20).rows if arg("q") else []
        others = [row for row in found if row.id != account_id]
        return page("merging/choose.html", title=f"Merge {name}", name=name, id=account_id, others=others, q=arg("q"))
    keep, away = (account_id, arg("other")) if arg("keep") != "other" else (arg("other"), account_id)
    try:
        shown = merging.preview_merge(desk.engine, visit.tenant_id, keep, away)
        pair = duplicates.side_by_side(desk.engine, visit.tenant_id, keep, away)
    except NotMergedError as error:
        return back(f"/admin/people/{account_id}/merge", str(error), "danger")
    return page(
        "merging/merge.html",
        title=f"Merge {name}",
        id=account_id,
        other=arg("other"),
        shown=shown,
        pair=pair,
        names=_leaders(desk, visit, shown.attributes),
    )


def merge(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Make one account of two; `keep` is the id that stays."""
    other, keep = field("other"), field("keep")
    _name(desk, visit, account_id)
    if keep not in (account_id, other):
        return back(f"/admin/people/{account_id}/merge", "Choose which of the two stays.", "danger")
    away = other if keep == account_id else account_id
    _demand(desk, visit, keep, away)
    here = f"/admin/people/{account_id}/merge?other={other}"
    try:
        done = merging.merge(
            desk.engine,
            visit.tenant_id,
            keep,
            away,
            actor=visit.actor,
            reason=field("reason"),
            administrator=bool(field("administrator")),
        )
    except NotMergedError as error:
        return back(here, str(error), "danger")
    desk.wake("logout")
    said = f"One person now. {many(len(done.records), 'record')} came along; the other id goes on meaning this account."
    return back(f"/admin/people/{done.account.id}", said)


def split_page(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Which records are another person's; with some chosen, what it would come to."""
    name = _name(desk, visit, account_id)
    chosen, keeps = request.args.getlist("record"), _keeps(arg("keeps"))
    with reading(desk.engine) as conn:
        records = people.records_of(conn, visit.tenant_id, [account_id])
        sources = {one.id: one.name for one in tenants.sources(conn, visit.tenant_id)}
    shown, refused = None, ""
    if chosen:
        try:
            shown = merging.preview_split(desk.engine, visit.tenant_id, account_id, chosen, keeps_id=keeps)
        except NotMergedError as error:
            refused = str(error)
    return page(
        "merging/split.html",
        422 if refused else 200,
        title=f"Split {name}",
        name=name,
        id=account_id,
        records=records,
        sources=sources,
        chosen=chosen,
        keeps=keeps,
        shown=shown,
        names=_leaders(desk, visit, shown.attributes if shown else ()),
        refused=refused,
        came_with=merging.came_with(desk.engine, visit.tenant_id, account_id),
    )


def split(desk: Desk, visit: Visit, account_id: str) -> Response:
    """Make two accounts of one."""
    _name(desk, visit, account_id)
    _demand(desk, visit, account_id)
    try:
        done = merging.split(
            desk.engine,
            visit.tenant_id,
            account_id,
            fields("record"),
            keeps_id=_keeps(field("keeps")),
            actor=visit.actor,
            reason=field("reason"),
            administrator=bool(field("administrator")),
        )
    except NotMergedError as error:
        return back(f"/admin/people/{account_id}/split", str(error), "danger")
    desk.wake("logout")
    said = f"Two people now; this is the new account. The other is {called(done.account)}. Both were signed out."
    return back(f"/admin/people/{done.new.id}", said)


def _name(desk: Desk, visit: Visit, account_id: str) -> str:
    with reading(desk.engine) as conn:
        found = people.accounts(conn, visit.tenant_id, [account_id], lock=False)
    if account_id not in found:
        raise NotFoundError(f"the tenant has no account {account_id}")
    return called(found[account_id])


def _leaders(desk: Desk, visit: Visit, attributes: Sequence[Compared]) -> dict[str, str]:
    """What the managers among these values are called, by id."""
    ids = {id for one in attributes if one.attribute == "manager" for id in (one.first, one.second, one.third) if id}
    with reading(desk.engine) as conn:
        found = people.accounts(conn, visit.tenant_id, sorted(ids), lock=False) if ids else {}
    return {id: called(account) for id, account in found.items()}


def _demand(desk: Desk, visit: Visit, *account_ids: str) -> None:
    """Whoever merges an account into another's can come to hold what that one holds."""
    with reading(desk.engine) as conn:
        found = people.accounts(conn, visit.tenant_id, account_ids, lock=False)
        demand_over(conn, visit, found.values())


def _keeps(text: str) -> KeepsId:
    return cast(KeepsId, text) if text in ("this", "new") else "this"


ROUTES: Final = (
    Route("GET", "/admin/people/<uuid:account_id>/merge", merge_page, "admin"),
    Route("POST", "/admin/people/<uuid:account_id>/merge", merge, "admin"),
    Route("GET", "/admin/people/<uuid:account_id>/split", split_page, "admin"),
    Route("POST", "/admin/people/<uuid:account_id>/split", split, "admin"),
)
