"""`rollcall account merge|split` and `rollcall duplicate`: shown first, done by a yes, told in JSON as well."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from app.store import tables as t
from app.store.tenants import SourceRow
from tests.cli.commands import Command, runner, told
from tests.merging.people import account, hris, rows, scim, write
from tests.sync.people import map_title

OF = ("--tenant", "acme")


@pytest.fixture
def run(engine: sa.Engine, database_url: str) -> Command:
    return runner(database_url)


@pytest.fixture
def two(engine: sa.Engine, okta: SourceRow, hr: SourceRow) -> tuple[str, str]:
    one = write(engine, okta, scim(okta, "ada", displayName="Ada", title="Coder", **{"emails.work": "a@x.org"}))
    return one.after.id, write(engine, hr, hris(hr, "E1", title="Engineer")).after.id


def test_a_merge_is_shown_then_done(run, engine, tenant, two) -> None:
    shown = told(run("account", "merge", "ada", "E1", *OF, "--dry-run", "--json"))
    title = next(one for one in shown["attributes"] if one["attribute"] == "title")
    assert title == {"attribute": "title", "keep": "Coder", "away": "Engineer", "merged": "Engineer", "differs": True}
    assert (shown["keep"], shown["away"], shown["refusal"], len(shown["records"])) == (*two, None, 1)
    assert len(rows(engine, t.accounts)) == 2
    done = told(run("account", "merge", "ada", "E1", *OF, "--yes", "--reason", "same desk", "--json"))
    assert (done["account"], done["merged"], done["sessions"]) == (*two, 0)
    [entry] = rows(engine, t.audit, t.audit.c.action == "account.merged")
    assert entry.actor.startswith("cli")
    assert entry.personal["note"] == "same desk"


def test_a_no_changes_nothing(run, engine, two) -> None:
    result = run("account", "merge", *two, *OF, answer="n\n")
    assert result.exit_code == 1
    assert "Make one account of them?" in result.output
    assert "Engineer" in result.output
    assert len(rows(engine, t.accounts)) == 2
    assert run("account", "merge", *two, *OF, answer="y\n").exit_code == 0
    assert len(rows(engine, t.accounts)) == 1


@pytest.mark.parametrize("verb", ["show", "explain", "find"])
def test_the_old_id_finds_the_person(run, two, verb) -> None:
    run("account", "merge", *two, *OF, "--yes")
    assert "Engineer" in run("account", verb, two[1], *OF).output or verb == "find"
    assert two[0] in run("account", verb, two[1], *OF).output


def test_a_merge_is_taken_back(run, engine, tenant, two) -> None:
    run("account", "merge", *two, *OF, "--yes")
    assert run("account", "split", "ada", "--keeps-id", "this", *OF, "--yes").exit_code == 2
    strange = run("account", "split", "ada", "--taken-back", two[0], "--keeps-id", "this", *OF, "--yes")
    assert (strange.exit_code, "was merged into" in strange.output) == (1, True)
    split = ("account", "split", "ada", "--taken-back", two[1], "--keeps-id", "this", *OF)
    shown = told(run(*split, "--dry-run", "--json"))
    assert (len(shown["staying"]), len(shown["leaving"])) == (1, 1)
    done = told(run(*split, "--yes", "--json"))
    assert (done["account"], done["aliases"]) == (two[0], [two[1]])
    new = account(engine, tenant.id, done["new"])
    assert new is not None
    assert new.attributes["title"] == "Engineer"
    assert done["new"] in run("account", "show", two[1], *OF).output


def test_a_record_is_split_off_and_may_keep_the_id(run, engine, two) -> None:
    run("account", "merge", *two, *OF, "--yes")
    [record] = rows(engine, t.records, t.records.c.source_key == "E1")
    text = run("account", "split", "ada", "--record", record.id, "--keeps-id", "new", *OF, answer="y\n").output
    assert "keeps the id" in text
    assert "1 records go to the new account" in text
    [kept] = rows(engine, t.records, t.records.c.source_key == "E1")
    assert kept.account_id == two[0]


def test_what_is_refused_says_why(run, engine, tenant, two) -> None:
    map_title(engine, tenant.id, "Engineer", "admin")
    run("account", "derive", "E1", *OF)
    shown = run("account", "merge", *two, *OF, "--dry-run")
    assert "--administrator" in shown.output
    refused = run("account", "merge", *two, *OF, "--yes")
    assert (refused.exit_code, "administrator" in refused.output) == (1, True)
    assert run("account", "merge", two[0], two[0], *OF, "--yes").exit_code == 1
    assert run("account", "merge", *two, *OF, "--yes", "--administrator").exit_code == 0


def test_a_dry_run_that_would_be_refused_fails(run, engine, tenant, two) -> None:
    map_title(engine, tenant.id, "Engineer", "admin")
    run("account", "derive", "E1", *OF)
    run("account", "suspend", "ada", *OF)
    result = run("account", "merge", *two, *OF, "--dry-run")
    assert (result.exit_code, "no administrator left" in result.output) == (1, True)


def test_the_inbox_is_listed_shown_and_decided(run, engine, okta, two) -> None:
    other = write(engine, okta, scim(okta, "ada2", displayName="Ada", **{"emails.work": "a@x.org"})).after.id
    [pair] = told(run("duplicate", "list", *OF, "--json"))["pairs"]
    assert (pair["one"]["id"], pair["other"]["id"]) == (other, two[0])
    assert pair["one"]["records"][0]["source"] == "okta"
    assert "email, displayName" in run("duplicate", "list", *OF).output
    text = run("duplicate", "show", pair["doubt"]["id"], *OF).output
    assert "a@x.org (okta)" in text
    assert run("duplicate", "show", "ada", "ada2", *OF).exit_code == 0
    assert told(run("duplicate", "apart", "ada", "ada2", *OF, "--json"))["changed"]
    assert "told apart before" in run("duplicate", "apart", "ada", "ada2", *OF).output
    assert run("duplicate", "list", *OF).output == "Nobody may be somebody else.\n"
    assert "apart" in run("duplicate", "list", "--state", "all", *OF).output
    assert run("duplicate", "show", pair["doubt"]["id"][:-1] + "x", *OF).exit_code == 1
