"""GET /api/openapi.json: the API as OpenAPI 3.1, made of the table of routes and the marshmallow schemas."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

import orjson
from apispec import APISpec
from apispec.ext.marshmallow import MarshmallowPlugin
from flask import Response
from marshmallow import Schema

from app.api import checks_documented
from app.api.auth import SCOPES, Door
from app.api.problems import KINDS
from app.api.routes import Route
from app.api.schemas import ProblemSchema
from app.sources.schema import ManagerField, ManagerSchema

_PROBLEMS: Final[Mapping[int, str]] = {
    400: "The request is wrong",
    401: "A valid token is missing",
    403: "The token may not do this",
    404: "There is no such thing",
    409: "Refused",
    413: "Too large",
    415: "Another media type is expected",
    503: "Busy: try again after Retry-After",
}
_ALWAYS: Final = (400, 401, 403, 503)


def show(door: Door) -> Response:
    """The document, made once when the process starts."""
    return Response(door.openapi, 200, {"Cache-Control": "public, max-age=300"}, content_type="application/json")


def rendered(routes: Sequence[Route], public_url: str) -> bytes:
    """The OpenAPI document of these routes, as JSON."""
    plugin = MarshmallowPlugin(schema_name_resolver=_name)
    spec = APISpec(
        title="Rollcall",
        version="1",
        openapi_version="3.1.0",
        plugins=[plugin],
        info={"description": "Accounts, roles and events for learning platforms; records of HR systems and CRMs."},
        servers=[{"url": public_url}],
    )
    assert plugin.converter is not None  # the spec made it
    plugin.converter.add_attribute_function(_manager)
    spec.components.schema("Manager", schema=ManagerSchema)
    spec.components.schema("Problem", schema=ProblemSchema)
    spec.components.security_scheme("bearer", {"type": "http", "scheme": "bearer"})
    flows = {"clientCredentials": {"tokenUrl": f"{public_url}/oauth/token", "scopes": SCOPES}}
    spec.components.security_scheme("oauth", {"type": "oauth2", "flows": flows})
    for route in routes:
        spec.path(path=path_of(route.rule), operations={route.method.lower(): _operation(route)})
    for path, operations in checks_documented.PATHS.items():
        spec.path(path=path, operations=deepcopy(dict(operations)))  # it resolves schemas in place
    return orjson.dumps(spec.to_dict(), option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)


def path_of(rule: str) -> str:
    """Flask's rule as OpenAPI's path: ``/accounts/<id>`` -> ``/accounts/{id}``."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def _operation(route: Route) -> dict[str, Any]:
    operation = dict(route.operation)
    names = re.findall(r"<(?:\w+:)?(\w+)>", route.rule)
    in_path = [{"in": "path", "name": name, "required": True, "schema": {"type": "string"}} for name in names]
    parameters = [*in_path, *operation.get("parameters", ())]
    if parameters:
        operation["parameters"] = parameters
    if route.scope is not None:
        operation["security"] = [{"bearer": [route.scope]}, {"oauth": [route.scope]}]
    operation["responses"] = {**_responses(route.operation["responses"]), **_problems(route)}
    return operation


def _responses(documented: Mapping[str, Any]) -> dict[str, Any]:
    shown = {}
    for status, response in documented.items():
        schema = response.get("schema", {"type": "object"})
        content = {"application/json": {"schema": schema}}
        shown[status] = {"description": response["description"], "content": content}
    return shown


def _problems(route: Route) -> dict[str, Any]:
    if route.scope is None:
        return {}
    statuses = set(_ALWAYS)
    if "<" in route.rule:
        statuses.add(404)
    if route.method == "POST":
        statuses |= {409, 413, 415}
    return {str(status): _problem(status) for status in sorted(statuses)}


def _problem(status: int) -> dict[str, Any]:
    types = ", ".join(kind.type for kind in KINDS if kind.status == status)
    content = {"application/problem+json": {"schema": ProblemSchema}}
    return {"description": f"{_PROBLEMS[status]}: {types}.", "content": content}


def _manager(_converter: Any, field: Any, **_kwargs: Any) -> dict[str, Any]:
    if not isinstance(field, ManagerField):
        return {}
    return {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/Manager"}]}


def _name(schema: type[Schema] | Schema | str) -> str:
    kind = schema if isinstance(schema, type) else type(schema)
    return kind.__name__.removesuffix("Schema")


ROUTES: Final = (
    Route(
        "GET",
        "/api/openapi.json",
        show,
        {
            "operationId": "getOpenApi",
            "summary": "This document",
            "tags": ["Documentation"],
            "security": [{}],
            "responses": {"200": {"description": "OpenAPI 3.1."}},
        },
    ),
)
