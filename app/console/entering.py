"""What all ways into the console share: who is at the door, how often, and the cookie of whoever comes in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import orjson
from flask import Response, request

from app.adapters.passkey_ceremony import party_of
from app.console.desk import Desk
from app.console.rendering import HEADERS, Refused, back
from app.console.visit import Visit, cookie_name
from app.proxies import neighbourhood
from app.store import console_sessions
from app.store.console_sessions import Begun
from app.store.engine import writing
from sso import browser, cookies
from sso.keeping import Visitor

TRIES_A_MINUTE: Final = 10  # of one network address, of each kind
TRIES_AT_ONCE: Final = 40  # before that: an office may be behind the address
LONGEST: Final = 254  # characters of an address or a code
TOO_MANY: Final = "There were too many tries from your network. Wait a minute, then try again."
NO_PASSKEYS: Final = (
    "Passkeys need an address with a name, by https or at localhost. This page has none of these: use a password with "
    "a code."
)


@dataclass(frozen=True, slots=True)
class Party:
    """To whom passkeys are known here: the relying party's id, and the address that pages have."""

    id: str
    url: str


def party(desk: Desk) -> Party | None:
    """None where browsers know no passkeys. On one's own machine `localhost` is as good as 127.0.0.1, and has them."""
    host = request.host
    plain = not cookies.is_secure(desk.public_url)
    url = f"http://{host}" if plain and host.partition(":")[0] == "localhost" else desk.public_url
    id = party_of(url)
    return Party(id, url) if id else None


def demanded_party(desk: Desk) -> Party:
    """The same.

    Raises:
        Refused: there is none.
    """
    found = party(desk)
    if found is None:
        raise Refused(409, NO_PASSKEYS)
    return found


def in_pace(desk: Desk, what: str) -> None:
    """To be called before anything is computed or kept for somebody who proved nothing.

    Raises:
        Refused: this address must wait.
    """
    key = f"{what} {neighbourhood(request.remote_addr or '')}"
    if desk.pace.wait(key, TRIES_A_MINUTE, TRIES_AT_ONCE):
        raise Refused(429, TOO_MANY, "Too many tries")


def visitor() -> Visitor:
    """The browser of this request."""
    return browser.visitor()


def entered(desk: Desk, visit: Visit | None, begun: Begun, to: str, said: str = "") -> Response:
    """Come in with a new session; the one that this browser had ends."""
    if visit is not None:
        leave(desk, visit, "replaced")
    answer = back(to, said)
    answer.set_cookie(
        cookie_name(desk.public_url),
        begun.secret,
        httponly=True,
        samesite="Lax",
        secure=cookies.is_secure(desk.public_url),
        path="/",
    )
    return answer


def leave(desk: Desk, visit: Visit, by: str) -> None:
    """End the visit's session."""
    with writing(desk.engine) as conn:
        console_sessions.end(conn, visit.tenant_id, visit.session.id, by)


def gone(desk: Desk, answer: Response) -> Response:
    """The browser forgets its session."""
    secure = cookies.is_secure(desk.public_url)
    answer.set_cookie(
        cookie_name(desk.public_url), "", max_age=0, httponly=True, samesite="Lax", secure=secure, path="/"
    )
    return answer


def json(value: Any) -> Response:
    """An answer to a script of ours."""
    answer = Response(orjson.dumps(value), mimetype="application/json")
    answer.headers.update(HEADERS)
    return answer
