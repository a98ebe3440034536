"""/oauth/check: who may pass, what is told of them, and what is demanded where."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sso.checking import Answer, Good
from sso.forward_auth import check, is_check
from tests.sso.good import Keeper, environment


def ask(path: str = "/oauth/check", token: str | None = None, method: str = "GET", **headers: str) -> Answer:
    if token is not None:
        headers["AUTHORIZATION"] = f"Bearer {token}"
    return check(environment(path, method, **headers), Keeper())


def test_a_good_token_passes_and_tells_who_it_is() -> None:
    answer = ask(token="ada")
    assert (answer.status, answer.body) == (204, b"")
    assert dict(answer.headers) == {
        "Cache-Control": "no-store",
        "X-Auth-Account": "a1",
        "X-Auth-Tenant": "acme",
        "X-Auth-Roles": "learner,trainer",
        "X-Auth-Client": "lms",
        "X-Auth-Scopes": "openid profile email roles",
        "X-Auth-Email": "ada@example.com",
    }


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"])
def test_the_method_decides_nothing(method: str) -> None:
    assert ask(token="ada", method=method).status == 204
    assert ask(method=method).status == 401


def test_what_the_scopes_do_not_stand_for_is_not_told_and_every_header_is_there() -> None:
    told = dict(ask(token="shy").headers)
    assert (told["X-Auth-Roles"], told["X-Auth-Email"]) == ("", "")
    assert told.keys() == dict(ask(token="ada").headers).keys()


def test_values_are_visible_ascii() -> None:
    told = dict(ask(token="odd").headers)
    assert told["X-Auth-Roles"] == "a%2Cb,F%C3%BChrer,x%0D%0Ay"
    assert told["X-Auth-Email"] == "%C3%BC%25@example.com"


@pytest.mark.parametrize("token", ["unknown", "feed", "again", "x" * 9_000, "a b", "é", ""])
def test_any_other_token_is_refused_without_a_reason(token: str) -> None:
    answer = ask(token=token)
    challenge = dict(answer.headers)["WWW-Authenticate"]
    assert answer.status == 401
    assert challenge == ask(token="unknown").headers[0][1] or token == ""
    assert answer.headers[-1] == ("Cache-Control", "no-store")


def test_nothing_presented_names_no_error() -> None:
    assert dict(ask().headers)["WWW-Authenticate"] == 'Bearer realm="rollcall"'
    assert dict(ask(AUTHORIZATION="Basic YTpi").headers)["WWW-Authenticate"] == 'Bearer realm="rollcall"'


def test_a_token_in_the_query_is_an_unknown_demand() -> None:
    assert ask("/oauth/check?access_token=ada").status == 400


@pytest.mark.parametrize(
    ("query", "token", "status"),
    [
        ("role=trainer", "ada", 204),
        ("role=admin&role=trainer", "ada", 204),
        ("role=admin", "ada", 403),
        ("role=trainer", "shy", 403),  # it may not be told by guessing either
        ("tenant=acme", "ada", 204),
        ("tenant=other", "ada", 403),
        ("tenant=1", "ada", 403),
        ("client=lms", "ada", 204),
        ("client=other", "ada", 403),
        ("scope=openid%20email", "ada", 204),
        ("scope=openid&scope=email", "shy", 403),
        ("scope=openid+groups", "ada", 403),
        ("role=trainer&tenant=other", "ada", 403),
        ("role=trainer", "unknown", 401),
    ],
)
def test_demands(query: str, token: str, status: int) -> None:
    assert ask(f"/oauth/check?{query}", token).status == status
    assert ask(f"/oauth/check;{query.replace('&', ';').replace('+', ' ')}/any/path", token).status == status


@pytest.mark.parametrize(
    "query", ["rol=admin", "role", "role=", "=x", "role=%ff", "Role=admin", "role=a&" * 30 + "role=a"]
)
def test_a_demand_that_is_not_understood_opens_nothing(query: str) -> None:
    answer = ask(f"/oauth/check?{query}", "ada")
    assert answer.status == 400
    assert ask(f"/oauth/check;{query.replace('&', ';')}", "ada").status == 400


def test_what_envoy_appends_demands_nothing_and_lifts_nothing() -> None:
    assert ask("/oauth/check/app?role=trainer&anything", "ada").status == 204
    assert ask("/oauth/check;role=admin/app?role=trainer", "ada").status == 403
    assert ask("/oauth/check;role=admin/app;role=trainer/../x", "ada").status == 403
    assert ask("/oauth/check;role=admin?role=trainer", "ada").status == 403
    assert ask("/oauth/check;role=admin/;role=trainer", "ada").status == 403


def test_a_cookie_counts_for_the_tenant_that_is_named_and_without_authorization() -> None:
    assert ask("/oauth/check?tenant=acme", COOKIE="ada").status == 204
    assert ask("/oauth/check?tenant=other&tenant=acme&role=trainer", COOKIE="ada").status == 204
    assert ask("/oauth/check?tenant=other", COOKIE="ada").status == 401
    assert ask("/oauth/check", COOKIE="ada").status == 401
    assert ask("/oauth/check?tenant=acme", "unknown", COOKIE="ada").status == 401
    assert ask("/oauth/check?tenant=acme", COOKIE="ada", AUTHORIZATION="Basic YTpi").status == 401
    assert ask("/oauth/check?tenant=acme&scope=openid", COOKIE="ada").status == 403
    told = dict(ask("/oauth/check?tenant=acme", COOKIE="ada").headers)
    assert (told["X-Auth-Roles"], told["X-Auth-Client"], told["X-Auth-Scopes"]) == ("learner,trainer", "", "")


def test_who_is_signed_in_at_several_tenants_comes_in_by_the_one_that_will_do() -> None:
    class Both(Keeper):
        def session(self, tenant: str, cookies: str) -> Good | None:
            found = super().session("acme", cookies)
            return None if found is None else replace(found, tenant=tenant, roles=(f"{tenant}-trainer",))

    def asked(query: str) -> Answer:
        return check(environment(f"/oauth/check?tenant=one&tenant=two{query}", COOKIE="ada"), Both())

    for role, tenant in (("one-trainer", "one"), ("two-trainer", "two")):
        assert dict(asked(f"&role={role}").headers)["X-Auth-Tenant"] == tenant
    assert asked("&role=three-trainer").status == 403


def test_forwarded_headers_decide_nothing() -> None:
    forwarded = {"X_FORWARDED_USER": "root", "X_FORWARDED_FOR": "127.0.0.1", "X_FORWARDED_URI": "/?role=trainer"}
    assert ask(**forwarded).status == 401
    assert ask("/oauth/check?role=admin", "ada", **forwarded).status == 403
    assert ask(X_AUTH_ACCOUNT="a1", X_AUTH_ROLES="admin").status == 401


@pytest.mark.parametrize(
    ("path", "is_one"),
    [
        ("/oauth/check", True),
        ("/oauth/check/", True),
        ("/oauth/check/a/b", True),
        ("/oauth/check;role=x/a", True),
        ("/oauth/checks", False),
        ("/oauth/check.php", False),
        ("/oauth", False),
    ],
)
def test_its_paths(path: str, is_one: bool) -> None:
    assert is_check(path) is is_one
