"""`rollcall demo play`."""

from __future__ import annotations

import json

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import rollcall
from app.cli.context import Context
from app.demo import stage
from app.store import tenants
from app.store.engine import writing
from tests.demo.test_handover import run


@pytest.fixture
def environ(database_url: str, engine: sa.Engine, url: str) -> dict[str, str]:
    return {"DATABASE_URL": database_url, "ROLLCALL_PUBLIC_URL": url, "ROLLCALL_LOG_LEVEL": "error"}


def play(environ: dict[str, str], *options: str) -> Result:
    return CliRunner().invoke(rollcall, ["demo", "play", *options], obj=Context(environ))


def test_it_tells_the_story_once_and_then_only_what_to_try(environ: dict[str, str], url: str) -> None:
    first = play(environ, "--url", url)
    assert first.exit_code == 0, first.output
    assert "would become instructor" in first.output
    again = play(environ, "--url", url)
    assert again.exit_code == 0, again.output
    assert "played before" in again.output
    assert "instructor" not in again.output
    assert f"{url}/scim/v2/Users" in again.output


def test_as_json_it_is_one_object_and_its_commands_work(environ: dict[str, str], url: str) -> None:
    played = play(environ, "--url", url, "--json")
    assert played.exit_code == 0, played.output
    [line] = played.stdout.splitlines()
    told = json.loads(line)
    assert (told["played"], told["tenant"], told["story"]["people"]) == (True, "demo", 20)
    assert told["base_url"] == f"{url}/scim/v2"
    assert run(told["provision"]).status_code == 201
    [account] = run(told["read"]).json()["accounts"]
    assert account["attributes"]["displayName"] == "Noor Haddad"


def test_an_interrupted_story_is_told_again(environ: dict[str, str], engine: sa.Engine, url: str) -> None:
    stage.build(engine)
    told = play(environ, "--url", url)
    assert told.exit_code == 0, told.output
    assert "20 people" in told.output


def test_somebody_elses_tenant_is_left_alone(environ: dict[str, str], engine: sa.Engine) -> None:
    with writing(engine) as conn:
        tenants.create(conn, stage.TENANT)
    refused = play(environ)
    assert refused.exit_code == 1
    assert "left alone" in refused.output


def test_a_wrong_address_is_wrong_usage(environ: dict[str, str]) -> None:
    assert play(environ, "--url", "localhost:8080").exit_code == 2


def test_a_server_that_does_not_answer_is_said(environ: dict[str, str]) -> None:
    failed = play(environ, "--url", "http://127.0.0.1:1")
    assert failed.exit_code == 1
    assert "no answer" in failed.output


def test_without_an_address_it_starts_a_server_of_its_own(environ: dict[str, str]) -> None:
    told = play(environ, "--json")
    assert told.exit_code == 0, told.output
    assert json.loads(told.stdout)["story"]["people"] == 20
