"""`rollcall source` and `ownership`: acts on sources are audited, what changes people is shown first."""

from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.cli.test_importing import people
from tests.sync.people import statuses

OF = ("--tenant", "acme")


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: Tenant, hr: SourceRow, tmp_path: Path) -> Command:
    made = runner(database_url)
    made("source", "import", people(tmp_path, 8), *OF, "--source", "hr")
    return made


def actions(engine: sa.Engine) -> list[str]:
    with reading(engine) as conn:
        return list(conn.execute(sa.select(t.audit.c.action).order_by(t.audit.c.number)).scalars())


def test_a_paused_source_gives_nothing_until_it_goes_on(run: Command, engine: sa.Engine, tmp_path: Path) -> None:
    assert run("source", "pause", "hr", *OF).exit_code == 0
    refused = run("source", "import", people(tmp_path, 9), *OF, "--source", "hr")
    assert refused.exit_code == 1
    assert "paused" in refused.output
    assert run("source", "pause", "hr", *OF).exit_code == 1
    assert run("source", "resume", "hr", *OF).exit_code == 0
    assert run("source", "import", people(tmp_path, 9), *OF, "--source", "hr").exit_code == 0
    assert len(statuses(engine)) == 9
    assert {"source.paused", "source.resumed"} <= set(actions(engine))


def test_retiring_is_shown_then_asks_why_then_done(run: Command, engine: sa.Engine) -> None:
    shown = told(run("source", "retire", "hr", *OF, "--dry-run", "--json"))
    assert shown["counts"] == {"deactivated": 8}
    assert set(statuses(engine).values()) == {"active"}
    refused = run("source", "retire", "hr", *OF)
    assert refused.exit_code == 1
    assert "--reason" in refused.output
    assert set(statuses(engine).values()) == {"active"}
    done = told(run("source", "retire", "hr", *OF, "--reason", "moved", "--json"))
    assert done["state"] == "complete"
    assert set(statuses(engine).values()) == {"inactive"}


def test_a_dry_run_of_an_owner_saves_nothing(run: Command, engine: sa.Engine) -> None:
    shown = told(run("ownership", "set", "familyName", "idp", *OF, "--dry-run", "--json"))
    assert shown["counts"] == {"updated": 8}
    listed = told(run("ownership", "list", *OF, "--json"))
    assert listed["familyName"]["owners"] == ["idp", "hris", "crm", "login"]
    assert run("ownership", "set", "familyName", "nobody", *OF, "--dry-run").exit_code == 2


def test_making_a_source_and_its_domains_is_audited(run: Command, engine: sa.Engine) -> None:
    made = run("source", "create", "crm", *OF, "--kind", "crm", "--system", "hubspot", "--domain", "acme.example")
    assert made.exit_code == 0
    assert run("source", "domain", "crm", "acme.example", *OF, "--free").exit_code == 0
    assert run("source", "domain", "hr", "acme.example", *OF).exit_code == 0
    assert run("tenant", "set", "acme", "guard.floor", "7").exit_code == 0
    assert run("tenant", "set", "acme", "guard.floor", "x").exit_code == 2
    assert run("tenant", "set", "acme", "highest_role_wins", "false").exit_code == 0
    expected = ["source.created", "domain.freed", "domain.assigned", "setting.saved", "setting.saved"]
    assert [one for one in actions(engine) if one in expected] == expected
