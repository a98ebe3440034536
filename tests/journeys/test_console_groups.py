"""Groups & roles in a real browser: mapped, previewed, saved, taken back; put into order; in by a file; many people.

What is saved shows in the roles of the accounts; what is previewed does not.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
import requests
import sqlalchemy as sa

from app.console.visit import cookie_name
from app.provisioning import CHUNK
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow, Tenant
from tests.journeys import console_tabs
from tests.journeys.chromium import Chromium, Sight, Tab
from tests.journeys.console_tabs import Enter
from tests.journeys.server import Server
from tests.sync.groups import grouped, pushed
from tests.waiting import soon

pytestmark = pytest.mark.journey
MANY = 2_400  # a worker's step takes 2,000
STEP = 2_000


@pytest.fixture
def home(running: Server) -> str:
    return f"{running.url}/admin/groups"


@pytest.fixture
def enter(running: Server, engine: sa.Engine, tenant: Tenant, chrome: Chromium) -> Iterator[Enter]:
    with console_tabs.entering(chrome, engine, running.url, tenant.id) as made:
        yield made


@pytest.fixture
def users(engine: sa.Engine, okta: SourceRow) -> dict[str, str]:
    return pushed(engine, okta, "amara", "bo", "cleo")


def roles(engine: sa.Engine, tenant: Tenant) -> dict[str, list[str]]:
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.attributes, t.accounts.c.roles).where(t.accounts.c.tenant_id == tenant.id)
        return {row.attributes["userName"]: sorted(row.roles) for row in conn.execute(chosen)}


def map_group(tab: Tab, home: str, group: str, role: str, note: str = "") -> None:
    """From the unmapped groups to the preview of a line for this one."""
    tab.go(f"{home}/unmapped", "They give nothing")
    tab.press(f"tr:has-text('{group}') a[href*='/new?group=']", "You see who gains and who loses")
    tab.choose("#field-role", role)
    tab.type("#field-note", note)
    tab.click("Show who gains and who loses", "What changes")


def worked_out(tab: Tab, text: str) -> Sight:
    """The draft once it says so: a worker may have come before the request, and then it is not at once."""
    here = tab.see("What changes").url
    assert soon(lambda: text in tab.go(here, "What changes").text)
    return tab.see(text)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_group_is_mapped_seen_saved_and_taken_back(
    home: str, engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], enter: Enter, scripts: bool
) -> None:
    grouped(engine, okta, "Trainers", [users["amara"], users["bo"]])
    tab = enter("admin", scripts=scripts)
    tab.go(home, "No line yet")
    tab.inspect("groups-no-line")
    tab.click("Map a group", "Trainers")
    tab.inspect("groups-unmapped")
    tab.press("a[href*='/new?group=']", "Gets the role")
    tab.inspect("groups-line")
    tab.find("#field-role:has([value='']:checked)")  # nobody becomes anything by an oversight
    tab.type("#field-priority", "high")
    tab.type("#field-note", "for the autumn")
    tab.click("Show who gains and who loses", "A priority is a whole number")
    tab.see("Choose the role that it gives")
    tab.find("#field-role[aria-invalid]:focus" if scripts else "#field-role[aria-invalid]")
    tab.find("#field-priority[aria-invalid][value='high']")  # what was typed stays
    tab.find("#field-note[value='for the autumn']")
    tab.inspect("groups-line-wrong")
    tab.type("#field-priority", "0")
    tab.choose("#field-role", "instructor")
    tab.click("Show who gains and who loses", "What changes")
    draft = worked_out(tab, "Gain (2)")
    assert "Amara" in draft.text
    assert "Cleo" not in draft.text
    assert "for the autumn" in draft.text
    assert "group Trainers of okta" in " ".join(draft.text.split())
    tab.inspect("groups-draft")
    assert roles(engine, tenant) == {"amara": [], "bo": [], "cleo": []}

    tab.click("Save", "everybody's roles follow it")
    tab.inspect("groups-draft-saved")
    assert roles(engine, tenant) == {"amara": ["instructor"], "bo": ["instructor"], "cleo": []}
    tab.go(f"{home}/history", "for the autumn")
    tab.inspect("groups-history")
    tab.press("tbody th a", "Line by line")
    tab.inspect("groups-revision")
    tab.click("Preview taking it back", "What changes")
    draft = worked_out(tab, "Lose (2)")
    assert "Amara" in draft.text
    tab.inspect("groups-draft-losing")
    assert roles(engine, tenant)["amara"] == ["instructor"]
    tab.click("Save", "everybody's roles follow it")
    assert roles(engine, tenant) == {"amara": [], "bo": [], "cleo": []}
    tab.go(f"{home}/history", "takes one back")
    assert tab.go(f"{home}/unmapped", "Trainers").status == 200


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_of_two_roles_of_one_rank_the_line_that_stands_higher_wins(
    home: str, engine: sa.Engine, tenant: Tenant, okta: SourceRow, users: dict[str, str], enter: Enter, scripts: bool
) -> None:
    for name in ("Coaches", "Trainers"):
        grouped(engine, okta, name, [users["amara"]])
    tab = enter("admin", scripts=scripts)
    tab.go(f"{home}/roles/new", "As the learning platform calls it")
    tab.type("#field-name", "coach")
    tab.type("#field-rank", "50")
    tab.click("Show whose roles turn", "Nobody's effective roles turn")
    tab.click("Save", "coach")
    for group, role in (("Coaches", "coach"), ("Trainers", "instructor")):
        map_group(tab, home, group, role)
        worked_out(tab, "Leave it unsaved")
        tab.click("Save", "everybody's roles follow it")
    tab.go(f"{home}/order", "the line that stands higher here wins")
    tab.inspect("groups-order")
    [first] = roles(engine, tenant)["amara"]
    other = "instructor" if first == "coach" else "coach"
    tab.find(f"tbody tr:first-child:has-text('{first}')")
    if scripts:
        tab.focus("tbody tr:first-child [data-move='1']")
        tab.keys("Enter")
        tab.find(f"tbody tr:last-child:has-text('{first}') [data-move='1']:focus")  # the keyboard stays with the line
        tab.drag("tbody tr:last-child", "tbody tr:first-child")
        tab.find(f"tbody tr:first-child:has-text('{first}')")
        tab.drag("tbody tr:last-child", "tbody tr:first-child")
        tab.find(f"tbody tr:first-child:has-text('{other}')")
        tab.click("Preview this order", "What changes")
    else:
        tab.press("tbody tr:first-child [value$=' 1']", "What changes")
    worked_out(tab, "Lose (1)")
    assert roles(engine, tenant)["amara"] == [first]
    tab.click("Save", "everybody's roles follow it")
    assert roles(engine, tenant)["amara"] == [other]
    tab.go(f"{home}/order", "the line that stands higher here wins")
    tab.find(f"tbody tr:first-child:has-text('{other}')")


def test_the_table_goes_out_as_a_file_and_comes_in_changed(
    running: Server,
    home: str,
    engine: sa.Engine,
    tenant: Tenant,
    okta: SourceRow,
    users: dict[str, str],
    enter: Enter,
) -> None:
    grouped(engine, okta, "Trainers", [users["amara"], users["bo"]])
    tab = enter("admin")
    map_group(tab, home, "Trainers", "instructor")
    worked_out(tab, "Gain (2)")
    tab.click("Save", "everybody's roles follow it")
    tab.go(home, "Trainers")
    tab.inspect("groups-table")
    tab.find("a[href='/admin/groups/roles.csv'][download]")
    cookies = {cookie_name(running.url): console_tabs.secret(engine, tenant.id, "auditor")}
    text = requests.get(f"{home}/roles.csv", cookies=cookies, timeout=30).text
    assert "Trainers,instructor" in text

    tab.click("Import", "The file is the whole table")
    tab.attach("#field-file", "roles.csv", text.replace("instructor", "instuctor"))
    tab.click("Show what it does", "instuctor")
    tab.inspect("groups-import-wrong")
    tab.attach("#field-file", "roles.csv", text.replace("instructor", "manager"))
    tab.click("Show what it does", "What changes")
    draft = worked_out(tab, "Gain (2)")
    assert "Lose (2)" in draft.text
    assert roles(engine, tenant)["amara"] == ["instructor"]
    tab.click("Save", "everybody's roles follow it")
    assert roles(engine, tenant) == {"amara": ["manager"], "bo": ["manager"], "cleo": []}


def test_a_group_of_thousands_is_worked_out_before_ones_eyes_stopped_begun_again_and_saved(
    home: str, engine: sa.Engine, tenant: Tenant, okta: SourceRow, enter: Enter
) -> None:
    names = [f"person-{number:04}" for number in range(MANY)]
    people = [id for at in range(0, MANY, CHUNK) for id in pushed(engine, okta, *names[at : at + CHUNK]).values()]
    grouped(engine, okta, "Everyone", people)
    tab = enter("admin")
    with locked(engine, "mapping_draft_lines"):
        map_group(tab, home, "Everyone", "learner")
        tab.see("Working out who gains and who loses")
        tab.inspect("groups-draft-working")
        draft = tab.click("Stop", "Nothing was saved.")
    tab.inspect("groups-draft-stopped")
    assert "Gain a role" not in draft.text

    mine, step = f"NEW.tenant_id = '{tenant.id}'", f"NEW.number <= {STEP}"
    with paused(engine, "INSERT ON mapping_draft_lines", f"{mine} AND {step}", f"{mine} AND NOT {step}") as go_on:
        tab.click("Work it out again", "0 of 2,400")
        tab.focus("#draft button")
        go_on()
        tab.see("2,000 of 2,400")  # nobody reloaded the page
        tab.find("#draft button:focus")  # and the keyboard is still where it was
        tab.inspect("groups-draft-half")
    tab.see("Gain (2,400)")
    tab.inspect("groups-draft-large")
    assert not any(roles(engine, tenant).values())
    tab.press("a[rel='next']", "Person-0199")

    with paused(engine, "UPDATE ON accounts", f"NEW.id = '{newest(engine, tenant)}'"):
        tab.click("Save", "2,000 of 2,400")
        tab.see("Saved; giving and taking roles")
        tab.inspect("groups-draft-saving")
    tab.see("The run is complete")
    assert roles(engine, tenant) == {name: ["learner"] for name in names}


def newest(engine: sa.Engine, tenant: Tenant) -> str:
    """The account that a run comes to last."""
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant.id)
        return str(conn.execute(chosen.order_by(t.accounts.c.id.desc()).limit(1)).scalar_one())


@contextmanager
def locked(engine: sa.Engine, table: str) -> Iterator[None]:
    """Nobody writes to the table until the block ends."""
    with writing(engine) as conn:
        conn.execute(sa.text(f"LOCK TABLE {table} IN SHARE MODE"))
        yield


@contextmanager
def paused(engine: sa.Engine, write: str, *rows: str) -> Iterator[Callable[[], None]]:
    """Whoever writes one of the rows waits: for the first of these conditions until it is told to go on, then the next.

    When the block ends, nobody waits any more.
    """
    waits = "BEGIN PERFORM pg_advisory_xact_lock(CAST(TG_ARGV[0] AS bigint)); RETURN NEW; END"
    locks = list(range(len(rows)))
    with reading(engine) as conn:
        conn.exec_driver_sql(
            f"CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS $${waits}$$"
        )
        for lock, row in enumerate(rows):
            conn.exec_driver_sql(f"SELECT pg_advisory_lock({lock})")
            conn.exec_driver_sql(
                f"CREATE TRIGGER wait_{lock} BEFORE {write} FOR EACH ROW WHEN ({row}) EXECUTE FUNCTION wait({lock})"
            )
        try:
            yield lambda: conn.exec_driver_sql(f"SELECT pg_advisory_unlock({locks.pop(0)})").close()
        finally:
            conn.exec_driver_sql("SELECT pg_advisory_unlock_all()")
            conn.exec_driver_sql("DROP FUNCTION wait() CASCADE")
