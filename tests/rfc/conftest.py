"""A client of each store, and the requests that most tests make."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.adapters.doorkeeper import Doorkeeper
from app.store import credentials, tenant_settings
from app.store.engine import writing
from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Features, Limits

BASE = "/scim/v2"
LOCAL = f"http://localhost{BASE}"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Doc = dict[str, Any]
# Small, so that each limit is met by a small request.
LIMITS = Limits(
    body=20_000, patch_operations=5, bulk_operations=6, filter_length=400, filter_clauses=20, page=20, default_page=10
)


@dataclass
class Door:
    """One client of one source. `send` takes a path below the base URL."""

    client: FlaskClient
    configure: Callable[[str, bool], None]

    def send(self, method: str, path: str, body: Any = None, **headers: str) -> TestResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.open(BASE + path, method=method, json=body, headers=named)

    def get(self, path: str, **headers: str) -> TestResponse:
        return self.send("GET", path, **headers)

    def read(self, path: str) -> Doc:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        return dict(answer.get_json())

    def user(self, name: str = "ann", /, **more: Any) -> Doc:
        answer = self.send("POST", "/Users", {"userName": name, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def group(self, name: str = "Staff", *members: str) -> Doc:
        body = {"displayName": name, "members": [{"value": member} for member in members]}
        answer = self.send("POST", "/Groups", body)
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    def patch(self, path: str, *operations: Doc, **headers: str) -> TestResponse:
        return self.send("PATCH", path, {"schemas": [PATCH_OP], "Operations": list(operations)}, **headers)

    def found(self, text: str, path: str = "/Users") -> list[str]:
        """The names that a filter finds, sorted; the same by GET and by `.search`."""
        answer = self.client.get(BASE + path, query_string={"filter": text})
        assert answer.status_code == 200, answer.text
        posted = self.send("POST", f"{path}/.search".replace("//", "/"), {"filter": text})
        assert posted.get_json() == answer.get_json()
        shown = answer.get_json()["Resources"]
        assert answer.get_json()["totalResults"] == len(shown)
        return sorted(one.get("userName") or one["displayName"] for one in shown)


@pytest.fixture(params=["memory", "postgresql"])
def door(request: pytest.FixtureRequest) -> Door:
    return _in_memory() if request.param == "memory" else _on_postgresql(request)


def _in_memory() -> Door:
    store = MemoryStore(Features())

    def configure(name: str, value: bool) -> None:
        store.features = Features(**{name.removeprefix("scim."): value})

    return Door(_client(MemoryDoorkeeper({"token": store}), "token"), configure)


def _on_postgresql(request: pytest.FixtureRequest) -> Door:
    engine: sa.Engine = request.getfixturevalue("engine")
    source = request.getfixturevalue("okta")
    with writing(engine) as conn:
        token = credentials.issue(conn, source.tenant_id, "scim_token", "rfc", source_id=source.id).secret

    def configure(name: str, value: bool) -> None:
        with writing(engine) as conn:
            tenant_settings.choose(conn, source.tenant_id, name, str(value).lower())

    return Door(_client(Doorkeeper(engine), token), configure)


def _client(doorkeeper: Any, token: str) -> FlaskClient:
    app = Flask(__name__)
    app.testing = True
    app.register_blueprint(blueprint(doorkeeper, LIMITS))
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    return client


def refused(answer: TestResponse, status: int, scim_type: str | None = None) -> str:
    """The detail of an error in the RFC's form (RFC 7644 §3.12)."""
    shown = answer.get_json(force=True)
    assert (answer.status_code, shown.get("scimType"), shown["status"]) == (status, scim_type, str(status)), shown
    assert shown["schemas"] == ["urn:ietf:params:scim:api:messages:2.0:Error"]
    assert answer.content_type == "application/scim+json"
    return str(shown["detail"])
