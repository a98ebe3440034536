"""One table of routes, each with its method, its scope and its documentation, and the way from a request to a handler.

Every path takes every method, so that 404 and 405 are the API's own answers, wherever the application registers it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import orjson
from flask import Blueprint, Response, request

from app.api.auth import Caller, Door
from app.api.problems import NOT_ALLOWED, NOT_FOUND, Problem

METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
UNKNOWN: Final = "/api/<path:rest>"

Handler = Callable[..., Response]


@dataclass(frozen=True, slots=True)
class Route:
    """`handler` is called with the door, the caller (when there is a scope), and the path's parts by name.

    `rule` is Flask's; `operation` is OpenAPI's operation object, with marshmallow schemas where it takes schemas.
    """

    method: str
    rule: str
    handler: Handler
    operation: Mapping[str, Any] = field(repr=False)
    scope: str | None = None


def json(value: Any, status: int = 200) -> Response:
    """A JSON answer. Fragments are written out as they are; nothing personal is left in caches."""
    body = orjson.dumps(value, option=orjson.OPT_UTC_Z | orjson.OPT_APPEND_NEWLINE)
    return Response(body, status, {"Cache-Control": "no-store"}, content_type="application/json")


def add(blueprint: Blueprint, routes: Iterable[Route], door: Door) -> None:
    """Register the routes, and 404 for every other path below /api."""
    by_rule: dict[str, dict[str, Route]] = {}
    for route in routes:
        by_rule.setdefault(route.rule, {})[route.method] = route
    for rule, methods in by_rule.items():
        _add(blueprint, rule, _dispatcher(methods, door))
    for rule in (UNKNOWN, "/api", "/api/"):
        _add(blueprint, rule, _unknown)


def _add(blueprint: Blueprint, rule: str, view: Callable[..., Response]) -> None:
    endpoint = rule.strip("/").translate(str.maketrans("/.", "__")) + str(rule.count("/"))
    blueprint.add_url_rule(rule, endpoint, view, methods=METHODS, provide_automatic_options=False, strict_slashes=True)


def _dispatcher(methods: Mapping[str, Route], door: Door) -> Callable[..., Response]:
    allowed = sorted({*methods, "OPTIONS", *(("HEAD",) if "GET" in methods else ())})
    allow = {"Allow": ", ".join(allowed)}

    def dispatch(**path: str) -> Response:
        if request.method == "OPTIONS":
            return Response(status=204, headers=allow)
        route = methods.get("GET" if request.method == "HEAD" else request.method)
        if route is None:
            detail = f"{request.method} is not known here; known are {allow['Allow']}."
            raise Problem(NOT_ALLOWED, detail, headers=allow)
        if route.scope is None:
            return route.handler(door, **path)
        caller: Caller = door.admit(request.headers.get("Authorization"), route.scope)
        return route.handler(door, caller, **path)

    return dispatch


def _unknown(**_path: str) -> Response:
    raise Problem(NOT_FOUND, "Nothing is here. /api/openapi.json tells what there is.")
