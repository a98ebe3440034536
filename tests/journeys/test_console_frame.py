"""What every page of the console has, in a real browser: palette, shortcuts, theme; and all without scripts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.journeys import console_pages
from tests.journeys.chromium import Chromium, Tab
from tests.journeys.console_pages import Session
from tests.journeys.demo_served import Demo

pytestmark = pytest.mark.journey


@pytest.fixture(scope="module")
def session(demo: Demo) -> Session:
    return console_pages.enter(demo)


@pytest.fixture
def inside(demo: Demo, chrome: Chromium, session: Session) -> Iterator[Tab]:
    with chrome.tab(demo.rollcall, scripts=True) as tab:
        tab.cookie(demo.rollcall, session.name, session.value)
        yield tab


@pytest.fixture
def plain(demo: Demo, chrome: Chromium, session: Session) -> Iterator[Tab]:
    """A browser without JavaScript."""
    with chrome.tab(demo.rollcall, scripts=False) as tab:
        tab.cookie(demo.rollcall, session.name, session.value)
        yield tab


def test_the_palette_leads_to_pages_and_people(demo: Demo, inside: Tab) -> None:
    inside.go(f"{demo.rollcall}/admin")
    inside.keys("Control+k", see="Pages")
    inside.inspect("console-palette")
    inside.keys(*"almei", see="Sofia Almeida")
    inside.keys("Enter")
    assert "/admin/people/" in inside.see("Sofia Almeida").url
    inside.keys("Control+k", see="Pages")
    inside.keys(*"healt")
    inside.find('#palette-list [aria-selected="true"][href="/admin/health"]')
    inside.keys("Enter")
    assert inside.see("This installation").url == f"{demo.rollcall}/admin/health"


def test_shortcuts_are_listed_and_lead_on(demo: Demo, inside: Tab) -> None:
    inside.go(f"{demo.rollcall}/admin")
    inside.keys("?", see="Keyboard shortcuts")
    inside.find("#shortcuts[open]")
    inside.inspect("console-shortcuts")
    inside.keys("Escape", "g", "2")
    inside.see("One account a person")
    inside.keys("/")
    inside.find("#search-q:focus")
    inside.keys("?")  # what is typed is text
    inside.find("body:not(:has(dialog[open])) #search-q:focus")


def test_a_list_is_narrowed_while_one_types_and_the_focus_stays(demo: Demo, inside: Tab) -> None:
    inside.go(f"{demo.rollcall}/admin/people", "Sofia Almeida")
    inside.keys("/", *"tanaka")
    inside.find('main:not(:has-text("Sofia Almeida"))')
    inside.find("#search-q:focus")
    assert inside.see("Mei Tanaka").url.endswith("q=tanaka&status=&role=&source=")


def test_a_theme_is_kept_and_written_by_the_server(demo: Demo, inside: Tab) -> None:
    inside.go(f"{demo.rollcall}/admin/audit")
    inside.press(".bar-menu summary")
    inside.press('.bar-panel [name="theme"][value="dark"]')
    inside.find('html[data-bs-theme="dark"]')
    assert inside.go(f"{demo.rollcall}/admin/health").url.endswith("/health")
    inside.find('html[data-bs-theme="dark"]')
    inside.inspect("console-dark")


def test_everything_works_without_scripts(demo: Demo, plain: Tab) -> None:
    plain.go(f"{demo.rollcall}/admin")
    plain.press(".bar-menu summary")
    plain.inspect("console-menu")
    plain.press(".bar a[href='/admin/find']")
    plain.type("#search-q", "almei")
    plain.press(".filters-button")
    assert plain.see("Sofia Almeida").status == 200
    plain.press("a.palette-option[href^='/admin/people/']")
    plain.inspect("console-person")
    plain.press(".bar-menu summary")
    plain.press('.bar-panel [name="theme"][value="dark"]')
    plain.find('html[data-bs-theme="dark"]')
    plain.press(".bar-menu summary")
    plain.press(".bar-panel [action='/admin/theme'] [value='system']")
    plain.find("html:not([data-bs-theme])")
