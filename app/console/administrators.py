"""Administrators: who may come in, as what, and by what; and which roles of the learning platform open the console."""

from __future__ import annotations

from datetime import timedelta
from typing import Final
from uuid import UUID

from flask import Response

from app.adapters import administering
from app.adapters.administering import DAYS, MOST_DAYS, Doer, Invited, NoAdministratorError, NotDoneError
from app.console.desk import Desk
from app.console.rendering import Refused, arg, back, field, page
from app.console.routing import Route, Section
from app.console.visit import Visit
from app.identity.console_roles import LADDER, SENTENCES, TITLES
from app.store import administrators, console_links, mappings
from app.store.engine import reading

HOME: Final = "/admin/administrators"
SHOWN: Final = 50
NOBODY: Final = "There is no such administrator; perhaps they were removed meanwhile."
SECTION: Final = Section("administrators", "Administrators", "shield-lock", HOME, 95)


def show(desk: Desk, visit: Visit, status: int = 200, **values: object) -> Response:
    """The list, and the form that invites."""
    after = arg("after")
    with reading(desk.engine) as conn:
        found = administrators.listing(conn, visit.tenant_id, after, SHOWN + 1)
        roles = [one for one in mappings.roles(conn, visit.tenant_id) if one.console]
    return page(
        "administrators/list.html",
        status,
        found=found[:SHOWN],
        next=found[SHOWN - 1].email if len(found) > SHOWN else "",
        after=after,
        roles=roles,
        choices=_choices(),
        days=DAYS,
        most_days=MOST_DAYS,
        titles=TITLES,
        sentences=SENTENCES,
        home=HOME,
        **values,
    )


def invite(desk: Desk, visit: Visit) -> Response:
    """A new administrator; the link is shown in this answer only."""
    said = {name: field(name) for name in ("email", "name", "role", "days")}
    try:
        invited = administering.invite(
            desk.engine, visit.tenant_id, said["email"], said["name"], said["role"], _lifetime(), _doer(visit)
        )
    except NotDoneError as error:
        return show(desk, visit, 422, form=said, errors={error.field: str(error)})
    return _link_page(desk, invited)


def one(desk: Desk, visit: Visit, id: UUID, status: int = 200, **values: object) -> Response:
    """One administrator."""
    with reading(desk.engine) as conn:
        found = administrators.find(conn, visit.tenant_id, str(id))
        until = console_links.invited_until(conn, visit.tenant_id, str(id))
    if found is None:
        raise Refused(404, NOBODY, "Nothing here")
    return page(
        "administrators/one.html",
        status,
        one=found,
        invited_until=until,
        choices=_choices(),
        titles=TITLES,
        sentences=SENTENCES,
        mine=visit.administrator_id == found.id,
        days=DAYS,
        most_days=MOST_DAYS,
        home=HOME,
        **values,
    )


def change_role(desk: Desk, visit: Visit, id: UUID) -> Response:
    """Another role."""
    try:
        before = administering.change_role(desk.engine, visit.tenant_id, str(id), field("role"), _doer(visit))
    except NotDoneError as error:
        return one(desk, visit, id, 422, errors={"role": str(error)})
    except NoAdministratorError:
        raise Refused(404, NOBODY, "Nothing here") from None
    return back(f"{HOME}/{id}", f"{before.name} is {TITLES[field('role')]} from now on.")


def invite_again(desk: Desk, visit: Visit, id: UUID) -> Response:
    """A fresh link; with `start_over` what they sign in with is forgotten."""
    start_over = field("start_over") == "yes"
    try:
        invited = administering.invite_again(
            desk.engine, visit.tenant_id, str(id), _lifetime(), _doer(visit), start_over=start_over
        )
    except NotDoneError as error:
        return one(desk, visit, id, 422, errors={error.field or "again": str(error)})
    except NoAdministratorError:
        raise Refused(404, NOBODY, "Nothing here") from None
    return _link_page(desk, invited)


def revoke_invitation(desk: Desk, visit: Visit, id: UUID) -> Response:
    """No link of theirs works any more."""
    try:
        count = administering.revoke_invitation(desk.engine, visit.tenant_id, str(id), _doer(visit))
    except NotDoneError as error:
        return back(f"{HOME}/{id}", str(error), "danger")
    except NoAdministratorError:
        raise Refused(404, NOBODY, "Nothing here") from None
    return back(f"{HOME}/{id}", "The invitation is taken back." if count else "There was no open invitation.")


def remove(desk: Desk, visit: Visit, id: UUID) -> Response:
    """No administrator any more."""
    try:
        gone = administering.remove(desk.engine, visit.tenant_id, str(id), _doer(visit))
    except NotDoneError as error:
        return back(f"{HOME}/{id}", str(error), "danger")
    except NoAdministratorError:
        raise Refused(404, NOBODY, "Nothing here") from None
    return back(HOME, f"{gone.name} is no administrator any more.")


def _link_page(desk: Desk, invited: Invited) -> Response:
    address = f"{desk.public_url}/admin/invitation/{invited.link.secret}"
    return page("administrators/link.html", invited=invited, address=address, title_of=TITLES[invited.role], home=HOME)


def _doer(visit: Visit) -> Doer:
    assert visit.role is not None
    return Doer(visit.actor, visit.role)


def _lifetime() -> timedelta:
    days = field("days")
    return timedelta(days=int(days) if days.isascii() and days.isdecimal() and len(days) < 4 else 0)


def _choices() -> list[tuple[str, str]]:
    return [(role, f"{TITLES[role]}: {SENTENCES[role]}") for role in LADDER]


ROUTES: Final = (
    Route("GET", HOME, show),
    Route("POST", HOME, invite, "owner", grave=True),
    Route("GET", f"{HOME}/<uuid:id>", one),
    Route("POST", f"{HOME}/<uuid:id>/role", change_role, "owner", grave=True),
    Route("POST", f"{HOME}/<uuid:id>/invite", invite_again, "owner", grave=True),
    Route("POST", f"{HOME}/<uuid:id>/revoke-invitation", revoke_invitation, "owner"),
    Route("POST", f"{HOME}/<uuid:id>/remove", remove, "owner", grave=True),
)
