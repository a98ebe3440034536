"""Your access: sessions, passkeys, password and authenticator of whoever is in, and the way out.

    way-back ─▶ a passkey, or password and code ─▶ from then on no link is needed

Whoever came by a connection has sessions here and nothing else: the rest is their organisation's.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

from flask import Response, request

from app.adapters import own_access
from app.adapters.administering import NoAdministratorError, NotDoneError
from app.console import entering, proof
from app.console.desk import Desk
from app.console.entering import gone, party
from app.console.rendering import Refused, back, field, page
from app.console.routing import SIGN_IN, Route
from app.console.visit import THEMES, Visit, cookie_name
from app.store import console_sessions, passkeys
from app.store.administrators import Administrator
from app.store.engine import reading
from sso.agents import in_words

HOME: Final = "/admin/access"
NOT_YOURS: Final = "There is no such thing of yours any more; perhaps it ended meanwhile."
BY_CONNECTION: Final = "You come in by your organisation's sign-in, which keeps your credentials."
SET_UP: Final = "Done: you can come in again by password and code, whatever happens to your organisation's sign-in."


def show(desk: Desk, visit: Visit, status: int = 200, **values: object) -> Response:
    """What is yours."""
    me = _me(desk, visit)
    with reading(desk.engine) as conn:
        sessions = console_sessions.own(conn, visit.session)
        keys = passkeys.of(conn, me.tenant_id, me.id) if me else []
        connection = None if me else console_sessions.connection_of(conn, visit.session)
    return page(
        "access/page.html",
        status,
        me=me,
        connection=connection,
        sessions=[(one, in_words(one.agent)) for one in sessions],
        passkeys=keys,
        party=party(desk),
        no_passkeys=entering.NO_PASSKEYS,
        browser=in_words(request.headers.get("User-Agent", "")),
        themes=THEMES,
        **values,
    )


def way_back(desk: Desk, visit: Visit) -> Response:
    """Choose how to come in again."""
    me = _demanded(desk, visit)
    return page(
        "access/way_back.html",
        me=me,
        party=party(desk),
        no_passkeys=entering.NO_PASSKEYS,
        browser=in_words(request.headers.get("User-Agent", "")),
    )


def password(desk: Desk, visit: Visit) -> Response:
    """The picture for the authenticator, and the fields for password and code."""
    return _password_page(desk, _demanded(desk, visit))


def set_up_password(desk: Desk, visit: Visit) -> Response:
    """Password and authenticator together."""
    me = _demanded(desk, visit)
    if (asked := _if_there_is_one(desk, visit)) is not None:
        return asked
    said = (request.form.get("password", ""), field("sealed"), field("code"))
    try:
        own_access.set_up_password(desk.engine, desk.vault(), visit.session, *said, desk.now())
    except NotDoneError as error:
        return _password_page(desk, me, 422, errors={error.field: str(error)})
    return back(HOME, SET_UP)


def change_password(desk: Desk, visit: Visit) -> Response:
    """Another password."""
    _demanded(desk, visit)
    try:
        own_access.change_password(desk.engine, visit.session, request.form.get("password", ""))
    except NotDoneError as error:
        return show(desk, visit, 422, errors={"password": str(error)})
    return back(HOME, "The password is changed. Your other sessions have ended.")


def remove_password(desk: Desk, visit: Visit) -> Response:
    """Passkeys alone."""
    _demanded(desk, visit)
    try:
        own_access.remove_password(desk.engine, visit.session)
    except NotDoneError as error:
        return back(HOME, str(error), "danger")
    return back(HOME, "The password and the authenticator are removed. You come in by passkey.")


def authenticator(desk: Desk, visit: Visit) -> Response:
    """The picture of another authenticator."""
    return _authenticator_page(desk, _demanded(desk, visit))


def replace_authenticator(desk: Desk, visit: Visit) -> Response:
    """Another authenticator, once its code was shown."""
    me = _demanded(desk, visit)
    said = (field("sealed"), field("code"))
    try:
        own_access.replace_authenticator(desk.engine, desk.vault(), visit.session, *said, desk.now())
    except NotDoneError as error:
        return _authenticator_page(desk, me, 422, errors={error.field: str(error)})
    return back(HOME, "The new authenticator counts from now on. Your other sessions have ended.")


def passkey_options(desk: Desk, visit: Visit) -> Response:
    """What the browser makes a passkey for."""
    at = entering.demanded_party(desk)
    _demanded(desk, visit)
    return entering.json(own_access.ask_new_passkey(desk.engine, at.id, _browser(desk), visit.session).options)


def add_passkey(desk: Desk, visit: Visit) -> Response:
    """The passkey that the browser made."""
    at = entering.demanded_party(desk)
    _demanded(desk, visit)
    if (asked := _if_there_is_one(desk, visit)) is not None:
        return asked
    said = (field("answer"), field("label"))
    try:
        own_access.add_passkey(desk.engine, at.id, at.url, _browser(desk), visit.session, *said)
    except NotDoneError as error:
        return back(HOME if visit.session.has_way_back else f"{HOME}/way-back", str(error), "danger")
    return back(HOME, "Done: you can come in again with this passkey.")


def remove_passkey(desk: Desk, visit: Visit, id: UUID) -> Response:
    """One of yours."""
    _demanded(desk, visit)
    try:
        name = own_access.remove_passkey(desk.engine, visit.session, str(id))
    except NotDoneError as error:
        return back(HOME, str(error), "danger")
    except LookupError:
        raise Refused(404, NOT_YOURS, "Nothing here") from None
    return back(HOME, f"The passkey {name} lets nobody in any more. Delete it in the device too.")


def end_session(desk: Desk, visit: Visit, id: UUID) -> Response:
    """One of yours; this one is signing out."""
    if str(id) == visit.session.id:
        return sign_out(desk, visit)
    if not own_access.end_session(desk.engine, visit.session, str(id), visit.actor):
        raise Refused(404, NOT_YOURS, "Nothing here")
    return back(HOME, "That session has ended.")


def sign_out(desk: Desk, visit: Visit) -> Response:
    """Out of the console, here."""
    entering.leave(desk, visit, visit.actor)
    to = f"{SIGN_IN}?other=" if visit.link else f"{SIGN_IN}/{visit.tenant_name}"
    return gone(desk, back(to, "You are signed out of the console.", "info"))


def _password_page(desk: Desk, me: Administrator, status: int = 200, **values: object) -> Response:
    shown = own_access.new_authenticator(desk.vault(), me, desk.now(), field("sealed"))
    return page("access/password.html", status, me=me, shown=shown, **values)


def _authenticator_page(desk: Desk, me: Administrator, status: int = 200, **values: object) -> Response:
    if not me.by_password:
        raise Refused(409, "Set up a password with an authenticator first.")
    shown = own_access.new_authenticator(desk.vault(), me, desk.now(), field("sealed"))
    return page("access/authenticator.html", status, me=me, shown=shown, **values)


def _if_there_is_one(desk: Desk, visit: Visit) -> Response | None:
    """The first way back is set up by whoever came by the link; a further one is grave."""
    needed = visit.session.has_way_back and not proof.is_fresh(visit, desk.now())
    return proof.first() if needed else None


def _me(desk: Desk, visit: Visit) -> Administrator | None:
    try:
        return own_access.mine(desk.engine, visit.session)
    except NoAdministratorError:
        return None


def _demanded(desk: Desk, visit: Visit) -> Administrator:
    me = _me(desk, visit)
    if me is None:
        raise Refused(409, BY_CONNECTION)
    return me


def _browser(desk: Desk) -> str:
    """By which a challenge is answered by the browser that asked: the session's cookie."""
    return request.cookies.get(cookie_name(desk.public_url), "")


ROUTES: Final = (
    Route("GET", HOME, show),
    Route("GET", f"{HOME}/way-back", way_back),
    Route("GET", f"{HOME}/password", password),
    Route("POST", f"{HOME}/password", set_up_password),
    Route("POST", f"{HOME}/password/change", change_password, grave=True),
    Route("POST", f"{HOME}/password/remove", remove_password, grave=True),
    Route("GET", f"{HOME}/authenticator", authenticator),
    Route("POST", f"{HOME}/authenticator", replace_authenticator, grave=True),
    Route("POST", f"{HOME}/passkeys", add_passkey),
    Route("POST", f"{HOME}/passkeys/options", passkey_options),
    Route("POST", f"{HOME}/passkeys/<uuid:id>/remove", remove_passkey, grave=True),
    Route("POST", f"{HOME}/sessions/<uuid:id>/end", end_session),
    Route("POST", "/admin/sign-out", sign_out, link=("connection", "scim")),
)
