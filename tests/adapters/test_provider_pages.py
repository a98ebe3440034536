"""A web application that runs in the browser alone: its own pages read its answers, nobody else's do."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.store import tenants
from tests.relying_party import Lms, make_app
from tests.signed_in import add_client, sign_in

MINE, THEIRS = "https://lms.example.com", "https://evil.example"
ALLOWED = "Access-Control-Allow-Origin"


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    return make_app(engine)


def fetched(app: Flask, method: str, path: str, origin: str | None, bearer: str | None = None, /, **form: Any) -> Any:
    """What a page of that origin fetches."""
    said = {"Origin": origin, "Authorization": bearer and f"Bearer {bearer}"}
    headers = {name: value for name, value in said.items() if value}
    return app.test_client().open(path, method=method, headers=headers, data=form or None)


@pytest.mark.parametrize(
    ("method", "origin", "seen"), [("none", MINE, MINE), ("none", THEIRS, None), ("client_secret_post", MINE, None)]
)
def test_who_reads(
    app: Flask, engine: sa.Engine, tenant: tenants.Tenant, method: str, origin: str, seen: str | None
) -> None:
    lms = Lms(app, *add_client(engine, tenant.id, auth_method=method))
    lms.take_cookie(sign_in(engine, tenant.id))
    tokens = lms.tokens()
    form = {"client_id": lms.party.id, "client_secret": lms.secret} if lms.secret else {"client_id": lms.party.id}
    refresh = {"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]}
    given = fetched(app, "POST", "/oauth/token", origin, **form, **refresh)
    assert (given.status_code, given.headers.get(ALLOWED)) == (200, seen)
    wrong = fetched(app, "POST", "/oauth/token", origin, **form, grant_type="refresh_token", refresh_token="x")
    assert (wrong.status_code, wrong.headers.get(ALLOWED)) == (400, seen)
    token = given.get_json()["access_token"]
    told = fetched(app, "GET", "/oauth/userinfo", origin, token)
    assert (told.status_code, told.headers.get(ALLOWED)) == (200, seen)
    assert "Origin" in told.headers["Vary"]
    ended = fetched(app, "POST", "/oauth/revoke", origin, **form, token=token)
    assert (ended.status_code, ended.headers.get(ALLOWED)) == (200, seen)
    for answer in (given, wrong, told, ended):
        assert "Access-Control-Allow-Credentials" not in answer.headers


def test_before_a_token_is_shown_the_browser_asks(app: Flask) -> None:
    asked = fetched(app, "OPTIONS", "/oauth/userinfo", MINE)
    assert (asked.status_code, asked.headers["Access-Control-Allow-Headers"]) == (204, "Authorization")
    assert fetched(app, "GET", "/oauth/userinfo", MINE).headers.get(ALLOWED) is None


def test_where_people_sign_in_no_page_reads(app: Flask) -> None:
    for path in ("/oauth/authorize", "/oauth/end-session", "/oauth/introspect", "/oauth/check", "/api/v1/accounts"):
        for method in ("GET", "OPTIONS", "POST"):
            assert fetched(app, method, path, MINE).headers.get(ALLOWED) is None
