"""Sessions of the console against whoever would prolong, plant or borrow one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.console.visit import cookie_name, csrf_of
from app.store import tenants
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import SETTINGS, Console

Enter = Callable[..., Console]


def seen_at(engine: sa.Engine, id: str) -> Any:
    with reading(engine) as conn:
        query = sa.text("SELECT seen_at FROM console_sessions WHERE id = :id")
        return conn.execute(query, {"id": id}).scalar_one()


@pytest.fixture
def idle(console: Enter, engine: sa.Engine) -> Console:
    """Somebody who was here half an hour ago."""
    visitor = console("owner")
    with writing(engine) as conn:
        conn.execute(sa.text("UPDATE console_sessions SET seen_at = now() - interval '30 minutes'"))
    return visitor


def test_a_page_that_looks_by_itself_keeps_no_session_going(idle: Console, engine: sa.Engine) -> None:
    before = seen_at(engine, idle.session_id)
    assert idle.get("/admin/runs", headers={"HX-Request": "true"}).status == 200
    assert seen_at(engine, idle.session_id) == before
    idle.get("/admin/runs")
    assert seen_at(engine, idle.session_id) > before


@pytest.mark.parametrize("planted", ["short", "x" * 43, "x" * 4_000, "é" * 43])
def test_a_planted_cookie_opens_nothing(application: Flask, planted: str) -> None:
    client = application.test_client()
    answer = client.get("/admin", headers={"Cookie": f"{cookie_name(SETTINGS.public_url)}={planted}"})
    assert answer.status_code == 303


def test_a_form_of_one_tenants_session_is_nothing_in_anothers(
    console: Enter, engine: sa.Engine, tenant: Tenant, okta: SourceRow
) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    mine, stranger = console("owner"), console("owner", tenant_id=other.id)
    path = f"/admin/provisioning/{okta.id}/tokens"
    assert stranger.client.post(path, data={"csrf": mine.csrf, "name": "x"}).status_code == 403
    assert stranger.post(path, name="x").status == 404


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "null"},
        {"Origin": "http://sub.localhost"},
        {"Origin": "http://localhost:81"},
        {"Origin": "http://localhost.evil.example"},
        {"Origin": "http://localhost@evil.example"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"HX-Request": "true", "Origin": "https://evil.example"},
    ],
)
@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data"])
def test_even_with_its_token_a_form_from_elsewhere_does_nothing(
    console: Enter, headers: dict[str, str], kind: str
) -> None:
    owner = console("owner")
    answer = owner.client.post("/admin/sign-out", data={"csrf": owner.csrf}, headers=headers, content_type=kind)
    assert answer.status_code == 403
    assert owner.get("/admin/access").status == 200


def test_a_token_in_the_address_is_none(console: Enter) -> None:
    owner = console("owner")
    assert owner.client.post(f"/admin/sign-out?csrf={owner.csrf}").status_code == 403
    assert owner.client.post("/admin/sign-out", json={"csrf": owner.csrf}).status_code == 403
    assert owner.client.post("/admin/sign-out", headers={"X-CSRF-Token": csrf_of("")}).status_code == 403


@pytest.mark.parametrize(
    "said",
    [
        "%5B%5B%22success%22%2C%22%3Cimg%20src%3Dx%3E%22%5D%5D",
        "%5B%5B%22x%5C%22%20onload%3D1%22%2C%22y%22%5D%5D",
        "1",
        "%7B%22ab%22%3A1%7D",
        "%5B%22" + "a" * 3_000 + "%22%5D",
    ],
)
def test_a_planted_message_is_text(console: Enter, said: str) -> None:
    owner = console("owner")
    owner.client.set_cookie("rollcall-said", said, path="/admin")
    seen = owner.get("/admin/access")
    assert seen.status == 200
    assert "<img src=x" not in seen.html
    assert 'x" onload' not in seen.html


@pytest.mark.parametrize(
    "to",
    ["//evil.example", "/\\evil.example", "https://evil.example", "/admin/../../x", "/admin/%2e%2e/x", "/admin/\t/x"],
)
def test_nobody_is_sent_elsewhere(console: Enter, to: str) -> None:
    owner = console("owner")
    answer = owner.client.post("/admin/theme", data={"csrf": owner.csrf, "to": to, "theme": "dark"})
    assert answer.headers["Location"] == "/admin"
    shown = owner.client.get("/admin/proof", query_string={"to": to}).text
    assert "evil" not in shown
