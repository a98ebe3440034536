"""The parts that pages are made of: each rendered by the example that documents it."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from flask import Flask, g, render_template_string

from app.console.assets import STATIC

TEMPLATES = Path(__file__).resolve().parents[2] / "app" / "templates" / "console"
LONG_AGO = datetime.now(UTC) - timedelta(days=3)


@pytest.fixture
def rendered(application: Flask) -> Any:
    def render(source: str, **values: Any) -> str:
        with application.test_request_context("/admin"):
            g.door_csrf = "token"
            return re.sub(
                r"\s+", " ", render_template_string(f'{{% import "console/macros.html" as m %}}{source}', **values)
            )

    return render


def test_an_icon_has_a_name_only_where_no_text_says_it(rendered: Any) -> None:
    assert 'aria-hidden="true"' in rendered('{{ m.icon("users") }}')
    assert 'role="img" aria-label="Locked"' in rendered('{{ m.icon("lock", "Locked") }}')


def test_a_moment_is_relative_and_its_title_exact(rendered: Any) -> None:
    html = rendered("{{ m.when(at) }}", at=LONG_AGO)
    assert ">3 days ago</time>" in html
    assert "UTC" in html
    assert ">never<" in rendered("{{ m.when(none) }}")


def test_a_badge_says_its_state_in_words(rendered: Any) -> None:
    assert rendered('{{ m.badge("Active", "success") }}') == '<span class="pill pill-success">Active</span>'


def test_what_people_wrote_is_escaped_everywhere(rendered: Any) -> None:
    evil = '"><script>x</script>'
    sources = (
        "{{ m.badge(evil) }}", "{{ m.copy(evil) }}", '{{ m.input("a", "A", value=evil, hint=evil, error=evil) }}',
        '{{ m.textarea("a", "A", value=evil) }}', '{{ m.select("a", "A", [(evil, evil)]) }}',
        '{{ m.facts([("a", evil)]) }}',
        "{{ m.empty(evil, evil) }}", '{{ m.diff({"a": evil}, {"a": [evil], "b": evil}) }}',
        "{{ m.code(evil, evil) }}",
        "{{ m.avatar(evil) }}", '{{ m.stat("a", evil, hint=evil) }}', "{{ m.progress(1, 2, evil) }}",
        "{% call m.note('warning', evil) %}{{ evil }}{% endcall %}", "{% call m.danger(evil) %}{% endcall %}",
        '{{ m.crumbs([(evil, evil)]) }}', '{{ m.tabs(evil, [(evil, evil, true)]) }}',
        '{{ m.steps([(evil, evil, "done")]) }}',
        '{{ m.search_field("q", evil, evil) }}', '{{ m.act("/a", evil, hidden={"a": evil}) }}',
    )  # fmt: skip
    for source in sources:
        assert "<script" not in rendered(source, evil=evil), source


def test_a_field_tells_what_is_wrong_where_it_is(rendered: Any) -> None:
    html = rendered('{{ m.input("email", "E-mail", "x", "email", hint="At work", error="No at sign", required=true) }}')
    assert 'aria-describedby="field-email-error field-email-hint" aria-invalid="true" required' in html
    assert 'id="field-email-error"' in html
    assert "optional" not in html
    assert "optional" in rendered('{{ m.input("email", "E-mail") }}')


def test_further_arguments_become_attributes(rendered: Any) -> None:
    html = rendered('{{ m.input("q", "Find", hx_get="/a?b=1&c=2", autofocus=true, maxlength=none) }}')
    assert 'hx-get="/a?b=1&amp;c=2" autofocus>' in html
    assert "maxlength" not in html


def test_a_choice_keeps_what_was_chosen(rendered: Any) -> None:
    html = rendered('{{ m.select("role", "Role", [("a", "Auditor"), ("o", "Owner"), "plain"], "o") }}')
    assert '<option value="o" selected>Owner</option>' in html
    assert '<option value="plain">plain</option>' in html
    assert html.count("selected") == 1
    assert "checked" in rendered('{{ m.checkbox("signed", "Signed", true) }}')


def test_forms_carry_the_token(rendered: Any) -> None:
    assert 'name="csrf" value="token"' in rendered('{{ m.act("/admin/x", "Do", hidden={"a": 1}) }}')


def test_what_destroys_is_folded_and_holds_its_form(rendered: Any) -> None:
    html = rendered('{% call m.danger("Revoke") %}<p>Okta can no longer write.</p>{% endcall %}')
    assert "<summary>" in html
    assert "Okta can no longer write." in html
    assert "open" not in html


def test_pages_go_on_only_where_there_is_more(rendered: Any) -> None:
    assert rendered("{{ m.pager() }}") == ""
    html = rendered('{{ m.pager(next="?after=a", first="?", shown=50) }}')
    assert 'href="?after=a" rel="next"' in html
    assert "50 shown" in html


def test_progress_has_an_end_or_none(rendered: Any) -> None:
    assert 'max="2000" value="120"' in rendered('{{ m.progress(120, 2000, "Deriving") }}')
    assert "max" not in rendered('{{ m.progress(0, none, "Waiting") }}')
    assert 'value="2000"' in rendered('{{ m.progress(2001, 2000, "Deriving") }}')


def test_steps_mark_where_one_is(rendered: Any) -> None:
    html = rendered('{{ m.steps([("Choose", "/a", "done"), ("Exchange", "/b", "now"), ("Test", "", "later")]) }}')
    assert html.count('aria-current="step"') == 1
    assert '<a href="/a">Choose</a>' in html
    assert 'href="/b"' not in html


def test_a_difference_shows_only_what_differs(rendered: Any) -> None:
    html = rendered("{{ m.diff({'a': 1, 'b': 'x'}, {'a': 2, 'b': 'x'}) }}")
    assert "<del><code>1</code></del>" in html
    assert "<ins><code>2</code></ins>" in html
    assert 'scope="row">b<' not in html
    assert "Nothing changed" in rendered("{{ m.diff({'a': 1}, {'a': 1}) }}")


def test_a_chart_is_a_table_first(rendered: Any) -> None:
    html = rendered('{{ m.chart("c", "Sign-ins", ["Succeeded"], [(at, 4)]) }}', at=LONG_AGO)
    assert "data-chart" in html
    assert '<td class="number">4</td>' in html


def test_the_rest_says_what_it_was_given(rendered: Any) -> None:
    assert "Make one" in rendered('{{ m.empty("None yet", "So.", "/new", "Make one") }}')
    assert 'aria-current="page"' in rendered('{{ m.tabs("Person", [("Values", "/a", true), ("More", "/b", false)]) }}')
    assert "AL" in rendered('{{ m.avatar("Ada Lovelace") }}')
    assert "—" in rendered('{{ m.facts([("Title", none)]) }}')
    html = rendered('{% call m.card("Tokens", id="tokens") %}x{% endcall %}')
    assert '<section class="card" id="tokens">' in html
    html = rendered('{% call m.table("People") %}<tbody></tbody>{% endcall %}')
    assert 'role="region" aria-label="People" tabindex="0"' in html
    html = rendered('{% call m.filters("/admin/people", "#rows") %}{{ m.search_field("q", "Search") }}{% endcall %}')
    assert 'hx-target="#rows" hx-select="#rows"' in html


def test_every_icon_that_a_page_names_was_vendored() -> None:
    there = set(re.findall(r'<symbol id="([^"]+)"', (STATIC / "vendor/tabler-icons/icons.svg").read_text("utf-8")))
    named = {
        name
        for file in TEMPLATES.rglob("*.html")
        for name in re.findall(r'icon(?:_name)?(?:\(|=)"([a-z0-9-]+)"', file.read_text("utf-8"))
    }
    named |= {
        name
        for file in (STATIC.parent / "console").rglob("*.py")
        for name in re.findall(r'Section\(\s*"[^"]+",\s*"[^"]+",\s*"([^"]+)"', file.read_text("utf-8"))
    }
    assert "users" in there
    assert named - there == set(), "add them to app/static/vendor/icons.txt and run `make vendor`"


def test_pages_hold_nothing_that_the_policy_forbids() -> None:
    forbidden = re.compile(
        r"<style|\bstyle=|\bon[a-z]+=\"|hx-on|\bjs:|javascript:|hx-trigger=\"[^\"]*\["
        r"|<script(?! (defer|type=\"module\") src)"
    )
    for file in TEMPLATES.rglob("*.html"):
        text = re.sub(r"\{#.*?#\}", "", file.read_text("utf-8"), flags=re.S)
        assert forbidden.search(text) is None, f"{file.name}: {forbidden.search(text)}"
