"""Every page of the console in a real browser: light and dark, on a telephone and on a screen, axe, and its policy.

JOURNEY_SCREENSHOTS keeps what was seen; `make screenshots` is this.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import requests

from tests.journeys import console_pages, console_scene
from tests.journeys.chromium import Chromium, Tab
from tests.journeys.console_pages import Session
from tests.journeys.demo_served import Demo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def session(demo: Demo) -> Session:
    console_scene.build(demo)
    return console_pages.enter(demo)


@pytest.fixture(scope="module")
def inside(demo: Demo, chrome: Chromium, session: Session) -> Iterator[Tab]:
    """A browser that is in the console."""
    with chrome.tab(demo.rollcall, scripts=True) as tab:
        tab.cookie(demo.rollcall, session.name, session.value)
        yield tab


@pytest.mark.parametrize("rule", console_pages.rules())
def test_a_page_is_faultless(demo: Demo, inside: Tab, session: Session, rule: str) -> None:
    if rule in console_pages.WITHOUT:
        pytest.skip(console_pages.WITHOUT[rule])
    url = demo.rollcall + console_pages.address_in(demo, rule)
    answer = requests.get(url, cookies={session.name: session.value}, timeout=30)
    assert answer.status_code == 200
    if not answer.headers["Content-Type"].startswith("text/html"):
        return  # a file to be kept
    assert answer.text.count("<h1") == 1
    assert console_pages.loose(answer.text) == []
    assert inside.go(url).status == 200
    inside.inspect(f"console-{console_pages.name_of(rule)}")
