"""A test of a connection: it goes the whole way, and no session comes of it, whatever is sent."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from sso import cookies, keeping
from sso.arriving import Arrivals
from sso.connections import Saml
from sso.errors import SignInError
from sso.keeping import Visitor
from sso.sides import Begun
from tests.sso.desk import ACME, BASE, ENTRA, NOW, OKTA, Desk, Told, desk_of, web

PENDING = cookies.pending_cookie(BASE).name
SESSION = cookies.session(BASE, ACME.id)
TESTER = keeping.Tester("0190d3a4-0000-7000-8000-0000000000e1", "console-session")
PAGE = f"/admin/sign-in-connections/{OKTA.id}/tests/{TESTER.id}"


def begun(desk: Desk, side: Told, browser: FlaskClient, connection: Any = OKTA) -> Begun | None:
    """A test that this browser begins."""
    arrivals = Arrivals(desk, {"saml": side, "oidc": side}, BASE, lambda: NOW)
    value = cookies.new_value()
    found = arrivals.tests.begin(connection, TESTER, PAGE, value, Visitor())
    browser.set_cookie(PENDING, value, domain="hub.example.com")
    return found


def answered(browser: FlaskClient, data: str, connection: Any = OKTA) -> TestResponse:
    door = f"/saml/{connection.id}/acs" if connection.kind == "saml" else f"/oidc/{connection.id}/callback"
    return browser.post(door, data=data, base_url=BASE, content_type="application/x-www-form-urlencoded")


@pytest.fixture
def desk() -> Desk:
    return desk_of(OKTA, ENTRA)


@pytest.fixture
def side() -> Told:
    return Told()


@pytest.fixture
def browser(desk: Desk, side: Told) -> FlaskClient:
    return web(desk, side).test_client()


@pytest.mark.parametrize("connection", [OKTA, ENTRA])
def test_it_goes_all_the_way_and_nobody_is_signed_in(
    desk: Desk, side: Told, browser: FlaskClient, connection: Any
) -> None:
    assert begun(desk, side, browser, connection)
    answer = answered(browser, "key=key-1&subject=ada&id=a1", connection)
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert desk.sessions == {}
    assert browser.get_cookie(SESSION, domain="hub.example.com") is None
    owner, report = desk.reports[TESTER.id]
    assert owner == "console-session"
    assert report.error is None
    assert report.found is not None
    assert [step["check"] for step in report.trace.steps] == ["request", "answer", "claims", "account"]
    assert [(one.name, one.values) for one in report.said if one.name == "mail"] == [("mail", ("ada@acme.example",))]


def test_a_connection_that_is_switched_off_can_be_tested_and_signs_nobody_in(
    desk: Desk, side: Told, browser: FlaskClient
) -> None:
    off = desk.all[OKTA.id] = replace(OKTA, enabled=False)
    assert begun(desk, side, browser, off)
    assert answered(browser, "key=key-1&subject=ada&id=a1").location == PAGE
    assert desk.reports[TESTER.id][1].error is None
    assert answered(browser, "key=key-1&subject=ada&id=a2").status_code == 403
    assert desk.traces[-1][0] == "disabled"
    assert desk.sessions == {}


def test_its_answer_is_good_once_and_for_nothing_else(desk: Desk, side: Told, browser: FlaskClient) -> None:
    begun(desk, side, browser)
    answered(browser, "key=key-1&subject=ada&id=a1")
    assert answered(browser, "key=key-1&subject=ada&id=a1").status_code == 403
    assert desk.traces[-1][0] == "unknown_request"
    browser.get("/sign-in/acme/okta", base_url=BASE)
    assert answered(browser, "key=key-2&subject=ada&id=a1").status_code == 403
    assert desk.traces[-1][0] == "replayed"
    assert desk.sessions == {}


def test_another_browser_cannot_answer_it(desk: Desk, side: Told, browser: FlaskClient) -> None:
    begun(desk, side, browser)
    eve = web(desk, side).test_client()
    eve.set_cookie(PENDING, cookies.new_value(), domain="hub.example.com")
    assert answered(eve, "key=key-1&subject=ada&id=a1").status_code == 403
    assert desk.traces[-1][0] == "other_browser"
    assert desk.reports == {}
    assert answered(browser, "key=key-1&subject=ada&id=a1").location == PAGE


def test_a_sign_in_never_becomes_a_test(desk: Desk, side: Told, browser: FlaskClient) -> None:
    browser.get("/sign-in/acme/okta", base_url=BASE)
    assert answered(browser, "key=key-1&subject=ada&id=a1").location == "/signed-in/acme"
    assert len(desk.sessions) == 1
    assert desk.reports == {}


def test_an_answer_at_another_connection_is_no_answer(desk: Desk, side: Told, browser: FlaskClient) -> None:
    begun(desk, side, browser)
    assert answered(browser, "key=key-1&subject=ada&id=a1", ENTRA).status_code == 403
    assert desk.reports == {}


def test_who_waits_for_a_test_may_still_be_sent_in_by_the_provider(
    desk: Desk, side: Told, browser: FlaskClient
) -> None:
    assert isinstance(OKTA.settings, Saml)
    desk.all[OKTA.id] = replace(OKTA, settings=replace(OKTA.settings, allow_unsolicited=True))
    begun(desk, side, browser)
    assert answered(browser, "subject=ada&id=a9").location == "/signed-in/acme"


def test_who_would_be_refused_is_told_why(desk: Desk, side: Told, browser: FlaskClient) -> None:
    begun(desk, side, browser)
    assert answered(browser, "key=key-1&subject=eve&id=a1").location == PAGE
    report = desk.reports[TESTER.id][1]
    assert report.error is not None
    assert report.error.code == "not_provisioned"
    assert report.remedy is not None
    assert "Okta" in report.remedy
    assert report.trace.steps[-1]["ok"] is False
    assert report.said


def test_a_check_that_fails_is_the_last_one(desk: Desk, side: Told, browser: FlaskClient) -> None:
    begun(desk, side, browser)
    desk.people.clear()

    def refuse(*_: Any) -> Any:
        raise SignInError("audience", "expected us, found them")

    side.accept = refuse  # type: ignore[method-assign]
    assert answered(browser, "key=key-1&subject=ada&id=a1").location == PAGE
    report = desk.reports[TESTER.id][1]
    assert [step["check"] for step in report.trace.steps] == ["request", "audience"]
    assert report.said == ()
    assert report.found is None


def test_a_provider_that_cannot_be_asked_is_a_report_too(desk: Desk, side: Told, browser: FlaskClient) -> None:
    side.unreachable = True
    assert begun(desk, side, browser) is None
    report = desk.reports[TESTER.id][1]
    assert report.error is not None
    assert report.error.code == "provider_unreachable"
    assert desk.pending == {}
