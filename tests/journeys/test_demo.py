"""What `make run` shows: the story told, then anybody signs in, and whom Okta deactivates is out."""

from __future__ import annotations

import html
import json
import re

import pytest

from app.demo import stage
from tests.journeys.browser import Browser, Page
from tests.journeys.demo_served import Demo
from tests.waiting import soon

pytestmark = pytest.mark.journey

LEARNER, INSTRUCTOR, ADMINISTRATOR, LEAVER = "1009", "1005", "1001", "1008"


@pytest.fixture
def academy(demo: Demo) -> str:
    """The address of the demo's learning platform."""
    return demo.academy


def _signed_in(browser: Browser, academy: str, number: str) -> Page:
    choice = browser.get(f"{academy}sign-in")
    assert choice.path == "/id/authorize", choice.text
    return browser.get(choice.link(f"/id/as/{number}"))


def _claims(page: Page) -> dict[str, object]:
    found = re.search(r"<pre>(\{.*?\})</pre>", page.text, re.DOTALL)
    assert found, page.text
    claims: dict[str, object] = json.loads(html.unescape(found[1]))
    return claims


@pytest.mark.parametrize(
    ("number", "name", "roles"),
    [
        (LEARNER, "Sofia Almeida", ["learner"]),
        (INSTRUCTOR, "Priya Raman", ["instructor"]),
        (ADMINISTRATOR, "Amara Okafor", ["admin"]),
    ],
    ids=["learner", "instructor", "administrator"],
)
def test_somebody_signs_in_and_the_platform_shows_what_it_was_told(
    academy: str, number: str, name: str, roles: list[str]
) -> None:
    with Browser() as browser:
        page = _signed_in(browser, academy, number)
        assert page.url == academy
        assert f"Hello, <strong>{name}</strong>" in page.text
        assert "answered <strong>204</strong>" in page.text
        claims = _claims(page)
        assert (claims["roles"], claims["name"], claims["tenant"]) == (roles, name, stage.TENANT)


def test_whom_okta_deactivates_is_out_and_comes_back_only_by_okta(academy: str) -> None:
    with Browser() as browser:
        _signed_in(browser, academy, LEARNER)
        browser.post(f"{academy}okta/leave", {})
        # A server process that has just said yes may say so for a second more.
        assert soon(lambda: "your session is over" in browser.get(academy).text)
        assert "answered <strong>401</strong>" in browser.get(academy).text

        refused = _signed_in(browser, academy, LEARNER)
        assert refused.status == 403
        assert "Your account is not active" in refused.text

        browser.post(f"{academy}okta/return", {})
        assert "your session is over" in browser.get(academy).text  # coming back revives no session
        assert "Hello, <strong>Sofia Almeida</strong>" in _signed_in(browser, academy, LEARNER).text


def test_whom_hr_ended_is_refused(academy: str) -> None:
    with Browser() as browser:
        assert _signed_in(browser, academy, LEAVER).status == 403


def test_signing_out_ends_the_session_and_leads_back(academy: str) -> None:
    with Browser() as browser:
        _signed_in(browser, academy, INSTRUCTOR)
        page = browser.post(f"{academy}sign-out", {})
        assert page.url == academy
        assert "/sign-in" in page.link("/sign-in")
        assert browser.get(f"{academy}sign-in").path == "/id/authorize"
