from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store.tenants import SourceRow, Tenant
from app.sync.imports import submit
from app.sync.mapping_changes import Change
from app.sync.mappings import save
from tests.cli.commands import Command, runner, told
from tests.sync.groups import grouped, pushed
from tests.sync.people import hired


@pytest.fixture
def run(engine: sa.Engine, database_url: str) -> Command:
    return runner(database_url)


@pytest.fixture
def ann(engine: sa.Engine, tenant: Tenant, okta: SourceRow, hr: SourceRow) -> None:
    """Ann: pushed by the identity provider, known to HR, an instructor by her group; and her manager."""
    ids = pushed(engine, okta, "ann")
    grouped(engine, okta, "Instructors", [ids["ann"]])
    records = [
        hired(1, email="ann@example.com", givenName="Anna", familyName="Egli", manager="1002"),
        hired(2, givenName="Ben", familyName="Boss"),
    ]
    submit(engine, tenant.id, hr, records, actor="test")
    save(engine, tenant.id, [Change("set", "group", "Instructors", "instructor", source="okta")], actor="test")


@pytest.mark.usefixtures("ann")
@pytest.mark.parametrize("who", ["ann", "ANN", "ann@example.com", "1001", "p-1"])
def test_somebody_is_found_by_what_people_know(run: Command, who: str) -> None:
    (found,) = told(run("account", "find", who, "--tenant", "acme", "--json"))
    assert (found["userName"], found["employeeNumber"], found["roles"]) == ("ann", "1001", ["instructor"])
    again = run("account", "find", found["id"], "--tenant", "acme")
    assert "ann@example.com" in again.output


@pytest.mark.usefixtures("ann")
def test_nobody_is_found(run: Command) -> None:
    result = run("account", "find", "zoe", "--tenant", "acme")
    assert (result.exit_code, result.output) == (1, "Nobody is known as zoe.\n")
    assert run("account", "show", "zoe", "--tenant", "acme").exit_code == 1


@pytest.mark.usefixtures("ann")
def test_an_account_is_shown_with_its_records(run: Command) -> None:
    shown = told(run("account", "show", "ann", "--tenant", "acme", "--json"))
    assert shown["status"] == "active"
    assert shown["roles"] == [{"role": "instructor", "scope": "tenant", "effective": True}]
    assert sorted(record["source"] for record in shown["records"]) == ["hr", "okta"]
    text = run("account", "show", "ann", "--tenant", "acme").output
    assert "roles: instructor (tenant)" in text
    assert "1001" in text


@pytest.mark.usefixtures("ann")
def test_an_account_is_explained(run: Command) -> None:
    text = run("account", "explain", "1001", "--tenant", "acme").output
    lines = {line.split("  ")[0]: line for line in text.splitlines()}
    assert "Trainer" in lines["title"]
    assert " hr " in lines["title"]
    assert "Ben Boss" in lines["manager"]
    assert "status: active (employee)" in text
    assert "the identity provider okta says active" in text
    assert "instructor (tenant): Member of the group Instructors of okta." in text
    assert "line: Ben Boss" in text
    explained = told(run("account", "explain", "1001", "--tenant", "acme", "--json"))
    won = {one["name"]: one for one in explained["attributes"]}
    assert won["emails.work"]["source"] == "okta"
    assert won["emails.work"]["lost"][0]["source"] == "hr"
