"""The feed of events: in order, without gaps, whoever writes beside it."""

from __future__ import annotations

import threading
from typing import Any

import sqlalchemy as sa
from flask.testing import FlaskClient

from app.api.schemas import EventsSchema
from app.store.engine import writing
from app.store.tenants import Tenant
from tests.api.conftest import Key
from tests.api.people import account_id, fill

URL = "/api/v1/events"


def test_pages_follow_one_another(
    client: FlaskClient, headers: dict[str, str], engine: sa.Engine, tenant: Tenant
) -> None:
    fill(engine, tenant.id, 5)
    seen: list[int] = []
    after, more = 0, True
    while more:
        answer = client.get(URL, query_string={"after": after, "limit": 2}, headers=headers)
        assert answer.json is not None
        assert EventsSchema().validate(answer.json) == {}
        seen += [one["number"] for one in answer.json["events"]]
        after, more = answer.json["next"], answer.json["more"]
    assert seen == [1, 2, 3, 4, 5]
    answer = client.get(URL, query_string={"after": 5}, headers=headers)
    assert answer.json == {"events": [], "next": 5, "more": False, "newest": 5}
    first = client.get(URL, query_string={"limit": 1}, headers=headers).json
    assert first is not None
    assert first["events"][0]["type"] == "account.created"
    assert first["events"][0]["accountId"] == account_id(1)


def test_a_tenant_without_events_has_an_empty_page(client: FlaskClient, headers: dict[str, str]) -> None:
    assert client.get(URL, headers=headers).json == {"events": [], "next": 0, "more": False, "newest": 0}


def test_a_reader_ahead_of_the_tenant_is_told(
    client: FlaskClient, headers: dict[str, str], engine: sa.Engine, tenant: Tenant
) -> None:
    fill(engine, tenant.id, 5)
    answer = client.get(URL, query_string={"after": 6}, headers=headers)
    assert answer.status_code == 400
    assert answer.json is not None
    assert "5" in answer.json["detail"]


def test_another_tenants_events_are_not_seen(
    client: FlaskClient, key: Key, engine: sa.Engine, tenant: Tenant, other: Tenant
) -> None:
    fill(engine, tenant.id, 5)
    answer = client.get(URL, headers=key(of=other))
    assert answer.json == {"events": [], "next": 0, "more": False, "newest": 0}


def test_no_number_is_missed_beside_writers(
    client: FlaskClient, headers: dict[str, str], engine: sa.Engine, tenant: Tenant
) -> None:
    """Writers number their events under the ledger's lock, as the write door does."""
    each, writers = 20, 4

    def write() -> None:
        for _ in range(each):
            with writing(engine) as conn:
                number = conn.execute(_NUMBERED, {"tenant": tenant.id}).scalar_one()
                conn.execute(_EVENT, {"tenant": tenant.id, "number": number})

    threads = [threading.Thread(target=write) for _ in range(writers)]
    for thread in threads:
        thread.start()
    seen: list[int] = []
    while len(seen) < each * writers and (any(thread.is_alive() for thread in threads) or _more(client, headers, seen)):
        _more(client, headers, seen)
    for thread in threads:
        thread.join()
    while _more(client, headers, seen):
        pass
    assert seen == list(range(1, each * writers + 1))


def _more(client: FlaskClient, headers: dict[str, str], seen: list[int]) -> bool:
    answer: Any = client.get(URL, query_string={"after": seen[-1] if seen else 0, "limit": 7}, headers=headers).json
    seen += [one["number"] for one in answer["events"]]
    return bool(answer["events"])


_NUMBERED = sa.text("UPDATE ledger SET next_event = next_event + 1 WHERE tenant_id = :tenant RETURNING next_event - 1")
_EVENT = sa.text(
    "INSERT INTO events (tenant_id, number, type, account_id, at, data) "
    "VALUES (:tenant, :number, 'account.updated', gen_random_uuid(), now(), '{}')"
)
