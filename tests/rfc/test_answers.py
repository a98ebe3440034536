"""Errors, media types, credentials and discovery (RFC 7644 §2, §3.8, §3.11, §3.12, §4, §8.1)."""

from __future__ import annotations

import pytest
from werkzeug.test import TestResponse

from tests.rfc.conftest import BASE, Door, refused


@pytest.mark.parametrize(
    "media_type", ["application/scim+json", "application/json", "application/scim+json; charset=utf-8"]
)
def test_both_media_types_are_taken(door: Door, media_type: str) -> None:
    made = door.client.post(
        f"{BASE}/Users", data=b'{"userName": "ann"}', content_type=media_type, headers={"Accept": media_type}
    )
    assert (made.status_code, made.content_type) == (201, "application/scim+json")


def test_what_is_not_json_is_told_so(door: Door) -> None:
    def post(data: bytes, content_type: str = "application/scim+json") -> TestResponse:
        return door.client.post(f"{BASE}/Users", data=data, content_type=content_type)

    refused(post(b"userName=ann", "application/x-www-form-urlencoded"), 415)
    for data in (b"", b"[]", b"{", b'"x"', b"\xff", b'{"userName": "ann",}'):
        refused(post(data), 400, "invalidSyntax")
    refused(post(b'{"userName": "' + b"a" * 20_000 + b'"}'), 413)


def test_every_failure_is_scim(door: Door) -> None:
    refused(door.get("/Nothing"), 404)
    refused(door.get("/Users/nobody"), 404)
    refused(door.get("/Groups/0190a000-0000-7000-8000-000000000001"), 404)
    refused(door.send("PATCH", "/Users", {}), 405)
    assert "source" in refused(door.get("/Me"), 501)
    refused(door.send("POST", "/Me", {"userName": "me"}), 501)
    refused(door.get("/Me", Authorization=""), 501)


def test_who_calls_must_be_known(door: Door) -> None:
    for header in ("", "Bearer wrong", "Basic YTpi", "Bearer " + "x" * 3_000):
        answer = door.get("/Users", Authorization=header)
        refused(answer, 401)
        assert answer.headers["WWW-Authenticate"].startswith("Bearer realm=")
    refused(door.get("/Users", Authorization="Bearer"), 400, "invalidSyntax")


@pytest.mark.parametrize("path", ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"])
def test_discovery_cannot_be_filtered(door: Door, path: str) -> None:
    refused(door.get(f"{path}?filter=id pr"), 403)
    assert door.get(path).status_code == 200


def test_discovery_names_itself(door: Door) -> None:
    for path in ("/ResourceTypes", "/Schemas"):
        listed = door.read(path)
        assert listed["totalResults"] == listed["itemsPerPage"] == len(listed["Resources"])
        for one in listed["Resources"]:
            location = one["meta"]["location"]
            assert door.read(location.removeprefix(f"http://localhost{BASE}")) == one
        refused(door.get(f"{path}/nothing"), 404)
    assert [one["endpoint"] for one in door.read("/ResourceTypes")["Resources"]][:1] == ["/Users"]


def test_another_version_of_the_protocol_is_refused(door: Door) -> None:
    """RFC 7644 §3.13."""
    for path in ("/scim/v1/Users", "/scim/v3/Users/1", "/scim/v1"):
        refused(door.client.get(path), 400, "invalidVers")
        refused(door.client.post(path, json={}), 400, "invalidVers")
    assert door.client.get("/scim/v2/Users").status_code == 200
