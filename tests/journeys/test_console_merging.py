"""What the demo leaves for a person to decide, in a real browser: a doubt, and a file that the guard holds.

Each decision is taken back at the end, so that the demo is as it was but for somebody hired.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from app.demo import stage, waiting
from app.demo.people import DOMAIN, PEOPLE
from app.demo.stage import Stage
from app.demo.story import HR_FILE
from app.store import tables as t
from app.store.engine import reading
from app.sync import imports
from tests.journeys import console_tabs
from tests.journeys.chromium import Chromium
from tests.journeys.console_tabs import Enter
from tests.journeys.demo_served import Demo
from tests.waiting import soon

pytestmark = pytest.mark.journey


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


def accounts(engine: sa.Engine, stand: Stage, family: str) -> dict[str, str]:
    """Accounts of that family name: id -> status."""
    with reading(engine) as conn:
        chosen = sa.select(t.accounts.c.id, t.accounts.c.status, t.accounts.c.attributes)
        rows = conn.execute(chosen.where(t.accounts.c.tenant_id == stand.tenant.id)).all()
    return {str(row.id): row.status for row in rows if row.attributes.get("familyName") == family}


def test_two_accounts_become_one_and_two_again(demo: Demo, demo_engine: sa.Engine, stand: Stage, enter: Enter) -> None:
    before = accounts(demo_engine, stand, "Bianchi")
    assert len(before) == 2
    tab = enter("admin")
    tab.go(f"{demo.rollcall}/admin/duplicates", "Lucia Bianchi")
    page = tab.press("tr:has-text('Lucia Bianchi') a[href*='/duplicates/']", "Speaks for")
    assert "luca.bianchi@kestrel.example" in page.text
    tab.inspect("duplicates-evidence")
    page = tab.click("One person: preview the merge", "What the account would be")
    assert "It can be taken back" in page.text
    assert not re.search(r"[0-9a-f]{8}-[0-9a-f]{4}-", page.text)  # managers are called by their names
    tab.inspect("merging-preview")
    assert accounts(demo_engine, stand, "Bianchi") == before
    tab.type("#field-reason", "one man, typed twice")
    kept = tab.click("Merge", "One person now").url
    [id] = accounts(demo_engine, stand, "Bianchi")
    assert kept.endswith(id)
    [away] = before.keys() - {id}
    page = tab.go(f"{demo.rollcall}/admin/people/{away}", "its id means this person now")
    assert page.url == kept
    tab.inspect("merging-kept")

    tab.click("Split this account", "Another person's records")
    tab.click("Take that back", "What it would come to")
    tab.inspect("merging-split")
    tab.type("#field-reason", "they are cousins")
    new = tab.click("Split into two", "Two people now").url
    assert new != kept
    assert len(accounts(demo_engine, stand, "Bianchi")) == 2
    tab.go(f"{demo.rollcall}/admin/duplicates")
    tab.find("main:has(h1):not(:has-text('Lucia Bianchi'))")

    tab.go(f"{kept}/merge", "Find the other account")
    tab.keys("/", *"bianchi")
    tab.click("Put side by side", "Somebody said that these are two people")
    tab.inspect("merging-told-apart")


def test_a_pair_is_told_apart(demo: Demo, demo_engine: sa.Engine, stand: Stage, enter: Enter) -> None:
    hired = {**waiting.HIRED, "id": "H-022", "employeeNumber": "1022", "givenName": "Hannah", "familyName": "Nowak"}
    hired |= {"displayName": "Hannah Nowak", "email": f"hana.novak@{DOMAIN}"}
    imports.submit(demo_engine, stand.tenant.id, stand.hr, [hired], actor="hr", wait=True)
    tab = enter("admin", scripts=False)
    tab.go(f"{demo.rollcall}/admin/duplicates", "Hannah Nowak")
    tab.inspect("duplicates-waiting")
    tab.press("tr:has-text('Hannah Nowak') a[href*='/duplicates/']", "Side by side")
    tab.inspect("duplicates-evidence")
    tab.type("#apart-reason-1", "both were seen at once")
    tab.click("Two people", "The pair is not asked about again")
    tab.find("main:not(:has-text('Hannah Nowak'))")
    tab.click("Decided", "Hannah Nowak")
    tab.find("tr:has-text('Hannah Nowak'):has-text('two people')")
    tab.inspect("duplicates-decided")
    assert len(accounts(demo_engine, stand, "Nowak") | accounts(demo_engine, stand, "Novak")) == 2


def test_a_held_file_is_allowed_mended_by_the_next_and_another_is_rejected(
    demo: Demo, demo_engine: sa.Engine, stand: Stage, chrome: Chromium, enter: Enter
) -> None:
    gone = {person.family for person in PEOPLE if person.number in waiting.GONE}

    def statuses() -> set[str]:
        return {status for family in gone for status in accounts(demo_engine, stand, family).values()}

    tab = enter("admin")
    with chrome.tab(demo.rollcall, demo.academy, scripts=True) as learner:
        learner.go(f"{demo.academy}sign-in", "Everybody else")
        learner.click("Sofia Almeida", "Hello, Sofia Almeida")
        tab.go(f"{demo.rollcall}/admin", "Needs attention")
        tab.press(".attention a[href*='/admin/runs/']", "Read the list first")
        tab.inspect("runs-held-demo")
        tab.click("Allow", "Read the list first")  # the browser itself asks for the reason
        assert statuses() == {"active"}
        tab.type("#reason-allow", "The department is closed.")
        tab.click("Allow", "Everything in it is done.")
        assert statuses() == {"inactive"}
        learner.see("your session is over")  # nobody reloaded the page

        tab.go(f"{demo.rollcall}/admin/sources/{stand.hr.id}/upload")
        tab.attach("#field-file", "hr.csv", HR_FILE.read_text())
        tab.click("Show what it would do", "Applying does what the list shows")
        tab.inspect("runs-mending")
        tab.click("Apply", "Everything in it is done.")
        assert soon(lambda: statuses() == {"active"})
        learner.go(f"{demo.academy}sign-in", "Everybody else")
        learner.click("Sofia Almeida", "Hello, Sofia Almeida")

        waiting.leave(demo_engine, stand, "hr")
        tab.go(f"{demo.rollcall}/admin/runs?state=held")
        tab.press("tbody th a", "Read the list first")
        tab.type("#reason-reject", "Nobody left.")
        page = tab.click("Reject", "Nobody left.")
        assert "Rejected by" in page.text
        tab.inspect("runs-rejected")
        assert statuses() == {"active"}
        assert "Hello, Sofia Almeida" in learner.go(demo.academy, "Hello").text
