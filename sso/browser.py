"""What a request of a browser brings, whatever door it comes to, and the cookies that an answer sets."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final, Literal

from flask import Response, request
from werkzeug.exceptions import RequestEntityTooLarge

from sso import cookies, pages
from sso.bindings import Form
from sso.connections import Connection
from sso.errors import SignInError
from sso.keeping import Keeper, Tenant, Visitor
from sso.sides import Leaving, Received

LARGEST: Final = 1024 * 1024  # bytes of a form; a SAML answer may have less, see its guard
LONGEST_FIELD: Final = 254  # characters
FORM: Final = "application/x-www-form-urlencoded"
UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_NAME: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")


class NothingHereError(Exception):
    """No such tenant or connection: which one is not told."""


class TooManyError(Exception):
    """Too much began from one network address. `seconds`: when it may go on."""

    def __init__(self, seconds: int) -> None:
        super().__init__(seconds)
        self.seconds = seconds


Pace = Callable[[str], int]  # whole seconds that a network address must wait; 0: none


def unpaced(_address: str) -> int:
    """Nobody waits."""
    return 0


def in_pace(pace: Pace) -> None:
    """To be called before anything is kept for somebody who proved nothing.

    Raises:
        TooManyError: this request's address must wait.
    """
    seconds = pace(request.remote_addr or "")
    if seconds:
        raise TooManyError(seconds)


def tenant_of(keeper: Keeper, name: str) -> Tenant:
    """The tenant that an address names.

    Raises:
        NothingHereError: there is none.
    """
    found = keeper.tenant(name) if is_name(name) else None
    if found is None:
        raise NothingHereError
    return found


def is_name(text: str) -> bool:
    """Whether a tenant or a connection may be called so."""
    return _NAME.fullmatch(text) is not None


def connection_of(keeper: Keeper, id: str, kind: Literal["saml", "oidc"]) -> tuple[Tenant, Connection]:
    """The connection that an address names.

    Raises:
        NothingHereError: there is none of that kind.
    """
    found = keeper.connection(id) if UUID.fullmatch(id) else None
    if found is None or found[1].kind != kind:
        raise NothingHereError
    return found


def visitor() -> Visitor:
    """The browser of this request."""
    agent = "".join(sign if sign.isprintable() else " " for sign in request.headers.get("User-Agent", ""))
    return Visitor(request.cookies, agent, request.remote_addr or "")


def received() -> Received:
    """The request as it came: its raw query, and the raw form of a POST.

    Raises:
        SignInError: `malformed`, a POST that is no form; `too_large`.
    """
    if request.method != "POST":
        return Received("GET", request.query_string)
    if request.mimetype != FORM:
        raise SignInError("malformed", f"expected {FORM}, found {request.mimetype[:60] or 'no content type'}")
    return Received("POST", request.query_string, _body())


def leave(message: Leaving, sentence: str) -> Response:
    """A page that takes the browser to the provider: for after a form, where a redirect would be stopped."""
    if isinstance(message, Form):
        return pages.posting_to(message.action, message.fields, sentence)
    return pages.leading_to(message.url, sentence)


def _body() -> bytes:
    request.max_content_length = LARGEST
    try:
        return request.get_data(cache=False)
    except RequestEntityTooLarge:
        raise SignInError("too_large", f"expected at most {LARGEST} bytes") from None


def field(name: str) -> str:
    """A field of a form of ours, cut; empty when it is not there."""
    request.max_form_memory_size = request.max_content_length = LARGEST
    return request.form.get(name, "")[:LONGEST_FIELD]


def set_cookie(answer: Response, cookie: cookies.Cookie, value: str) -> None:
    """Give the browser a cookie."""
    answer.set_cookie(
        cookie.name,
        value,
        max_age=cookie.max_age,
        path=cookie.path,
        secure=cookie.secure,
        httponly=cookie.http_only,
        samesite=cookie.same_site,
    )
