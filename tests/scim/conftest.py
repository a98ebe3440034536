"""One client on the memory store, and the few requests that most tests make."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Limits

BASE = "/scim/v2"
PATCH_OP = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


@pytest.fixture
def app(store: MemoryStore) -> Flask:
    made = Flask(__name__)
    made.testing = True
    made.register_blueprint(blueprint(MemoryDoorkeeper({"token": store}), Limits()))
    return made


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    made = app.test_client()
    made.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    return made


@pytest.fixture
def user(client: FlaskClient) -> Callable[..., dict[str, Any]]:
    def make(name: str = "ann@example.com", /, **more: Any) -> dict[str, Any]:
        answer = client.post(f"{BASE}/Users", json={"userName": name, **more})
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    return make


@pytest.fixture
def group(client: FlaskClient) -> Callable[..., dict[str, Any]]:
    def make(name: str = "Staff", *members: str) -> dict[str, Any]:
        body = {"displayName": name, "members": [{"value": member} for member in members]}
        answer = client.post(f"{BASE}/Groups", json=body)
        assert answer.status_code == 201, answer.text
        return dict(answer.get_json())

    return make


@pytest.fixture
def patch(client: FlaskClient) -> Callable[..., Any]:
    def send(path: str, *operations: dict[str, Any], **options: Any) -> Any:
        body = {"schemas": [PATCH_OP], "Operations": list(operations)}
        return client.patch(f"{BASE}{path}", json=body, **options)

    return send
