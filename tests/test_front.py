"""The roads before Flask: to everybody outside they are as every other."""

from __future__ import annotations

import base64
from typing import Any

import orjson
import pytest
import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from app.factory import SECURITY_HEADERS, create_app
from app.settings import Settings
from app.store import credentials, tenants
from app.store.engine import writing
from sso import cookies
from tests.adapters.signed_in import SignedIn, make_client, sign_in

Told = pytest.CaptureFixture[str]


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def app(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> Flask:
    monkeypatch.setattr("app.adapters.token_checks.SECONDS", 0.0)
    return create_app(Settings(), engine=engine)


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def basic(name: str, secret: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{name}:{secret}".encode()).decode()}


def lines(capsys: Told) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in capsys.readouterr().err.splitlines()]


def test_an_answer_has_a_number_a_log_line_and_strict_headers(client: FlaskClient, ada: SignedIn, capsys: Told) -> None:
    capsys.readouterr()
    answer = client.get("/oauth/check", headers=bearer(ada.token))
    assert (answer.status_code, answer.data) == (204, b"")
    assert "Content-Length" not in answer.headers
    for name, value in SECURITY_HEADERS:
        assert answer.headers.getlist(name) == [value]
    (line,) = lines(capsys)
    assert line["request_id"] == answer.headers["X-Request-Id"]
    assert (line["method"], line["path"], line["status"]) == ("GET", "/oauth/check", 204)


def test_paths_of_people_and_tokens_are_not_logged(client: FlaskClient, ada: SignedIn, capsys: Told) -> None:
    capsys.readouterr()
    client.get("/oauth/check/people/ada@example.com?token=secret", headers=bearer(ada.token))
    client.post("/oauth/introspect", data={"token": ada.token}, headers=basic(ada.client_id, ada.secret))
    said = capsys.readouterr().err
    assert '"path":"/oauth/introspect"' in said
    for personal in ("people", "ada@", "secret", ada.token, ada.secret):
        assert personal not in said


def test_head_has_no_body(client: FlaskClient) -> None:
    assert client.head("/oauth/check").status_code == 401
    assert client.head("/oauth/check").data == b""
    assert client.get("/oauth/check").data != b""


def test_everything_else_is_flasks(client: FlaskClient) -> None:
    assert client.get("/healthz").data == b"ok\n"
    assert client.get("/oauth/checks").status_code == 404
    assert client.post("/oauth/token").status_code == 400


def test_a_session_cookie_passes(client: FlaskClient, ada: SignedIn) -> None:
    client.set_cookie(cookies.session(Settings().public_url, ada.tenant_id), ada.cookie)
    assert client.get("/oauth/check?tenant=acme").headers["X-Auth-Account"] == ada.account_id
    ada.change("accounts", status="inactive")
    assert client.get("/oauth/check?tenant=acme").status_code == 401


def test_without_the_database_it_says_so(engine: sa.Engine, ada: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise sa.exc.OperationalError(None, None, Exception("gone"))

    client = create_app(Settings(), engine=engine).test_client()
    monkeypatch.setattr("app.store.token_reads.of_person", fail)
    answer = client.get("/oauth/check", headers=bearer(ada.token))
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
    assert "X-Request-Id" in answer.headers


def test_what_nobody_thought_of_is_logged_and_tells_nothing(
    engine: sa.Engine, ada: SignedIn, monkeypatch: pytest.MonkeyPatch, capsys: Told
) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("inside")

    client = create_app(Settings(), engine=engine).test_client()
    monkeypatch.setattr("app.store.token_reads.of_person", fail)
    answer = client.get("/oauth/check", headers=bearer(ada.token))
    assert answer.status_code == 500
    assert "inside" not in answer.text
    assert "RuntimeError" in capsys.readouterr().err


class TestIntrospection:
    """Who may ask, each way to prove it."""

    def ask(self, client: FlaskClient, ada: SignedIn, headers: dict[str, str] | None = None, **form: str) -> Any:
        return client.post("/oauth/introspect", data={"token": ada.token, **form}, headers=headers)

    def test_a_client_asks_about_its_own(self, client: FlaskClient, ada: SignedIn) -> None:
        found = self.ask(client, ada, basic(ada.client_id, ada.secret)).get_json()
        assert (found["active"], found["sub"], found["iss"]) == (True, ada.account_id, Settings().public_url)

    def test_another_client_only_if_it_introspects(self, client: FlaskClient, ada: SignedIn) -> None:
        assert self.ask(client, ada, basic(*ada.client())).get_json() == {"active": False}
        assert self.ask(client, ada, basic(*ada.client(introspects=True))).get_json()["active"] is True
        assert self.ask(client, ada, basic(*ada.client(scopes=("tokens:introspect",)))).get_json()["active"] is True

    def test_a_client_of_another_tenant_never(self, engine: sa.Engine, client: FlaskClient, ada: SignedIn) -> None:
        with writing(engine) as conn:
            other = tenants.create(conn, "other").id
        theirs = make_client(engine, other, introspects=True, scopes=("tokens:introspect",))
        assert self.ask(client, ada, basic(*theirs)).get_json() == {"active": False}

    @pytest.mark.parametrize("kind", ["api_key", "access_token"])
    def test_a_key_with_the_scope(self, engine: sa.Engine, client: FlaskClient, ada: SignedIn, kind: Any) -> None:
        with writing(engine) as conn:
            good, poor = (
                credentials.issue(conn, ada.tenant_id, kind, "key", scopes=scopes).secret
                for scopes in (("tokens:introspect",), ("accounts:read",))
            )
        assert self.ask(client, ada, bearer(good)).get_json()["active"] is True
        assert self.ask(client, ada, bearer(poor)).status_code == 401

    def test_only_the_registered_method(self, client: FlaskClient, ada: SignedIn) -> None:
        name, secret = ada.client(introspects=True, auth_method="client_secret_post")
        assert self.ask(client, ada, basic(name, secret)).status_code == 401
        assert self.ask(client, ada, client_id=name, client_secret=secret).get_json()["active"] is True
        for method in ("none", "private_key_jwt"):
            assert self.ask(client, ada, basic(*ada.client(introspects=True, auth_method=method))).status_code == 401

    def test_not_two_ways_at_once(self, client: FlaskClient, ada: SignedIn) -> None:
        both = {"client_id": ada.client_id, "client_secret": ada.secret}
        assert self.ask(client, ada, basic(ada.client_id, ada.secret), **both).status_code == 401

    @pytest.mark.parametrize("header", ["Basic", "Basic !", "Basic YQ==", "Bearer", "Digest x", "Basic " + "A" * 4_000])
    def test_a_header_that_is_none(self, client: FlaskClient, ada: SignedIn, header: str) -> None:
        assert self.ask(client, ada, {"Authorization": header}).status_code == 401

    def test_wrong_secrets(self, client: FlaskClient, ada: SignedIn) -> None:
        other, secret = ada.client()
        for name, said in ((ada.client_id, secret), (other, ada.secret), ("", ada.secret), (ada.client_id, "x")):
            assert self.ask(client, ada, basic(name, said)).status_code == 401
        assert self.ask(client, ada).status_code == 401
        assert self.ask(client, ada, bearer(ada.token)).status_code == 401
        assert self.ask(client, ada, bearer(ada.secret)).status_code == 401

    def test_a_removed_client(self, client: FlaskClient, ada: SignedIn) -> None:
        ada.change("clients", removed_at="2026-01-01T00:00:00Z")
        assert self.ask(client, ada, basic(ada.client_id, ada.secret)).status_code == 401
