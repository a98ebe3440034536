"""Signing in and out by OpenID Connect through the whole application, with a provider in memory."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit
from uuid import uuid4

import pytest
import sqlalchemy as sa
from werkzeug.test import TestResponse

from app.store import tenants
from app.store.engine import writing
from sso.oidc_logout import EVENT
from tests.adapters.sign_in_people import BASE, Browser, Town
from tests.attacks.jwts import SIGNER
from tests.sso.provider_at_hand import ISSUER, AtHand, id_claims


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> AtHand:
    made = AtHand()
    monkeypatch.setattr("app.factory.way_out", lambda *_said: made)
    return made


@pytest.fixture
def town(provider: AtHand, engine: sa.Engine, okta: tenants.SourceRow) -> Town:
    made = Town(engine, okta)
    made.provision("ada")
    return made


@pytest.fixture
def ada(town: Town) -> Browser:
    return Browser(town, town.oidc())


def ask(browser: Browser) -> dict[str, str]:
    """Go to the provider; what it was asked."""
    answer = browser.get("/sign-in/acme")
    assert answer.status_code == 303, answer.get_data(as_text=True)
    assert answer.location.startswith(f"{ISSUER}/authorize?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.location).query).items()}


def give(provider: AtHand, asked: dict[str, str], **claims: Any) -> None:
    now = time.time()
    provider.gives(SIGNER.sign(id_claims(iat=now - 5, exp=now + 300, nonce=asked["nonce"], **claims)))


def come_back(browser: Browser, **said: str) -> TestResponse:
    query = "&".join(f"{name}={quote(value)}" for name, value in said.items())
    return browser.get(f"/oidc/{browser.connection_id}/callback?{query}")


def sign_in(browser: Browser, provider: AtHand, **claims: Any) -> TestResponse:
    asked = ask(browser)
    give(provider, asked, **claims)
    return come_back(browser, state=asked["state"], code="code-1")


def test_somebody_whom_scim_made_signs_in(town: Town, ada: Browser, provider: AtHand) -> None:
    asked = ask(ada)
    assert asked["code_challenge_method"] == "S256"
    assert asked["redirect_uri"] == f"{BASE}/oidc/{ada.connection_id}/callback"
    give(provider, asked)
    answer = come_back(ada, state=asked["state"], code="code-1")
    assert (answer.status_code, answer.location) == (303, "/signed-in/acme")
    assert ada.is_signed_in()
    assert town.account().attributes["userName"] == "ada"
    [row] = town.rows("records")[-1:]
    assert "nonce" not in str(row.document)
    assert come_back(ada, state=asked["state"], code="code-1").status_code == 403
    assert town.last().reason == "unknown_request"


def test_an_answer_as_a_form(town: Town, provider: AtHand) -> None:
    ada = Browser(town, town.oidc(settings={"response_mode": "form_post"}))
    asked = ask(ada)
    assert asked["response_mode"] == "form_post"
    give(provider, asked)
    path = f"/oidc/{ada.connection_id}/callback"
    assert ada.post(path, f"state={asked['state']}&code=code-1".encode()).status_code == 303


def test_a_state_belongs_to_one_browser(town: Town, ada: Browser, provider: AtHand) -> None:
    asked = ask(ada)
    give(provider, asked)
    other = Browser(town, ada.connection_id)
    assert come_back(other, state=asked["state"], code="code-1").status_code == 403
    assert town.last().reason == "other_browser"
    assert "the cookie did not come back" in town.last().steps[-1]["detail"]
    assert come_back(ada, code="code-1").status_code == 403
    assert town.last().reason == "unsolicited"
    assert come_back(ada, state="x", code="code-1").status_code == 403
    assert come_back(other, state=asked["state"], error="access_denied").status_code == 403
    assert town.last().reason == "other_browser"
    assert come_back(ada, state=asked["state"], error="access_denied").status_code == 403
    assert town.last().reason == "provider_refused"
    assert town.rows("sessions") == []


def test_a_parameter_stands_once(town: Town, ada: Browser) -> None:
    asked = ask(ada)
    path = f"/oidc/{ada.connection_id}/callback?state={asked['state']}&state=x&code=c"
    assert (ada.get(path).status_code, town.last().reason) == (400, "malformed")


def test_an_address_that_nobody_vouches_for_finds_nobody(town: Town, provider: AtHand) -> None:
    eve = Browser(town, town.oidc(paired_source_id=None))
    answer = sign_in(eve, provider, sub="eve", preferred_username=..., email="ada", email_verified=False)
    assert (answer.status_code, town.last().reason) == (403, "not_provisioned")
    assert "eve" not in str(town.last().steps)


def test_a_user_name_that_is_somebody_elses_address_finds_nobody(town: Town, provider: AtHand) -> None:
    """People set preferred_username themselves at some providers: what is vouched for is `email` (Core §5.7)."""
    town.provision("grace@acme.example")
    eve = Browser(town, town.oidc(paired_source_id=None))
    with writing(town.engine) as conn:
        source = tenants.find_source(conn, town.okta.tenant_id, "oidc-login")
        tenants.assign_domain(conn, town.okta.tenant_id, "acme.example", source.id)
    said = {"sub": "eve", "preferred_username": "grace@acme.example", "email": "eve@acme.example"}
    answer = sign_in(eve, provider, **said)
    assert (answer.status_code, town.last().reason) == (403, "not_provisioned")
    assert sign_in(eve, provider, **{**said, "email": "Grace@acme.example", "sub": "grace"}).status_code == 303


@pytest.mark.parametrize(
    "odd", ["a\x00b", "\ud800", "\u202eevil", "a" * 100_000], ids=["NUL", "half", "turned", "long"]
)
def test_odd_texts_in_claims_fail_nowhere(town: Town, ada: Browser, provider: AtHand, odd: str) -> None:
    said = {
        "team": odd,
        "sid": odd[:200],
        "acr": odd,
        "amr": [odd],
        "groups": [odd, "staff"],
        "family_name": "x",
        odd[:20]: "y",
    }
    assert sign_in(ada, provider, **said).status_code in (303, 400, 403, 413)
    assert town.last().reason in (None, "malformed", "too_large", "attributes")
    assert ada.get("/signed-in/acme").status_code == 200
    for name in ("sid", "acr", "team"):
        sign_in(ada, provider, **{name: odd[:200]})
        assert town.last().reason in (None, "malformed", "attributes")


def test_a_provider_that_is_away_is_said_to_be(town: Town, ada: Browser, provider: AtHand) -> None:
    provider.answers.clear()
    answer = ada.get("/sign-in/acme")
    assert (answer.status_code, town.last().reason) == (503, "provider_unreachable")
    assert "does not answer" in town.last().steps[-1]["remedy"]


def test_signing_out_here_goes_on_to_the_provider(town: Town, ada: Browser, provider: AtHand) -> None:
    sign_in(ada, provider)
    page = ada.press("this")
    assert f"{ISSUER}/end?x=1" in page
    assert "id_token_hint=" in page
    assert quote(f"{BASE}/signed-out", safe="") in page
    assert not ada.is_signed_in()


def test_the_back_channel_ends_sessions_once(town: Town, ada: Browser, provider: AtHand) -> None:
    phone = Browser(town, ada.connection_id)
    sign_in(ada, provider, sid="one")
    sign_in(phone, provider, sid="two")
    path = f"/oidc/{ada.connection_id}/backchannel-logout"
    now, jti = time.time(), uuid4().hex
    claims = {"iss": ISSUER, "aud": "hub", "iat": now, "exp": now + 120, "jti": jti, "events": {EVENT: {}}}
    server = town.app.test_client()

    def send(**more: Any) -> int:
        token = SIGNER.sign({**claims, **more})
        form = {"logout_token": token}
        return server.post(path, data=form, base_url=BASE).status_code

    assert send(sid="one", nonce="n") == 400
    assert send() == 400
    assert ada.is_signed_in()
    assert send(sid="one") == 200
    assert not ada.is_signed_in()
    assert phone.is_signed_in()
    assert send(sub="s-1") == 400  # the same jti
    assert town.last().reason == "replayed"
    assert send(sub="s-1", jti="another") == 200
    assert not phone.is_signed_in()


def test_the_front_channel_ends_the_session_that_it_names(town: Town, ada: Browser, provider: AtHand) -> None:
    sign_in(ada, provider, sid="one")
    path, frame = f"/oidc/{ada.connection_id}/frontchannel-logout", Browser(town, ada.connection_id)
    for wrong in ("?iss=https://evil.example&sid=one", "?sid=one", f"?iss={ISSUER}", f"?iss={ISSUER}&sid=two"):
        frame.get(f"{path}{wrong}")
        assert ada.is_signed_in(), wrong
    answer = frame.get(f"{path}?iss={ISSUER}&sid=one")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    assert not ada.is_signed_in()
