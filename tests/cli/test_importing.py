from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store import tables as t
from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.sync.people import count, statuses

OF = ("--tenant", "acme", "--source", "hr")


@pytest.fixture
def run(engine: sa.Engine, database_url: str, tenant: Tenant, hr: SourceRow) -> Command:
    return runner(database_url)


def people(folder: Path, number: int, leaving: int = 0) -> Path:
    """A file of so many people, the first of whom left."""
    lines = ["id,employeeNumber,status,givenName,familyName"]
    lines += [
        f"p-{one},{1000 + one},{'terminated' if one < leaving else 'active'},Person,{one:03}" for one in range(number)
    ]
    file = folder / "people.csv"
    file.write_text("\n".join(lines), encoding="utf-8")
    return file


def test_a_file_is_taken_in_to_the_end(run: Command, engine: sa.Engine, tmp_path: Path) -> None:
    done = told(run("source", "import", people(tmp_path, 510), *OF, "--json"))
    assert done["state"] == "complete"
    assert done["counts"]["created"] == 510
    assert len(statuses(engine)) == 510


def test_a_dry_run_saves_nothing(run: Command, engine: sa.Engine, tmp_path: Path) -> None:
    result = run("source", "import", people(tmp_path, 3), *OF, "--dry-run")
    assert result.exit_code == 0
    assert "3 created" in result.output
    assert "Nothing was saved." in result.output
    assert count(engine, t.accounts) == 0
    assert count(engine, t.runs) == 0


def test_a_mass_leave_is_held_shown_and_allowed(run: Command, engine: sa.Engine, tmp_path: Path) -> None:
    run("source", "import", people(tmp_path, 20), *OF)
    held = run("source", "import", people(tmp_path, 20, leaving=8), *OF)
    assert held.exit_code == 3
    assert "8 of 20 people would be deactivated" in held.output
    assert "status: active → inactive" in held.output
    assert set(statuses(engine).values()) == {"active"}

    (waiting,) = told(run("run", "list", "--tenant", "acme", "--state", "held", "--json"))
    shown = run("run", "show", waiting["id"], "--tenant", "acme").output
    assert "Person 000" in shown
    listed = told(run("run", "show", waiting["id"], "--tenant", "acme", "--json"))
    assert [one["effect"] for one in listed["changes"]] == ["deactivated"] * 8
    assert "record" not in listed["changes"][0]

    allowed = run("run", "allow", waiting["id"], "--tenant", "acme")
    assert (allowed.exit_code, allowed.output) == (0, f"Run {waiting['id']} is allowed and complete.\n")
    assert list(statuses(engine).values()).count("inactive") == 8
    assert run("run", "allow", waiting["id"], "--tenant", "acme").exit_code == 1
    assert "complete" in run("run", "list", "--tenant", "acme").output


def test_a_held_run_is_rejected(run: Command, engine: sa.Engine, tmp_path: Path) -> None:
    run("source", "import", people(tmp_path, 20), *OF)
    held = told(run("source", "import", people(tmp_path, 20, leaving=8), *OF, "--json"))
    assert told(run("run", "reject", held["run"], "--tenant", "acme", "--json"))["state"] == "rejected"
    assert run("run", "reject", held["run"], "--tenant", "acme").exit_code == 1
    assert set(statuses(engine).values()) == {"active"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "The file is empty"),
        ("id,status\n", "The file has no record"),
        ("id,shoeSize\np-1,44\n", "There is no field for the column 'shoeSize'"),
        ("id,status\np-1,flying\n", "No such status"),
    ],
)
def test_a_file_that_is_wrong_changes_nothing(
    run: Command, engine: sa.Engine, tmp_path: Path, text: str, message: str
) -> None:
    file = tmp_path / "people.csv"
    file.write_text(text, encoding="utf-8")
    result = run("source", "import", file, *OF)
    assert result.exit_code == 1
    assert message in result.output
    assert count(engine, t.accounts) == 0


def test_a_run_that_is_not_there(run: Command) -> None:
    assert run("run", "show", "nothing", "--tenant", "acme").exit_code == 1
