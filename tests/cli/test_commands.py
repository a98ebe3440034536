"""The verbs that others script against: their exact forms, their JSON, their exit codes."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import CliRunner, Result

from app.cli import rollcall
from app.cli.context import Context
from app.store import credentials, drift
from app.store.engine import reading

Run = Callable[..., Result]


@pytest.fixture
def run(engine: sa.Engine, database_url: str) -> Run:
    def _run(line: str, **environ: str) -> Result:
        context = Context({"DATABASE_URL": database_url, "ROLLCALL_LOG_LEVEL": "error", **environ})
        return CliRunner().invoke(rollcall, line.split(), obj=context)

    return _run


def _json(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    assert len(result.stdout.splitlines()) == 1
    return json.loads(result.stdout)


def test_from_nothing_to_a_token(run: Run, engine: sa.Engine) -> None:
    assert run("tenant create acme").exit_code == 0
    assert run("source create okta --tenant acme --kind idp --system okta").exit_code == 0
    shown = _json(run("scim token create --tenant acme --source okta --json"))
    assert shown["base_url"] == "http://127.0.0.1:8080/scim/v2"
    with reading(engine) as conn:
        found = credentials.find(conn, shown["token"], ["scim_token"])
    assert found is not None
    assert (found.tenant_name, found.source_name) == ("acme", "okta")


def test_the_base_url_is_the_public_one(run: Run) -> None:
    run("tenant create acme")
    run("source create okta --tenant acme --kind idp --system okta")
    line = "scim token create --tenant acme --source okta --json"
    shown = _json(run(line, ROLLCALL_PUBLIC_URL="https://id.example.com"))
    assert shown["base_url"] == "https://id.example.com/scim/v2"


def test_a_token_is_listed_rotated_and_revoked(run: Run) -> None:
    run("tenant create acme")
    run("source create okta --tenant acme --kind idp --system okta")
    old = _json(run("scim token create --tenant acme --source okta --json"))
    new = _json(run(f"scim token rotate {old['id']} --tenant acme --overlap 1 --json"))
    assert new["token"] != old["token"]
    _json(run(f"scim token revoke {new['id']} --tenant acme --json"))
    listed = _json(run("scim token list --tenant acme --json"))
    assert [(each["source"], each["revoked_at"] is None) for each in listed] == [("okta", True), ("okta", False)]
    assert old["token"] not in run("scim token list --tenant acme --json").stdout


def test_keys_and_clients(run: Run) -> None:
    run("tenant create acme")
    key = _json(run("api key create lms --tenant acme --scope accounts:read --json"))
    client = _json(run("api client create hr --tenant acme --scope records:write --scope events:read --json"))
    assert key["key"].startswith("rc_key_")
    assert client["client_secret"].startswith("rc_client_")
    assert [each["name"] for each in _json(run("api key list --tenant acme --json"))] == ["lms"]
    assert _json(run("api client list --tenant acme --json"))[0]["scopes"] == ["events:read", "records:write"]
    assert _json(run(f"api key revoke {key['id']} --tenant acme --json")) == {"id": key["id"], "revoked": True}
    assert run(f"api key revoke {key['id']} --tenant acme").exit_code == 1


def test_tenants_and_sources_are_listed(run: Run) -> None:
    run("tenant create acme")
    run("source create hr --tenant acme --kind hris --system workday --domain example.com")
    assert [each["name"] for each in _json(run("tenant list --json"))] == ["acme"]
    assert [each["kind"] for each in _json(run("source list --tenant acme --json"))] == ["hris"]
    assert "workday" in run("source list --tenant acme").stdout


@pytest.mark.parametrize(
    ("line", "code", "sentence"),
    [
        ("tenant create acme", 1, "there is a tenant acme already"),
        ("tenant create Acme", 2, "is not a name for a tenant"),
        ("source create okta --tenant nobody --kind idp --system okta", 1, "there is no tenant nobody"),
        ("source create okta --tenant acme --kind robot --system okta", 2, "'robot' is not one of"),
        ("source create x --tenant acme --kind idp --system okta --domain nowhere", 2, "is not a domain name"),
        ("scim token create --tenant acme --source okta", 1, "the tenant has no source okta"),
        ("scim token revoke 12 --tenant acme", 2, "is not an id"),
        ("scim token revoke 01900000-0000-7000-8000-000000000000 --tenant acme", 1, "no such credential"),
        ("tenant set acme scim.log_days many", 2, "scim.log_days is a number like 30"),
        ("tenant set acme scim.log_dayz 3", 2, "there is no setting 'scim.log_dayz'"),
        ("api key create x --tenant acme --scope everything", 2, "'everything' is not one of"),
        ("nonsense", 2, "No such command"),
    ],
)
def test_what_goes_wrong_is_said(run: Run, line: str, code: int, sentence: str) -> None:
    run("tenant create acme")
    result = run(line)
    assert (result.exit_code, sentence in result.stderr) == (code, True), result.stderr


def test_what_nobody_understood_is_shown(run: Run, engine: sa.Engine) -> None:
    run("tenant create acme")
    run("tenant create other")
    made = _json(run("source create okta --tenant acme --kind idp --system okta --json"))
    for _ in range(2):
        drift.report(engine, made["tenant_id"], made["id"], ["shoeSize"])
    [shown] = _json(run("source drift --tenant acme --json"))
    assert (shown["source"], shown["path"], shown["times"]) == ("okta", "shoeSize", 2)
    assert "shoeSize" in run("source drift --tenant acme").stdout
    assert _json(run("source drift --tenant other --json")) == []


def test_a_wrong_environment_is_wrong_usage(run: Run) -> None:
    result = run("config check", ROLLCALL_PORT="x")
    assert result.exit_code == 2
    assert "ROLLCALL_PORT: expected a whole number" in result.stderr


def test_no_database_is_a_failure_in_one_sentence(run: Run) -> None:
    result = run("tenant list", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: PostgreSQL: ")


def test_settings_are_listed_without_secrets(run: Run) -> None:
    listed = {each["name"]: each for each in _json(run("config list --json"))}
    assert listed["DATABASE_URL"]["value"] == "(set)"
    assert listed["ROLLCALL_LOG_LEVEL"]["value"] == "error"


def test_the_database_is_checked_and_upgraded(run: Run) -> None:
    assert _json(run("db check --json"))["ok"] is True
    assert _json(run("db upgrade --json")) == {"revision": _json(run("db check --json"))["revision"]}


def test_the_doctor_finds_everything_well(run: Run) -> None:
    reports = _json(run("doctor --json"))
    assert [each["check"] for each in reports if not each["ok"]] == []
    assert {"settings", "PostgreSQL", "revision", "SAML library"} <= {each["check"] for each in reports}


def test_the_doctor_names_what_is_wrong(run: Run) -> None:
    result = run("doctor --json", DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert result.exit_code == 1
    assert [each["check"] for each in json.loads(result.stdout) if not each["ok"]] == ["PostgreSQL", "revision"]
