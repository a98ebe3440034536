"""The suite `field`: a good server passes, each fault is found by its check, and nothing is left behind."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from app.checking import field
from app.checking.declarations import CAST
from app.checking.report import Finding
from app.checking.target import Target, UnreachableError
from scim.memory import MemoryStore
from scim.store import Query

Wsgi = Callable[..., Any]


def check(url: str, token: str | None = "token") -> list[Finding]:
    target = Target(url, token)
    try:
        return list(field.run(target))
    finally:
        target.close()


def wrong(findings: list[Finding]) -> set[str]:
    return {finding.check for finding in findings if finding.outcome in ("failed", "warning")}


def total(store: MemoryStore) -> int:
    return store.search(["User", "Group"], Query()).total


def test_a_good_server_passes_and_nothing_is_left(good: str, store: MemoryStore) -> None:
    findings = check(good)
    assert [finding for finding in findings if finding.outcome != "passed"] == []
    assert len(findings) == len(field.CHECKS) > 40
    assert total(store) == 0


def test_every_check_tells_where_it_comes_from_and_what_to_do() -> None:
    assert [one.sentence for one in field.CHECKS if not (one.section and one.remedy.endswith("."))] == []
    assert len({one.sentence for one in field.CHECKS}) == len(field.CHECKS)
    assert {name for one in field.CHECKS for name in one.needs} <= set(CAST)


def without_filters(app: Wsgi) -> Wsgi:
    def changed(environ: dict[str, Any], start: Wsgi) -> Any:
        pairs = [pair for pair in environ["QUERY_STRING"].split("&") if not pair.startswith("filter=")]
        return app(environ | {"QUERY_STRING": "&".join(pairs)}, start)

    return changed


def deaf_to_patches(app: Wsgi) -> Wsgi:
    def changed(environ: dict[str, Any], start: Wsgi) -> Any:
        if environ["REQUEST_METHOD"] == "PATCH":
            start("204 No Content", [])
            return [b""]
        return app(environ, start)

    return changed


def emptying_groups(app: Wsgi) -> Wsgi:
    """`remove` with a value to the letter of the RFC."""

    def changed(environ: dict[str, Any], start: Wsgi) -> Any:
        body = environ["wsgi.input"].read(int(environ.get("CONTENT_LENGTH") or 0))
        said = json.loads(body) if body else {}
        for operation in said.get("Operations", []):
            if operation["op"].lower() == "remove":
                operation.pop("value", None)
        body = json.dumps(said).encode() if body else b""
        return app(environ | {"wsgi.input": io.BytesIO(body), "CONTENT_LENGTH": str(len(body))}, start)

    return changed


@pytest.mark.parametrize(
    ("breaking", "some_of_what_is_found", "some_of_what_is_not"),
    [
        (
            without_filters,
            {
                "A filter on an attribute that does not exist is refused, and never everybody",
                "A filter without a match answers 200 with an empty list",
            },
            {"An op in capitals is understood", "Adding one member keeps the others"},
        ),
        (
            deaf_to_patches,
            {
                "An op in capitals is understood",
                'active as the text "False" deactivates',
                "A body that is no PATCH is refused",
            },
            {"The same userName in other case is a conflict", "Members of a new group are members"},
        ),
        (
            emptying_groups,
            {"A remove with members in its value removes those only"},
            {"A remove with a filter on members removes the one that it names", "Adding one member keeps the others"},
        ),
    ],
)
def test_a_fault_is_found(
    scim_app: Flask,
    serve: Callable[[Wsgi], str],
    store: MemoryStore,
    breaking: Callable[[Wsgi], Wsgi],
    some_of_what_is_found: set[str],
    some_of_what_is_not: set[str],
) -> None:
    found = check(serve(breaking(scim_app)) + "/scim/v2")
    assert some_of_what_is_found <= wrong(found)
    assert wrong(found).isdisjoint(some_of_what_is_not)
    assert all(one.sent and one.expected and one.got and one.remedy for one in found if one.outcome != "passed")
    assert total(store) == 0


def test_what_cannot_be_deleted_is_named(scim_app: Flask, serve: Callable[[Wsgi], str], store: MemoryStore) -> None:
    def undying(environ: dict[str, Any], start: Wsgi) -> Any:
        if environ["REQUEST_METHOD"] == "DELETE":
            start("403 Forbidden", [])
            return [b""]
        return scim_app(environ, start)

    found = check(serve(undying) + "/scim/v2")
    left = [one for one in found if one.check.startswith("What the check made is deleted")]
    named = [path.strip() for one in left for path in one.got.removeprefix("still there: ").split(",")]
    assert len(named) == total(store) > 40
    assert {path.split("/")[1] for path in named} == {"Users", "Groups"}


def test_without_a_token_the_check_for_one_is_skipped(serve: Callable[[Wsgi], str]) -> None:
    def deaf(_environ: dict[str, Any], start: Wsgi) -> Any:
        start("503 Service Unavailable", [])
        return [b""]

    found = {finding.check: finding.outcome for finding in check(serve(deaf), token=None)}
    assert found["A request without a token is refused with 401 and a SCIM error"] == "skipped"
    assert set(found.values()) == {"failed", "warning", "skipped"}


def test_nobodys_port_is_unreachable_and_the_token_is_not_told() -> None:
    target = Target("http://127.0.0.1:9/token", "token")
    with pytest.raises(UnreachableError) as raised:
        target.check_reachable()
    assert str(raised.value).endswith("/(token)/Users?count=1: no connection (Connection refused)")
    assert "/token" not in str(raised.value)
