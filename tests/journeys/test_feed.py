"""A reader of the events beside eight writers sees every number once, in order, and misses none."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa

from app.store import tenants
from tests.journeys import agreement, clients
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

WRITERS = 8
PEOPLE = 25  # of each writer
EVENTS = WRITERS * PEOPLE * 3


def test_a_reader_misses_nothing(
    running: Server, idp: Callable[[], clients.Client], engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    many, written = [idp() for _ in range(WRITERS)], threading.Event()
    with clients.api(engine, running.url, tenant, "events:read") as lms, ThreadPoolExecutor(1) as pool:
        reading = pool.submit(_read, lms, written)
        try:
            clients.at_once([partial(_write, client, number) for number, client in enumerate(many)])
        finally:
            written.set()
        events, pages = reading.result(60)
    assert pages > 10, "it read while they wrote"
    assert [event["number"] for event in events] == list(range(1, EVENTS + 1))
    kinds = [event["type"] for event in events]
    assert kinds.count("account.created") == kinds.count("account.updated") == WRITERS * PEOPLE
    assert kinds.count("account.deactivated") == WRITERS * PEOPLE
    agreement.check(engine, tenant.id)


def _write(client: clients.Client, writer: int) -> None:
    for number in range(PEOPLE):
        id = client.send("POST", "/Users", clients.person(f"w{writer}p{number}")).json()["id"]
        assert client.patch(f"/Users/{id}", {"op": "replace", "path": "title", "value": "Pilot"}).status_code == 200
        assert client.patch(f"/Users/{id}", {"op": "replace", "path": "active", "value": False}).status_code == 200


def _read(client: clients.Client, written: threading.Event) -> tuple[list[dict[str, Any]], int]:
    """Goes on behind the last number it saw, until a page that was asked for after the last write is empty."""
    events: list[dict[str, Any]] = []
    after, pages = 0, 0
    while True:
        last = written.is_set()
        page = client.send("GET", "/events", after=after).json()
        pages += 1
        events += page["events"]
        after = page["next"]
        if last and not page["events"]:
            return events, pages
