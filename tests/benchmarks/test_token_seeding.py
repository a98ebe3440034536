"""The tokens that the benchmark makes are good ones, and its roads ask for them."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.factory import create_app
from app.settings import Settings
from app.store import tenants
from app.store.engine import writing
from benchmarks.roads import Request
from benchmarks.token_roads import ROADS, token
from benchmarks.token_seeding import place, seed, sign_in
from tests.store.test_sessions import add_account


def asked(client: FlaskClient, request: Request, authorization: str) -> int:
    headers = {"Authorization": request.authorization or authorization}
    form = {"Content-Type": "application/x-www-form-urlencoded"} if request.body else {}
    answer = client.open(request.path, method=request.method, data=request.body, headers=headers | form)
    return 401 if answer.get_data() == b'{"active":false}' else answer.status_code


def test_each_road_is_answered_yes(engine: sa.Engine) -> None:
    _, sample = seed(engine, "tokens", 30, 4)
    client = create_app(Settings(), engine=engine).test_client()
    for road in ROADS.values():
        for run in ("", "warm"):
            for request in islice(road(replace(sample, run=run)), 40):
                assert asked(client, request, sample.token) in (200, 204)
    with engine.connect() as conn:
        counts = [
            conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("accounts", "sessions", "authorizations", "tokens")
        ]
    assert counts == [4, 30, 30, 30]


def test_people_who_are_there_sign_in(engine: sa.Engine) -> None:
    with writing(engine) as conn:
        tenant = tenants.create(conn, "people").id
    accounts = [add_account(engine, tenant) for _ in range(3)]
    found = sign_in(engine, place(engine, tenant), 7)
    assert sorted(found) == sorted(accounts)
    assert sorted(found.values()) == [token(number) for number in (7, 8, 9)]
    client = create_app(Settings(), engine=engine).test_client()
    for account, text in found.items():
        answer = client.get("/oauth/check", headers={"Authorization": f"Bearer {text}"})
        assert answer.headers["X-Auth-Account"] == account
