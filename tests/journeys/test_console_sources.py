"""Sources in the console, in a real browser: a held file is read, allowed and watched; an owner is moved up.

Each with scripts and without: then the buttons send the form, and a page that is loaded again shows how far a run is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
import sqlalchemy as sa

from app.console.visit import cookie_name
from app.identity.writes import RecordWrite, Spoken
from app.provisioning import provision
from app.store import console_sessions
from app.store import tables as t
from app.store.console_sessions import NewConsoleSession
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from app.sync import imports
from tests.journeys.chromium import Chromium, Tab
from tests.journeys.server import Server
from tests.sync.people import hired
from tests.waiting import soon

pytestmark = pytest.mark.journey
MANY = 1_200  # more than one request plans: a worker does it

Enter = Callable[[bool], Tab]


@pytest.fixture
def enter(running: Server, engine: sa.Engine, tenant: Tenant, chrome: Chromium) -> Iterator[Enter]:
    """An owner's browser, with scripts or without."""
    with ExitStack() as stack:

        def inside(scripts: bool) -> Tab:
            id = console_sessions.new_id()
            owner = {"id": id, "email": f"{id}@quay.example", "name": "Olga Owner", "role": "owner"}
            with writing(engine) as conn:
                conn.execute(sa.insert(t.administrators).values(tenant_id=tenant.id, created_by="test", **owner))
                begun = console_sessions.begin(
                    conn, NewConsoleSession(tenant.id, "password", administrator_id=id, proven=True)
                )
            tab = stack.enter_context(chrome.tab(running.url, scripts=scripts))
            tab.cookie(running.url, cookie_name(running.url), begun.secret)
            return tab

        yield inside


def csv(number: int, *, leaving: int = 0) -> str:
    lines = ["id,employeeNumber,status,givenName,familyName,title"]
    lines += [
        f"p-{one},{5000 + one},{'terminated' if one < leaving else 'active'},Person,{one:04},Trainer"
        for one in range(number)
    ]
    return "\n".join(lines)


def statuses(engine: sa.Engine, tenant: Tenant) -> list[str]:
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.status).where(t.accounts.c.tenant_id == tenant.id)
        return list(conn.execute(chosen).scalars())


@pytest.mark.parametrize("scripts", [True, False])
def test_a_file_that_is_held_is_read_allowed_and_watched(
    running: Server, engine: sa.Engine, tenant: Tenant, enter: Enter, scripts: bool
) -> None:
    tab = enter(scripts)
    tab.go(f"{running.url}/admin/sources", see="No source yet")
    tab.inspect("sources-empty")
    tab.press("main .nothing a", see="Add a source")
    tab.type("#field-name", "payroll")
    tab.inspect("sources-new")
    source = tab.click("Add the source", see="The source payroll is there.").url
    tab.inspect("sources-one-new")

    tab.go(f"{source}/upload")
    tab.attach("#field-file", "people.csv", "id,shoe\n1,43\n")
    tab.click("Show what it would do", see="There is no field for the column 'shoe'.")
    tab.inspect("sources-upload-wrong")
    tab.attach("#field-file", "people.csv", csv(MANY))
    run = tab.click("Show what it would do", see="Import of people.csv").url
    _watch(tab, run, "Created", scripts)
    tab.inspect("runs-planned")
    tab.click("Apply", see="Import of people.csv")
    _watch(tab, run, "Everything in it is done.", scripts)
    assert statuses(engine, tenant) == ["active"] * MANY

    tab.go(f"{source}/upload")
    tab.attach("#field-file", "leavers.csv", csv(MANY, leaving=300))
    run = tab.click("Show what it would do", see="Import of leavers.csv").url
    _watch(tab, run, "300 of 1200 people would be deactivated or lose a role", scripts)
    tab.click("Apply", see="The guard holds it")
    assert "inactive" not in statuses(engine, tenant)
    tab.see("Person 0007")
    tab.inspect("runs-held")
    tab.type("#reason-allow", "The site is closed.")
    tab.click("Allow", see="The site is closed.")
    _watch(tab, run, "Everything in it is done.", scripts)
    tab.inspect("runs-complete")
    assert statuses(engine, tenant).count("inactive") == 300
    tab.go(f"{running.url}/admin/runs", see="Import of leavers.csv")
    tab.inspect("runs-listing")
    tab.go(f"{running.url}/admin/sources", see="1,200")
    tab.inspect("sources-listing")


@pytest.mark.parametrize("scripts", [True, False])
def test_an_owner_is_moved_to_the_top_seen_and_saved(
    running: Server, engine: sa.Engine, tenant: Tenant, hr: SourceRow, okta: SourceRow, enter: Enter, scripts: bool
) -> None:
    imports.submit(engine, tenant.id, hr, [hired(1)], actor="test")
    said = Spoken(True, {"emails.work": "p1@example.com", "employeeNumber": "1001", "title": "Coder"})
    provision(engine, tenant.id, [RecordWrite(okta.id, said, {}, user_name="p1")], actor="test")

    tab = enter(scripts)
    tab.go(f"{running.url}/admin/sources/ownership", see="hris, then idp")
    tab.inspect("sources-ownership")
    tab.go(f"{running.url}/admin/sources/ownership/title", see="every Identity provider")
    tab.inspect("sources-ownership-one")
    tab.press("button[value='up:idp']")
    tab.find("tbody tr:first-child button[value='up:idp']")
    tab.press(".form-actions .btn-primary", see="title: idp, then hris")
    tab.see("Coder")
    tab.inspect("runs-rule")
    assert _title(engine, tenant) == "Trainer"
    tab.click("Save", see="Everything in it is done.")
    assert soon(lambda: _title(engine, tenant) == "Coder")

    tab.go(f"{running.url}/admin/sources/{hr.id}/values", see="No code has a meaning yet")
    tab.type("#field-code", "Trainer")
    tab.type("#field-name", "Senior Trainer")
    tab.press(".columns form .btn-primary", see="1 code of hr")
    tab.click("Save", see="Everything in it is done.")
    tab.go(f"{running.url}/admin/sources/{hr.id}/values", see="Senior Trainer")
    tab.inspect("sources-values")
    tab.go(f"{running.url}/admin/sources/{hr.id}", see="How records come here")
    tab.press("#end .danger:last-child summary")
    tab.inspect("sources-one")
    tab.go(f"{running.url}/admin/settings", see="Days that SCIM requests stay")
    tab.inspect("settings")


def _watch(tab: Tab, run: str, text: str, scripts: bool) -> None:
    """With scripts the page asks by itself; without them it is loaded again until it says the text."""
    if scripts:
        tab.see(text)
    else:
        assert soon(lambda: text in tab.go(run).text)
    assert tab.act("find", on="h1")


def _title(engine: sa.Engine, tenant: Tenant) -> str | None:
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.attributes).where(t.accounts.c.tenant_id == tenant.id)
        title: str | None = conn.execute(chosen).scalar_one().get("title")
        return title
