"""`rollcall role`: made, changed with a preview, removed while nobody uses it."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.sync.groups import grouped, pushed


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: Tenant) -> Command:
    return runner(database_url)


def names(run: Command) -> list[str]:
    return [one["name"] for one in told(run("role", "list", "--tenant", "acme", "--json"))]


def test_a_role_is_made_listed_and_removed(run: Command) -> None:
    words = ("--tenant", "acme", "--rank", "55", "--console", "auditor", "--description", "Helps.", "--yes")
    assert run("role", "set", "mentor", *words).exit_code == 0
    assert names(run) == ["admin", "manager", "mentor", "instructor", "learner"]
    assert "auditor" in run("role", "list", "--tenant", "acme").output
    assert run("role", "set", "mentor", "--tenant", "acme", "--console", "none", "--yes").exit_code == 0
    assert "auditor" not in run("role", "list", "--tenant", "acme").output
    assert run("role", "remove", "mentor", "--tenant", "acme").exit_code == 0
    assert "mentor" not in names(run)
    assert run("role", "remove", "mentor", "--tenant", "acme").exit_code == 1


def test_a_rank_is_shown_before_it_is_saved(run: Command, engine: sa.Engine, okta: SourceRow) -> None:
    users = pushed(engine, okta, "ann")
    for group, role in (("Crew", "instructor"), ("Leads", "manager")):
        grouped(engine, okta, group, list(users.values()))
        run("mapping", "set", "--tenant", "acme", "--source", "okta", "--group", group, "--role", role, "--yes")
    words = ("role", "set", "instructor", "--tenant", "acme", "--rank", "70")
    refused = run(*words, answer="n\n")
    assert refused.exit_code == 1
    assert "  Ann: instructor (tenant)" in refused.output
    assert run(*words, "--expect", "0").exit_code == 1
    assert run(*words, answer="y\n").exit_code == 0
    refused = run("role", "remove", "manager", "--tenant", "acme")
    assert refused.exit_code == 1
    assert "role table" in refused.output
