"""The doors of signing in, over a keeper in memory and providers that say what they are told."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sso import cookies
from sso.connections import Connection, Saml
from sso.demands import Demands
from sso.keeping import Aim
from tests.sso.desk import ACME, BASE, ENTRA, OKTA, Desk, Told, desk_of, web

FORM = "application/x-www-form-urlencoded"
SESSION = cookies.session(BASE, ACME.id)
PENDING = cookies.pending_cookie(BASE).name


def client(desk: Desk, side: Told | None = None) -> FlaskClient:
    return web(desk, side or Told()).test_client()


def get(browser: FlaskClient, path: str) -> TestResponse:
    return browser.get(path, base_url=BASE)


def post(browser: FlaskClient, path: str, data: Any, **more: Any) -> TestResponse:
    return browser.post(path, data=data, base_url=BASE, **{"content_type": FORM, **more})


def acs(connection: Connection = OKTA) -> str:
    return f"/saml/{connection.id}/acs"


def cookie(browser: FlaskClient, name: str) -> str | None:
    found = browser.get_cookie(name, domain="hub.example.com")
    return found.value if found else None


def signed_in(desk: Desk, side: Told | None = None, id: str = "a1") -> FlaskClient:
    browser = client(desk, side)
    get(browser, "/sign-in/acme")
    key = next(key for (_, key), (_, known) in desk.pending.items() if known == cookie(browser, PENDING))
    assert post(browser, acs(), f"key={key}&subject=ada&id={id}&session=s-{id}").status_code == 303
    return browser


def code(desk: Desk) -> str:
    return desk.traces[-1][0]


def test_one_connection_leads_straight_on() -> None:
    desk, side = desk_of(OKTA), Told()
    answer = get(client(desk, side), "/sign-in/acme")
    assert (answer.status_code, answer.location) == (303, "https://idp.example/sso?key=key-1")
    assert answer.headers["Cache-Control"] == "no-store"
    set_cookie = answer.headers["Set-Cookie"]
    assert set_cookie.startswith(PENDING + "=")
    for attribute in ("Secure", "HttpOnly", "SameSite=None", "Path=/", "Max-Age=600"):
        assert attribute in set_cookie


def test_several_are_offered_and_disabled_ones_are_not() -> None:
    desk = desk_of(OKTA, ENTRA)
    desk.all["x"] = replace(OKTA, id="x", name="old", title="Old one", enabled=False)
    page = get(client(desk), "/sign-in/acme?flow=a%26b").get_data(as_text=True)
    assert re.findall(r'href="(/sign-in[^"]*)">(\w+)<', page) == [
        ("/sign-in/acme/okta?flow=a%26b", "Okta"),
        ("/sign-in/acme/entra?flow=a%26b", "Entra"),
    ]
    assert "email" not in page


def test_an_address_leads_to_its_domain_and_is_told_to_the_provider() -> None:
    desk, side = desk_of(OKTA, ENTRA), Told()
    desk.all[ENTRA.id] = replace(ENTRA, domains=("acme.example",))
    browser = client(desk, side)
    key = desk.keep(ACME.id, Aim("/oauth/authorize?x=1", Demands(force=True)))
    assert 'type="email"' in get(browser, f"/sign-in/acme?flow={key}").get_data(as_text=True)
    answer = post(browser, f"/sign-in/acme?flow={key}", {"email": "ada@acme.example"})
    assert answer.status_code == 200  # no redirect: browsers would stop it after a form
    href = re.search(r'url=(/sign-in/acme/entra\?flow=[\w-]+)"', answer.get_data(as_text=True))
    assert href
    get(browser, href.group(1))
    assert side.asked == [Demands(force=True, login_hint="ada@acme.example")]
    page = post(browser, f"/sign-in/acme?flow={key}", {"email": "ada@else.example"}).get_data(as_text=True)
    assert "No sign-in belongs to this address" in page
    assert 'value="ada@else.example"' in page
    assert "Okta" in page
    assert "Entra" in page


def test_what_does_not_exist_is_one_page() -> None:
    browser = client(desk_of(OKTA))
    pages = [
        get(browser, path)
        for path in (
            "/sign-in/other",
            "/sign-in/ACME",
            "/sign-in/acme/other",
            "/sign-in/acme/%00",
            "/sign-in/%00",
            "/signed-in/other",
            "/saml/0190d3a4-0000-7000-8000-000000000099",
            "/saml/x",
            f"/oidc/{OKTA.id}/callback?key=1",
        )
    ]
    assert {page.status_code for page in pages} == {404}
    assert len({page.get_data() for page in pages}) == 1
    assert "acme" not in pages[0].get_data(as_text=True)


def test_a_tenant_without_connections_says_so() -> None:
    answer = get(client(desk_of(OKTA, enabled=False)), "/sign-in/acme")
    assert (answer.status_code, "Nobody can sign in here" in answer.get_data(as_text=True)) == (404, True)


def test_a_connection_that_is_switched_off_starts_nothing_and_takes_nothing() -> None:
    desk = desk_of(OKTA)
    browser = client(desk)
    get(browser, "/sign-in/acme")
    desk.all[OKTA.id] = replace(OKTA, enabled=False)
    assert get(browser, "/sign-in/acme/okta").status_code == 403
    assert code(desk) == "disabled"
    assert post(browser, acs(), "key=key-1&subject=ada&id=a1").status_code == 403
    assert code(desk) == "disabled"
    assert desk.sessions == {}


def test_a_provider_that_takes_forms_gets_one() -> None:
    answer = get(client(desk_of(OKTA), Told(posts=True)), "/sign-in/acme")
    assert answer.status_code == 200
    assert "form-action https:;" in answer.headers["Content-Security-Policy"]
    assert 'action="https://idp.example/sso"' in answer.get_data(as_text=True)
    assert PENDING in answer.headers["Set-Cookie"]


def test_an_answer_signs_in_and_leads_where_the_person_was_going() -> None:
    desk, side = desk_of(OKTA), Told()
    browser = client(desk, side)
    key = desk.keep(ACME.id, Aim("/oauth/authorize?client_id=lms", Demands(max_age=60)))
    get(browser, f"/sign-in/acme?flow={key}")
    answer = post(browser, acs(), "key=key-1&subject=ada&id=a1&relay=https://evil.example")
    assert (answer.status_code, answer.location) == (303, "/oauth/authorize?client_id=lms")
    assert answer.headers["Cache-Control"] == "no-store"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    set_cookie = answer.headers["Set-Cookie"]
    assert set_cookie.startswith(SESSION + "=")
    for attribute in ("Secure", "HttpOnly", "SameSite=Lax", "Path=/"):
        assert attribute in set_cookie
    assert "Domain" not in set_cookie
    assert side.asked == [Demands(max_age=60)]
    assert side.expected[0] is not None
    assert "Ada Lovelace" in get(browser, "/signed-in/acme").get_data(as_text=True)


def test_openid_answers_come_by_query_or_form() -> None:
    desk = desk_of(ENTRA)
    browser = client(desk)
    get(browser, "/sign-in/acme")
    assert get(browser, f"/oidc/{ENTRA.id}/callback?key=key-1&subject=ada&id=a1").status_code == 303
    get(browser, "/sign-in/acme")
    assert post(browser, f"/oidc/{ENTRA.id}/callback", "key=key-2&subject=ada&id=a2").status_code == 303


def test_several_tabs_wait_at_once() -> None:
    desk = desk_of(OKTA)
    browser = client(desk)
    for _ in range(3):
        get(browser, "/sign-in/acme")
    for number in (2, 1, 3):
        assert post(browser, acs(), f"key=key-{number}&subject=ada&id=a{number}").status_code == 303


def test_an_answer_is_taken_once() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    assert post(browser, acs(), "key=key-1&subject=ada&id=a2").status_code == 403
    assert code(desk) == "unknown_request"
    get(browser, "/sign-in/acme")
    assert post(browser, acs(), "key=key-2&subject=ada&id=a1").status_code == 403
    assert code(desk) == "replayed"


def test_another_browser_s_answer_is_refused_and_leaves_the_request() -> None:
    desk, side = desk_of(OKTA), Told()
    made = web(desk, side)
    asking, other, without = made.test_client(), made.test_client(), made.test_client()
    get(asking, "/sign-in/acme")
    get(other, "/sign-in/acme")
    assert post(other, acs(), "key=key-1&subject=ada&id=a1").status_code == 403
    assert (code(desk), desk.traces[-1][1][-1]["detail"]) == ("other_browser", "another browser asked")
    assert post(without, acs(), "key=key-1&subject=ada&id=a1").status_code == 403
    assert code(desk) == "other_browser"
    assert "the cookie did not come back" in desk.traces[-1][1][-1]["detail"]
    assert post(asking, acs(), "key=key-1&subject=ada&id=a1").status_code == 303


def test_the_answer_of_one_connection_is_not_another_s() -> None:
    desk = desk_of(OKTA)
    desk.all[ENTRA.id] = replace(OKTA, id=ENTRA.id, name="second")
    browser = client(desk)
    get(browser, "/sign-in/acme/okta")
    assert post(browser, acs(ENTRA), "key=key-1&subject=ada&id=a1").status_code == 403
    assert code(desk) == "unknown_request"


def test_nobody_asked() -> None:
    desk = desk_of(OKTA)
    assert post(client(desk), acs(), "subject=ada&id=a1").status_code == 403
    assert code(desk) == "unsolicited"
    assert isinstance(OKTA.settings, Saml)
    desk = desk_of(OKTA, settings=replace(OKTA.settings, allow_unsolicited=True))
    assert post(client(desk), acs(), "subject=ada&id=a1").location == "/signed-in/acme"
    assert post(client(desk), acs(), "subject=ada&id=a2&relay=/courses").location == "/courses"
    for relay in ("https://evil.example", "//evil.example", "/other"):
        assert post(client(desk), acs(), {"subject": "ada", "id": relay, "relay": relay}).location == "/signed-in/acme"
    waiting = client(desk)
    get(waiting, "/sign-in/acme")
    assert post(waiting, acs(), "subject=ada&id=a3").status_code == 403
    assert code(desk) == "unsolicited"
    assert "waits" in desk.traces[-1][1][-1]["detail"]


def test_a_refusal_shows_one_sentence_and_a_code() -> None:
    desk = desk_of(OKTA)
    browser = client(desk)
    get(browser, "/sign-in/acme")
    answer = post(browser, acs(), "key=key-1&subject=eve&id=a1")
    page = answer.get_data(as_text=True)
    assert answer.status_code == 403
    assert "You do not have an account here yet." in page
    assert "K7F-0001" in page
    assert "eve" not in page
    assert "not_provisioned" not in page
    reason, steps = desk.traces[0]
    assert [(step["check"], step["ok"]) for step in steps] == [
        ("request", True),
        ("answer", True),
        ("claims", True),
        ("not_provisioned", False),
    ]
    assert reason == "not_provisioned"
    assert "Okta" in steps[-1]["remedy"]
    assert "eve@" not in str(steps)
    assert "mail (1)" in steps[2]["detail"]


def test_a_provider_that_does_not_answer_is_said_to_be_away() -> None:
    desk = desk_of(ENTRA)
    answer = get(client(desk, Told(unreachable=True)), "/sign-in/acme")
    assert (answer.status_code, code(desk)) == (503, "provider_unreachable")


@pytest.mark.parametrize(
    ("data", "kind", "status", "reason"),
    [
        (b"{}", "application/json", 400, "malformed"),
        (b"", "", 400, "malformed"),
        (b"key=" + b"a" * 2_000_000, FORM, 413, "too_large"),
    ],
)
def test_what_is_no_form_or_too_large_is_refused_unread(data: bytes, kind: str, status: int, reason: str) -> None:
    desk = desk_of(OKTA)
    answer = post(client(desk), acs(), data, content_type=kind)
    assert (answer.status_code, code(desk)) == (status, reason)


def test_each_sign_in_has_a_session_of_its_own_and_ends_the_one_before() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    before = cookie(browser, SESSION)
    browser.set_cookie(SESSION, before or "", domain="hub.example.com", secure=True)
    get(browser, "/sign-in/acme")
    kept = cookie(browser, SESSION)
    browser.delete_cookie(SESSION, domain="hub.example.com")  # an answer that another site posts comes without it
    post(browser, acs(), "key=key-2&subject=ada&id=a2")
    assert cookie(browser, SESSION) not in (None, before)
    assert kept == before
    assert [each.secret for each in desk.sessions.values()] == [cookie(browser, SESSION)]


def test_a_session_that_somebody_planted_is_never_taken_over() -> None:
    desk = desk_of(OKTA)
    browser = client(desk)
    planted = cookies.new_value()
    browser.set_cookie(SESSION, planted, domain="hub.example.com", secure=True)
    get(browser, "/sign-in/acme")
    post(browser, acs(), "key=key-1&subject=ada&id=a1")
    assert cookie(browser, SESSION) != planted


def test_metadata_is_served() -> None:
    answer = get(client(desk_of(OKTA)), f"/saml/{OKTA.id}")
    assert (answer.mimetype, answer.get_data(as_text=True)) == ("application/samlmetadata+xml", OKTA.id)


def test_no_answer_of_any_door_may_be_kept_or_told_to_the_next_site() -> None:
    made = web(desk_of(OKTA, ENTRA), Told())
    browser = made.test_client()
    rules = [rule for rule in made.url_map.iter_rules() if rule.endpoint.startswith("sign_in.")]
    assert len(rules) > 10
    for rule in rules:
        for id in (OKTA.id, ENTRA.id, "x"):
            path = rule.rule.replace("<tenant>", "acme").replace("<name>", "okta").replace("<id>", id)
            for method in sorted((rule.methods or set()) & {"GET", "POST"}):
                answer = browser.open(path, method=method, base_url=BASE, data=b"bad=signature", content_type=FORM)
                assert answer.headers["Cache-Control"] == "no-store", (method, path)
                assert answer.headers["Referrer-Policy"] == "no-referrer", (method, path)


@pytest.mark.parametrize("path", [acs(), "/sign-out/acme"])
def test_who_comes_back_without_the_form_gets_a_page(path: str) -> None:
    answer = get(client(desk_of(OKTA)), path)
    assert (answer.status_code, answer.headers["Allow"]) == (405, "POST")
    assert "start from your learning platform" in answer.get_data(as_text=True)


def test_an_address_that_begins_too_much_must_wait_and_nothing_is_kept() -> None:
    desk, asked = desk_of(OKTA, replace(ENTRA, domains=("acme.example",))), []

    def pace(address: str) -> int:
        asked.append(address)
        return 7

    browser = web(desk, Told(), pace).test_client()
    for answer in (
        get(browser, "/sign-in/acme/okta"),
        get(browser, "/sign-in/acme/entra"),
        post(browser, "/sign-in/acme", {"email": "ada@acme.example"}),
    ):
        assert (answer.status_code, answer.headers["Retry-After"]) == (429, "7")
        assert "Too many sign-ins begin from your network" in answer.get_data(as_text=True)
    assert (desk.pending, desk.aims, asked) == ({}, {}, ["127.0.0.1"] * 3)
    assert get(browser, "/sign-in/acme").status_code == 200  # to choose costs nothing


def test_what_a_browser_says_of_itself_is_kept_as_plain_text() -> None:
    """It is shown in terminals too, where U+009B begins a command."""
    desk = desk_of(OKTA)
    browser = client(desk)
    browser.environ_base["HTTP_USER_AGENT"] = "Evil\x9b31m Firefox/1"
    get(browser, "/sign-in/acme")
    key = next(key for _, key in desk.pending)
    assert post(browser, acs(), f"key={key}&subject=ada&id=a1").status_code == 303
    assert [each.agent for each in desk.sessions.values()] == ["Evil 31m Firefox/1"]
