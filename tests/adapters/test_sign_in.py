"""Signing in through the whole application on the real database: who is let in, and for how long."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import ip_network
from typing import Any
from urllib.parse import urlencode

import pytest
import sqlalchemy as sa
from lxml import etree

from app.logins import log_in
from app.store import connections, tenants
from app.store.engine import writing
from tests.adapters.sign_in_people import BASE, Browser, Town
from tests.signed_in import CALLBACK, add_client
from tests.sso.saml_idp import idp_of


@pytest.fixture
def town(engine: sa.Engine, okta: tenants.SourceRow) -> Town:
    return Town(engine, okta)


Enter = Callable[..., Browser]


@pytest.fixture
def browser(town: Town) -> Enter:
    made: dict[str, str] = {}

    def make(**said: Any) -> Browser:
        if "id" not in made:
            made["id"] = town.saml(**said)
        return Browser(town, made["id"])

    return make


def test_somebody_whom_scim_made_signs_in(town: Town, browser: Enter) -> None:
    town.provision(displayName="Ada Lovelace")
    ada = browser()
    answer = ada.sign_in()
    assert (answer.status_code, answer.location) == (303, "/signed-in/acme")
    page = ada.get("/signed-in/acme").get_data(as_text=True)
    assert "Ada Lovelace" in page
    assert "Firefox on Linux" in page
    account = town.account()  # one account: the login found the record that SCIM made
    attempt = town.last()
    assert (attempt.outcome, str(attempt.account_id)) == ("accepted", str(account.id))
    assert all(step["ok"] for step in attempt.steps)
    assert "ada@" not in str(attempt.steps)
    [session] = town.rows("sessions")
    assert str(session.account_id) == str(account.id)
    assert session.at_provider["subject"] == "ada"
    assert ada.cookie() is not None
    assert ada.cookie().encode() != session.hash  # type: ignore[union-attr]
    assert ada.cookie() not in str(session)


def test_a_deactivation_in_scim_ends_the_session_at_once_and_for_good(town: Town, browser: Enter) -> None:
    id = town.provision()
    ada, phone = browser(), browser()
    ada.sign_in()
    phone.sign_in()
    assert ada.is_signed_in()
    town.set_active(id, False)
    assert not ada.is_signed_in()
    assert not phone.is_signed_in()
    answer = ada.sign_in()
    assert answer.status_code == 403
    assert "Your account is not active." in answer.get_data(as_text=True)
    assert town.last().reason == "inactive"
    assert town.account().status == "inactive"
    town.set_active(id, True)
    assert not ada.is_signed_in()  # what was ended does not come back
    assert ada.sign_in().status_code == 303


@pytest.mark.parametrize("arrival", ["link", "create"])
def test_no_login_revives_a_leaver(town: Town, browser: Enter, arrival: str) -> None:
    id = town.provision()
    town.set_active(id, False)
    answer = browser(arrival=arrival).sign_in()
    assert (answer.status_code, town.last().reason) == (403, "inactive")
    assert town.account().status == "inactive"
    assert town.rows("sessions") == []


def test_link_only_refuses_strangers_by_every_road(town: Town, browser: Enter) -> None:
    eve = browser(settings={"allow_unsolicited": True})
    answer = eve.sign_in("eve", user_name="eve@acme.example")
    assert (answer.status_code, town.last().reason) == (403, "not_provisioned")
    assert "You do not have an account here yet." in answer.get_data(as_text=True)
    assert browser().answer(None, "eve", user_name="eve@acme.example").status_code == 403
    assert town.last().reason == "not_provisioned"
    assert town.rows("accounts") == []
    assert town.rows("sessions") == []
    assert eve.cookie() is None


def test_a_connection_may_create_accounts(town: Town, browser: Enter) -> None:
    bob = browser(arrival="create", paired_source_id=None)
    assert bob.sign_in("bob", user_name="bob", email="bob@acme.example").status_code == 303
    account = town.account()
    assert (account.status, account.attributes["userName"]) == ("active", "bob")
    assert account.roles == []
    assert bob.sign_in("bob", user_name="bob", email="bob@acme.example").status_code == 303
    assert len(town.rows("accounts")) == 1


def test_groups_give_the_roles_that_they_are_mapped_to_and_nothing_else(town: Town, browser: Enter) -> None:
    browser(arrival="create", paired_source_id=None).sign_in("bob", user_name="bob", groups=["teachers", "others"])
    assert town.account().roles == []
    town.map_group("teachers", "instructor")
    assert browser().sign_in("bob", user_name="bob", groups=["teachers", "others"]).status_code == 303
    assert town.account().roles == ["instructor"]
    browser().sign_in("bob", user_name="bob", groups=["others"])
    assert town.account().roles == []


def test_an_assertion_is_used_once_in_whichever_process(town: Town, browser: Enter) -> None:
    town.provision()
    first, second = browser(settings={"allow_unsolicited": True}), browser()
    request = first.begin()
    assert first.answer(request, id="_same").status_code == 303
    assert first.answer(request, id="_other").status_code == 403
    assert town.last().reason == "unknown_request"
    assert second.answer(second.begin(), id="_same").status_code == 403
    assert town.last().reason == "replayed"
    third = Browser(Town(town.engine, town.okta), first.connection_id)
    assert third.answer(None, id="_same").status_code == 403
    assert town.last().reason == "replayed"
    assert len(town.rows("sessions")) == 1


def test_a_connection_that_is_switched_off_signs_nobody_in(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser()
    request = ada.begin()
    with writing(town.engine) as conn:
        connections.change(conn, town.okta.tenant_id, ada.connection_id, enabled=False)
    assert (ada.answer(request).status_code, town.last().reason) == (403, "disabled")
    assert ada.get("/sign-in/acme").status_code == 404
    assert town.rows("sessions") == []


def test_switched_off_in_the_last_moment_is_off(town: Town, browser: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    def late(*said: Any, **more: Any) -> Any:
        with writing(town.engine) as conn:
            connections.change(conn, town.okta.tenant_id, ada.connection_id, enabled=False)
        return log_in(*said, **more)

    town.provision()
    ada = browser()
    request = ada.begin()
    monkeypatch.setattr("app.adapters.sign_in.log_in", late)
    assert (ada.answer(request).status_code, town.last().reason) == (403, "disabled")
    assert town.rows("sessions") == []


def test_a_refused_answer_leaves_a_trace_for_administrators_alone(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser(settings={"certificates": [_stranger()]})
    page = ada.sign_in(email="ada@acme.example").get_data(as_text=True)
    attempt = town.last()
    assert (attempt.outcome, attempt.reason) == ("refused", "signature")
    assert attempt.code in page
    assert "signature" not in page
    assert attempt.steps[-1]["ok"] is False
    assert "Okta" in attempt.steps[-1]["remedy"]
    assert [step["check"] for step in attempt.steps[:2]] == ["request", "form"]
    assert "ada@" not in str(attempt.steps)


def test_a_person_who_signs_in_again_keeps_the_session_under_a_new_secret(town: Town, browser: Enter) -> None:
    town.provision()
    ada, phone = browser(), browser()
    phone.sign_in()
    ada.sign_in()
    before = ada.cookie()
    ada.sign_in()
    assert ada.cookie() != before
    assert [row.ended_at for row in town.rows("sessions")] == [None, None]
    assert phone.is_signed_in()


def test_somebody_else_s_sign_in_takes_the_place_of_the_browser_s_old_one(town: Town, browser: Enter) -> None:
    town.provision()
    town.provision("eve@acme.example")
    shared = browser()
    shared.sign_in()
    shared.sign_in("eve", user_name="eve@acme.example", email="eve@acme.example")
    assert [row.ended_by for row in town.rows("sessions") if row.ended_at] == ["replaced"]
    assert len(town.rows("sessions")) == 2


def test_people_sign_out_one_device_and_all(town: Town, browser: Enter) -> None:
    town.provision()
    town.provision("eve@acme.example")
    ada, phone, eve = browser(), browser(), browser()
    ada.sign_in()
    phone.sign_in()
    eve.sign_in("eve", user_name="eve@acme.example")
    of_phone = str(town.session_of(phone).id)
    eve.press(of_phone)
    assert phone.is_signed_in()
    ada.press(of_phone)
    assert not phone.is_signed_in()
    assert ada.is_signed_in()
    phone.sign_in()
    ada.press("all")
    assert not phone.is_signed_in()
    assert not ada.is_signed_in()
    assert eve.is_signed_in()


def test_a_session_ends_with_the_tenant_s_patience(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser()
    ada.sign_in()
    with writing(town.engine) as conn:
        conn.execute(sa.text("UPDATE sessions SET expires_at = now()"))
    assert not ada.is_signed_in()


def test_another_tenant_s_session_is_none_here(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser()
    ada.sign_in()
    with writing(town.engine) as conn:
        tenants.create(conn, "other")
    assert "You are signed out" in ada.get("/signed-in/other").get_data(as_text=True)


def test_a_learning_platform_s_request_comes_back_to_it(town: Town, browser: Enter) -> None:
    town.provision()
    party, _ = add_client(town.engine, town.okta.tenant_id)
    ada = browser()
    asked = {
        "client_id": party.id,
        "redirect_uri": CALLBACK,
        "response_type": "code",
        "scope": "openid",
        "state": "s",
        "code_challenge": "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM",
        "code_challenge_method": "S256",
    }
    answer = ada.get(f"/oauth/authorize?{urlencode(asked)}")
    assert answer.location.startswith("/sign-in/acme?flow=")
    request = ada.begin(answer.location)
    answer = ada.answer(request)
    assert answer.location.startswith("/oauth/authorize?")
    answer = ada.get(answer.location)
    assert answer.location.startswith(f"{CALLBACK}?code=")
    assert "state=s" in answer.location


def test_of_two_at_the_same_instant_one_is_taken(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser(settings={"allow_unsolicited": True})
    ada.sign_in()
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _: Browser(town, ada.connection_id).answer(None, id="_once"), range(4)))
    assert sorted(answer.status_code for answer in answers) == [303, 403, 403, 403]
    assert len(town.rows("sessions")) == 2
    assert [row.reason for row in town.rows("sign_ins") if row.reason] == ["replayed"] * 3


def test_our_metadata_is_public_and_says_where_answers_go(town: Town, browser: Enter) -> None:
    ada = browser()
    answer = Browser(town, ada.connection_id).get(f"/saml/{ada.connection_id}")
    assert answer.mimetype == "application/samlmetadata+xml"
    root = etree.fromstring(answer.get_data())
    assert root.get("entityID") == f"{BASE}/saml/{ada.connection_id}"
    assert f"{BASE}/saml/{ada.connection_id}/acs" in answer.get_data(as_text=True)


def test_learning_platforms_are_told_at_once_of_what_ended(town: Town, browser: Enter) -> None:
    town.provision()
    ada = browser()
    ada.sign_in()
    assert town.rows("procrastinate_jobs") == []
    ada.press("this")
    assert [row.task_name for row in town.rows("procrastinate_jobs")] == ["logout"]


def test_one_address_cannot_fill_the_log(town: Town, browser: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.adapters.sign_in.BURST", 2)
    eve = browser()
    pages = [eve.post(f"/saml/{eve.connection_id}/acs", b"SAMLResponse=x").get_data(as_text=True) for _ in range(4)]
    assert ["give this code" in page for page in pages] == [True, True, False, False]
    assert len(town.rows("sign_ins")) == 2


def test_one_address_cannot_fill_the_tables_and_others_go_on(
    town: Town, browser: Enter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.factory.STEPS_AT_ONCE", 2)
    monkeypatch.setattr("app.factory.STEPS_A_SECOND", 1)
    eve, bob = browser(), browser()
    answers = []
    for number in range(5):
        eve.client.environ_base["REMOTE_ADDR"] = f"2001:db8:1:2::{number}"
        answers.append(eve.get("/sign-in/acme").status_code)
    assert answers == [303, 303, 429, 429, 429]
    assert len(town.rows("pending_logins")) == 2
    bob.client.environ_base["REMOTE_ADDR"] = "2001:db8:1:3::1"
    assert bob.get("/sign-in/acme").status_code == 303


def test_behind_a_proxy_the_log_and_the_session_know_the_client(engine: sa.Engine, okta: tenants.SourceRow) -> None:
    town = Town(engine, okta, (ip_network("127.0.0.1/32"),))
    town.provision()
    ada = Browser(town, town.saml())
    ada.client.environ_base["HTTP_X_FORWARDED_FOR"] = "9.9.9.9, 203.0.113.7"
    ada.sign_in()
    assert (town.last().outcome, town.last().address) == ("accepted", "203.0.113.7")
    assert town.session_of(ada).address == "203.0.113.7"


def test_a_failure_of_ours_is_a_page_too(town: Town, browser: Enter, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_said: object, **_more: object) -> None:
        raise RuntimeError("ada@acme.example")

    town.provision()
    ada = browser()
    request = ada.begin()
    monkeypatch.setattr("app.adapters.sign_in.log_in", fail)
    town.app.testing = False
    answer = ada.answer(request)
    assert (answer.status_code, "Something went wrong here" in answer.get_data(as_text=True)) == (500, True)
    assert "ada@" not in answer.get_data(as_text=True)


def _stranger() -> str:
    return idp_of("rsa", "https://stranger.example.net").body


def test_no_text_of_a_stranger_breaks_the_doors(town: Town, browser: Enter) -> None:
    ada = browser(domains=["acme.example"])
    town.saml("other")
    for email in (b"a%00b@acme.example", b"%ff%00@acme.example", b"a@acme.exam%00ple", b"%ed%a0%80@acme.example"):
        assert ada.post("/sign-in/acme", b"email=" + email).status_code in (200, 303)
    client, _ = add_client(town.engine, town.okta.tenant_id)
    asked = {
        "response_type": "code",
        "client_id": client.id,
        "redirect_uri": CALLBACK,
        "scope": "openid",
        "code_challenge": "c" * 43,
        "code_challenge_method": "S256",
    }
    for odd in ({"login_hint": "a\0b"}, {"acr_values": "a\0b"}, {"state": "\0"}, {"nonce": "\0"}, {"x": "\0"}):
        assert ada.get(f"/oauth/authorize?{urlencode({**asked, **odd})}").status_code in (303, 400)
    for path in ("/sign-in/acme?flow=%00", "/sign-in/acme/okta-login?flow=%00%ff", "/signed-out?tenant=%00"):
        assert ada.get(path).status_code in (200, 303)
