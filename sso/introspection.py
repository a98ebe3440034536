"""POST /oauth/introspect: what is this token (RFC 7662)? Asked by a resource server that proved who it is.

Whoever may not hear of a token hears what is said of one that does not exist: {"active": false}, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

import orjson

from sso.checking import LONGEST_TOKEN, NO_STORE, Answer, Environment, Good, Keeper
from sso.errors import REALM

PATH: Final = "/oauth/introspect"
FORM: Final = "application/x-www-form-urlencoded"
LARGEST: Final = 16 * 1024
MOST_PARAMETERS: Final = 20

_JSON: Final = ("Content-Type", "application/json")
_HEADERS: Final = (_JSON, NO_STORE)
_INACTIVE: Final = Answer(200, _HEADERS, b'{"active":false}')
_NOT_ALLOWED: Final = Answer(405, (("Allow", "POST"), *_HEADERS), b'{"error":"invalid_request"}')
_UNKNOWN: Final = Answer(
    401, (("WWW-Authenticate", f'Basic realm="{REALM}"'), *_HEADERS), b'{"error":"invalid_client"}'
)


class MalformedError(ValueError):
    """The request is not what the RFC says; the sentence is for the caller's developer."""


def introspect(environ: Environment, keeper: Keeper, issuer: str) -> Answer:
    """Answers one question. `issuer` is our public address. Parameters in the address are not read."""
    if environ["REQUEST_METHOD"] != "POST":
        return _NOT_ALLOWED
    try:
        form = _form(environ)
    except MalformedError as error:
        return _malformed(str(error))
    asker = keeper.asker(environ.get("HTTP_AUTHORIZATION"), form)
    if asker is None:
        return _UNKNOWN
    token = form.get("token")
    if not token:
        return _malformed("The parameter token is missing.")
    good = keeper.introspect(asker, token) if len(token) <= LONGEST_TOKEN else None
    return _INACTIVE if good is None else Answer(200, _HEADERS, orjson.dumps(told(good, issuer)))


def told(good: Good, issuer: str) -> dict[str, Any]:
    """What is said of a good token: of the person only what the token's scopes stand for."""
    said = {
        "active": True,
        "token_use": "refresh" if good.kind == "refresh" else "access",
        "token_type": None if good.kind == "refresh" else "Bearer",
        "scope": " ".join(good.scopes),
        "client_id": good.client_id,
        "sub": good.account_id or good.client_id,
        "aud": good.audience,
        "iss": issuer,
        "jti": good.id,
        "iat": int(good.issued),
        "exp": None if good.ends is None else int(good.ends),
        "tenant": good.tenant,
        "acr": good.context,
        "amr": list(good.methods) or None,
        "auth_time": None if good.authenticated is None else int(good.authenticated),
    }
    if good.account_id is not None:
        said["username"] = good.user_name if good.tells("profile") else None
        said["email"] = good.email if good.tells("email") else None
        said["roles"] = list(good.roles) if good.tells("roles") else None
    return {name: value for name, value in said.items() if value is not None}


def _form(environ: Environment) -> Mapping[str, str]:
    if environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower() != FORM:
        raise MalformedError(f"Send the parameters as {FORM}.")
    try:
        text = _body(environ).decode()
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise MalformedError(f"Send at most {LARGEST} bytes and {MOST_PARAMETERS} parameters, in UTF-8.") from None
    form = dict(pairs)
    if len(form) != len(pairs):
        raise MalformedError("A parameter is there more than once.")
    return form


def _body(environ: Environment) -> bytes:
    """The whole body, however it is delimited.

    Raises:
        ValueError: it is too large, or its length is no number.
    """
    length = environ.get("CONTENT_LENGTH")
    if not length and not environ.get("wsgi.input_terminated"):
        return b""
    most = int(length) if length else LARGEST + 1
    body: bytes = environ["wsgi.input"].read(most) if 0 <= most <= LARGEST + 1 else b" " * (LARGEST + 1)
    if len(body) > LARGEST:
        raise ValueError(length)
    return body


def _malformed(description: str) -> Answer:
    return Answer(400, _HEADERS, orjson.dumps({"error": "invalid_request", "error_description": description}))
