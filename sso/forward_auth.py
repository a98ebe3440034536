"""GET /oauth/check: may this request pass? Asked by a proxy in front of an application, about each request.

    nginx, Traefik   /oauth/check?tenant=acme&role=trainer            the demands are the query
    Envoy            /oauth/check;tenant=acme;role=trainer//any/path   it appends the path and the query of the request

    204   the answer's headers say who it is           401   no good token or session
    403   a good one, which lacks what is demanded     400   the address demands something unknown

The proxy chooses the address; whoever sends the request chooses what is appended. So the query is read only where
nothing stands behind the road's own path. The method, X-Forwarded-* and all other headers decide nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import parse_qsl, quote

from sso.checking import LONGEST_TOKEN, NO_STORE, Answer, Environment, Good, Keeper
from sso.errors import BearerError, InsufficientScopeError, InvalidTokenError, MissingTokenError
from sso.tokens import B64TOKEN

PATH: Final = "/oauth/check"
DEMANDS: Final = ("tenant", "client", "role", "scope")
_MOST: Final = 20
_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")
_UNRESERVED: Final = "!#$&'()*+-./:;<=>?@[]^_`{|}~ "
_PLAIN: Final = re.compile(rf"[A-Za-z0-9{re.escape(_UNRESERVED)}]*")


class UnknownDemandError(ValueError):
    """The address demands what nobody understands: a misspelt demand must not open the door."""


@dataclass(frozen=True, slots=True)
class Demands:
    """What a good token must be, besides good. Of tenants, clients and roles one of those named, of scopes all."""

    tenants: tuple[str, ...] = ()
    clients: tuple[str, ...] = ()
    roles: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ()

    def unmet(self, good: Good) -> str | None:
        """The demand that it does not meet."""
        if self.tenants and good.tenant not in self.tenants:
            return "tenant"
        if self.clients and good.client_id not in self.clients:
            return "client"
        if self.roles and not (good.tells("roles") and set(self.roles) & set(good.roles)):
            return "role"
        return "scope" if not set(self.scopes) <= set(good.scopes) else None


def is_check(path: str) -> bool:
    """Whether the path is this road's: what follows it begins a segment or a parameter."""
    return path.startswith(PATH) and path[len(PATH) : len(PATH) + 1] in ("", "/", ";")


def check(environ: Environment, keeper: Keeper) -> Answer:
    """Answers whether the request may pass."""
    try:
        demands = _demands(environ)
    except UnknownDemandError as error:
        return Answer(400, (_TEXT, NO_STORE), f"{error}\n".encode())
    try:
        good = _good(environ, demands, keeper)
    except BearerError as error:
        return _refused(error)
    lacking = demands.unmet(good)
    if lacking is not None:
        return _refused(InsufficientScopeError(f"This needs another {lacking}."))
    return Answer(204, told(good))


def told(good: Good) -> tuple[tuple[str, str], ...]:
    """Who it is, as headers. Each is always there, if need be empty: else one of the client's own could pass."""
    return (
        NO_STORE,
        ("X-Auth-Account", good.account_id or ""),
        ("X-Auth-Tenant", _ascii(good.tenant)),
        ("X-Auth-Roles", ",".join(map(_ascii, good.roles)) if good.tells("roles") else ""),
        ("X-Auth-Client", good.client_id or ""),
        ("X-Auth-Scopes", " ".join(map(_ascii, good.scopes))),
        ("X-Auth-Email", _ascii(good.email or "") if good.tells("email") else ""),
    )


def _good(environ: Environment, demands: Demands, keeper: Keeper) -> Good:
    authorization = environ.get("HTTP_AUTHORIZATION")
    if authorization is not None:
        good = keeper.access(_bearer(authorization))
        if good is None:
            raise InvalidTokenError("The token is unknown, expired or revoked.")
        return good
    cookies = environ.get("HTTP_COOKIE", "")
    sessions = (keeper.session(tenant, cookies) for tenant in demands.tenants) if cookies else ()
    found = [good for good in sessions if good is not None]
    if found:  # whoever is signed in at several of the tenants comes in by the one that will do
        return next((good for good in found if demands.unmet(good) is None), found[0])
    raise MissingTokenError("Send an access token as 'Authorization: Bearer <token>'.")


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.strip().partition(" ")
    if scheme.lower() != "bearer":
        raise MissingTokenError("Send an access token as 'Authorization: Bearer <token>'.")
    token = token.strip()
    if len(token) > LONGEST_TOKEN or not B64TOKEN.fullmatch(token):
        raise InvalidTokenError("The token is unknown, expired or revoked.")
    return token


def _demands(environ: Environment) -> Demands:
    head, slash, _ = environ["PATH_INFO"][1:].partition("/")[2].partition("/")
    _, semicolon, said = head.partition(";")
    if semicolon:
        pairs = list(_named(_of_path(said)))
    else:
        query = "" if slash else environ.get("QUERY_STRING", "")
        pairs = list(_named(_of_query(query))) if query else []
    if not pairs:
        return _NONE
    return Demands(*(tuple(value for name, value in pairs if name == each) for each in DEMANDS))


def _of_path(text: str) -> list[tuple[str, str]]:
    """WSGI's path is decoded already: to bytes, each of which is one character (PEP 3333)."""
    try:
        said = text.encode("latin-1").decode()
    except ValueError:
        raise UnknownDemandError("Demand in UTF-8.") from None
    return [(name, value) for name, _, value in (each.partition("=") for each in said.split(";"))]


def _of_query(text: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(text, strict_parsing=True, keep_blank_values=True, errors="strict", max_num_fields=_MOST)
    except ValueError:
        raise UnknownDemandError("Demand as name=value, in UTF-8.") from None


def _named(pairs: Sequence[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    if len(pairs) > _MOST:
        raise UnknownDemandError(f"Demand at most {_MOST} things.")
    for name, value in pairs:
        if name not in DEMANDS or not value.strip() or "\0" in value:
            raise UnknownDemandError(f"Of a token can be demanded: {', '.join(DEMANDS)}, each with a value.")
        yield from ((name, each) for each in (value.split() if name == "scope" else [value]))


def _refused(error: BearerError) -> Answer:
    headers = (("WWW-Authenticate", error.challenge), _TEXT, NO_STORE)
    return Answer(error.status, headers, f"{error.detail}\n".encode())


def _ascii(text: str) -> str:
    """As a header's value: what is not visible ASCII, and what separates values, percent-encoded as UTF-8."""
    return text if _PLAIN.fullmatch(text) else quote(text, safe=_UNRESERVED)


_NONE: Final = Demands()
