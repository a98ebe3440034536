"""A receiver hears everything, in order, from a server that is killed meanwhile; a deferred request is done once."""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import islice

import pytest
import requests
import uuid_utils

from app.events.receivers import Registration, register
from app.outbound import LOOPBACK, Outbound
from app.store import tenants
from app.store.engine import writing
from scim.events import ASYNC, CREATE
from tests.events.receiver import Receiver, listening, verified
from tests.journeys import clients, server
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

PEOPLE = 60


def test_killed_while_it_tells() -> None:
    with server.running() as running, listening(Receiver()) as receiver:
        receiver.answer = lambda _: (time.sleep(0.02), 202, b"", {})[1:]
        client = _idp(running, receiver)
        made = [client.send("POST", "/Users", clients.person(f"p{number}")).json()["id"] for number in range(PEOPLE)]
        later = client.session.post(
            f"{client.base_url}/Users", json=clients.person("later"), headers={"Prefer": "respond-async"}
        )
        assert later.status_code == 202
        _until(lambda: len(receiver.taken) > 10)
        running.kill()
        heard = len(receiver.taken)
        assert heard < PEOPLE
        running.start()
        _until(lambda: any(one.uri == ASYNC for one in receiver.taken), seconds=180)
        created = [one.claims["sub_id"]["uri"] for one in receiver.taken if one.uri == CREATE]
        assert list(islice(dict.fromkeys(created), PEOPLE)) == [f"/Users/{id}" for id in made]
        assert len(created) <= PEOPLE + 2  # what was under way when it was killed came twice
        jwks = requests.get(f"{running.url}/.well-known/jwks.json", timeout=10).json()
        for one in receiver.taken:
            assert verified(one.token, jwks)[1]["iss"] == running.url
        done = [one for one in receiver.taken if one.uri == ASYNC]
        assert {one.claims["txn"] for one in done} == {later.headers["Set-Txn"]}
        assert done[0].payload["status"] == "201"
        assert client.session.get(later.headers["Location"]).status_code == 200
        assert client.send("GET", "/Users").json()["totalResults"] == PEOPLE + 1


def _idp(running: Server, receiver: Receiver) -> clients.Client:
    with running.engine() as engine:
        with writing(engine) as conn:
            tenant = tenants.create(conn, f"quay-{uuid_utils.uuid7().hex[-12:]}")
            source = tenants.create_source(conn, tenant.id, "okta", kind="idp", system="okta")
        said = Registration(receiver.url, "lms", source.id)
        register(engine, running.vault(), Outbound(LOOPBACK), tenant.id, said, actor="test")
        return clients.scim(engine, running.url, source)


def _until(true: Callable[[], bool], seconds: float = 60.0) -> None:
    end = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < end, "it did not come"
        time.sleep(0.02)
