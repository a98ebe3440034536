"""The document and the routes are the same."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.api import openapi, routes
from app.api.auth import SCOPES
from app.api.problems import KINDS
from app.api.routes import UNKNOWN
from app.sources.schema import RECORD
from sso import forward_auth, introspection
from sso.checking import Good
from tests.relying_party import make_app

IN_FRONT = {"/oauth/check", "/oauth/introspect"}
GOOD = Good(
    *("t", "access", "tenant-id", "acme", "client", "audience", ("openid", "profile", "email", "roles"), 1.0, 2.0),
    *("account", "session", ("trainer",), "ada", "ada@example.com", "urn:mfa", ("pwd",), 1.0),
)


@pytest.fixture
def document(client: FlaskClient) -> dict[str, Any]:
    answer = client.get("/api/openapi.json")
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def test_every_route_is_documented_and_every_documented_path_exists(
    client: FlaskClient, document: dict[str, Any]
) -> None:
    app: Flask = client.application
    served = {rule.rule for rule in app.url_map.iter_rules() if rule.rule.startswith(("/api", "/oauth"))}
    documented = {path.replace("{", "<").replace("}", ">") for path in document["paths"]}
    assert served - {UNKNOWN, "/api", "/api/"} == documented - IN_FRONT
    for path, operations in document["paths"].items():
        if path in IN_FRONT:
            continue
        for method in ("get", "post", "put", "patch", "delete"):
            answer = client.open(path.replace("{", "").replace("}", ""), method=method.upper())
            assert (answer.status_code == 405) == (method not in operations), f"{method} {path}"


def test_each_operation_says_what_it_needs_and_what_can_go_wrong(document: dict[str, Any]) -> None:
    for route in routes():
        operation = document["paths"][openapi.path_of(route.rule)][route.method.lower()]
        assert operation["operationId"]
        assert operation["summary"]
        if route.scope is None:
            assert operation["security"] == [{}] if "security" in operation else True
        else:
            assert operation["security"] == [{"bearer": [route.scope]}, {"oauth": [route.scope]}]
            assert route.scope in SCOPES
            assert {"400", "401", "403", "503"} <= operation["responses"].keys()


def test_what_stands_in_front_is_documented_as_it_answers(engine: sa.Engine, document: dict[str, Any]) -> None:
    client = make_app(engine).test_client()
    for path in IN_FRONT:
        [(method, operation)] = document["paths"][path].items()
        answer = client.open(path, method=method.upper(), data={"token": "x"})
        assert answer.status_code == 401
        assert answer.mimetype in operation["responses"]["401"]["content"]
    told = {name for name, _ in forward_auth.told(GOOD) if name.startswith("X-")}
    assert set(document["paths"]["/oauth/check"]["get"]["responses"]["204"]["headers"]) == told
    shown = document["paths"]["/oauth/introspect"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    assert introspection.told(GOOD, "https://id.example.com").keys() == shown["properties"].keys()


def test_routes_without_a_scope_are_few_and_known() -> None:
    assert {route.rule for route in routes() if route.scope is None} == {"/oauth/token", "/api/openapi.json"}


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    references = set(_references(document))
    assert references
    known = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert references <= known
    assert document["openapi"].startswith("3.1")


def test_the_record_is_documented_field_by_field(document: dict[str, Any]) -> None:
    record = document["components"]["schemas"]["Record"]
    assert set(record["properties"]) == set(RECORD.fields)
    assert record["required"] == ["id"]
    undocumented = [name for name, shown in record["properties"].items() if "description" not in shown]
    assert undocumented == []


def test_the_problems_that_a_client_meets_are_named(document: dict[str, Any]) -> None:
    text = str(document["paths"])
    for kind in KINDS:
        if kind.name not in ("internal", "method-not-allowed"):
            assert kind.type in text


def _references(value: Any) -> list[str]:
    if isinstance(value, dict):
        own = [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        return own + [one for inner in value.values() for one in _references(inner)]
    if isinstance(value, list):
        return [one for inner in value for one in _references(inner)]
    return []
