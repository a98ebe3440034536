"""`rollcall admin`."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import administrators, console_links, tenants
from app.store.engine import reading
from tests.adapters.administrators import Person
from tests.cli.commands import Command, runner, told

ACME = ("--tenant", "acme")


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: tenants.Tenant) -> Command:
    return runner(database_url)


def state(engine: sa.Engine, link: str) -> str | None:
    with reading(engine) as conn:
        found = console_links.find(conn, link.rpartition("/")[2])
    return found.state if found else None


def test_the_first_administrator_is_an_owner_with_a_link(run: Command, engine: sa.Engine) -> None:
    said = told(run("admin", "invite", "ada@acme.example", *ACME, "--name", "Ada", "--json"))
    assert said["link"].startswith("http://127.0.0.1:8080/admin/invitation/")
    assert (said["role"], state(engine, said["link"])) == ("owner", "open")
    again = run("admin", "invite", "Ada@acme.example", *ACME, "--expires-in", "1").stdout
    assert state(engine, said["link"]) == "revoked"
    assert state(engine, again.strip().rpartition(" ")[2]) == "open"
    assert "ada@acme.example  owner  Ada   link until" in run("admin", "list", *ACME).stdout


def test_roles_change_links_end_and_administrators_go(run: Command, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    link = told(run("admin", "invite", "bob@acme.example", *ACME, "--role", "auditor", "--json"))["link"]
    assert run("admin", "role", "bob@acme.example", "admin", *ACME).stdout == "bob@acme.example is admin now.\n"
    assert told(run("admin", "revoke-link", "bob@acme.example", *ACME, "--json"))["revoked"] == 1
    assert run("admin", "revoke-link", "bob@acme.example", *ACME).stdout == "There was none.\n"
    assert state(engine, link) == "revoked"
    assert [one["role"] for one in told(run("admin", "list", *ACME, "--json"))] == ["admin"]
    run("admin", "remove", "bob@acme.example", *ACME)
    assert "no administrator yet" in run("admin", "list", *ACME).stdout
    with reading(engine) as conn:
        assert administrators.listing(conn, tenant.id) == []


def test_what_was_lost_is_forgotten(run: Command, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    Person(engine, tenant.id, "olga@acme.example").with_password()
    ada = Person(engine, tenant.id).with_password()
    run("admin", "invite", "ada@acme.example", *ACME, "--start-over")
    assert ada.session() is None
    assert ada.sign_in(ada.later()) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["invite", "ada@acme.example", "--role", "auditor"], "is owner already"),
        (["invite", "no address"], "Write an e-mail address"),
        (["invite", "eve@acme.example", "--expires-in", "31"], "31"),
        (["remove", "ada@acme.example"], "last owner"),
        (["role", "ada@acme.example", "admin"], "last owner"),
        (["remove", "nobody@acme.example"], "there is no administrator"),
    ],
)
def test_what_is_not_done_is_explained(
    run: Command, engine: sa.Engine, tenant: tenants.Tenant, words: list[str], said: str
) -> None:
    Person(engine, tenant.id).with_password()
    result = run("admin", *words, *ACME)
    assert result.exit_code in (1, 2)
    assert said in result.output
