"""The pages of signing in: no JavaScript needed, nothing kept, a policy that lets forms go where they must."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from flask import Flask, Response

import app as application
from sso import pages

NOW = datetime(2026, 11, 25, 9, 30, tzinfo=UTC)


@pytest.fixture
def made() -> Flask:
    return Flask(application.__name__, static_folder="static", template_folder="templates")


def _all(made: Flask) -> dict[str, Response]:
    device = SimpleNamespace(id="1", agent="Firefox on Linux", since=NOW, address="192.0.2.7", mine=True)
    choice = SimpleNamespace(title="Acme <Okta>", href="/sign-in/acme/okta?flow=x")
    with made.test_request_context("/"):
        return {
            "chooser": pages.page(
                "chooser.html", tenant="acme", choices=[choice], by_email=True, action="/sign-in/acme"
            ),
            "continue": pages.leading_to("https://idp.example/?a=1&b=2", "On we go."),
            "post": pages.posting_to("https://idp.example:8443/sso?x=1", {"SAMLRequest": 'a"b'}, "On we go."),
            "refused": pages.page("refused.html", 403, heading="Not signed in", sentence="No.", code="ABCD-EFGH"),
            "signed out": pages.page("signed_out.html", again="/sign-in/acme"),
            "devices": pages.page(
                "devices.html", tenant="acme", name="Ada", devices=[device], action="/sign-out/acme", token="t"
            ),
        }


def test_each_page_is_private_and_strict(made: Flask) -> None:
    for name, answer in _all(made).items():
        policy = answer.headers["Content-Security-Policy"]
        assert answer.headers["Cache-Control"] == "no-store", name
        assert answer.headers["Referrer-Policy"] == "no-referrer", name
        assert "default-src 'none'" in policy, name
        assert "frame-ancestors 'none'" in policy, name
        assert "unsafe" not in policy, name
        assert ("script-src 'self'" in policy) == (name == "post"), name
        text = answer.get_data(as_text=True)
        assert not re.search(r"<script>|\son\w+=|style=|javascript:", text), name
        assert '<html lang="en">' in text, name
        assert text.count("<h1>") == 1, name
        assert re.search(r"<title>[^<]+</title>", text), name
        assert "width=device-width" in text, name


def test_every_field_has_a_label(made: Flask) -> None:
    for name, answer in _all(made).items():
        text = answer.get_data(as_text=True)
        shown = re.findall(r'<input id="(\w+)"', text)
        assert re.findall(r'<label for="(\w+)"', text) == shown, name
        assert text.count("<input") == len(shown) + text.count('type="hidden"'), name


def test_what_others_wrote_is_escaped(made: Flask) -> None:
    found = _all(made)
    assert "Acme &lt;Okta&gt;" in found["chooser"].get_data(as_text=True)
    assert 'value="a&#34;b"' in found["post"].get_data(as_text=True)
    assert "url=https://idp.example/?a=1&amp;b=2" in found["continue"].get_data(as_text=True)


def test_a_form_goes_to_us_or_to_the_one_identity_provider(made: Flask) -> None:
    found = _all(made)
    assert "form-action https:;" in found["post"].headers["Content-Security-Policy"]
    assert "form-action 'self';" in found["chooser"].headers["Content-Security-Policy"]


def test_nothing_is_posted_twice(made: Flask) -> None:
    with made.test_request_context("/", method="POST"):
        answer = pages.onward("/somewhere")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")


def _luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    low, high = sorted((_luminance(one), _luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_colours_can_be_read_in_light_and_dark(made: Flask) -> None:
    """WCAG 2.2 §1.4.3 for text, §1.4.11 for the borders of what is pressed."""
    assert made.static_folder
    with open(f"{made.static_folder}/sign_in.css", encoding="utf-8") as file:
        sheets = re.findall(r":root \{([^}]*)\}", file.read())
    assert len(sheets) == 2
    for sheet in sheets:
        colours = dict(re.findall(r"--([\w-]+): (#\w{6})", sheet))
        for ink, paper in [("ink", "card"), ("soft", "card"), ("on-act", "act"), ("ink", "mild"), ("soft", "paper")]:
            assert _contrast(colours[ink], colours[paper]) >= 4.5, (ink, paper)
        for edge in ("line", "act"):
            assert _contrast(colours[edge], colours["card"]) >= 3, edge
