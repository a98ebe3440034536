"""The limit of requests a second, with a clock of the test's own."""

from __future__ import annotations

import pytest
import sqlalchemy as sa
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st

from app.adapters import pace
from app.adapters.doorkeeper import Doorkeeper
from app.adapters.pace import Pace
from app.store import credentials, tenants
from app.store.engine import writing
from app.store.tenant_settings import choose
from scim.routes import blueprint
from scim.store import Limits


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_a_second_holds_as_many_as_the_rate_and_then_says_when() -> None:
    clock = Clock()
    here = Pace(1, clock)
    assert [here.wait("t", 25) for _ in range(26)] == [0] * 25 + [1]
    clock.now = 0.04
    assert [here.wait("t", 25) for _ in range(2)] == [0, 1]
    assert here.wait("other", 25) == 0
    assert [here.wait("t", 0) for _ in range(100)] == [0] * 100


def test_a_bucket_may_hold_more_than_a_second_s_worth() -> None:
    clock = Clock()
    here = Pace(1, clock)
    assert [here.wait("a", 2, 10) for _ in range(11)] == [0] * 10 + [1]
    clock.now = 1.0
    assert [here.wait("a", 2, 10) for _ in range(3)] == [0, 0, 1]
    clock.now = 100.0
    assert [here.wait("a", 2, 10) for _ in range(11)] == [0] * 10 + [1]


def test_each_of_several_processes_fills_its_share() -> None:
    clock = Clock()
    here = Pace(4, clock)
    for _ in range(8):
        assert here.wait("t", 8) == 0
    clock.now = 1.0
    assert [here.wait("t", 8) for _ in range(3)] == [0, 0, 1]
    slow = Pace(4, clock)
    assert [slow.wait("t", 1) for _ in range(2)] == [0, 4]  # one request in four seconds


def test_tenants_are_not_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "MOST_TENANTS", 3)
    here = Pace(1, Clock())
    for number in range(10):
        here.wait(f"t{number}", 5)
    assert len(here._buckets) == 3


@given(st.integers(1, 50), st.integers(1, 4), st.lists(st.floats(0, 0.7), min_size=1, max_size=80))
def test_never_more_than_a_second_and_the_share_of_the_time(rate: int, processes: int, gaps: list[float]) -> None:
    clock = Clock()
    here = Pace(processes, clock)
    passed = 0
    for gap in gaps:
        clock.now += gap
        wait = here.wait("t", rate)
        passed += wait == 0
        if wait:  # and who waits as long as he was told is let through
            clock.now += wait
            assert here.wait("t", rate) == 0
            passed += 1
        assert passed <= rate + clock.now * rate / processes + 1e-6


def test_scim_answers_429_with_whole_seconds(
    engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow
) -> None:
    clock = Clock()
    app = Flask(__name__)
    app.register_blueprint(blueprint(Doorkeeper(engine, pace=Pace(1, clock)), Limits()))
    with writing(engine) as conn:
        choose(conn, tenant.id, "scim.requests_per_second", "3")
        token = credentials.issue(conn, tenant.id, "scim_token", "push", source_id=okta.id).secret
    client = app.test_client()
    client.environ_base["HTTP_AUTHORIZATION"] = f"Bearer {token}"
    assert [client.get("/scim/v2/Users").status_code for _ in range(4)] == [200, 200, 200, 429]
    answer = client.post("/scim/v2/Users", json={"userName": "ada"})
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "1")
    assert answer.content_type == "application/scim+json"
    assert answer.get_json()["status"] == "429"
    assert answer.get_json()["detail"]
    clock.now = 1.0
    assert client.get("/scim/v2/Users").status_code == 200


def test_without_a_setting_nobody_is_limited(
    engine: sa.Engine, tenant: tenants.Tenant, okta: tenants.SourceRow
) -> None:
    app = Flask(__name__)
    app.register_blueprint(blueprint(Doorkeeper(engine, pace=Pace(1, Clock())), Limits()))
    with writing(engine) as conn:
        token = credentials.issue(conn, tenant.id, "scim_token", "push", source_id=okta.id).secret
    client = app.test_client()
    found = {client.get("/scim/v2/Me", headers={"Authorization": f"Bearer {token}"}).status_code for _ in range(3)}
    assert found == {501}
    header = {"Authorization": f"Bearer {token}"}
    assert {client.get("/scim/v2/Users?count=0", headers=header).status_code for _ in range(50)} == {200}
