"""Whatever the number of sessions and however unequal the tenants, a token is found by looking up a row a table."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable, Iterator
from typing import Any, Final

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import Settings
from app.store import credentials, tenants
from app.store.engine import writing
from benchmarks.token_roads import token
from benchmarks.token_seeding import Place, place, sign_in
from benchmarks.token_seeding import seed as seed_tokens
from sso import cookies
from tests import databases
from tests.proofs.plans import caught, connection, works

SIZES: Final = tuple(int(size) for size in os.environ.get("PLANS_SIZES", "20000,2000,200").split(","))
MOST_ROWS, MOST_PAGES = 12, 40  # seven tables, one row each


@pytest.fixture(scope="module")
def places(shared_engine: sa.Engine) -> Iterator[list[Place]]:
    """Three tenants with tokens, numbered from 0 in the largest and from there on in the others."""
    databases.empty(shared_engine)
    found = [seed_tokens(shared_engine, "large", SIZES[0], SIZES[0] // 10)[0]]
    for number, size in enumerate(SIZES[1:], 1):
        with writing(shared_engine) as conn:
            tenant = tenants.create(conn, f"tenant-{number}").id
            conn.execute(
                sa.text(
                    "INSERT INTO accounts SELECT (jsonb_populate_record(a, jsonb_build_object("
                    "'tenant_id', CAST(:to AS text), 'id', gen_random_uuid()))).* FROM accounts a LIMIT :size"
                ),
                {"to": tenant, "size": size // 10},
            )
        found.append(place(shared_engine, tenant))
        sign_in(shared_engine, found[-1], number * 10_000_000)
    with writing(shared_engine) as conn:
        for at in found:
            for _ in range(300):
                credentials.issue(conn, at.tenant_id, "access_token", "feed", client_id=at.client_id)
    with shared_engine.connect() as conn:
        conn.exec_driver_sql("VACUUM ANALYZE")
    yield found
    databases.empty(shared_engine)


def _check(engine: sa.Engine, ask: Callable[[], Any]) -> None:
    with caught() as sent:
        ask()
    assert sent
    with connection(engine) as conn:
        for one in sent:
            for work in works(conn, one):
                said = f"{work.mode}: {work.rows} rows, {work.pages} pages\n{work.plan}\n{one.text}"
                assert not work.scanned, said
                assert work.rows <= MOST_ROWS, said
                assert work.pages <= MOST_PAGES, said


@pytest.fixture
def client(shared_engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    monkeypatch.setattr("app.adapters.token_checks.SECONDS", 0.0)
    return create_app(Settings(), engine=shared_engine).test_client()


@pytest.mark.parametrize("number", range(len(SIZES)), ids=lambda number: f"{SIZES[number]} sessions")
def test_a_token_is_looked_up(shared_engine: sa.Engine, places: list[Place], client: FlaskClient, number: int) -> None:
    at, text = places[number], token(number * 10_000_000 + 7)

    def check() -> None:
        answer = client.get("/oauth/check", headers={"Authorization": f"Bearer {text}"})
        assert answer.status_code == 204

    def introspect(said: str = text, active: bool = True) -> None:
        answer = client.post("/oauth/introspect", data={"token": said}, headers={"Authorization": at.authorization})
        assert answer.get_json()["active"] is active

    for ask in (check, introspect, lambda: introspect("unknown", False), lambda: introspect("rc_at_unknown", False)):
        _check(shared_engine, ask)


@pytest.mark.parametrize("number", range(len(SIZES)), ids=lambda number: f"{SIZES[number]} sessions")
def test_a_machines_token_and_a_cookie_are_looked_up(
    shared_engine: sa.Engine, places: list[Place], client: FlaskClient, number: int
) -> None:
    at, cookie = places[number], "c" * 43
    with writing(shared_engine) as conn:
        feed = credentials.issue(conn, at.tenant_id, "access_token", "feed", client_id=at.client_id).secret
        name = conn.execute(sa.text("SELECT name FROM tenants WHERE id = :id"), {"id": at.tenant_id}).scalar_one()
        conn.execute(
            sa.text(
                "UPDATE sessions SET hash = :hash, seen_at = now() WHERE (tenant_id, id) ="
                " (SELECT tenant_id, id FROM sessions WHERE tenant_id = :tenant LIMIT 1)"
            ),
            {"hash": credentials.digest(cookie), "tenant": at.tenant_id},
        )

    def introspect() -> None:
        answer = client.post("/oauth/introspect", data={"token": feed}, headers={"Authorization": at.authorization})
        assert answer.get_json()["active"] is True

    def check() -> None:
        client.set_cookie(cookies.session(Settings().public_url, at.tenant_id), cookie)
        assert client.get(f"/oauth/check?tenant={name}").status_code == 204

    assert base64.b64decode(at.authorization[6:]).startswith(at.client_id.encode())
    for ask in (introspect, check):
        _check(shared_engine, ask)
