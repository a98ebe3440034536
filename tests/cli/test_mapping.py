from __future__ import annotations

from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store.tenants import SourceRow, Tenant
from tests.cli.commands import Command, runner, told
from tests.sync.groups import grouped, pushed

GROUP = ("--tenant", "acme", "--source", "okta", "--group", "Instructors")


@pytest.fixture
def run(engine: sa.Engine, database_url: str) -> Command:
    return runner(database_url)


@pytest.fixture(autouse=True)
def instructors(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> str:
    ids = pushed(engine, okta, "ann", "bob")
    return grouped(engine, okta, "Instructors", list(ids.values()))


def mappings(run: Command) -> list[tuple[str, str, str]]:
    return [
        (one["match"], one["role"], one["state"])
        for one in told(run("mapping", "list", "--tenant", "acme", "--json"))["mappings"]
    ]


def test_what_is_pushed_and_not_mapped_is_shown(run: Command, instructors: str) -> None:
    shown = told(run("mapping", "list", "--tenant", "acme", "--json"))
    assert [(one["name"], one["members"]) for one in shown["unmappedGroups"]] == [("Instructors", 2)]
    assert shown["roles"][0]["administrator"]
    text = run("mapping", "list", "--tenant", "acme").output
    assert instructors in text
    assert "admin (administrator)" in text


def test_a_preview_names_people_and_saves_nothing(run: Command) -> None:
    text = run("mapping", "preview", *GROUP, "--role", "instructor").output
    assert "2 gain a role:" in text
    assert "  Ann: instructor (tenant)" in text
    assert mappings(run) == []


def test_a_mapping_is_saved_with_the_hash_of_its_preview(run: Command) -> None:
    shown = told(run("mapping", "preview", *GROUP, "--role", "instructor", "--json"))
    wrong = run("mapping", "set", *GROUP, "--role", "instructor", "--expect", "0000", "--json")
    assert wrong.exit_code == 1
    assert told(wrong)["preview"]["hash"] == shown["hash"]
    assert mappings(run) == []
    right = run("mapping", "set", *GROUP, "--role", "instructor", "--expect", shown["hash"], "--json")
    assert right.exit_code == 0
    assert told(right)["preview"]["counts"]["gains"] == 2
    assert mappings(run) == [("Instructors", "instructor", "live")]


def test_without_yes_a_person_is_asked(run: Command) -> None:
    words = ("mapping", "set", *GROUP, "--role", "instructor")
    refused = run(*words, answer="n\n")
    assert refused.exit_code == 1
    assert "2 gain a role:" in refused.output
    assert mappings(run) == []
    assert run(*words, answer="y\n").exit_code == 0
    assert mappings(run) == [("Instructors", "instructor", "live")]


def test_a_mapping_is_removed(run: Command) -> None:
    run("mapping", "set", *GROUP, "--role", "instructor", "--yes")
    assert "2 lose a role:" in run("mapping", "preview", *GROUP, "--remove").output
    assert run("mapping", "remove", *GROUP, "--yes").exit_code == 0
    assert mappings(run) == []
    gone = run("mapping", "remove", *GROUP, "--yes")
    assert gone.exit_code == 1
    assert "There is no mapping" in gone.output


def test_the_last_administrator_stays(run: Command) -> None:
    run("mapping", "set", *GROUP, "--role", "admin", "--yes")
    refused = run("mapping", "remove", *GROUP, "--yes")
    assert refused.exit_code == 1
    assert "Nobody would administer the tenant" in refused.output


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ((*GROUP, "--role", "wizard", "--yes"), 1),
        (("--tenant", "acme", "--role", "learner"), 2),
        (("--tenant", "acme", "--attribute", "title", "--role", "learner"), 2),
        ((*GROUP, "--yes"), 2),
        (("--tenant", "nobody", "--attribute", "title=x", "--role", "learner", "--yes"), 1),
    ],
)
def test_what_is_wrong_ends_with_its_code(run: Command, words: tuple[str, ...], code: int) -> None:
    assert run("mapping", "set", *words).exit_code == code


def test_the_table_goes_out_and_comes_back(run: Command, tmp_path: Path) -> None:
    run("mapping", "set", *GROUP, "--role", "instructor", "--yes")
    run("mapping", "set", "--tenant", "acme", "--attribute", "title==SUM(A1)", "--role", "learner", "--yes")
    file = tmp_path / "mappings.csv"
    run("mapping", "export", "--tenant", "acme", "--output", file)
    assert file.read_text().splitlines() == [
        "kind,source,attribute,match,role,scope,priority",
        "attribute,,title,'=SUM(A1),learner,tenant,0",
        "group,okta,,Instructors,instructor,tenant,0",
    ]
    same = told(run("mapping", "import", file, "--tenant", "acme", "--yes", "--json"))
    assert same["run_id"] is None
    file.write_text("kind,source,attribute,match,role,scope,priority\ngroup,okta,,Instructors,manager,,5\n")
    changed = told(run("mapping", "import", file, "--tenant", "acme", "--yes", "--json"))
    assert changed["preview"]["counts"] == {"gains": 2, "losses": 2, "kept": 0, "accounts": 2}
    assert mappings(run) == [("Instructors", "manager", "live")]


def test_a_file_of_another_form_is_refused(run: Command, tmp_path: Path) -> None:
    file = tmp_path / "mappings.csv"
    file.write_text("group,role\nInstructors,instructor\n")
    result = run("mapping", "import", file, "--tenant", "acme", "--yes")
    assert result.exit_code == 1
    assert "The first line of the file has to be" in result.output


def test_the_history_is_listed_shown_and_taken_back(run: Command) -> None:
    run("mapping", "set", *GROUP, "--role", "instructor", "--yes")
    run("mapping", "set", *GROUP, "--role", "instructor", "--priority", "4", "--yes")
    rows = told(run("mapping", "history", "--tenant", "acme", "--json"))
    assert [len(row["before"]) for row in rows] == [1, 0]
    newest, oldest = rows[0]["revision"], rows[1]["revision"]
    assert told(run("mapping", "history", "--tenant", "acme", "--before", newest, "--json"))[0]["revision"] == oldest
    shown = run("mapping", "show-revision", newest, "--tenant", "acme").output
    assert "priority from 0 to 4" in shown
    left = run("mapping", "revert", oldest, "--tenant", "acme", "--yes")
    assert left.exit_code == 1
    assert "it was changed since: priority is 4 now" in left.output
    assert run("mapping", "revert", newest, "--tenant", "acme", "--expect", "0").exit_code == 1
    assert run("mapping", "revert", newest, "--tenant", "acme", answer="n\n").exit_code == 1
    assert run("mapping", "revert", newest, "--tenant", "acme", "--yes").exit_code == 0
    back = told(run("mapping", "history", "--tenant", "acme", "--json"))[0]
    assert (back["note"], back["reverts"]) == (f"takes back revision {newest}", rows[0]["id"])
    assert told(run("mapping", "list", "--tenant", "acme", "--json"))["mappings"][0]["priority"] == 0
    assert run("mapping", "show-revision", "999", "--tenant", "acme").exit_code == 1
