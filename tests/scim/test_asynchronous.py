"""What the protocol alone decides about asynchronous requests: preferences, checks, what is kept."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from scim.asynchronous import preferences, without_passwords
from scim.events import ASYNC, DELETE
from scim.memory import MemoryStore
from scim.store import Features
from tests.scim.conftest import BASE


@pytest.mark.parametrize(
    ("values", "found"),
    [
        (["respond-async"], {"respond-async": ""}),
        (["Respond-Async, wait=10"], {"respond-async": "", "wait": "10"}),
        (["respond-async; foo=bar", "wait = 5"], {"respond-async": "", "wait": "5"}),
        (['wait="7", wait=8'], {"wait": "7"}),
        (["return=representation"], {"return": "representation"}),
        ([", ,;=", '"', ""], {}),
    ],
)
def test_preferences(values: list[str], found: dict[str, str]) -> None:
    assert preferences(values) == found


def test_a_request_is_kept_for_the_store(client: FlaskClient, store: MemoryStore) -> None:
    store.features = Features(event_uris=(ASYNC, DELETE))
    headers = {"Prefer": "respond-async", "If-Match": 'W/"3"'}
    answer = client.put(f"{BASE}/Users/7", json={"userName": "ann", "password": "x"}, headers=headers)
    assert answer.status_code == 202
    [kept] = store.deferred
    assert (kept.method, kept.kind, kept.id, kept.body, kept.conditions["if_match"]) == (
        "PUT",
        "User",
        "7",
        {"userName": "ann"},
        'W/"3"',
    )


@pytest.mark.parametrize("uris", [(), (DELETE,)])
def test_nobody_hears_so_it_is_done(client: FlaskClient, store: MemoryStore, uris: tuple[str, ...]) -> None:
    store.features = Features(event_uris=uris)
    answer = client.post(f"{BASE}/Users", json={"userName": "ann"}, headers={"Prefer": "respond-async"})
    assert (answer.status_code, store.deferred) == (201, [])


def test_reading_is_never_deferred(client: FlaskClient, store: MemoryStore) -> None:
    store.features = Features(event_uris=(ASYNC,))
    headers = {"Prefer": "respond-async"}
    assert client.get(f"{BASE}/Users", headers=headers).status_code == 200
    assert client.post(f"{BASE}/.search", json={}, headers=headers).status_code == 200


def test_only_passwords_are_taken_out() -> None:
    body = {"path": "title", "value": "password", "a": [{"PassWord": 1, "passwordHint": 2}], "x:password": 3}
    assert without_passwords(body) == {"path": "title", "value": "password", "a": [{"passwordHint": 2}]}
    assert without_passwords({"path": "urn:x:password", "value": "s", "op": "add"}) == {
        "path": "urn:x:password",
        "op": "add",
    }
    assert without_passwords(None) is None
