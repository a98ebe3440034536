"""The page that asks whether it is still you: by what you came in with, then back to where you were."""

from __future__ import annotations

from typing import Final

from flask import Response, request

from app.adapters import coming_in, own_access
from app.adapters.administering import NoAdministratorError
from app.adapters.coming_in import Credentials
from app.console import entering, ways_in
from app.console.desk import Desk
from app.console.entering import party
from app.console.proof import PATH, inside
from app.console.rendering import Refused, arg, back, field, page
from app.console.routing import Route
from app.console.visit import Visit, cookie_name
from app.store import console_sessions
from app.store.engine import reading
from sso.keeping import Tenant

DONE: Final = "Thank you. What is grave can be done for the next half hour."
WRONG: Final = "That was not right. The password, and a code that was not used yet, belong together."
WRONG_PASSKEY: Final = "That was none of your passkeys. Please try again."


def show(desk: Desk, visit: Visit, status: int = 200, **values: str) -> Response:
    """By what it can be shown."""
    try:
        me = own_access.mine(desk.engine, visit.session)
    except NoAdministratorError:
        me = None
    with reading(desk.engine) as conn:
        connection = None if me else console_sessions.connection_of(conn, visit.session)
    return page(
        "access/proof.html", status, me=me, connection=connection, party=party(desk), to=_to(), proof=PATH, **values
    )


def by_password(desk: Desk, visit: Visit) -> Response:
    """Password and code."""
    entering.in_pace(desk, "password")
    said = Credentials("", request.form.get("password", ""), field("code")[:20])
    if not coming_in.prove_by_password(desk.engine, desk.vault, visit.session, said, desk.now()):
        return show(desk, visit, 422, wrong=WRONG)
    return back(_to(), DONE)


def passkey_options(desk: Desk, visit: Visit) -> Response:
    """What the browser asks its devices for."""
    at = entering.demanded_party(desk)
    return entering.json(coming_in.ask_for_passkey(desk.engine, at.id, _browser(desk), visit.session).options)


def by_passkey(desk: Desk, visit: Visit) -> Response:
    """What a device signed."""
    at = entering.demanded_party(desk)
    if not coming_in.prove_by_passkey(desk.engine, at.id, at.url, _browser(desk), field("answer"), visit.session):
        return show(desk, visit, 422, wrong_passkey=WRONG_PASSKEY)
    return back(_to(), DONE)


def by_connection(desk: Desk, visit: Visit) -> Response:
    """Sign in anew at the organisation's own sign-in: a new session takes the place of this one."""
    with reading(desk.engine) as conn:
        found = console_sessions.connection_of(conn, visit.session)
    if found is None:
        raise Refused(409, "The sign-in that you came by is gone. Sign out, and come in by another.")
    tenant = Tenant(visit.tenant_id, visit.tenant_name)
    return ways_in.to_connection(desk, tenant, found[0], _to(), force=True)


def _to() -> str:
    return inside(field("to") or arg("to"))


def _browser(desk: Desk) -> str:
    return request.cookies.get(cookie_name(desk.public_url), "")


ROUTES: Final = (
    Route("GET", PATH, show),
    Route("POST", f"{PATH}/password", by_password),
    Route("POST", f"{PATH}/passkey", by_passkey),
    Route("POST", f"{PATH}/passkey/options", passkey_options),
    Route("POST", f"{PATH}/connection", by_connection),
)
