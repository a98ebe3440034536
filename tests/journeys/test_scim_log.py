"""The provisioning log of a real server: written by its workers, and flushed when they are stopped."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import tables as t
from app.store import tenants
from app.store.engine import reading, writing
from tests.journeys import clients, server

pytestmark = pytest.mark.journey


def test_what_a_stopped_server_answered_stands_in_the_log() -> None:
    with server.running() as started:
        with started.engine() as engine:
            with writing(engine) as conn:
                tenant = tenants.create(conn, "quay")
                source = tenants.create_source(conn, tenant.id, "entra", kind="idp", system="entra")
            with clients.scim(engine, started.url, source) as client:
                answers = [client.send("POST", "/Users", clients.person(f"p{n}")) for n in range(5)]
        started.stop()
        with started.engine() as engine, reading(engine) as conn:
            rows = conn.execute(sa.select(t.scim_requests.c.id, t.scim_requests.c.status)).all()
    assert {str(row.id) for row in rows} == {answer.headers["X-Request-Id"] for answer in answers}
    assert {row.status for row in rows} == {201}
