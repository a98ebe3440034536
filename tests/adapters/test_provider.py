"""The OpenID provider on the real store: from the authorization request to the end of what it gave."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from app.store import flows, sessions, tenants
from app.store import tables as t
from app.store.engine import reading, writing
from tests.relying_party import ISSUER, Lms, flow_of, make_app
from tests.signed_in import CALLBACK, SignedIn, add_account, add_client, sign_in

Make = Callable[..., Lms]


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    return make_app(engine)


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def make(engine: sa.Engine, app: Flask, tenant: tenants.Tenant, ada: SignedIn) -> Make:
    def made(**said: Any) -> Lms:
        lms = Lms(app, *add_client(engine, tenant.id, **said))
        lms.take_cookie(ada)
        return lms

    return made


@pytest.fixture
def lms(make: Make) -> Lms:
    return make()


def test_a_person_signs_in_at_a_client(lms: Lms, ada: SignedIn) -> None:
    answer = lms.ask()
    assert (answer.status_code, answer.headers["Cache-Control"]) == (303, "no-store")
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    told = lms.told()
    assert (told["state"], told["iss"]) == ("s t/1", ISSUER)
    answer = lms.exchange(told["code"])
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
    said = answer.get_json()
    assert (said["token_type"], said["scope"]) == ("Bearer", "openid profile email roles")
    assert 3590 <= said["expires_in"] <= 3600
    assert said["access_token"].startswith("rc_pt_")
    header, claims = lms.verified(said["id_token"])
    assert (header["alg"], header["typ"]) == ("RS256", "JWT")
    assert (claims["iss"], claims["aud"], claims["sub"]) == (ISSUER, lms.party.id, ada.account_id)
    assert (claims["nonce"], claims["sid"], claims["acr"]) == ("n-1", ada.session_id, "urn:mfa")
    assert claims["amr"] == ["pwd", "otp"]
    assert claims["exp"] - claims["iat"] == 600
    half = hashlib.sha256(said["access_token"].encode()).digest()[:16]
    assert claims["at_hash"] == base64.urlsafe_b64encode(half).rstrip(b"=").decode()
    assert (claims["name"], claims["email"], claims["email_verified"]) == ("Ada Lovelace", "Ada@Example.com", False)
    assert (claims["roles"], claims["tenant"]) == (["instructor"], "acme")
    assert "groups" not in claims


def test_an_address_is_verified_when_its_source_may_speak_for_it(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    row = {"namespace": "email", "affiliation": "employee", "value": "ada@example.com", "holders": [ada.account_id]}
    with writing(engine) as conn:
        conn.execute(sa.insert(t.identifiers).values(tenant_id=ada.tenant_id, **row))
    assert lms.verified(lms.tokens()["id_token"])[1]["email_verified"] is True


def test_groups_and_scoped_roles_are_told_to_whom_may_see_them(
    make: Make, ada: SignedIn, engine: sa.Engine, okta: tenants.SourceRow
) -> None:
    ids = {"team": "00000000-0000-7000-8000-00000000000a", "unit": "00000000-0000-7000-8000-00000000000b"}
    now = sa.func.now()
    with writing(engine) as conn:
        times = {"tenant_id": ada.tenant_id, "source_id": okta.id, "created_at": now, "updated_at": now}
        record = {"id": ada.record_id, "account_id": ada.account_id, "active": True, "document": {}, **times}
        conn.execute(sa.insert(t.records).values(record))
        for name, id in ids.items():
            conn.execute(sa.insert(t.groups).values(id=id, display_name=name, document={}, **times))
        member = {"tenant_id": ada.tenant_id, "group_id": ids["team"], "member_id": ada.record_id, "kind": "User"}
        conn.execute(sa.insert(t.members).values(member))
        conn.execute(
            sa.insert(t.members).values({**member, "group_id": ids["unit"], "member_id": ids["team"], "kind": "Group"})
        )
        grant = {"tenant_id": ada.tenant_id, "account_id": ada.account_id, "role": "manager", "scope": "course:7"}
        conn.execute(sa.insert(t.grants).values(**grant, rule="r", effective=True, since=now))
    lms = make(scopes=("openid", "groups", "roles"))
    claims = lms.verified(lms.tokens(scope="openid groups roles address")["id_token"])[1]
    assert claims["groups"] == ["team", "unit"]
    assert claims["role_grants"] == [{"role": "manager", "scope": "course:7"}]
    assert "email" not in claims
    assert lms.told(scope="openid email")["error"] == "invalid_scope"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post", "none"])
def test_each_way_to_prove_who_it_is(make: Make, method: str) -> None:
    lms = make(auth_method=method)
    said = lms.tokens()
    assert lms.refresh(said["refresh_token"]).status_code == 200
    assert lms.post("/oauth/revoke", token=said["access_token"]).status_code == 200


def test_es256_where_the_client_wants_it(make: Make) -> None:
    lms = make(id_token_algorithm="ES256")
    assert lms.verified(lms.tokens()["id_token"], "ES256")[0]["alg"] == "ES256"


def test_a_signed_access_token(make: Make, ada: SignedIn) -> None:
    lms = make(token_format="jwt", audience="https://lms.example.com/api")
    said = lms.tokens()
    assert said["expires_in"] <= 600
    header, claims = lms.verified(said["access_token"])
    assert (header["typ"], claims["aud"], claims["client_id"]) == (
        "at+jwt",
        "https://lms.example.com/api",
        lms.party.id,
    )
    assert (claims["sub"], claims["sid"], claims["roles"]) == (ada.account_id, ada.session_id, ["instructor"])
    assert claims["scope"] == "openid profile email roles"
    assert "email" not in claims
    assert lms.introspect(said["access_token"])["jti"] == claims["jti"]
    assert lms.userinfo(said["access_token"]).status_code == 200
    lms.post("/oauth/revoke", token=said["access_token"])
    assert lms.userinfo(said["access_token"]).status_code == 401


def test_userinfo_tells_what_the_token_may(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    token = lms.tokens()["access_token"]
    for method in ("GET", "POST"):
        answer = lms.userinfo(token, method)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-store")
        assert (answer.get_json()["sub"], answer.get_json()["given_name"]) == (ada.account_id, "Ada")
    lacking = lms.userinfo(lms.tokens(scope="email")["access_token"])
    assert (lacking.status_code, 'error="insufficient_scope"' in lacking.headers["WWW-Authenticate"]) == (403, True)
    browser = lms.app.test_client()
    for answer in (
        browser.get(f"/oauth/userinfo?access_token={token}"),
        browser.post("/oauth/userinfo", data={"access_token": token}),
        lms.userinfo(lms.tokens()["refresh_token"]),
        lms.userinfo(lms.tokens()["id_token"]),
        lms.userinfo("x"),
    ):
        assert (answer.status_code, "WWW-Authenticate" in answer.headers) == (401, True)
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE accounts SET status = 'inactive'")
    assert lms.userinfo(token).status_code == 401


def test_refreshing(lms: Lms, ada: SignedIn) -> None:
    first = lms.tokens()
    second = lms.refresh(first["refresh_token"], scope="openid email").get_json()
    assert second["scope"] == "openid email"
    claims = lms.verified(second["id_token"])[1]
    assert (claims["sub"], "nonce" in claims, "name" in claims) == (ada.account_id, False, False)
    third = lms.refresh(second["refresh_token"]).get_json()
    assert third["scope"] == "openid profile email roles"
    wider = lms.refresh(third["refresh_token"], scope="openid groups")
    assert (wider.status_code, wider.get_json()["error"]) == (400, "invalid_scope")
    stolen = lms.refresh(first["refresh_token"])
    assert (stolen.status_code, stolen.get_json()["error"]) == (400, "invalid_grant")
    assert lms.refresh(third["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert lms.userinfo(third["access_token"]).status_code == 401


@pytest.mark.parametrize(
    "form",
    [
        {"code_verifier": None},
        {"code_verifier": "short"},
        {"code_verifier": "x" * 43},
        {"redirect_uri": None},
        {"redirect_uri": CALLBACK + "/"},
        {"code": None},
        {"code": "x" * 43},
        {"code": ""},
    ],
)
def test_a_code_without_all_that_belongs_to_it_gives_nothing(lms: Lms, form: dict[str, Any]) -> None:
    code = lms.code()
    answer = lms.exchange(code, **form)
    assert answer.status_code == 400
    assert answer.get_json()["error"] in ("invalid_grant", "invalid_request")
    assert lms.exchange(code).status_code == 200  # and spends nothing


def test_a_code_of_another_client_gives_nothing(lms: Lms, make: Make) -> None:
    other = make()
    assert other.exchange(lms.code(), code_verifier=lms.verifier).get_json()["error"] == "invalid_grant"


def test_a_second_exchange_ends_what_the_first_gave(lms: Lms) -> None:
    code = lms.code()
    said = lms.exchange(code).get_json()
    assert lms.exchange(code).get_json()["error"] == "invalid_grant"
    assert lms.userinfo(said["access_token"]).status_code == 401
    assert lms.refresh(said["refresh_token"]).get_json()["error"] == "invalid_grant"


def test_of_two_exchanges_at_once_one_wins_and_all_ends(lms: Lms) -> None:
    for _ in range(3):
        code, gate = lms.code(), Barrier(2)

        def one(_number: int, code: str = code, gate: Barrier = gate) -> Any:
            gate.wait()
            return lms.exchange(code)

        with ThreadPoolExecutor(2) as pool:
            answers = list(pool.map(one, range(2)))
        assert sorted(answer.status_code for answer in answers) == [200, 400]
        [won] = [answer.get_json() for answer in answers if answer.status_code == 200]
        assert lms.userinfo(won["access_token"]).status_code == 401


def test_a_code_lives_a_minute(lms: Lms, engine: sa.Engine) -> None:
    code = lms.code()
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE codes SET expires_at = expires_at - interval '61 seconds'")
    assert lms.exchange(code).get_json()["error"] == "invalid_grant"


def test_what_was_given_ends_with_the_session_and_the_person(lms: Lms, ada: SignedIn, engine: sa.Engine) -> None:
    said, code = lms.tokens(), lms.code()
    with reading(engine) as conn:
        sessions.end_all(conn, ada.tenant_id, ada.account_id, "test")
    assert lms.exchange(code).get_json()["error"] == "invalid_grant"
    assert lms.refresh(said["refresh_token"]).get_json()["error"] == "invalid_grant"
    assert lms.userinfo(said["access_token"]).status_code == 401
    assert lms.ask().location.startswith("/sign-in/acme?flow=")


def test_without_a_session_the_person_signs_in_and_comes_back(
    make: Make, app: Flask, engine: sa.Engine, tenant: tenants.Tenant
) -> None:
    lms = make()
    lms.browser = app.test_client()
    answer = lms.ask(login_hint="ada@example.com", acr_values="urn:mfa", max_age="60", connection="okta")
    assert answer.location.startswith("/sign-in/acme/okta?flow=")
    with reading(engine) as conn:
        flow = flows.take(conn, tenant.id, flow_of(answer.location))
    assert flow is not None
    assert flow.demands == {"login_hint": "ada@example.com", "contexts": ["urn:mfa"], "max_age": 60}
    blocked = lms.browser.get(flow.return_to)
    assert (blocked.status_code, "cookie" in blocked.text) == (400, True)
    lms.take_cookie(sign_in(engine, tenant.id))
    back = lms.browser.get(flow.return_to)
    assert back.location.startswith(f"{CALLBACK}?code=")


def test_somebody_is_asked_anew_once(lms: Lms, engine: sa.Engine, tenant: tenants.Tenant) -> None:
    answer = lms.ask(prompt="login", max_age="0")
    with reading(engine) as conn:
        flow = flows.take(conn, tenant.id, flow_of(answer.location))
    assert flow is not None
    assert flow.demands == {"force": True, "max_age": 0}
    # Whoever comes back with the old session did not sign in; the mark of one request is none for another.
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE sessions SET created_at = created_at - interval '1 minute'")
    refused = lms.browser.get(flow.return_to)
    assert "error=login_required" in refused.location
    other = lms.browser.get(flow.return_to.replace("n-1", "n-2"))
    assert other.location.startswith("/sign-in/")
    lms.take_cookie(sign_in(engine, tenant.id, add_account(engine, tenant.id)))
    assert "code=" in lms.browser.get(flow.return_to).location


def test_a_client_of_another_tenant_does_not_see_the_session(app: Flask, engine: sa.Engine, ada: SignedIn) -> None:
    with writing(engine) as conn:
        other = tenants.create(conn, "other")
    lms = Lms(app, *add_client(engine, other.id))
    lms.take_cookie(ada)
    lms.browser.set_cookie("__Host-rollcall-" + hashlib.sha256(other.id.encode()).hexdigest()[:8], ada.secret)
    assert lms.ask().location.startswith("/sign-in/other?flow=")


def test_revoking(lms: Lms, make: Make) -> None:
    said, other = lms.tokens(), make()
    for token in (said["access_token"], said["refresh_token"], "x", "y" * 9000):
        assert other.post("/oauth/revoke", token=token).status_code == 200
    assert lms.userinfo(said["access_token"]).status_code == 200
    assert lms.post("/oauth/revoke").get_json()["error"] == "invalid_request"
    unknown = lms.app.test_client().post("/oauth/revoke", data={"token": said["access_token"]})
    assert (unknown.status_code, unknown.get_json()["error"]) == (401, "invalid_client")
    assert lms.post("/oauth/revoke", token=said["refresh_token"], token_type_hint="access_token").status_code == 200
    assert lms.userinfo(said["access_token"]).status_code == 401


def test_a_removed_client_can_do_nothing(lms: Lms, engine: sa.Engine) -> None:
    said = lms.tokens()
    with writing(engine) as conn:
        conn.exec_driver_sql("UPDATE clients SET removed_at = now()")
    assert lms.ask().status_code == 400
    assert lms.refresh(said["refresh_token"]).status_code == 401
    assert lms.userinfo(said["access_token"]).status_code == 401
