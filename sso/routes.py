"""The doors of signing in and out: parse, call one step, answer. What a person sees is in `pages`.

    /sign-in/<tenant>          which connection      /sign-in/<tenant>/<connection>   on to its provider
    /saml/<id>                 our metadata          /saml/<id>/acs, /oidc/<id>/callback   the provider's answer
    /signed-in/<tenant>        own devices           /sign-out/<tenant>, /signed-out

`logout_routes` has the doors by which providers sign people out.
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, Literal
from urllib.parse import quote, urlencode

from flask import Blueprint, Response, current_app, request
from werkzeug.exceptions import HTTPException

from sso import choosing, cookies, logout_routes, pages
from sso.agents import in_words
from sso.arriving import Arrivals, Landed, RefusedError, home
from sso.bindings import Form
from sso.browser import (
    UUID,
    NothingHereError,
    Pace,
    TooManyError,
    connection_of,
    field,
    in_pace,
    is_name,
    leave,
    received,
    set_cookie,
    tenant_of,
    unpaced,
    visitor,
)
from sso.connections import Connection
from sso.departing import SIGNED_OUT, Departures, form_token, is_form_token, signed_out
from sso.errors import SignInError
from sso.keeping import Aim, Keeper, Session, Tenant
from sso.paths import is_local
from sso.provider_metadata import END_SESSION
from sso.refusals import SENTENCES
from sso.sides import Begun
from sso.testing import Tested

TO_PROVIDER: Final = "You are being taken to your organisation's sign-in page."
OUT_AT_PROVIDER: Final = "You are signed out here. Your organisation's sign-in page signs you out there as well."
NOWHERE: Final = "There is nothing at this address. Please start from your learning platform."
NOT_SET_UP: Final = "Nobody can sign in here at the moment. Please ask your administrator."
TOO_MANY: Final = "Too many sign-ins begin from your network at the moment. Please try again in a few seconds."
BUSY: Final = SENTENCES["busy"]
FAILED: Final = "Something went wrong here. Please try again in a few minutes."

log = logging.getLogger(__name__)
_STATUS: Final = {"malformed": 400, "too_large": 413, "busy": 503, "provider_unreachable": 503}


@dataclass(frozen=True, slots=True)
class SignIn:
    """What the doors need of one process."""

    keeper: Keeper
    arrivals: Arrivals
    departures: Departures
    public_url: str
    metadata: Callable[[Connection], bytes]
    pace: Pace = unpaced


def blueprint(parts: SignIn, unavailable: tuple[type[Exception], ...] = ()) -> Blueprint:
    """The doors, to be registered without a prefix. `unavailable` are errors by which a keeper says: not now."""
    made = Blueprint("sign_in", __name__)
    doors = _Doors(parts)
    made.add_url_rule("/sign-in/<tenant>", "choose", doors.choose, methods=["GET"])
    made.add_url_rule("/sign-in/<tenant>", "choose_by_email", doors.choose_by_email, methods=["POST"])
    made.add_url_rule("/sign-in/<tenant>/<name>", "begin", doors.begin, methods=["GET"])
    made.add_url_rule("/saml/<id>", "metadata", doors.metadata, methods=["GET"])
    made.add_url_rule("/saml/<id>/acs", "acs", doors.acs, methods=["POST"])
    made.add_url_rule("/oidc/<id>/callback", "callback", doors.callback, methods=["GET", "POST"])
    # Somebody who reloads, or goes back, comes without the form: they get a page as everybody does.
    made.add_url_rule("/saml/<id>/acs", "acs_by_get", doors.by_form_only, methods=["GET"])
    made.add_url_rule("/sign-out/<tenant>", "sign_out_by_get", doors.by_form_only, methods=["GET"])
    made.add_url_rule("/signed-in/<tenant>", "devices", doors.devices, methods=["GET"])
    made.add_url_rule("/sign-out/<tenant>", "sign_out", doors.sign_out, methods=["POST"])
    made.add_url_rule(SIGNED_OUT, "signed_out", doors.signed_out, methods=["GET"])
    logout_routes.add(made, parts.keeper, parts.arrivals, parts.departures)
    made.register_error_handler(NothingHereError, lambda _error: refused_page(404, NOWHERE, "Nothing here"))
    made.register_error_handler(TooManyError, too_many)
    made.register_error_handler(RefusedError, _refused)
    made.register_error_handler(HTTPException, _http)
    made.register_error_handler(Exception, _unforeseen)
    for kind in unavailable:
        made.register_error_handler(kind, lambda _error: refused_page(503, BUSY))
    return made


class _Doors:
    def __init__(self, parts: SignIn) -> None:
        self._keeper, self._arrivals, self._departures = parts.keeper, parts.arrivals, parts.departures
        self._public_url, self._metadata, self._pace = parts.public_url, parts.metadata, parts.pace

    def choose(self, tenant: str) -> Response:
        found, key = tenant_of(self._keeper, tenant), request.args.get("flow")
        aim = self._keeper.aim(found.id, key) if key else None
        choice = choosing.choose(self._keeper.connections(found.id), aim.demands.login_hint if aim else None)
        if choice.only is not None:
            return self._begin(found, choice.only, key)
        return self._chooser(found, choice, key)

    def choose_by_email(self, tenant: str) -> Response:
        found, key, email = tenant_of(self._keeper, tenant), request.args.get("flow"), field("email").strip()
        choice = choosing.choose_by_email(self._keeper.connections(found.id), email)
        if choosing.domain(email) is not None:
            in_pace(self._pace)
            aim = (self._keeper.aim(found.id, key) if key else None) or Aim(home(found))
            key = self._keeper.keep(found.id, replace(aim, demands=replace(aim.demands, login_hint=email)))
        if choice.only is not None:
            return pages.leading_to(_begin_path(found, choice.only, key), TO_PROVIDER)
        return self._chooser(found, choice, key, email)

    def begin(self, tenant: str, name: str) -> Response:
        found = tenant_of(self._keeper, tenant)
        connection = self._keeper.named(found.id, name) if is_name(name) else None
        if connection is None:
            raise NothingHereError
        return self._begin(found, connection, request.args.get("flow"))

    def metadata(self, id: str) -> Response:
        connection = connection_of(self._keeper, id, "saml")[1]
        answer = Response(self._metadata(connection), mimetype="application/samlmetadata+xml")
        answer.headers.update(pages.PRIVATE)
        return answer

    def acs(self, id: str) -> Response:
        return self._answer(id, "saml")

    def callback(self, id: str) -> Response:
        return self._answer(id, "oidc")

    def by_form_only(self, **_named: str) -> Response:
        answer = refused_page(405, NOWHERE, "Nothing here")
        answer.headers["Allow"] = "POST"
        return answer

    def devices(self, tenant: str) -> Response:
        found = tenant_of(self._keeper, tenant)
        secret, session = self._session(found)
        if session is None:
            return pages.page("signed_out.html", again=f"/sign-in/{found.name}")
        listed = [
            {**_shown(device.agent, device.address, device.since), "id": device.id, "mine": device.id == session.id}
            for device in self._keeper.devices(session)
        ]
        return pages.page(
            "devices.html",
            tenant=found.name,
            name=session.name,
            devices=listed,
            action=f"/sign-out/{found.name}",
            token=form_token(secret),
        )

    def sign_out(self, tenant: str) -> Response:
        found = tenant_of(self._keeper, tenant)
        secret, session = self._session(found)
        if session is None:
            # A form of another site comes without the cookie: it shall not take the cookie away either.
            gone = pages.onward(signed_out(found))
            return self._without_session(found, gone) if secret else gone
        if not is_form_token(field("token"), secret):
            return refused_page(400, "This page was open for too long. Please go back and try again.", "Not done")
        which = field("session")
        if which not in ("this", "all", session.id):
            self._keeper.end(session, [which] if UUID.fullmatch(which) else [])
            return pages.onward(home(found))
        begun = self._departures.sign_out(session, visitor(), everywhere=which == "all")
        if begun is None:
            return self._without_session(found, pages.onward(signed_out(found)))
        answer = self._waiting(begun, leave(begun.message, OUT_AT_PROVIDER))
        set_cookie(answer, cookies.onward_cookie(self._public_url), signed_out(found))
        return self._without_session(found, answer)

    def signed_out(self) -> Response:
        name, cookie = request.args.get("tenant", ""), cookies.onward_cookie(self._public_url)
        onward = request.cookies.get(cookie.name, "")
        # A client's own way on, which is checked there; or this page, where a provider's answer named no tenant.
        ways = (f"{END_SESSION}?",) if name else (f"{END_SESSION}?", f"{SIGNED_OUT}?")
        if onward.startswith(ways) and is_local(onward):
            answer = pages.onward(onward)
            set_cookie(answer, replace(cookie, max_age=0), "")
            return answer
        return pages.page("signed_out.html", again=f"/sign-in/{name}" if is_name(name) else None)

    def _chooser(self, tenant: Tenant, choice: choosing.Choice, key: str | None, email: str = "") -> Response:
        if not choice.connections:
            return refused_page(404, NOT_SET_UP)
        return pages.page(
            "chooser.html",
            tenant=tenant.name,
            choices=[{"title": each.title, "href": _begin_path(tenant, each, key)} for each in choice.connections],
            by_email=choice.by_email,
            notice=choice.notice,
            email=email,
            action=f"/sign-in/{tenant.name}{_flow(key)}",
        )

    def _begin(self, tenant: Tenant, connection: Connection, key: str | None) -> Response:
        in_pace(self._pace)
        begun = self._arrivals.begin(tenant, connection, key, visitor())
        message = begun.message
        if isinstance(message, Form):
            return self._waiting(begun, pages.posting_to(message.action, message.fields, TO_PROVIDER))
        return self._waiting(begun, pages.onward(message.url))

    def _answer(self, id: str, kind: Literal["saml", "oidc"]) -> Response:
        tenant, connection = connection_of(self._keeper, id, kind)
        try:
            came = received()
        except SignInError as error:
            raise self._arrivals.refuse(tenant, connection, error, visitor()) from error
        return self._landed(self._arrivals.answer(tenant, connection, came, visitor()))

    def _landed(self, landed: Landed | Tested) -> Response:
        answer = pages.onward(landed.return_to)
        if isinstance(landed, Tested):
            return answer
        set_cookie(answer, cookies.session_cookie(self._public_url, landed.tenant.id), landed.arrived.secret)
        return answer

    def _session(self, tenant: Tenant) -> tuple[str, Session | None]:
        secret = request.cookies.get(cookies.session(self._public_url, tenant.id), "")
        return secret, self._keeper.session(tenant.id, secret) if cookies.is_value(secret) else None

    def _waiting(self, begun: Begun, answer: Response) -> Response:
        set_cookie(answer, cookies.pending_cookie(self._public_url), begun.browser)
        return answer

    def _without_session(self, tenant: Tenant, answer: Response) -> Response:
        set_cookie(answer, replace(cookies.session_cookie(self._public_url, tenant.id), max_age=0), "")
        return answer


def refused_page(
    status: int, sentence: str, heading: str = "You are not signed in", code: str | None = None
) -> Response:
    """The one sentence, and the short code of the trace."""
    return pages.page("refused.html", status, heading=heading, sentence=sentence, code=code)


def too_many(error: TooManyError) -> Response:
    """The page for an address that must wait."""
    answer = refused_page(429, TOO_MANY)
    answer.headers["Retry-After"] = str(error.seconds)
    return answer


def _refused(error: RefusedError) -> Response:
    return refused_page(_STATUS.get(error.code, 403), SENTENCES[error.code], code=error.trace)


def _http(error: HTTPException) -> Response:
    return refused_page(error.code or 500, NOWHERE, "Nothing here")


def _unforeseen(error: Exception) -> Response:
    """It surfaces where the application is being tested; its text may quote a person, and is not logged."""
    if current_app.testing:
        raise error
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("signing in failed: %s\n%s", type(error).__name__, where)
    return refused_page(500, FAILED)


def _begin_path(tenant: Tenant, connection: Connection, key: str | None) -> str:
    return f"/sign-in/{tenant.name}/{quote(connection.name, safe='')}{_flow(key)}"


def _flow(key: str | None) -> str:
    return f"?{urlencode({'flow': key})}" if key else ""


def _shown(agent: str, address: str, since: datetime) -> dict[str, object]:
    return {"agent": in_words(agent), "address": address, "since": since}
