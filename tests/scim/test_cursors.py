"""Paging by cursor (RFC 9865) over HTTP, on the memory store."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from scim import cursors
from scim.memory import MemoryDoorkeeper, MemoryStore
from scim.routes import blueprint
from scim.store import Limits
from tests.scim.conftest import BASE

Make = Callable[..., dict[str, Any]]


@pytest.fixture
def seven(user: Make) -> list[dict[str, Any]]:
    """Seven users: titles that tie, differ in case only, and are missing."""
    titles = ("b", None, "a", "B", None, "c", "a")
    return [user(f"u{n}@example.com", title=title) for n, title in enumerate(titles)]


def page(client: FlaskClient, query: str, cursor: str = "") -> dict[str, Any]:
    answer = client.get(f"{BASE}/Users?{query}&cursor={cursor}")
    assert answer.status_code == 200, answer.text
    return dict(answer.get_json())


def walk(client: FlaskClient, query: str, way: str = "nextCursor", cursor: str = "") -> list[list[str]]:
    """The userNames of all pages from `cursor` on."""
    pages = []
    while True:
        shown = page(client, query, cursor)
        assert shown["itemsPerPage"] == len(shown["Resources"])
        assert "startIndex" not in shown
        pages.append([found["userName"] for found in shown["Resources"]])
        if way not in shown:
            return pages
        cursor = shown[way]


def refused(answer: Any, scim_type: str) -> str:
    shown = answer.get_json()
    assert (answer.status_code, shown["scimType"], shown["status"]) == (400, scim_type, "400")
    return str(shown["detail"])


def test_every_page_is_led_to_and_the_last_one_leads_nowhere(client: FlaskClient, seven: list[Any]) -> None:
    pages = walk(client, "count=3")
    assert [len(one) for one in pages] == [3, 3, 1]
    assert [name for one in pages for name in one] == [made["userName"] for made in seven]
    first = page(client, "count=3")
    assert (first["totalResults"], first["itemsPerPage"]) == (7, 3)
    assert "previousCursor" not in first
    assert re.fullmatch(r"[A-Za-z0-9._~-]+", first["nextCursor"])  # RFC 3986 §2.3


def test_a_cursor_without_a_value_begins(client: FlaskClient, seven: list[Any]) -> None:
    assert "nextCursor" in client.get(f"{BASE}/Users?cursor&count=3").get_json()
    everybody = client.get(f"{BASE}/Users?cursor").get_json()
    assert (len(everybody["Resources"]), "nextCursor" in everybody) == (7, False)


def test_without_cursor_paging_is_by_index(client: FlaskClient, seven: list[Any]) -> None:
    shown = client.get(f"{BASE}/Users?count=3").get_json()
    assert {"nextCursor", "previousCursor"}.isdisjoint(shown)
    assert shown["startIndex"] == 1


@pytest.mark.parametrize("query", ["count=2", "count=2&sortBy=title", "count=2&sortBy=title&sortOrder=descending"])
def test_the_way_back_shows_the_same_pages(client: FlaskClient, seven: list[Any], query: str) -> None:
    there, cursor = [], ""
    while True:
        shown = page(client, query, cursor)
        there.append([found["userName"] for found in shown["Resources"]])
        if "nextCursor" not in shown:
            break
        cursor = shown["nextCursor"]
    back = walk(client, query, "previousCursor", shown["previousCursor"])
    assert back == there[-2::-1]


def test_sorted_pages_are_the_sorted_list(client: FlaskClient, seven: list[Any]) -> None:
    for query in ("sortBy=title", "sortBy=title&sortOrder=descending", "sortBy=userName&sortOrder=descending"):
        listed = client.get(f"{BASE}/Users?{query}").get_json()["Resources"]
        whole = [found.get("title", "").lower() for found in listed]
        pages = walk(client, f"{query}&count=2")
        titles = {made["userName"]: (made.get("title") or "").lower() for made in seven}
        assert [titles[name] for one in pages for name in one] == whole
        assert sorted(name for one in pages for name in one) == sorted(titles)


def test_a_filtered_and_projected_walk_by_post(client: FlaskClient, seven: list[Any]) -> None:
    names, cursor = [], ""
    body = {"filter": "title pr", "attributes": ["userName"], "count": 2}
    while cursor is not None:
        shown = client.post(f"{BASE}/Users/.search", json={**body, "cursor": cursor}).get_json()
        assert all(set(found) == {"schemas", "id", "userName"} for found in shown["Resources"])
        names += [found["userName"] for found in shown["Resources"]]
        cursor = shown.get("nextCursor")
    assert names == [made["userName"] for made in seven if made.get("title")]


def test_a_walk_at_the_root_is_one_order(client: FlaskClient, user: Make, group: Make) -> None:
    for name in "ca":
        user(f"{name}@example.com", displayName=name)
    for name in "bd":
        group(name)
    seen, cursor = [], ""
    while cursor is not None:
        body = {"sortBy": "displayName", "count": 1, "cursor": cursor}
        shown = client.post(f"{BASE}/.search", json=body).get_json()
        assert shown["totalResults"] == 4
        seen += [found["displayName"] for found in shown["Resources"]]
        cursor = shown.get("nextCursor")
    assert seen == ["a", "b", "c", "d"]


@pytest.mark.parametrize("sort", ["", "&sortBy=title", "&sortBy=title&sortOrder=descending", "&sortBy=userName"])
def test_nobody_who_stays_is_skipped_or_doubled_while_others_come_and_go(
    client: FlaskClient, user: Make, sort: str
) -> None:
    staying = {user(f"stay{n}@example.com", title=f"t{n % 5}" if n % 4 else None)["userName"] for n in range(12)}
    going = [user(f"go{n}@example.com", title=f"t{n % 6}")["id"] for n in range(8)]
    seen, cursor, step = [], "", 0
    while cursor is not None:
        shown = page(client, f"count=3{sort}", cursor)
        seen += [found["userName"] for found in shown["Resources"]]
        cursor = shown.get("nextCursor")
        gone = [found["id"] for found in shown["Resources"] if found["id"] in going][-1:] or going[:1]
        for id in gone:
            client.delete(f"{BASE}/Users/{id}")
            going.remove(id)
        if step < 6:
            user(f"new{step}@example.com", title=f"t{step}")
        step += 1
    assert sorted(name for name in seen if name.startswith("stay")) == sorted(staying)
    assert len(seen) == len(set(seen))


def test_between_pages_only_the_cursor_changes(client: FlaskClient, seven: list[Any], group: Make) -> None:
    cursor = page(client, "count=3&filter=userName+pr")["nextCursor"]
    assert len(page(client, "count=3&filter=userName+pr", cursor)["Resources"]) == 3
    for query in ("count=3", "count=3&filter=title+pr", "count=3&filter=userName+pr&sortBy=title"):
        refused(client.get(f"{BASE}/Users?{query}&cursor={cursor}"), "invalidCursor")
    refused(client.get(f"{BASE}/Groups?count=3&filter=userName+pr&cursor={cursor}"), "invalidFilter")
    assert "3" in refused(client.get(f"{BASE}/Users?count=4&filter=userName+pr&cursor={cursor}"), "invalidCount")
    refused(client.get(f"{BASE}/Users?count=3&filter=userName+pr&startIndex=4&cursor={cursor}"), "invalidCursor")


def test_a_cursor_that_was_bent_or_made_up_is_refused(client: FlaskClient, seven: list[Any]) -> None:
    cursor = page(client, "count=3")["nextCursor"]
    bent = ("B" if cursor[20] == "A" else "A").join((cursor[:20], cursor[21:]))
    for text in (bent, cursor[:-4], cursor + "AAAA", "x", "A" * 9_000, "%C3%A9", "%2B%2F%3D", cursor + "%00"):
        refused(client.get(f"{BASE}/Users?count=3&cursor={text}"), "invalidCursor")
    refused(client.post(f"{BASE}/Users/.search", json={"cursor": 7}), "invalidCursor")


def test_a_cursor_says_nothing_to_who_reads_it(client: FlaskClient, seven: list[Any]) -> None:
    cursor = page(client, "count=3&sortBy=userName")["nextCursor"]
    assert b"example.com" not in base64.urlsafe_b64decode(cursor + "==")


def test_a_strangers_cursor_gives_nothing(app: Flask, client: FlaskClient, seven: list[Any]) -> None:
    other = Flask("other")
    other.testing = True
    other.register_blueprint(blueprint(MemoryDoorkeeper({"token": MemoryStore()}), Limits()))
    theirs = other.test_client()
    theirs.environ_base["HTTP_AUTHORIZATION"] = "Bearer token"
    cursor = page(client, "count=3")["nextCursor"]
    refused(theirs.get(f"{BASE}/Users?count=3&cursor={cursor}"), "invalidCursor")
    assert app.test_client().get(f"{BASE}/Users?count=3&cursor={cursor}").status_code == 401


def test_a_cursor_expires(client: FlaskClient, seven: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    cursor = page(client, "count=3")["nextCursor"]
    issued = cursors.time.time()
    monkeypatch.setattr(cursors.time, "time", lambda: issued + Limits().cursor_timeout - 1)
    assert len(page(client, "count=3", cursor)["Resources"]) == 3
    monkeypatch.setattr(cursors.time, "time", lambda: issued + Limits().cursor_timeout + 2)
    assert "3600" in refused(client.get(f"{BASE}/Users?count=3&cursor={cursor}"), "expiredCursor")


@pytest.mark.parametrize("count", ["-1", "201", "ten", "1.5"])
def test_a_count_that_cannot_be_served(client: FlaskClient, seven: list[Any], count: str) -> None:
    assert "200" in refused(client.get(f"{BASE}/Users?cursor&count={count}"), "invalidCount")


def test_count_zero_says_how_many(client: FlaskClient, seven: list[Any]) -> None:
    shown = client.get(f"{BASE}/Users?cursor&count=0").get_json()
    assert (shown["totalResults"], shown["Resources"], "nextCursor" in shown) == (7, [], False)


def test_when_everybody_before_has_gone_the_way_back_is_short(client: FlaskClient, seven: list[Any]) -> None:
    second = page(client, "count=3", page(client, "count=3")["nextCursor"])
    for made in seven[:3]:
        client.delete(f"{BASE}/Users/{made['id']}")
    back = page(client, "count=3", second["previousCursor"])
    assert (back["Resources"], "previousCursor" in back) == ([], False)
    assert page(client, "count=3", back["nextCursor"])["Resources"] == second["Resources"]


def test_the_configuration_says_how_paging_is_done(client: FlaskClient) -> None:
    assert client.get(f"{BASE}/ServiceProviderConfig").get_json()["pagination"] == {
        "cursor": True,
        "index": True,
        "defaultPaginationMethod": "index",
        "defaultPageSize": 100,
        "maxPageSize": 200,
        "cursorTimeout": 3600,
    }
