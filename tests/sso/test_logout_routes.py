"""The doors of signing out, from either end."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask.testing import FlaskClient

from sso.departing import form_token
from tests.sso.desk import BASE, ENTRA, OKTA, Desk, Told, desk_of
from tests.sso.test_routes import PENDING, SESSION, client, code, cookie, get, post, signed_in


def press(browser: FlaskClient, which: str) -> str:
    """Sign out, as the page of devices does; the answer's text."""
    page = get(browser, "/signed-in/acme").get_data(as_text=True)
    token = re.search(r'name="token" value="(\w+)"', page)
    assert token
    return post(browser, "/sign-out/acme", {"token": token.group(1), "session": which}).get_data(as_text=True)


def slo() -> str:
    return f"/saml/{OKTA.id}/slo"


def two_devices() -> tuple[Desk, FlaskClient, FlaskClient]:
    desk = desk_of(OKTA)
    return desk, signed_in(desk, id="a1"), signed_in(desk, id="a2")


def test_own_devices_are_listed_and_one_can_be_signed_out() -> None:
    desk, here, there = two_devices()
    page = get(here, "/signed-in/acme").get_data(as_text=True)
    assert page.count("this one") == 1
    assert page.count("192.0.2.7") == 2
    other = next(id for id, each in desk.sessions.items() if each.secret == cookie(there, SESSION))
    press(here, other)
    assert "You are signed out" in get(there, "/signed-in/acme").get_data(as_text=True)
    assert "Ada Lovelace" in get(here, "/signed-in/acme").get_data(as_text=True)


def test_signing_out_here_goes_on_to_the_provider() -> None:
    desk, here, there = two_devices()
    page = press(here, "this")
    assert "url=https://idp.example/slo?key=out-1" in page
    assert cookie(here, SESSION) is None
    assert cookie(here, PENDING)
    assert len(desk.sessions) == 1
    assert "Ada" in get(there, "/signed-in/acme").get_data(as_text=True)
    answer = get(here, f"{slo()}?SAMLResponse=x&kind=answered&key=out-1")
    assert (answer.status_code, answer.location) == (303, "/signed-out?tenant=acme")
    assert desk.pending == {}


def test_signing_out_everywhere() -> None:
    desk, here, there = two_devices()
    press(here, "all")
    assert desk.sessions == {}
    assert "You are signed out" in get(there, "/signed-in/acme").get_data(as_text=True)


def test_the_session_here_ends_whatever_the_provider_does(monkeypatch: pytest.MonkeyPatch) -> None:
    for change in ("gone", "silent", "deaf", "broken"):
        desk, side = desk_of(OKTA), Told()
        browser = signed_in(desk, side)
        if change == "gone":
            desk.all.clear()
        side.unreachable, side.takes_sign_out = change == "silent", change != "deaf"
        if change == "broken":
            monkeypatch.setattr(side, "leave", lambda *_said: 1 / 0)
        page = get(browser, "/signed-in/acme").get_data(as_text=True)
        token = re.findall(r'name="token" value="(\w+)"', page)[0]
        answer = post(browser, "/sign-out/acme", {"token": token, "session": "this"})
        assert (answer.status_code, answer.location) == (303, "/signed-out?tenant=acme"), change
        assert desk.sessions == {}, change


def test_an_answer_full_of_nonsense_still_says_that_the_person_is_signed_out() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    press(browser, "this")
    answer = get(browser, f"{slo()}?SAMLResponse=x&bad=signature")
    assert (answer.location, code(desk)) == ("/signed-out?tenant=acme", "signature")


def test_a_form_of_another_site_signs_nobody_out() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    for token in ("", "x", form_token("another"), "é"):
        answer = post(browser, "/sign-out/acme", {"token": token, "session": "all"})
        assert answer.status_code == 400
    assert browser.get("/sign-out/acme", base_url=BASE).status_code == 405
    without_cookie = post(client(desk), "/sign-out/acme", {"session": "all"})  # as browsers send it from elsewhere
    assert "Set-Cookie" not in without_cookie.headers
    assert len(desk.sessions) == 1


def test_nobody_ends_another_person_s_session() -> None:
    desk = desk_of(OKTA)
    desk.people["eve"] = "account-eve"
    ada = signed_in(desk)
    other = client(desk)
    get(other, "/sign-in/acme")
    key = next(key for _, key in desk.pending)
    post(other, f"/saml/{OKTA.id}/acs", f"key={key}&subject=eve&id=e1")
    of_ada = next(id for id, each in desk.sessions.items() if each.account == "account-ada")
    press(other, of_ada)
    assert of_ada in desk.sessions
    assert "Ada" in get(ada, "/signed-in/acme").get_data(as_text=True)


def test_who_is_not_signed_in_is_told_so() -> None:
    browser = client(desk_of(OKTA))
    assert post(browser, "/sign-out/acme", {}).location == "/signed-out?tenant=acme"
    page = get(browser, "/signed-out?tenant=acme").get_data(as_text=True)
    assert 'href="/sign-in/acme"' in page
    assert "href=" not in get(browser, "/signed-out?tenant=//evil").get_data(as_text=True).partition("<main>")[2]


def test_whoever_comes_back_from_the_provider_may_sign_in_again() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    press(browser, "this")
    answer = get(browser, "/signed-out?state=out-1")  # OpenID providers return to this address, to the letter
    assert answer.location == "/signed-out?tenant=acme"
    assert 'href="/sign-in/acme"' in get(browser, answer.location).get_data(as_text=True)
    assert get(browser, "/signed-out").status_code == 200, "the way on is gone once"


def test_a_provider_ends_exactly_the_sessions_it_names() -> None:
    desk, here, there = two_devices()
    answer = get(here, f"{slo()}?SAMLRequest=x&subject=ada&session=s-a1&id=o1")
    assert answer.location == "https://idp.example/slo?success=True"
    assert [each.provider_session for each in desk.sessions.values()] == ["s-a2"]
    assert "Ada" in get(there, "/signed-in/acme").get_data(as_text=True)
    answer = get(client(desk), f"{slo()}?SAMLRequest=x&subject=eve&id=o2")
    assert answer.location == "https://idp.example/slo?success=False"
    assert len(desk.sessions) == 1
    assert get(here, f"{slo()}?SAMLRequest=x&subject=ada&id=o1").status_code == 403
    assert code(desk) == "replayed"
    get(client(desk), f"{slo()}?SAMLRequest=x&subject=ada&id=o3")
    assert desk.sessions == {}


def test_bad_messages_end_nothing() -> None:
    desk = desk_of(OKTA)
    browser = signed_in(desk)
    assert get(browser, f"{slo()}?SAMLRequest=x&bad=signature&subject=ada").status_code == 403
    assert code(desk) == "signature"
    assert get(browser, f"{slo()}?SAMLResponse=x&kind=answered&key=out-9").location == "/signed-out?tenant=acme"
    assert code(desk) == "unknown_request"
    assert len(desk.sessions) == 1


def test_a_logout_token_ends_sessions_once() -> None:
    desk = desk_of(OKTA)
    signed_in(desk)
    kept = next(iter(desk.sessions.values()))
    desk.all[ENTRA.id] = ENTRA
    kept.connection = ENTRA.id
    path = f"/oidc/{ENTRA.id}/backchannel-logout"
    server = client(desk)
    answer = post(server, path, "bad=signature")
    assert (answer.status_code, answer.json, code(desk)) == (400, {"error": "invalid_request"}, "signature")
    assert answer.headers["Cache-Control"] == "no-store"
    answer = post(server, path, "session=s-a1&id=j1")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert desk.sessions == {}
    assert post(server, path, "session=s-a1&id=j1").status_code == 400
    assert code(desk) == "replayed"
    assert post(server, path, b"{}", content_type="application/json").status_code == 400


def test_a_frame_ends_the_session_that_it_names() -> None:
    desk = desk_of(OKTA)
    signed_in(desk)
    desk.all[ENTRA.id] = replace(ENTRA)
    next(iter(desk.sessions.values())).connection = ENTRA.id
    path = f"/oidc/{ENTRA.id}/frontchannel-logout"
    assert get(client(desk), f"{path}?bad=issuer").status_code == 400
    answer = get(client(desk), f"{path}?session=s-a1")
    assert (answer.status_code, desk.sessions) == (200, {})
    assert "frame-ancestors https://entra.example" in answer.headers["Content-Security-Policy"]
