"""`rollcall scim log`."""

from __future__ import annotations

import orjson
import pytest
import sqlalchemy as sa
import uuid_utils

from app.store import scim_requests
from app.store.engine import writing
from app.store.tenants import SourceRow
from tests.cli.commands import Command, runner, told


@pytest.fixture
def run(database_url: str, engine: sa.Engine) -> Command:
    return runner(database_url)


def put(engine: sa.Engine, source: SourceRow, **values: object) -> str:
    row = {
        "tenant_id": source.tenant_id,
        "id": str(uuid_utils.uuid7()),
        "at": "2026-11-25T13:00:00Z",
        "source_id": source.id,
        "credential": "push",
        "method": "POST",
        "path": "/Users",
        "status": 201,
        "milliseconds": 4.2,
        "payload": {"userName": "ada"},
        "effect": {"changes": [{"kind": "User", "did": "created", "id": "r-1"}]},
        **values,
    }
    with writing(engine) as conn:
        scim_requests.insert(conn, orjson.dumps([row]).decode())
    return str(row["id"])


def test_the_log_is_listed_and_filtered(run: Command, engine: sa.Engine, okta: SourceRow, entra: SourceRow) -> None:
    made = put(engine, okta)
    refused = put(engine, entra, status=409, detail="There is a user with this userName already.")
    assert [row["id"] for row in told(run("scim", "log", "--tenant", "acme", "--json"))] == [refused, made]
    for words, id in ((["--status", "4xx"], refused), (["--source", "okta"], made), (["--status", "201"], made)):
        assert [row["id"] for row in told(run("scim", "log", "--tenant", "acme", "--json", *words))] == [id]
    text = run("scim", "log", "--tenant", "acme", "--since", "30m").stdout
    assert "user created" in text
    assert "There is a user with this userName already." in text


def test_one_is_shown(run: Command, engine: sa.Engine, okta: SourceRow) -> None:
    made = put(engine, okta)
    assert told(run("scim", "log", "show", made, "--tenant", "acme", "--json"))["payload"] == {"userName": "ada"}
    assert '"userName": "ada"' in run("scim", "log", "show", made, "--tenant", "acme").stdout
    assert run("scim", "log", "show", uuid_utils.uuid7(), "--tenant", "acme").exit_code == 1


@pytest.mark.parametrize("words", [["--status", "9"], ["--since", "soon"], ["--limit", "0"]])
def test_wrong_usage(run: Command, words: list[str]) -> None:
    assert run("scim", "log", "--tenant", "acme", *words).exit_code == 2
    assert run("scim", "log").exit_code == 2
