"""Processes are killed in the middle of creates: what was answered is there, whole, and nothing is there by half."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial

import pytest
import requests
import sqlalchemy as sa

from app.store import tables, tenants
from app.store.engine import reading, writing
from tests.journeys import agreement, clients, server
from tests.journeys.server import Server

pytestmark = pytest.mark.journey

PEOPLE = 500
WORKER_DIES_AFTER = 120
SERVER_DIES_AFTER = 280
CLIENTS = 8
FEW_SECONDS = 60


@pytest.fixture
def running() -> Iterator[Server]:
    """A server of this test alone."""
    with server.running() as started:
        yield started


@dataclass
class Progress:
    """What the clients were told so far."""

    answered: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    moved: threading.Condition = field(default_factory=threading.Condition)

    def note(self, name: str, id: str | None) -> None:
        with self.moved:
            if id is None:
                self.unanswered.add(name)
            else:
                self.answered[name] = id
            self.moved.notify_all()

    def wait_for(self, number: int) -> None:
        with self.moved:
            assert self.moved.wait_for(lambda: len(self.answered) >= number, FEW_SECONDS)


def test_nothing_answered_is_lost_and_nothing_is_half_done(running: Server) -> None:
    with running.engine() as engine, writing(engine) as conn:
        tenant = tenants.create(conn, "quay")
        source = tenants.create_source(conn, tenant.id, "entra", kind="idp", system="entra")
    names = [f"crash{number:03}" for number in range(PEOPLE)]
    progress = _create_while_processes_die(running, source, names)
    assert SERVER_DIES_AFTER <= len(progress.answered) < PEOPLE, "the kill came in the middle"
    assert progress.unanswered

    running.start()
    with running.engine() as engine:
        _all_answered_are_there(engine, tenant.id, progress.answered)
        agreement.check(engine, tenant.id)
        with clients.scim(engine, running.url, source) as client:
            for name in sorted(set(names) - progress.answered.keys()):
                again = client.send("POST", "/Users", clients.person(name)).status_code
                assert again == 201 or (again == 409 and name in progress.unanswered)
        assert len(agreement.accounts_by_name(engine, tenant.id)) == PEOPLE
        agreement.check(engine, tenant.id)


def _create_while_processes_die(running: Server, source: tenants.SourceRow, names: list[str]) -> Progress:
    """Eight clients create; a web worker is killed on the way, and later everything."""
    progress, over = Progress(), threading.Event()
    with running.engine() as engine:
        many = [clients.scim(engine, running.url, source) for _ in range(CLIENTS)]
    shares = clients.in_shares(names, CLIENTS)
    acts = [partial(_create, client, share, progress, over) for client, share in zip(many, shares, strict=True)]
    killer = threading.Thread(target=_kill, args=(running, progress, over))
    killer.start()
    clients.at_once(acts)
    killer.join(FEW_SECONDS)
    for client in many:
        client.session.close()
    return progress


def _kill(running: Server, progress: Progress, over: threading.Event) -> None:
    progress.wait_for(WORKER_DIES_AFTER)
    running.kill_web_worker()
    progress.wait_for(SERVER_DIES_AFTER)
    over.set()
    running.kill()


def _create(client: clients.Client, names: list[str], progress: Progress, over: threading.Event) -> None:
    for name in names:
        try:
            answer = client.send("POST", "/Users", clients.person(name))
        except requests.RequestException:
            progress.note(name, None)
            if over.is_set():
                return
        else:
            assert answer.status_code == 201
            progress.note(name, answer.json()["id"])


def _all_answered_are_there(engine: sa.Engine, tenant_id: str, answered: dict[str, str]) -> None:
    """Each with its account, and with the event that tells of it."""
    created = sa.and_(
        tables.events.c.tenant_id == tables.records.c.tenant_id,
        tables.events.c.account_id == tables.records.c.account_id,
        tables.events.c.type == agreement.FIRST,
    )
    chosen = sa.select(tables.records.c.user_name, tables.records.c.id).join(tables.events, created)
    with reading(engine) as conn:
        there = {row.user_name: row.id for row in conn.execute(chosen.where(tables.records.c.tenant_id == tenant_id))}
    assert {f"{name}@quay.example": id for name, id in answered.items()}.items() <= there.items()
