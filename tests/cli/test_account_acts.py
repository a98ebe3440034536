from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.sync.groups import pushed


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: Tenant, okta: SourceRow) -> Command:
    pushed(engine, okta, "ann", "ben")
    return runner(database_url)


def test_a_value_is_set_and_taken_back(run: Command) -> None:
    said = run("account", "set", "ann", "title", "Chief", "--tenant", "acme", "--note", "asked")
    assert said.output == "Changed: title. The account is active.\n"
    assert told(run("account", "show", "ann", "--tenant", "acme", "--json"))["attributes"]["title"] == "Chief"
    back = told(run("account", "unset", "ann", "title", "--tenant", "acme", "--json"))
    assert back["changes"] == [{"attribute": "title", "before": "Chief", "after": None}]
    assert run("account", "set", "ann", "title", "--tenant", "acme").exit_code == 2
    assert run("account", "set", "ann", "locale", "--none", "--tenant", "acme").output.startswith("Noted;")


def test_a_manager_is_named_as_people_are(run: Command) -> None:
    run("account", "set", "ann", "manager", "ben", "--tenant", "acme")
    assert "Ben" in run("account", "explain", "ann", "--tenant", "acme").output


def test_roles_and_suspension(run: Command) -> None:
    assert "roles" in run("account", "grant", "ann", "instructor", "--tenant", "acme").output
    assert run("account", "grant", "ann", "instructor", "--tenant", "acme").output == "Nothing changed.\n"
    assert "The account is inactive." in run("account", "suspend", "ann", "--tenant", "acme").output
    assert "The account is active." in run("account", "reinstate", "ann", "--tenant", "acme").output
    run("account", "revoke", "ann", "instructor", "--tenant", "acme")
    assert told(run("account", "show", "ann", "--tenant", "acme", "--json"))["roles"] == []
    assert run("account", "derive", "ann", "--tenant", "acme").output == "Nothing changed.\n"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("set", "ann", "shoeSize", "42"), "No account has an attribute shoeSize."),
        (("grant", "ann", "pope"), "The tenant has no role pope"),
        (("revoke", "ann", "instructor"), "was not given by hand"),
        (("suspend", "zoe"), "nobody is known as zoe"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run: Command, arguments: tuple[str, ...], says: str) -> None:
    result = run("account", *arguments, "--tenant", "acme")
    assert result.exit_code == 1
    assert says in result.output
