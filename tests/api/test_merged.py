"""Accounts that were merged away: their ids answer whom they mean, and readers of changes hear of it."""

from __future__ import annotations

from typing import Any

import pytest
import sqlalchemy as sa
from flask.testing import FlaskClient

from app.api.schemas import AccountsSchema
from app.merging import merge
from app.store.tenants import SourceRow, Tenant
from tests.api.conftest import Key
from tests.merging.people import scim, write

URL = "/api/v1/accounts"


@pytest.fixture
def four(engine: sa.Engine, okta: SourceRow) -> list[str]:
    return [write(engine, okta, scim(okta, f"p{number}")).after.id for number in range(4)]


def got(client: FlaskClient, headers: dict[str, str], path: str = "", **query: Any) -> Any:
    answer = client.get(URL + path, query_string=query, headers=headers)
    assert answer.status_code == 200, answer.text
    return answer.json


def test_an_old_id_answers_the_account_that_it_means(engine, tenant, client, headers, key: Key, other, four) -> None:
    merge(engine, tenant.id, four[0], four[1], actor="admin")
    assert got(client, headers, f"/{four[1]}")["id"] == four[0]
    assert client.get(f"{URL}/{four[1]}", headers=key(of=other)).status_code == 404


def test_readers_of_changes_hear_of_it_once(engine: sa.Engine, tenant: Tenant, client, headers, four) -> None:
    newest = got(client, headers)["newest"]
    merge(engine, tenant.id, four[0], four[1], actor="admin")
    merge(engine, tenant.id, four[2], four[0], actor="admin")
    page = got(client, headers, **{"changed-since": newest})
    assert AccountsSchema().validate(page) == {}
    assert [(one["id"], one["into"]) for one in page["merged"]] == [(four[1], four[2]), (four[0], four[2])]
    assert got(client, headers, **{"changed-since": page["newest"]})["merged"] == []
    assert got(client, headers)["merged"] == []


def test_a_merge_is_on_the_page_of_its_number(engine, tenant, okta, client, headers, four) -> None:
    for number in (1, 2):
        merge(engine, tenant.id, four[0], four[number], actor="admin")
        write(engine, okta, scim(okta, f"q{number}"))
    seen, query = [], {"changed-since": 0, "limit": 1}
    while True:
        page = got(client, headers, **query)
        seen += [("merged", one["id"]) for one in page["merged"]] + [("is", one["id"]) for one in page["accounts"]]
        if page["next"] is None:
            break
        query["cursor"] = page["next"]
    assert len(seen) == len(set(seen))
    assert {id for what, id in seen if what == "merged"} == {four[1], four[2]}
    assert {id for what, id in seen if what == "is"}.isdisjoint({four[1], four[2]})
