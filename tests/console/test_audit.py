"""The audit in the console."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
import sqlalchemy as sa

from app.console.audit import shown
from app.store import tenants
from app.store.audit import Entry
from app.store.audit_log import Logged
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant
from tests.console.conftest import Console
from tests.console.test_people import say
from tests.store.test_audit_log import note

Enter = Callable[..., Console]


@pytest.fixture
def ada(engine: sa.Engine, tenant: Tenant, okta: SourceRow) -> str:
    """Her account's id: created, then renamed."""
    say(engine, tenant, okta, "ada", familyName="Byron")
    return say(engine, tenant, okta, "ada", familyName="Lovelace")


def test_an_entry_shows_what_was_before_and_after(console: Enter, ada: str) -> None:
    seen = console("auditor").get("/admin/audit?action=account.changed")
    assert "<del>Byron</del>" in seen.html
    assert "<ins>Lovelace</ins>" in seen.html
    assert f"/admin/people/{ada}" in seen.links


@pytest.mark.usefixtures("ada")
def test_entries_are_narrowed_and_the_filters_kept(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    note(engine, tenant, Entry("administrator ben@acme.example", "role.saved", "r1", {"role": "teacher"}))
    auditor = console("auditor")
    seen = auditor.get("/admin/audit?actor=administrator+b")
    assert ("role.saved" in seen.text, "account.created" in seen.text) == (True, False)
    assert 'value="administrator b"' in seen.html
    assert "role.saved" in auditor.get("/admin/audit?subject=r1").text
    assert "Nothing fits this" in auditor.get("/admin/audit?since=2999-01-01").text
    assert "Nothing fits this" in auditor.get("/admin/audit?until=2000-01-01").text
    assert auditor.get(f"/admin/audit?until={datetime.now(UTC):%Y-%m-%d}").text.count("role.saved") == 1


def test_a_day_that_is_none_is_refused_with_how_to_write_it(console: Enter) -> None:
    seen = console("auditor").get("/admin/audit?since=yesterday")
    assert (seen.status, "2026-11-30" in seen.text) == (400, True)


def test_pages_go_on_below_the_last_number(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    note(engine, tenant, *[Entry("ada", "role.saved", f"r{number}", {}) for number in range(70)])
    auditor = console("auditor")
    first = auditor.get("/admin/audit?action=role.")
    [on] = [link for link in first.links if "before=" in link]
    second = auditor.get(on)
    assert (first.text.count("Open its page"), first.html.count('class="entry"')) == (0, 50)
    assert second.html.count('class="entry"') == 20
    assert "First page" in second.text
    assert "action=role." in on


@pytest.mark.usefixtures("ada")
def test_another_tenants_entries_are_not_shown(console: Enter, engine: sa.Engine) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "globex")
    stranger = console("owner", tenant_id=other.id)
    assert "account.created" not in stranger.get("/admin/audit").text
    assert "account.created" not in stranger.get("/admin/audit/export.csv").html


@pytest.mark.usefixtures("ada")
def test_exports_hold_all_that_fits_and_nothing_personal(console: Enter, engine: sa.Engine, tenant: Tenant) -> None:
    note(engine, tenant, *[Entry("=ada", "role.saved", f"r{number}", {"n": number}) for number in range(150)])
    auditor = console("auditor")
    answer = auditor.get("/admin/audit/export.csv?action=role.")
    rows = list(csv.DictReader(answer.html.splitlines()))
    assert 'attachment; filename="audit.csv"' in answer.headers["Content-Disposition"]
    assert [row["subject"] for row in rows] == [f"r{number}" for number in reversed(range(150))]
    assert rows[0]["actor"] == "'=ada"
    lines = auditor.get("/admin/audit/export.jsonl").html.splitlines()
    assert json.loads(lines[0])["facts"] == {"n": 149}
    assert "Lovelace" not in "".join(lines)


@pytest.mark.usefixtures("ada")
def test_the_chain_is_checked(console: Enter, engine: sa.Engine) -> None:
    auditor = console("auditor")
    assert "The chain holds" in auditor.get("/admin/audit/check").text
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE audit SET actor = 'nobody' WHERE number = 1")
    assert "The chain is broken: entry 1 was changed" in auditor.get("/admin/audit/check").text


def test_a_document_is_shown_as_it_is_and_other_values_as_after() -> None:
    entry = Logged(1, datetime.now(UTC), "ada", "x.y", "s", {}, {"document": {"a": 1}, "email": "a@b.example"})
    one = shown(entry)
    assert one.documents == {"document": '{\n  "a": 1\n}'}
    assert (one.before, one.after) == (None, {"email": "a@b.example"})
    assert shown(Logged(1, entry.at, "ada", "x.y", "s", {}, None)).documents == {}
