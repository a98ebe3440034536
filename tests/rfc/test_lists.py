"""Sorting, paging by index and projection (RFC 7644 §3.4.2.3 to §3.4.2.5, §3.9) and `.search` (§3.4.3)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.rfc.conftest import Door, refused

LIST = "urn:ietf:params:scim:api:messages:2.0:ListResponse"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"


@pytest.fixture
def four(door: Door) -> Door:
    door.user("c", title="b", externalId="B", emails=[{"value": "z@x"}, {"value": "a@x", "primary": True}], active=True)
    door.user("A", title="B", externalId="a", emails=[{"value": "b@x"}, {"value": "c@x"}])
    door.user("b", title="a", externalId="A")
    door.user("d", externalId="b", emails=[{"type": "work"}], active=False)
    return door


def names(answer: dict[str, Any]) -> str:
    return " ".join(one.get("userName") or one["displayName"] for one in answer["Resources"])


@pytest.mark.parametrize(
    ("query", "order"),
    [
        ("", "c A b d"),  # creation
        ("sortOrder=descending", "c A b d"),  # says nothing without sortBy
        ("sortBy=userName", "A b c d"),
        ("sortBy=USERNAME&sortOrder=Descending", "d c b A"),
        ("sortBy=title", "b c A d"),  # case does not count; ties by creation; missing last
        ("sortBy=title&sortOrder=descending", "d c A b"),  # missing first
        ("sortBy=externalId", "b c A d"),  # case counts: A B a b
        ("sortBy=emails", "c A b d"),  # the primary one, else the first
        ("sortBy=emails.value&sortOrder=descending", "b d A c"),
        ("sortBy=active", "d c A b"),
        ("sortBy=meta.created&sortOrder=descending", "d b A c"),
        ("sortBy=nickName", "c A b d"),
    ],
)
def test_order(four: Door, query: str, order: str) -> None:
    assert names(four.read(f"/Users?{query}")) == order


@pytest.mark.parametrize(
    ("query", "start", "shown"),
    [
        ("startIndex=2&count=2", 2, "A b"),
        ("startIndex=0", 1, "c A b d"),
        ("startIndex=-5&count=1", 1, "c"),
        ("startIndex=4&count=5", 4, "d"),
        ("startIndex=9", 9, ""),
        ("count=0", 1, ""),
        ("count=-3", 1, ""),
        ("count=1000", 1, "c A b d"),
    ],
)
def test_pages_by_index(four: Door, query: str, start: int, shown: str) -> None:
    page = four.read(f"/Users?{query}")
    held = len(shown.split())
    assert (page["schemas"], page["totalResults"]) == ([LIST], 4)
    assert (page["startIndex"], page["itemsPerPage"], names(page)) == (start, held, shown)


def test_a_page_never_exceeds_the_maximum(door: Door) -> None:
    for number in range(22):
        door.user(f"u{number}")
    assert len(door.read("/Users")["Resources"]) == 10  # the default
    page = door.read("/Users?count=1000")
    assert (page["totalResults"], page["itemsPerPage"]) == (22, 20)


def test_nobody_is_an_empty_list(door: Door) -> None:
    page = door.read('/Users?filter=userName eq "nobody"')
    assert (page["totalResults"], page["itemsPerPage"], page["Resources"]) == (0, 0, [])


@pytest.mark.parametrize(
    ("query", "scim_type"),
    [
        ("sortBy=foo", "invalidPath"),
        ("sortBy=name", "invalidPath"),
        ("sortBy=password", "invalidPath"),
        ("sortBy=userName&sortOrder=sideways", "invalidValue"),
        ("startIndex=one", "invalidValue"),
        ("count=1.5", "invalidValue"),
        ("attributes=title&excludedAttributes=name", "invalidValue"),
        ("sortBy=title&sortBy=userName", "invalidSyntax"),
    ],
)
def test_what_cannot_be_asked(four: Door, query: str, scim_type: str) -> None:
    refused(four.get(f"/Users?{query}"), 400, scim_type)


def test_search_at_the_root_and_per_type(four: Door) -> None:
    four.group("B team")
    body = {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"],
        "filter": 'title sw "b" or displayName sw "b"',
        "attributes": ["title", "displayName"],
        "startIndex": 1,
        "count": 5,
    }
    both = four.send("POST", "/.search", body).get_json()
    assert (both["totalResults"], both["startIndex"]) == (3, 1)
    assert [sorted(set(one) - {"schemas", "id"}) for one in both["Resources"]] == [
        ["title"],
        ["title"],
        ["displayName"],
    ]
    users = four.send("POST", "/Users/.search", body | {"excludedAttributes": ["emails"], "attributes": []}).get_json()
    assert [("emails" in one, "title" in one) for one in users["Resources"]] == [(False, True)] * 2
    first = four.send("POST", "/.search", {**body, "startIndex": 2, "count": 1}).get_json()
    assert (first["totalResults"], first["itemsPerPage"], first["startIndex"]) == (3, 1, 2)
    refused(four.send("POST", "/.search", {"schemas": ["urn:x"]}), 400, "invalidSyntax")


def test_a_sorted_search_at_the_root_is_one_order(four: Door) -> None:
    for name in ("bb", "a"):
        four.group(name)
    for id, name in ((one["id"], f"{one['userName']}2") for one in four.read("/Users")["Resources"]):
        four.patch(f"/Users/{id}", {"op": "add", "path": "displayName", "value": name})
    body = {"sortBy": "displayName", "attributes": ["displayName"]}
    assert names(four.send("POST", "/.search", body).get_json()) == "a A2 b2 bb c2 d2"
    page = four.send("POST", "/.search", body | {"startIndex": 3, "count": 2, "sortOrder": "descending"}).get_json()
    assert (names(page), page["totalResults"]) == ("bb b2", 6)


def test_the_root_is_a_list_of_everything(four: Door) -> None:
    four.group("Crew")
    assert names(four.read("/?count=3&startIndex=4")) == "d Crew"
    assert names(four.read('/?filter=meta.resourceType eq "Group"')) == "Crew"


def test_projection_on_whatever_answers_with_a_resource(door: Door) -> None:
    body = {"userName": "ann", "title": "T", "name": {"givenName": "Ann", "familyName": "Lee"}, "password": "secret"}
    made = door.send("POST", "/Users?attributes=name.givenName,password", body).get_json()
    always = {"schemas": made["schemas"], "id": made["id"]}
    assert made == {**always, "name": {"givenName": "Ann"}}
    path = f"/Users/{made['id']}"
    assert door.send("PUT", f"{path}?attributes=TITLE", body).get_json() == {**always, "title": "T"}
    replace = {"op": "replace", "path": "title", "value": "U"}
    assert door.patch(f"{path}?attributes=title", replace).get_json() == {**always, "title": "U"}
    assert door.read(f"{path}?attributes=title") == {**always, "title": "U"}
    assert door.read("/Users?attributes=title")["Resources"] == [{**always, "title": "U"}]
    without = door.read(f"{path}?excludedAttributes=name,id,schemas,meta,title,active")
    assert {"id", "schemas", "userName"} <= set(without)
    assert {"name", "meta", "title"}.isdisjoint(without)
    assert "familyName" not in door.read(f"{path}?excludedAttributes=name.familyName")["name"]
    refused(door.send("POST", "/Users?attributes=a&excludedAttributes=b", {"userName": "eve"}), 400, "invalidValue")
    assert door.read("/Users")["totalResults"] == 1


def test_an_extension_is_projected_by_its_urn(door: Door) -> None:
    made = door.user("ann", **{ENTERPRISE: {"department": "D", "costCenter": "C"}})
    path = f"/Users/{made['id']}"
    assert door.read(f"{path}?attributes={ENTERPRISE}:department")[ENTERPRISE] == {"department": "D"}
    assert door.read(f"{path}?attributes={ENTERPRISE.upper()}")[ENTERPRISE] == {"department": "D", "costCenter": "C"}
    assert ENTERPRISE not in door.read(f"{path}?excludedAttributes={ENTERPRISE}").keys() - {"schemas"}
