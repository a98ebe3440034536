"""People in a real browser: found by keyboard, explained, set by hand, signed out, suspended, tried and taken in.

Most of it in the demo, where people sign in to a learning platform whose page says when their session is over.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import requests
import sqlalchemy as sa

from app.console.visit import cookie_name, csrf_of
from app.demo import stage
from app.demo.people import EXPLAINED
from app.demo.stage import Stage
from app.demo.story import HR_FILE
from app.sources import csv_file
from app.store import tables as t
from app.store.engine import reading
from app.store.tenants import SourceRow, Tenant
from app.sync import imports
from tests.journeys import console_tabs
from tests.journeys.chromium import Chromium, Tab
from tests.journeys.console_tabs import Enter
from tests.journeys.demo_served import Demo
from tests.journeys.server import Server
from tests.waiting import soon

pytestmark = pytest.mark.journey
DOCUMENT = '{"userName": "ida@quay.example", "displayName": "Ida Berg", "title": "Pilot", "active": true}'


@pytest.fixture(scope="module")
def demo_engine(demo: Demo) -> Iterator[sa.Engine]:
    with demo.server.engine() as engine:
        yield engine


@pytest.fixture(scope="module")
def stand(demo_engine: sa.Engine) -> Stage:
    return stage.find(demo_engine)


@pytest.fixture
def enter(demo: Demo, demo_engine: sa.Engine, stand: Stage, chrome: Chromium) -> Iterator[Enter]:
    with console_tabs.entering(chrome, demo_engine, demo.rollcall, stand.tenant.id) as made:
        yield made


@pytest.fixture
def people(demo: Demo) -> str:
    return f"{demo.rollcall}/admin/people"


def called(engine: sa.Engine, tenant: Tenant, name: str) -> str:
    """The id of the account of that name."""
    named = sa.cast(t.accounts.c.attributes, sa.Text).contains(f'"{name}"')
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.id).where(t.accounts.c.tenant_id == tenant.id, named)
        return str(conn.execute(chosen).scalars().first())


def test_somebody_is_found_without_a_mouse(people: str, enter: Enter) -> None:
    tab = enter("auditor")
    tab.go(people, "One account a person")
    tab.keys("j")
    tab.find("tbody tr:nth-child(1) a:focus")
    tab.keys("j", "j", "k")
    tab.find("tbody tr:nth-child(2) a:focus")
    tab.keys("/")
    tab.find("#search-q:focus")
    tab.keys(*"raman")
    tab.find('main:not(:has-text("Okafor"))')
    tab.keys("ArrowDown")
    tab.find("tbody tr:nth-child(1) a:focus")
    tab.keys("Enter", see="Each with the source that set it")
    assert "Priya Raman" in tab.find("h1:has-text('Priya Raman')").text
    tab.keys("Control+k", see="Pages")
    tab.keys(*"tanaka", "Enter")  # before what is found is there
    tab.find("h1:has-text('Mei Tanaka')")


def test_a_title_set_by_hand_stays_until_it_is_taken_back(
    people: str, demo_engine: sa.Engine, stand: Stage, enter: Enter
) -> None:
    [said] = [record for record in csv_file.read(HR_FILE) if record["employeeNumber"] == EXPLAINED]
    here = f"{people}/{called(demo_engine, stand.tenant, 'Priya Raman')}"
    tab = enter("admin")
    tab.go(here, "Each with the source that set it")
    title = "#attribute-title:has-text('{}'):has-text('{}')"
    tab.find(title.format("Senior Trainer", "okta said Trainer"))
    tab.choose("#field-attribute", "title")
    tab.type("#field-value", "Chief Trainer")
    tab.type("#field-note", "until spring")
    tab.click("Set the value", "Changed: title")
    tab.find(title.format("Chief Trainer", "by hand"))

    hr = {**said, "title": "DRV"}
    assert imports.submit(demo_engine, stand.tenant.id, stand.hr, [hr], actor="hr", wait=True).state == "complete"
    tab.go(here, "Chief Trainer")
    tab.find(title.format("Chief Trainer", "hr said Driver"))
    tab.inspect("people-by-hand")
    tab.press("form:has([name='take_back']) button", "Changed: title")
    tab.find(title.format("Driver", "okta said Trainer"))
    timeline = tab.go(f"{here}/timeline", "until spring")
    assert "Chief Trainer" in timeline.text
    tab.inspect("people-timeline")
    imports.submit(demo_engine, stand.tenant.id, stand.hr, [said], actor="hr", wait=True)


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_a_session_is_ended_and_somebody_is_suspended_and_reinstated(
    demo: Demo, people: str, demo_engine: sa.Engine, stand: Stage, chrome: Chromium, enter: Enter, scripts: bool
) -> None:
    name = "Erik Nyberg"
    here = f"{people}/{called(demo_engine, stand.tenant, name)}"
    desk = enter("help_desk", scripts=scripts)
    with (
        chrome.tab(demo.rollcall, demo.academy, scripts=scripts) as one,
        chrome.tab(demo.rollcall, demo.academy, scripts=scripts) as other,
    ):
        for tab in (one, other):
            _signed_in(demo, tab, name)
        desk.go(f"{here}/sessions", "Where this person is signed in now")
        desk.press("input[name='session']")
        desk.inspect("people-sessions")
        desk.click("End the chosen sessions", "1 session ended")
        assert soon(lambda: [_is_over(demo, tab) for tab in (one, other)].count(True) == 1)

        desk.go(here, "Each with the source that set it")
        desk.press("details:has(form[action$='/suspend']) > summary")
        desk.type("#suspend-note", "lost telephone")
        desk.click("Suspend", "Access is taken away by hand")
        desk.inspect("people-suspended")
        for tab in (one, other):
            tab.see("your session is over")  # nobody reloaded the page
        one.go(f"{demo.academy}sign-in", "Everybody else")
        assert one.click(name, "You are not signed in").status == 403
        desk.type("#reinstate-note", "found")
        desk.click("Reinstate", "Changed: ")
        _signed_in(demo, one, name)
    desk.go(f"{here}/timeline", "lost telephone")


def test_one_document_is_tried_and_taken_in(
    running: Server, engine: sa.Engine, tenant: Tenant, okta: SourceRow, chrome: Chromium
) -> None:
    with console_tabs.entering(chrome, engine, running.url, tenant.id) as enter_here:
        tab = enter_here("help_desk")
        tab.go(f"{running.url}/admin/try", "Trying changes nothing")
        tab.choose("#field-source", okta.id)
        tab.type("#field-document", DOCUMENT[:-1])
        tab.click("Try it", "This is no JSON")
        tab.find("#field-document[aria-invalid]:focus")
        tab.inspect("try-wrong")
        tab.type("#field-document", DOCUMENT)
        tab.click("Try it", "Nothing was changed")
        tab.inspect("try-tried")
        assert _titles(engine, tenant) == []
        tab.click("Take it in", "Taken in")
        assert _titles(engine, tenant) == ["Pilot"]
        person = tab.click("See the account", "Each with the source that set it").url

        tab.go(f"{person}/records", "What it says, as it said it")
        tab.click("Try with another document", "Trying changes nothing")
        tab.type("#field-document", DOCUMENT.replace("Pilot", "Captain"))
        tab.click("Try it", "Captain")
        tab.click("Take it in", "Taken in")
        assert _titles(engine, tenant) == ["Captain"]
        timeline = tab.go(f"{person}/timeline", "help_desk-")
        assert re.search(r"title\W+Pilot\W+Captain", timeline.text), timeline.text


READ = ["", "/roles", "/sessions", "/records", "/timeline", "/steps"]
ELSEWHERE = ["groups", "groups/unmapped", "groups/order", "duplicates", "runs", "sources", "provisioning"]


def test_an_auditor_reads_everything_and_acts_nowhere(
    demo: Demo, people: str, demo_engine: sa.Engine, stand: Stage, enter: Enter
) -> None:
    here = f"{people}/{called(demo_engine, stand.tenant, 'Mei Tanaka')}"
    tab = enter("auditor")
    for page in (*(here + view for view in READ), *(f"{demo.rollcall}/admin/{one}" for one in ELSEWHERE)):
        assert tab.go(page).status == 200, page
        tab.find("main:not(:has(form[method='post']))")
    assert tab.go(f"{demo.rollcall}/admin/try", "Not for your role").status == 403
    for path, fields in (("/suspend", {"suspended": "yes"}), ("/sessions", {"everywhere": "yes"}), ("/derive", {})):
        assert _is_refused(demo, demo_engine, stand, "auditor", here + path, **fields)


def test_a_help_desk_acts_on_one_person_alone(
    demo: Demo, people: str, demo_engine: sa.Engine, stand: Stage, enter: Enter
) -> None:
    here = f"{people}/{called(demo_engine, stand.tenant, 'Mei Tanaka')}"
    tab = enter("help_desk")
    tab.go(here, "Each with the source that set it")
    tab.find("main:has(form[action$='/suspend']):has(form[action$='/derive']):not(:has(form[action$='/value']))")
    tab.find("main:not(:has(a[href$='/merge'])):not(:has(a[href$='/split']))")
    for page in ELSEWHERE:
        tab.go(f"{demo.rollcall}/admin/{page}")
        tab.find("main:not(:has(form[method='post']))")
    for path, fields in (
        (f"{here}/value", {"attribute": "title", "value": "Queen"}),
        (f"{here}/role", {"role": "admin"}),
        (f"{demo.rollcall}/admin/groups/new", {"kind": "group", "match": "Everyone", "role": "admin"}),
    ):
        assert _is_refused(demo, demo_engine, stand, "help_desk", path, **fields)


def _signed_in(demo: Demo, tab: Tab, name: str) -> None:
    tab.go(f"{demo.academy}sign-in", "Everybody else")
    tab.click(name, f"Hello, {name}")


def _is_over(demo: Demo, tab: Tab) -> bool:
    return "your session is over" in tab.go(demo.academy).text


def _titles(engine: sa.Engine, tenant: Tenant) -> list[str]:
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.attributes).where(t.accounts.c.tenant_id == tenant.id)
        return [said["title"] for said in conn.execute(chosen).scalars()]


def _is_refused(demo: Demo, engine: sa.Engine, stand: Stage, role: str, url: str, /, **fields: str) -> bool:
    """Whether a form of nobody's page, from somebody of that role with the right token, is refused for the role."""
    held = console_tabs.secret(engine, stand.tenant.id, role)
    sent, cookies = {**fields, "csrf": csrf_of(held)}, {cookie_name(demo.rollcall): held}
    answer = requests.post(url, sent, cookies=cookies, timeout=30)
    return answer.status_code == 403 and "Not for your role" in answer.text
