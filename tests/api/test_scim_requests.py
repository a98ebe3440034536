"""The provisioning log over the API: pages, filters, one request, and whose it is."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import sqlalchemy as sa
import uuid_utils
from flask.testing import FlaskClient

from app.api.schemas import ScimRequestsSchema, ScimRequestWithPayloadSchema
from app.store import scim_requests, tenants
from app.store.engine import writing

URL = "/api/v1/scim/requests"


def put(engine: sa.Engine, source: tenants.SourceRow, **values: Any) -> str:
    row = {
        "tenant_id": source.tenant_id,
        "id": str(uuid_utils.uuid7()),
        "at": "2026-11-25T13:00:00Z",
        "source_id": source.id,
        "credential": "push",
        "method": "PATCH",
        "path": "/Users/x",
        "kind": "User",
        "status": 200,
        "milliseconds": 1.5,
        "payload": {"title": "B"},
        "effect": {},
        **values,
    }
    with writing(engine) as conn:
        scim_requests.insert(conn, orjson.dumps([row]).decode())
    return str(row["id"])


@pytest.fixture
def headers(key: Any) -> dict[str, str]:
    found: dict[str, str] = key(("scim-requests:read",))
    return found


def ids(client: FlaskClient, headers: dict[str, str], **query: Any) -> list[str]:
    answer = client.get(URL, query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    assert ScimRequestsSchema().validate(answer.get_json()) == {}
    return [one["id"] for one in answer.get_json()["requests"]]


def test_pages_go_from_the_newest_to_the_oldest(engine, client, headers, okta) -> None:
    made = [put(engine, okta) for _ in range(5)]
    first = client.get(URL, query_string={"limit": 2}, headers=headers).get_json()
    second = ids(client, headers, limit=2, cursor=first["next"])
    assert [one["id"] for one in first["requests"]] + second == list(reversed(made))[:4]
    assert client.get(URL, query_string={"limit": 5}, headers=headers).get_json()["next"] is None


def test_what_may_be_asked_for(engine, client, headers, okta, entra) -> None:
    taken = put(engine, okta, status=409, method="POST", resource_name="ada@x.org", detail="There is one.")
    made = put(engine, entra, status=201, method="POST", resource_name="bob@x.org", resource_id="r-1")
    changed = put(engine, entra, resource_id="r-1")
    assert ids(client, headers, status="4xx") == [taken]
    assert ids(client, headers, status="201") == [made]
    assert ids(client, headers, method="PATCH") == [changed]
    assert ids(client, headers, source="okta") == [taken]
    assert ids(client, headers, source="nobody") == []
    assert ids(client, headers, user="ADA@x.org") == [taken]
    assert ids(client, headers, since="2100-01-01T00:00:00Z") == []
    assert ids(client, headers, since="2020-01-01T00:00:00+01:00") == [changed, made, taken]


def test_a_userName_leads_to_its_resource(engine, client, headers, okta) -> None:  # noqa: N802
    resource = str(uuid_utils.uuid7())
    made = put(engine, okta, status=201, method="POST", resource_name="bob@x.org", resource_id=resource)
    changed = put(engine, okta, resource_id=resource)
    assert ids(client, headers, user="Bob@X.org") == [changed, made]
    assert ids(client, headers, user=resource) == [changed, made]


@pytest.mark.parametrize(
    "query", ["status=40", "method=get", "since=yesterday", "cursor=x", "limit=0", "user=", "colour=1"]
)
def test_a_wrong_parameter_is_refused(client, headers, query) -> None:
    assert client.get(f"{URL}?{query}", headers=headers).status_code == 400


def test_one_request_shows_what_it_sent(engine, client, headers, okta) -> None:
    made = put(engine, okta)
    shown = client.get(f"{URL}/{made}", headers=headers).get_json()
    assert ScimRequestWithPayloadSchema().validate(shown) == {}
    assert (shown["payload"], shown["summary"], shown["source"]) == ({"title": "B"}, "nothing changed", "okta")
    for wrong in (str(uuid_utils.uuid7()), "x"):
        assert client.get(f"{URL}/{wrong}", headers=headers).status_code == 404


def test_nobody_sees_what_is_not_theirs(engine, client, key, headers, okta, entra, other) -> None:
    made = put(engine, okta)
    theirs = key(("scim-requests:read",), of=other)
    bound = key(("scim-requests:read",), source_id=entra.id)
    for stranger in (theirs, bound):
        assert ids(client, stranger) == []
        assert ids(client, stranger, source="okta") == []
        assert client.get(f"{URL}/{made}", headers=stranger).status_code == 404
    assert client.get(URL, headers=key(("accounts:read",))).status_code == 403
