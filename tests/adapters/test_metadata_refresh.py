"""Metadata is read again when it is due, and only what may be is taken over."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from app.adapters import connecting
from app.adapters.connecting import Metadata, Said
from app.adapters.metadata_refresh import MetadataRefresh, Refreshed, unknown_key
from app.store import connections, sign_in_tables, tenants
from app.store import tables as t
from app.store.connections import Stored
from app.store.engine import reading, writing
from app.store.vault import Vault
from tests.certificates import body, certificate
from tests.metadata import ENTITY, URL, Answer, FakeWeb, metadata

OLD, NEW = certificate("old"), certificate("new")


@pytest.fixture
def web() -> FakeWeb:
    return FakeWeb({URL: Answer(body=metadata(OLD, NEW))})


@pytest.fixture
def refresh(engine: sa.Engine, web: FakeWeb) -> MetadataRefresh:
    return MetadataRefresh(engine, web)


@pytest.fixture
def made(engine: sa.Engine, tenant: tenants.Tenant) -> str:
    settings = {"entity_id": ENTITY, "sso_url": "https://idp.example/sso", "certificates": [OLD]}
    settings["slo_url"] = "https://idp.example/slo"
    said = Said("idp", "saml", settings, metadata=Metadata(URL, None, datetime.now(UTC)))
    return connecting.create(engine, lambda: Vault([b"v" * 32]), tenant.id, said, "test")


def _stored(engine: sa.Engine, id: str) -> Stored:
    with reading(engine) as conn:
        found = connections.find(conn, id)
    assert found is not None
    return found


def _set(engine: sa.Engine, **values: Any) -> None:
    with writing(engine) as conn:
        conn.execute(sa.update(sign_in_tables.connections).values(**values))


def test_what_is_due_is_read_once(engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str) -> None:
    refresh.drain()
    refresh.drain()
    assert web.asked == [URL]
    found = _stored(engine, made)
    assert found.settings["certificates"] == [body(OLD), body(NEW)]
    assert found.refresh_failure is None
    assert found.refresh_at is not None
    assert timedelta(hours=21) < found.refresh_at - datetime.now(UTC) <= timedelta(hours=24)
    with reading(engine) as conn:
        told = conn.execute(sa.select(t.audit.c.actor, t.audit.c.action).order_by(t.audit.c.number)).all()
    assert [tuple(one) for one in told] == [("test", "connection.created"), ("metadata", "connection.changed")]


def test_nothing_new_changes_no_version(engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str) -> None:
    web.answers[URL] = Answer(body=metadata(OLD))
    refresh.drain()
    assert web.asked == [URL]
    assert _stored(engine, made).version == 1


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (Answer(body=metadata(NEW)), "replaces every signing certificate"),
        (Answer(body=metadata(OLD, entity_id="https://evil.example")), "found none"),
        (Answer(body=metadata()), "signing certificate"),
        (Answer(500), "status 500"),
        (Answer(body=b"<!DOCTYPE x><x/>"), ""),
        (Answer(body=metadata(OLD, host="idp.example:bad")), ""),
    ],
)
def test_the_old_settings_stay_and_the_failure_is_noted(
    engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str, answer: Answer, why: str
) -> None:
    web.answers[URL] = answer
    before = _stored(engine, made)
    refresh.drain()
    found = _stored(engine, made)
    assert (found.settings, found.version) == (before.settings, 1)
    assert found.refresh_failure is not None
    assert why in found.refresh_failure
    assert found.refresh_at is not None
    assert found.refresh_at - datetime.now(UTC) <= timedelta(minutes=15)


def test_a_person_may_take_all_certificates(
    engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str
) -> None:
    web.answers[URL] = Answer(body=metadata(NEW))
    assert refresh.refresh(_stored(engine, made)).failure
    assert refresh.refresh(_stored(engine, made), accept=True, actor="cli:ops") == Refreshed(("certificates",))
    found = _stored(engine, made)
    assert (found.settings["certificates"], found.refresh_failure) == ([body(NEW)], None)


def test_an_unknown_key_has_it_read_at_most_once_a_minute(
    engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str
) -> None:
    told: list[str] = []
    refresh.drain()
    unknown_key(engine, lambda: told.append("metadata"), made)
    refresh.drain()
    assert (len(web.asked), told) == (1, [])
    _set(engine, refreshed_at=datetime.now(UTC) - timedelta(seconds=61))
    for _ in range(3):
        unknown_key(engine, lambda: told.append("metadata"), made)
    refresh.drain()
    refresh.drain()
    assert (len(web.asked), told) == (2, ["metadata"])


def test_without_an_address_nothing_is_read(
    engine: sa.Engine, refresh: MetadataRefresh, web: FakeWeb, made: str
) -> None:
    _set(engine, metadata_url=None)
    unknown_key(engine, lambda: pytest.fail("there is nothing to read"), made)
    refresh.drain()
    assert refresh.refresh(_stored(engine, made)).failure == "the connection has no metadata address"
    assert web.asked == []


def test_two_workers_read_it_once(engine: sa.Engine, web: FakeWeb, made: str) -> None:
    other = MetadataRefresh(engine, web)

    def answer() -> Answer:
        other.drain()
        return Answer(body=metadata(OLD, NEW))

    web.answers[URL] = answer
    MetadataRefresh(engine, web).drain()
    assert web.asked == [URL]
