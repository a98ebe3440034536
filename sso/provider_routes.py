"""The doors of the OpenID provider that browsers and clients come to; the token endpoint is the API's.

/oauth/authorize     a code for the client, after signing in where need be
/oauth/userinfo      what the token's scopes tell of the person
/oauth/revoke        a token ends                       (RFC 7009)
/oauth/end-session   the person signs out               (RP-Initiated Logout)
/.well-known/…       what there is
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import parse_qs, urlencode, urlsplit

import orjson
from flask import Blueprint, Response, request

from sso import authorize, cookies, cross_origin, end_session, pages, person_claims, provider_metadata
from sso.authorizations import SignedIn
from sso.authorize import MARK, Asked, NoWayBack, Parameters, RefusedError, Way
from sso.browser import Pace, TooManyError, in_pace, leave, set_cookie, unpaced, visitor
from sso.departing import Departures
from sso.end_session import Leaving, WrongError
from sso.errors import BearerError, InsufficientScopeError, InvalidTokenError
from sso.keeping import Keeper
from sso.provider import Answer, People, Provider, TokenRequest
from sso.relying_parties import OPENID, RelyingParty
from sso.routes import OUT_AT_PROVIDER, too_many
from sso.sides import Begun
from sso.tokens import bearer

FORM: Final = "application/x-www-form-urlencoded"
LARGEST: Final = 16 * 1024
MOST_PARAMETERS: Final = 50
LONGEST_TOKEN: Final = 8192
LONGEST_ONWARD: Final = 3000  # of a cookie
_NO_STORE: Final = {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"}
_BUSY: Final = "Too much is going on at the moment. Please try again."
_COOKIES: Final = "Your browser does not keep our cookie, so that we cannot tell that you signed in. Please allow it."


@dataclass(frozen=True, slots=True)
class Upstream:
    """By which a person is signed out at the identity provider too."""

    keeper: Keeper
    departures: Departures


@dataclass(frozen=True, slots=True)
class Doors:
    """What the doors need of one process."""

    people: People
    provider: Provider
    public_url: str
    upstream: Upstream | None = None
    pace: Pace = unpaced
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def blueprint(parts: Doors, unavailable: tuple[type[Exception], ...] = ()) -> Blueprint:
    """The doors, to be registered without a prefix. `unavailable` are errors by which a keeper says: not now."""
    made = Blueprint("provider", __name__)
    doors = _Doors(parts)
    both = ["GET", "POST"]
    made.add_url_rule(provider_metadata.AUTHORIZE, "authorize", doors.authorize, methods=both)
    made.add_url_rule(provider_metadata.USERINFO, "userinfo", doors.userinfo, methods=[*both, "OPTIONS"])
    made.add_url_rule(provider_metadata.REVOKE, "revoke", doors.revoke, methods=["POST"])
    made.add_url_rule(provider_metadata.END_SESSION, "end_session", doors.end_session, methods=both)
    for path in (provider_metadata.OPENID_DOCUMENT, provider_metadata.OAUTH_DOCUMENT):
        made.add_url_rule(path, path.rpartition("/")[2], doors.document, methods=["GET"])
    made.register_error_handler(NoWayBack, _no_way_back)
    made.register_error_handler(WrongError, _wrong)
    made.register_error_handler(TooManyError, too_many)
    made.register_error_handler(BearerError, _unauthorized)
    for kind in unavailable:
        made.register_error_handler(kind, lambda _error: _page(503, _BUSY))
    return made


class _Doors:
    def __init__(self, parts: Doors) -> None:
        self._keeper, self._mint, self._provider = parts.people.keeper, parts.people.mint, parts.provider
        self._public_url, self._now, self._upstream = parts.public_url, parts.now, parts.upstream
        self._pace = parts.pace
        self._document = orjson.dumps(provider_metadata.document(parts.public_url))

    def authorize(self) -> Response:
        if request.method == "HEAD":
            return pages.empty(405, {"Allow": "GET, POST"})
        said = _parameters(authorize.LARGEST)
        if said is None:
            raise NoWayBack("its parameters cannot be read, or are too many")
        mark = next(iter(said.pop(MARK, [])), None)
        party = self._keeper.party(authorize.client_id_of(said))
        if party is None:
            raise NoWayBack("its client_id is not that of a registered client")
        way = authorize.way_back(said, party)
        try:
            return self._answer(said, mark, party, authorize.read(said, party, way))
        except RefusedError as error:
            return self._back(way, {"error": error.code, "error_description": error.description})

    def _answer(self, said: Parameters, mark: str | None, party: RelyingParty, asked: Asked) -> Response:
        asked = self._with_hint(said, party, asked)
        who, now = self._who(party), self._now()
        again = _by_address(provider_metadata.AUTHORIZE, said) if who is None else None
        if again is not None:
            return again
        asked_at = self._asked_at(mark, asked)
        demands = authorize.decide(asked, who, asked_at, now)
        if demands is not None:
            if who is None and asked_at is not None and now - asked_at < authorize.JUST_NOW:
                return _page(400, _COOKIES)
            return self._sign_in(said, party, asked, demands.document())
        assert who is not None
        code = self._keeper.begin(party, who, asked.scopes, asked.way.redirect_uri, asked.challenge, asked.nonce)
        return self._back(asked.way, {"code": code})

    def _with_hint(self, said: Parameters, party: RelyingParty, asked: Asked) -> Asked:
        text = next(iter(said.get("id_token_hint", ())), "")
        if not text:
            return asked
        hint = self._mint.read_hint(text)
        if hint is None or hint.client_id != party.id:
            raise RefusedError("invalid_request", "id_token_hint is no ID token of ours for this client.")
        return authorize.expecting(asked, hint.account_id)

    def _sign_in(self, said: Parameters, party: RelyingParty, asked: Asked, demands: Mapping[str, Any]) -> Response:
        in_pace(self._pace)
        mark = self._keeper.mark(f"{self._now().timestamp():.0f} {_print_of(asked)}")
        flat = [(name, value) for name, values in said.items() for value in values]
        return_to = f"{provider_metadata.AUTHORIZE}?{urlencode([*flat, (MARK, mark)])}"
        if len(return_to) > authorize.LARGEST:
            raise RefusedError("invalid_request", f"A request has at most {authorize.LARGEST} characters.")
        path, _, query = self._keeper.send_to_sign_in(party, return_to, demands).partition("?")
        return pages.onward(f"{path}/{asked.connection}?{query}" if asked.connection else f"{path}?{query}")

    def _asked_at(self, mark: str | None, asked: Asked) -> datetime | None:
        """When the person was sent to sign in for this very request."""
        at, _, print_of = (self._keeper.marked(mark) or "").partition(" ") if mark else ("", "", "")
        return datetime.fromtimestamp(int(at), UTC) if at.isdigit() and print_of == _print_of(asked) else None

    def _back(self, way: Way, said: Mapping[str, str]) -> Response:
        """The answer to the client, with who answers (RFC 9207)."""
        state = {} if way.state is None else {"state": way.state}
        return pages.onward(_with_query(way.redirect_uri, {**said, **state, "iss": self._public_url}))

    def _who(self, party: RelyingParty) -> SignedIn | None:
        cookie = request.cookies.get(cookies.session(self._public_url, party.tenant_id))
        return self._keeper.signed_in(party, cookie) if cookie is not None and cookies.is_value(cookie) else None

    def userinfo(self) -> Response:
        """In the header alone (RFC 6750 §2.1): addresses and forms end up in logs."""
        origin = request.headers.get("Origin")
        if request.method == "OPTIONS":
            return pages.empty(204, cross_origin.preflight(origin))
        access = self._keeper.access(bearer(request.headers.get("Authorization"), LONGEST_TOKEN))
        if access is None:
            raise InvalidTokenError("The token is unknown, expired or revoked.")
        if OPENID not in access.scopes:
            raise InsufficientScopeError(f"This needs the scope {OPENID}.", OPENID)
        person = self._keeper.person(access.tenant_id, access.account_id)
        if person is None:
            raise InvalidTokenError("The token is unknown, expired or revoked.")
        answer = _json(person_claims.of(person, access.scopes))
        answer.headers.update(cross_origin.headers(self._keeper, access.client_id, origin))
        return answer

    def revoke(self) -> Response:
        form = _form(LARGEST)
        if form is None:
            said = {"error": "invalid_request", "error_description": f"Send the parameters as {FORM} in UTF-8."}
            return _json(said, 400)
        answer: Answer = self._provider.revoke(TokenRequest(dict(request.headers), form))
        response = _json(answer.body, answer.status)
        response.headers.update(answer.headers)
        response.headers.update(cross_origin.of_form(self._keeper, form, request.headers.get("Origin")))
        return response

    def end_session(self) -> Response:
        if request.method == "HEAD":
            return pages.empty(405, {"Allow": "GET, POST"})
        said = _parameters(end_session.LARGEST)
        if said is None:
            raise WrongError("its parameters cannot be read, or are too many")
        yes = next(iter(said.pop("yes", [])), None)
        leaving = end_session.read(said, self._keeper, self._mint)
        who = self._who(leaving.party)
        session_id = None if who is None else who.session_id
        again = _by_address(provider_metadata.END_SESSION, said) if who is None and leaving.hint is None else None
        if again is not None:
            return again
        agreed = session_id is not None and yes is not None and self._keeper.marked(yes) == f"sign out {session_id}"
        if session_id is not None and not agreed and not leaving.may_end(session_id):
            flat = [(name, value) for name, values in said.items() for value in values]
            token = self._keeper.mark(f"sign out {session_id}")
            return pages.page("end_session.html", client=leaving.party.name, fields=[*flat, ("yes", token)])
        begun = self._sign_out(leaving) if session_id is not None else None
        ends = session_id or (leaving.hint.session_id if leaving.hint else None)
        if ends is not None:
            self._keeper.end_session(leaving.party, ends)
        answer = self._left(leaving) if begun is None else self._by_the_provider(begun, leaving)
        return self._without_session(leaving.party, answer)

    def _sign_out(self, leaving: Leaving) -> Begun | None:
        """End the browser's session; what it takes to the identity provider, if that takes sign-outs."""
        cookie = request.cookies.get(cookies.session(self._public_url, leaving.party.tenant_id), "")
        if self._upstream is None:
            return None
        session = self._upstream.keeper.session(leaving.party.tenant_id, cookie)
        return None if session is None else self._upstream.departures.sign_out(session, visitor())

    def _by_the_provider(self, begun: Begun, leaving: Leaving) -> Response:
        """By way of the identity provider, and back here without a session: then on to where the client wants it."""
        answer = leave(begun.message, OUT_AT_PROVIDER)
        set_cookie(answer, cookies.pending_cookie(self._public_url), begun.browser)
        wanted = {
            "client_id": leaving.party.id,
            "post_logout_redirect_uri": leaving.onward,
            "state": leaving.state if leaving.onward else None,
        }
        query = urlencode({name: value for name, value in wanted.items() if value is not None})
        if leaving.onward is not None and len(query) < LONGEST_ONWARD:
            set_cookie(answer, cookies.onward_cookie(self._public_url), f"{provider_metadata.END_SESSION}?{query}")
        return answer

    def _left(self, leaving: Leaving) -> Response:
        if leaving.onward is None:
            return pages.onward("/signed-out")
        href = _with_query(leaving.onward, {} if leaving.state is None else {"state": leaving.state})
        return pages.onward(href) if request.method == "GET" else pages.leading_to(href, "You are signed out.")

    def _without_session(self, party: RelyingParty, answer: Response) -> Response:
        """A form of another site comes without the cookie: it shall not take it away either."""
        cookie = cookies.session_cookie(self._public_url, party.tenant_id, max_age=0)
        if cookie.name in request.cookies:
            set_cookie(answer, cookie, "")
        return answer

    def document(self) -> Response:
        response = Response(self._document, mimetype="application/json")
        response.headers["Cache-Control"] = "public, max-age=900"
        response.headers.update(OPEN_TO_ALL)
        return response


# Public documents: a web application in any browser may read them.
OPEN_TO_ALL: Final = {"Access-Control-Allow-Origin": "*", "Cross-Origin-Resource-Policy": "cross-origin"}


def _by_address(path: str, said: Parameters) -> Response | None:
    """A form of another site comes without the session's cookie (SameSite=Lax); by address, it comes with it."""
    href = f"{path}?{urlencode([(name, value) for name, values in said.items() for value in values])}"
    return pages.onward(href) if request.method == "POST" and len(href) <= authorize.LARGEST else None


def _print_of(asked: Asked) -> str:
    """What tells this request from another: its PKCE challenge is made for it alone."""
    said = f"{asked.way.redirect_uri}\n{asked.way.state}\n{asked.nonce}\n{asked.challenge}"
    return hashlib.sha256(said.encode(errors="replace")).hexdigest()


def _with_query(uri: str, said: Mapping[str, str]) -> str:
    if not said:
        return uri
    return f"{uri}{'&' if urlsplit(uri).query else '' if uri.endswith('?') else '?'}{urlencode(said)}"


def _parameters(largest: int) -> dict[str, list[str]] | None:
    """The query of a GET, the form of a POST; None for what cannot be read."""
    if request.method == "POST":
        return None if request.query_string else _form(largest)
    return _parsed(request.query_string, largest)


def _form(largest: int) -> dict[str, list[str]] | None:
    request.max_content_length = LARGEST
    if request.mimetype != FORM or (request.content_length or 0) > LARGEST:
        return None
    return _parsed(request.get_data(cache=False), largest)


def _parsed(raw: bytes, largest: int) -> dict[str, list[str]] | None:
    if len(raw) > largest:
        return None
    try:
        text = raw.decode("ascii")
        found = parse_qs(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:  # not ASCII, not UTF-8 within its escapes, too many
        return None
    # No text of ours holds a NUL, nor does the database.
    return None if any("\0" in value for values in found.values() for value in values) else found


def _json(said: Mapping[str, Any], status: int = 200) -> Response:
    return Response(orjson.dumps(dict(said)), status, dict(_NO_STORE), mimetype="application/json")


def _page(status: int, sentence: str) -> Response:
    return pages.page("refused.html", status, heading="This cannot go on", sentence=sentence, code=None)


def _no_way_back(error: NoWayBack) -> Response:
    return _page(400, f"Your learning platform asked for a sign-in in a way that is not set up here: {error}.")


def _wrong(error: WrongError) -> Response:
    return _page(400, f"Your learning platform asked to sign you out in a way that is not set up here: {error}.")


def _unauthorized(error: BearerError) -> Response:
    answer = _json({"error": error.code or "invalid_token", "error_description": error.detail}, error.status)
    answer.headers["WWW-Authenticate"] = error.challenge
    return answer
