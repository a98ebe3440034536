"""Reading accounts: pages, filters, what must not be seen."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.api import parameters
from app.api.schemas import AccountsSchema, AccountWithLineageSchema
from app.store.tenants import Tenant
from tests.api.conftest import Key
from tests.api.people import account_id, fill

URL = "/api/v1/accounts"


@pytest.fixture(autouse=True)
def people(engine: sa.Engine, tenant: Tenant) -> None:
    fill(engine, tenant.id, 45)


def pages(client: FlaskClient, headers: dict[str, str], **query: Any) -> list[dict[str, Any]]:
    """All accounts of all pages."""
    found: list[dict[str, Any]] = []
    while True:
        answer = client.get(URL, query_string=query, headers=headers)
        assert answer.status_code == 200, answer.text
        assert answer.json is not None
        found += answer.json["accounts"]
        if answer.json["next"] is None:
            return found
        assert len(answer.json["accounts"]) == query.get("limit", 100)
        query["cursor"] = answer.json["next"]


def test_pages_by_id_hold_everybody_once(client: FlaskClient, headers: dict[str, str]) -> None:
    for limit in (1, 9, 15, 500):
        found = pages(client, headers, limit=limit)
        assert [one["id"] for one in found] == [account_id(n) for n in range(1, 46)]


def test_the_answer_is_what_the_documentation_says(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get(URL, query_string={"limit": 10}, headers=headers)
    assert answer.json is not None
    assert AccountsSchema().validate(answer.json) == {}
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.json["newest"] == 45
    tenth = answer.json["accounts"][9]
    assert tenth["email"] == "p10@acme.test"
    assert tenth["attributes"] == {"displayName": 'Zoë "10"', "emails.work": "p10@acme.test"}
    assert tenth["roles"] == ["instructor"]
    assert [one["rule"] for one in tenth["grants"]] == ["mapping:1", "mapping:2"]
    assert "lineage" not in tenth


def test_role_and_status_narrow(client: FlaskClient, headers: dict[str, str]) -> None:
    def numbers(**query: Any) -> list[int]:
        return [one["version"] for one in pages(client, headers, limit=2, **query)]

    assert numbers(role="instructor") == [10, 20, 30, 40]  # once each, although two rules give the role
    assert numbers(status="inactive") == [7, 14, 21, 28, 35, 42]
    assert numbers(role="instructor", status="inactive") == []
    assert numbers(role="instructor", status="active") == [10, 20, 30, 40]
    assert numbers(role="nobody-has-it") == []


def test_changed_since_goes_by_the_last_event(client: FlaskClient, headers: dict[str, str], engine: sa.Engine) -> None:
    with engine.begin() as conn:
        conn.execute(sa.text("UPDATE accounts SET version = 46 WHERE version = 3"))
        conn.execute(sa.text("UPDATE ledger SET next_event = 47"))
    changed = pages(client, headers, limit=2, **{"changed-since": 42})
    assert [one["version"] for one in changed] == [43, 44, 45, 46]
    assert changed[-1]["id"] == account_id(3)
    inactive = pages(client, headers, limit=2, status="inactive", **{"changed-since": 7})
    assert [one["version"] for one in inactive] == [14, 21, 28, 35, 42]
    instructors = pages(client, headers, limit=2, role="instructor", status="active", **{"changed-since": 10})
    assert [one["version"] for one in instructors] == [20, 30, 40]
    assert pages(client, headers, **{"changed-since": 46}) == []


def test_one_account_comes_with_its_lineage(client: FlaskClient, headers: dict[str, str]) -> None:
    answer = client.get(f"{URL}/{account_id(10)}", headers=headers)
    assert answer.json is not None
    assert AccountWithLineageSchema().validate(answer.json) == {}
    assert answer.json["lineage"]["displayName"]["rule"] == "by hand"


def test_another_tenants_accounts_do_not_exist(client: FlaskClient, key: Key, other: Tenant) -> None:
    theirs = key(of=other)
    assert pages(client, theirs) == []
    assert pages(client, theirs, role="instructor") == []
    assert pages(client, theirs, **{"changed-since": 0}) == []
    answer = client.get(f"{URL}/{account_id(10)}", headers=theirs)
    assert answer.status_code == 404
    assert answer.content_type == "application/problem+json"


@pytest.mark.parametrize(
    "wrong", ["1", "not-an-id", "x" * 300, "%00", "00000000-0000-0000-0000-00000000000", account_id(99)]
)
def test_what_is_no_account_is_404(client: FlaskClient, headers: dict[str, str], wrong: str) -> None:
    assert client.get(f"{URL}/{wrong}", headers=headers).status_code == 404


@pytest.mark.parametrize(
    ("query", "parameter"),
    [
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=1_0", "limit"),
        ("limit=١", "limit"),
        ("limit=", "limit"),
        ("limit=5&limit=6", "limit"),
        ("status=Active", "status"),
        ("role=", "role"),
        ("role=a%00b", "role"),
        ("changed-since=-1", "changed-since"),
        ("changed-since=9223372036854775808", "changed-since"),
        ("changed_since=5", "changed_since"),
        ("rolle=admin", "rolle"),
        ("cursor=", "cursor"),
        ("cursor=!!!", "cursor"),
        ("cursor=abc", "cursor"),
        (f"cursor={parameters.cursor('id', 'x')}", "cursor"),
        (f"cursor={parameters.cursor('change', 5)}", "cursor"),  # of the other order
        (f"changed-since=0&cursor={parameters.cursor('id', account_id(3))}", "cursor"),
        (f"changed-since=0&cursor={parameters.cursor('change', 10**30)}", "cursor"),
    ],
)
def test_a_wrong_parameter_is_named(client: FlaskClient, headers: dict[str, str], query: str, parameter: str) -> None:
    answer = client.get(f"{URL}?{query}", headers=headers)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["type"] == "urn:rollcall:problem:invalid-parameter"
    assert [one["parameter"] for one in answer.json["errors"]] == [parameter]
