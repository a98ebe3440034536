"""The demo as a person sees it, in a real browser: with JavaScript and without, on a telephone and on a screen."""

from __future__ import annotations

import pytest

from tests.journeys.chromium import Chromium
from tests.journeys.demo_served import Demo

pytestmark = pytest.mark.journey


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_somebody_signs_in_is_deactivated_comes_back_and_signs_out(demo: Demo, chrome: Chromium, scripts: bool) -> None:
    with chrome.tab(demo.rollcall, demo.academy, scripts=scripts) as tab:
        assert "It keeps no passwords" in tab.go(demo.academy, "Sign in").text
        tab.inspect("academy")
        assert "/id/authorize" in tab.click("Sign in", "Everybody else").url
        tab.inspect("kestrel-id")
        page = tab.click("Sofia Almeida", "Hello, Sofia Almeida")
        assert '"roles": [' in page.text
        tab.inspect("academy-signed-in")

        # Deactivated from elsewhere: the page asks again by itself.
        with chrome.tab(demo.rollcall, demo.academy, scripts=scripts) as other:
            other.go(f"{demo.academy}sign-in", "Everybody else")
            other.click("Sofia Almeida", "Hello, Sofia Almeida")
            other.click("Let Okta deactivate Sofia", "your session is over")
            other.inspect("academy-over")
            assert "Rollcall answered 401" in tab.see("your session is over").text

            tab.click("Sign in", "Everybody else")
            page = tab.click("Sofia Almeida", "You are not signed in")
            assert (page.status, "Your account is not active" in page.text) == (403, True)
            assert "give this code" in page.text
            tab.inspect("refused")

            other.click("Let Okta bring Sofia back", "Rollcall answered")
        tab.go(demo.academy, "your session is over")
        tab.click("Sign in", "Everybody else")
        tab.click("Sofia Almeida", "Hello, Sofia Almeida")
        page = tab.click("Sign out", "It keeps no passwords")
        assert page.url == demo.academy
