"""The provider's doors against who abuses them: pages instead of redirects, one way to authenticate, ways out."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.api import door
from app.events import issuing
from app.settings import Settings
from app.store import flows, sessions, tenants
from app.store.engine import reading
from app.store.vault import Vault
from sso import provider_routes
from sso.assertion import ProviderSession
from sso.bindings import Form, Redirect
from sso.keeping import Session
from sso.sides import Begun
from tests.relying_party import ISSUER, Lms, fields_of, flow_of, make_app
from tests.signed_in import AFTER_LOGOUT, CALLBACK, SignedIn, add_client, sign_in

SECRET_PATHS = ("/oauth/token", "/oauth/revoke")


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    return make_app(engine)


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def lms(engine: sa.Engine, app: Flask, ada: SignedIn) -> Lms:
    made = Lms(app, *add_client(engine, ada.tenant_id))
    made.take_cookie(ada)
    return made


def is_living(engine: sa.Engine, who: SignedIn) -> bool:
    with reading(engine) as conn:
        return sessions.find(conn, who.tenant_id, who.secret) is not None


@pytest.mark.parametrize(
    "asked",
    [
        {"client_id": None},
        {"client_id": "x"},
        {"client_id": "00000000-0000-7000-8000-000000000000"},
        {"client_id": ["<b>", "<b>"]},
        {"redirect_uri": None},
        {"redirect_uri": "https://evil.example/"},
        {"redirect_uri": CALLBACK + "/<script>"},
        {"redirect_uri": [CALLBACK, CALLBACK]},
        {"state": "s" * 8000},
    ],
)
def test_without_a_way_back_there_is_a_page(lms: Lms, asked: dict[str, Any]) -> None:
    answer = lms.ask(**asked)
    assert (answer.status_code, answer.mimetype, "Location" in answer.headers) == (400, "text/html", False)
    assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
    assert "evil.example" not in answer.text
    assert "<b>" not in answer.text
    assert "<script" not in answer.text


def test_errors_go_back_with_state_and_issuer(lms: Lms) -> None:
    told = lms.told(request_uri="http://127.0.0.1:1/")
    assert (told["error"], told["state"], told["iss"]) == ("request_uri_not_supported", "s t/1", ISSUER)
    assert "code" not in told


def test_a_registered_query_stays(lms: Lms, app: Flask, engine: sa.Engine, ada: SignedIn) -> None:
    other = Lms(app, *add_client(engine, ada.tenant_id, redirect_uris=(f"{CALLBACK}?a=1",)))
    other.take_cookie(ada)
    assert other.ask(redirect_uri=f"{CALLBACK}?a=1").location.startswith(f"{CALLBACK}?a=1&code=")


def test_a_request_may_be_posted(lms: Lms) -> None:
    query = lms.address().partition("?")[2]
    form = {"content_type": "application/x-www-form-urlencoded"}
    assert "code=" in lms.browser.post("/oauth/authorize", data=query, **form).location
    assert lms.browser.post(lms.address()).status_code == 400
    assert lms.browser.post("/oauth/authorize", data=query, content_type="text/plain").status_code == 400
    assert lms.browser.post("/oauth/authorize?x=1", data=query, **form).status_code == 400


def test_a_look_at_the_headers_gives_no_code(lms: Lms, engine: sa.Engine) -> None:
    assert lms.browser.head(lms.address()).status_code == 405
    with reading(engine) as conn:
        assert conn.exec_driver_sql("SELECT count(*) FROM codes").scalar_one() == 0


@pytest.mark.parametrize("path", SECRET_PATHS)
def test_a_client_proves_itself_in_its_one_registered_way(lms: Lms, path: str) -> None:
    browser, form = lms.app.test_client(), {"grant_type": "refresh_token", "refresh_token": "x", "token": "x"}
    right = base64.b64encode(f"{lms.party.id}:{lms.secret}".encode()).decode()
    wrong = base64.b64encode(f"{lms.party.id}:rc_client_{'x' * 43}".encode()).decode()
    header, id, secret = {"Authorization": f"Basic {right}"}, lms.party.id, lms.secret
    assert browser.post(path, data=form, headers=header).status_code != 401
    for data, headers in (
        (form, {}),
        (form, {"Authorization": f"Basic {wrong}"}),
        ({**form, "client_id": id}, {}),
        ({**form, "client_id": id, "client_secret": secret}, {}),
        ({**form, "client_id": "0" * 36}, header),
    ):
        answer = browser.post(path, data=data, headers=headers)
        assert (answer.status_code, answer.get_json()["error"]) == (401, "invalid_client"), data
    both = browser.post(path, data={**form, "client_secret": secret}, headers=header)
    assert (both.status_code, both.get_json()["error"]) == (400, "invalid_request")
    twice = browser.post(path, data={**form, "token": ["a", "b"], "refresh_token": ["a", "b"]}, headers=header)
    assert (twice.status_code, twice.get_json()["error"]) == (400, "invalid_request")
    assert browser.post(f"{path}?client_id={id}&client_secret={secret}", data=form).status_code == 401
    assert browser.post(path, json=form, headers=header).status_code == 400
    assert browser.get(path, headers=header).status_code == 405


def test_a_relying_party_gets_nothing_for_itself(lms: Lms, app: Flask, engine: sa.Engine) -> None:
    answer = lms.post("/oauth/token", grant_type="client_credentials")
    assert answer.get_json()["error"] == "unauthorized_client"
    public = Lms(app, *add_client(engine, lms.party.tenant_id, auth_method="none"))
    assert public.post("/oauth/token", grant_type="client_credentials").status_code == 401


def test_guessing_is_slowed_and_the_right_secret_still_works(lms: Lms) -> None:
    browser = lms.app.test_client()
    wrong = base64.b64encode(f"{lms.party.id}:x".encode()).decode()
    form, header = {"grant_type": "authorization_code", "code": "x"}, {"Authorization": f"Basic {wrong}"}
    answers = [browser.post("/oauth/token", data=form, headers=header) for _ in range(60)]
    assert answers[0].status_code == 401
    assert (answers[-1].status_code, answers[-1].headers["Retry-After"]) == (429, "60")
    assert lms.exchange("x").get_json()["error"] == "invalid_grant"


@pytest.mark.parametrize("path", ["openid-configuration", "oauth-authorization-server"])
def test_what_it_says_of_itself_is_there(app: Flask, path: str) -> None:
    answer = app.test_client().get(f"/.well-known/{path}")
    said = answer.get_json()
    assert (answer.status_code, answer.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert said["issuer"] == ISSUER
    known = {rule.rule for rule in app.url_map.iter_rules()} | {"/oauth/introspect"}  # answered before Flask
    addresses = [value for name, value in said.items() if name.endswith(("_endpoint", "_uri"))]
    assert len(addresses) == 7
    assert {address.removeprefix(ISSUER) for address in addresses} <= known
    assert app.test_client().get("/.well-known/jwks.json").headers["Access-Control-Allow-Origin"] == "*"


def test_a_hint_of_this_session_signs_out_at_once(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    hint = lms.tokens()["id_token"]
    answer = lms.browser.get(
        "/oauth/end-session",
        query_string={"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "a b"},
    )
    assert (answer.status_code, answer.location) == (303, f"{AFTER_LOGOUT}?state=a+b")
    assert "Max-Age=0" in answer.headers["Set-Cookie"]
    assert not is_living(engine, ada)
    again = lms.browser.get("/oauth/end-session", query_string={"id_token_hint": hint})
    assert again.location == "/signed-out"


def test_a_posted_hint_without_the_cookie_ends_its_own_session(
    lms: Lms, ada: SignedIn, engine: sa.Engine, app: Flask
) -> None:
    hint = lms.tokens()["id_token"]
    form = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT}
    answer = app.test_client().post("/oauth/end-session", data=form)
    assert (answer.status_code, AFTER_LOGOUT in answer.text) == (200, True)
    assert not is_living(engine, ada)


def test_without_a_hint_the_person_is_asked(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    query = {"client_id": lms.party.id, "post_logout_redirect_uri": AFTER_LOGOUT, "state": '"><b>'}
    page = lms.browser.get("/oauth/end-session", query_string=query)
    assert (page.status_code, "<b>" in page.text) == (200, False)
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert is_living(engine, ada)
    forged = lms.browser.post("/oauth/end-session", data={**query, "yes": "1"})
    assert (forged.status_code, is_living(engine, ada)) == (200, True)
    yes = fields_of(page.text)["yes"]
    bob = sign_in(engine, ada.tenant_id)
    lms.take_cookie(bob)
    lms.browser.post("/oauth/end-session", data={**query, "yes": yes})
    assert is_living(engine, bob)  # the yes was another session's
    lms.take_cookie(ada)
    done = lms.browser.post("/oauth/end-session", data={**query, "yes": yes})
    assert (done.status_code, AFTER_LOGOUT in done.text, is_living(engine, ada)) == (200, True, False)


def test_a_hint_of_another_session_or_kind_asks_first(lms: Lms, ada: SignedIn, engine: sa.Engine, app: Flask) -> None:
    hint, bob = lms.tokens()["id_token"], sign_in(engine, ada.tenant_id)
    lms.take_cookie(bob)
    assert "Sign out?" in lms.browser.get("/oauth/end-session", query_string={"id_token_hint": hint}).text
    signed = Lms(app, *add_client(engine, ada.tenant_id, token_format="jwt"))
    signed.take_cookie(ada)
    token = signed.tokens()["access_token"]
    issuer = issuing.Issuer(engine, Vault([b"k" * 32]), "https://other.example")
    said = {"aud": lms.party.id, "sub": bob.account_id, "sid": bob.session_id, "iat": 1, "iss": ISSUER}
    old = issuing.Issuer(engine, Vault([b"k" * 32]), ISSUER).sign(said, type="JWT", algorithm="RS256")
    foreign = issuer.sign({**said, "iss": "https://other.example"}, type="JWT", algorithm="RS256")
    logout = issuer.sign(said, type="logout+jwt", algorithm="RS256")
    for wrong in (token, old, foreign, logout, hint[:-4] + "AAAA", "x", "a.b.c", hint + "." + hint):
        query = {"id_token_hint": wrong, "client_id": lms.party.id}
        assert "Sign out?" in lms.browser.get("/oauth/end-session", query_string=query).text
    assert is_living(engine, ada)
    assert is_living(engine, bob)


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"client_id": "x"},
        {"client_id": "00000000-0000-7000-8000-000000000000"},
        {"post_logout_redirect_uri": "https://evil.example/", "client_id": None},
        {"post_logout_redirect_uri": AFTER_LOGOUT + "/x", "client_id": None},
        {"post_logout_redirect_uri": AFTER_LOGOUT + "?x", "client_id": None},
        {"post_logout_redirect_uri": [AFTER_LOGOUT, AFTER_LOGOUT], "client_id": None},
    ],
)
def test_a_way_out_that_is_not_registered_is_a_page(
    lms: Lms, ada: SignedIn, engine: sa.Engine, query: dict[str, Any]
) -> None:
    said = {name: lms.party.id if value is None else value for name, value in query.items()}
    answer = lms.browser.get("/oauth/end-session", query_string=said)
    assert (answer.status_code, "Location" in answer.headers, is_living(engine, ada)) == (400, False, True)
    assert "evil" not in answer.text


def test_a_hint_of_another_client_is_refused(lms: Lms, app: Flask, engine: sa.Engine, ada: SignedIn) -> None:
    other = add_client(engine, ada.tenant_id)[0]
    query = {"id_token_hint": lms.tokens()["id_token"], "client_id": other.id}
    assert lms.browser.get("/oauth/end-session", query_string=query).status_code == 400
    assert "invalid_request" in Lms(app, other, "").ask(id_token_hint=lms.tokens()["id_token"]).location
    assert is_living(engine, ada)
    assert "code" in lms.told(id_token_hint=lms.tokens()["id_token"])


@dataclass
class Departing:
    """Signs out here, and sends the browser to an identity provider."""

    engine: sa.Engine
    message: Redirect | Form

    def sign_out(self, session: Any, _visitor: Any) -> Begun:
        with reading(self.engine) as conn:
            sessions.end(conn, session.tenant_id, [session.id], "test")
        return Begun(self.message, "b" * 43)


@dataclass
class Desk:
    """Knows every session."""

    who: SignedIn

    def session(self, tenant_id: str, _cookie: str) -> Session:
        return Session(self.who.session_id, tenant_id, self.who.account_id, "c", "Ada", ProviderSession("ada"))


@pytest.mark.parametrize("message", [Redirect("https://idp.example/out?x=1"), Form("https://idp.example/out", {})])
def test_the_way_out_leads_by_the_identity_provider(engine: sa.Engine, ada: SignedIn, message: Redirect | Form) -> None:
    shared = door(engine, Settings(public_url=ISSUER, secret_key=(b"k" * 32,)))
    assert shared.people is not None
    upstream: Any = provider_routes.Upstream(Desk(ada), Departing(engine, message))  # type: ignore[arg-type]
    app = make_app(engine)
    views = Flask("app", root_path=app.root_path)
    doors = provider_routes.Doors(shared.people, shared.provider, ISSUER, upstream)
    views.register_blueprint(provider_routes.blueprint(doors))
    lms = Lms(app, *add_client(engine, ada.tenant_id))
    lms.take_cookie(ada)
    hint = lms.tokens()["id_token"]
    lms.browser = views.test_client()
    lms.take_cookie(ada)
    query = {"id_token_hint": hint, "post_logout_redirect_uri": AFTER_LOGOUT, "state": "s"}
    answer = lms.browser.get("/oauth/end-session", query_string=query)
    assert (answer.status_code, "https://idp.example/out" in answer.text) == (200, True)
    assert not is_living(engine, ada)
    cookie = lms.browser.get_cookie("__Host-rollcall-onward")
    assert cookie is not None
    back = app.test_client()
    back.set_cookie("__Host-rollcall-onward", cookie.decoded_value)
    onward = back.get("/signed-out")
    assert onward.location.startswith("/oauth/end-session?client_id=")
    assert back.get(onward.location).location == f"{AFTER_LOGOUT}?state=s"
    assert "You are signed out" in back.get("/signed-out").text
    for planted in ("https://evil.example/", "//evil.example/oauth/end-session?", "/oauth/end-session?\\", "/x"):
        back.set_cookie("__Host-rollcall-onward", planted)
        assert back.get("/signed-out").status_code == 200


def test_another_sites_form_does_not_take_the_cookie_away(lms: Lms, app: Flask) -> None:
    answer = app.test_client().post("/oauth/end-session", data={"client_id": lms.party.id})
    assert "Set-Cookie" not in answer.headers


def test_requests_of_nobody_fill_no_table(engine: sa.Engine, ada: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.factory.STEPS_AT_ONCE", 1)
    monkeypatch.setattr("app.factory.STEPS_A_SECOND", 1)
    lms = Lms(make_app(engine), *add_client(engine, ada.tenant_id))
    answers = [lms.browser.get(lms.address()) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [303, 429, 429]
    assert "Too many sign-ins" in answers[1].get_data(as_text=True)
    assert int(answers[1].headers["Retry-After"]) >= 1
    with engine.connect() as conn:
        assert conn.execute(sa.text("SELECT count(*) FROM flows")).scalar_one() == 1
    lms.take_cookie(ada)
    assert "code=" in lms.browser.get(lms.address()).location  # whoever is signed in leaves nothing there


@pytest.mark.parametrize("asked", [{"state": "s" * 2000, "nonce": "n" * 500}, {"state": "/,:" * 600}])
def test_a_long_request_comes_back_whole_after_signing_in(
    lms: Lms, app: Flask, engine: sa.Engine, ada: SignedIn, asked: dict[str, str]
) -> None:
    lms.browser = app.test_client()
    sent = lms.ask(**asked, login_hint="h" * 300)
    with reading(engine) as conn:
        flow = flows.take(conn, ada.tenant_id, flow_of(sent.location))
    assert flow is not None
    lms.take_cookie(ada)
    came = lms.browser.get(flow.return_to)
    assert came.status_code == 303, came.text
    assert "code=" in came.location


def test_a_request_that_could_not_come_back_is_refused_before(lms: Lms, app: Flask) -> None:
    lms.browser = app.test_client()
    assert "error=invalid_request" in lms.browser.get(f"{lms.address()}&x={',' * 2600}").location


def test_another_sites_form_is_asked_to_come_by_itself(lms: Lms, app: Flask, ada: SignedIn) -> None:
    """It comes without the cookie: neither is somebody else to sign in, nor is the person told to be signed out."""
    path, _, query = lms.address(prompt="none").partition("?")
    posted = app.test_client().post(path, data=query, content_type="application/x-www-form-urlencoded")
    assert posted.status_code == 303
    assert "code=" in lms.browser.get(posted.location).location
    said = {"client_id": lms.party.id, "post_logout_redirect_uri": AFTER_LOGOUT}
    left = app.test_client().post("/oauth/end-session", data=said)
    assert left.status_code == 303
    assert "asks to sign you out" in lms.browser.get(left.location).text


def test_a_look_at_the_headers_signs_nobody_out(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    hint = lms.tokens()["id_token"]
    assert lms.browser.head("/oauth/end-session", query_string={"id_token_hint": hint}).status_code == 405
    assert is_living(engine, ada)
