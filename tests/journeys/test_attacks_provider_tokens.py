"""The same at the doors that clients and resource servers come to, and at the way out."""

from __future__ import annotations

import time
from collections.abc import Iterator
from functools import partial
from typing import Any, Final

import pytest

from tests.attacks import provider
from tests.attacks.jwts import SIGNER
from tests.attacks.provider import AFTER
from tests.journeys import attacking
from tests.journeys.attacked import (
    Target,
    a_page,
    asks_first,
    attacked,
    check,
    genuine_beside_them,
    is_inactive,
    is_refused,
    is_unauthorized,
    minted,
    played,
    unchanged,
)
from tests.journeys.attacking import send
from tests.journeys.platform import encoded, read
from tests.signed_in import sign_in

pytestmark = pytest.mark.journey

WRONG: Final = ("invalid_request", "invalid_client")


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with attacked() as made:
        yield made
        unchanged(made)


@pytest.fixture(autouse=True)
def beside_what_is_right(target: Target) -> Iterator[None]:
    with genuine_beside_them(target):
        yield


def test_a_client_proves_who_it_is_in_its_one_way(target: Target) -> None:
    web, url = target.web, target.server.url
    form, secret = {"client_id": web.id, "client_secret": web.secret}, {"client_secret": web.secret}
    assertion = {
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": SIGNER.sign({"iss": web.id, "sub": web.id, "aud": url, "exp": int(time.time()) + 60}),
    }
    ways: dict[str, tuple[dict[str, str], dict[str, Any]]] = {
        "nothing": ({}, {}),
        "the id alone": ({}, {"client_id": web.id}),
        "an unknown id": ({}, {"client_id": provider.NOBODY}),
        "the secret alone": ({}, secret),
        "a wrong secret": (web.basic(secret="x" * 43), {}),
        "no secret": (web.basic(secret=""), {}),
        "another client's secret": (web.basic(secret=target.all.secret), {}),
        "another tenant's id": (web.basic(id=target.foreign.id), {}),
        "NUL": (web.basic(id="\0", secret="\0"), {}),
        "not base64": ({"Authorization": "Basic %%%"}, {}),
        "another scheme": ({"Authorization": f"Bearer {web.secret}"}, {}),
        "in the form, where Basic is registered": ({}, form),
        "two ways at once": (web.basic(), form),
        "another id in the form": (web.basic(), {"client_id": target.all.id}),
        "a public client with a secret": (target.public.basic(secret=web.secret), {}),
        "a public client with somebody's secret": ({}, {**form, "client_id": target.public.id}),
        "an assertion that nobody registered": ({}, {"client_id": web.id, **assertion}),
        "an assertion and a secret": (web.basic(), assertion),
    }
    asked: dict[str, dict[str, Any]] = {
        "/oauth/token": web.form("x"),
        "/oauth/revoke": {"token": "x"},
        "/oauth/introspect": {"token": "x"},
    }
    for path, said in asked.items():
        plays = {
            f"{name} at {path}": partial(send, url + path, "POST", body=encoded({**said, **more}), headers=headers)
            for name, (headers, more) in ways.items()
        }
        played(plays, is_refused("invalid_client", "invalid_request"))
        query = encoded({**said, **form})
        played({path: partial(send, url + path, "POST", query=query, body=b"")}, is_refused(*WRONG))
        for kind in ("application/json", "multipart/form-data; boundary=x", "text/plain", ""):
            play = partial(send, url + path, "POST", body=query, kind=kind, headers=web.basic())
            played({f"{kind} at {path}": play}, is_refused("invalid_request"))
        assert send(url + path, query=query).status == 405


def test_a_machine_is_no_person_and_a_person_no_machine(target: Target) -> None:
    public = target.public
    form = {"grant_type": "client_credentials", "scope": "openid"}
    played({"public": partial(public.post, "/oauth/token", form)}, is_refused("unauthorized_client", "invalid_client"))
    code = public.code()
    played({"no verifier": partial(public.exchange, code, code_verifier=None)}, is_refused("invalid_request"))
    assert read(public.exchange(code))["access_token"], "what failed did not spend it"


def test_who_may_not_ask_hears_nothing(target: Target) -> None:
    held, signed, theirs = target.web.tokens(), target.signed.tokens(), target.foreign.tokens()
    plays = {
        "another client": partial(target.signed.introspect, held["access_token"]),
        "another client's JWT": partial(target.web.introspect, signed["access_token"]),
        "another tenant": partial(target.foreign.introspect, held["access_token"]),
        "another tenant's": partial(target.all.introspect, theirs["access_token"]),
        "another client's refresh token": partial(target.all.introspect, held["refresh_token"]),
        "an ID token": partial(target.all.introspect, held["id_token"]),
        "a session's cookie": partial(target.all.introspect, target.web.who.secret),
    }
    played(plays, is_inactive)
    assert read(target.all.introspect(held["access_token"]))["active"]
    public = partial(target.public.introspect, held["access_token"])
    played({"public": public}, is_refused("invalid_client"))


def test_nobody_revokes_what_is_anothers(target: Target) -> None:
    held = target.web.tokens()
    for other in (target.signed, target.public, target.foreign):
        for token in (held["access_token"], held["refresh_token"]):
            assert attacking.in_time(partial(other.post, "/oauth/revoke", {"token": token})).status == 200
    assert target.web.is_good(held)
    assert target.web.post("/oauth/revoke", {"token": held["access_token"]}).status == 200
    assert not target.web.is_good(held)


def test_ways_out(target: Target) -> None:
    web, held = target.web, target.web.tokens()
    plays = {f"{name}": partial(web.leave, post_logout_redirect_uri=uri) for name, uri in provider.AFTER_URIS.items()}
    plays |= {
        "twice": partial(web.leave, post_logout_redirect_uri=[AFTER, AFTER]),
        "no client": partial(web.leave, client_id=None),
        "an unknown client": partial(web.leave, client_id=provider.NOBODY),
        "another client's hint": partial(web.leave, id_token_hint=target.public.tokens()["id_token"]),
        "another tenant's hint": partial(web.leave, id_token_hint=target.foreign.tokens()["id_token"]),
    }
    played(plays, a_page)
    own = sign_in(target.engine, target.tenant.id, web.who.account_id)
    hints = {
        "none": None,
        "another session's": target.of(own).tokens()["id_token"],
        "an access token": held["access_token"],
        "a signed access token": target.signed.tokens()["access_token"],
        **{f"our own key, typ {typ}": minted(target, typ) for typ in ("at+jwt", "logout+jwt", "secevent+jwt")},
        "a forged answer of the person": None,
    }
    more = {"a forged answer of the person": {"yes": "yes"}}
    played({n: partial(web.leave, id_token_hint=hint, **more.get(n, {})) for n, hint in hints.items()}, asks_first)


def test_userinfo_and_the_check_take_access_tokens_in_the_header_only(target: Target) -> None:
    held, url = target.web.tokens(), f"{target.server.url}/oauth/userinfo"
    token = encoded({"access_token": held["access_token"]})
    plays = {
        "in the query": partial(send, url, query=token),
        "in the form": partial(send, url, "POST", body=token),
        "by Basic": partial(send, url, headers=target.web.basic()),
        "in a cookie": partial(send, url, cookies={"access_token": held["access_token"]}),
        "the session's cookie": partial(send, url, cookies=target.web.jar),
    }
    played(plays, is_refused("invalid_token"))
    wrong = {name: held[name] for name in ("refresh_token", "id_token")} | {"a code": target.web.code()}
    wrong |= {typ: minted(target, typ) for typ in ("at+jwt", "JWT", "logout+jwt")}
    wrong |= {"the session": target.web.who.secret, "the secret": target.web.secret}
    played({name: partial(target.web.userinfo, each) for name, each in wrong.items()}, is_refused("invalid_token"))
    played({name: partial(check, target, each) for name, each in wrong.items()}, is_unauthorized)
    bare = target.web.tokens(scope="email")
    played({"without openid": partial(target.web.userinfo, bare["access_token"])}, is_refused("insufficient_scope"))
    assert "id_token" not in bare
    assert check(target, held["access_token"]).status == 204


def test_a_check_is_misled_by_nothing(target: Target) -> None:
    token = target.web.tokens()["access_token"]
    ask = partial(check, target, token)
    demands = {
        "another tenant": "?tenant=elsewhere",
        "a role that is not told": "?role=instructor",
        "another scope": "?scope=groups",
        "another client": f"?client={target.public.id}",
        "by path": ";tenant=elsewhere//x?tenant=attacked",
    }
    played({name: partial(ask, said) for name, said in demands.items()}, lambda answer: answer.status - 403)
    odd = {"NUL": "?tenant=a%00b", "unknown": "?roles=x", "empty": "?tenant=", "not UTF-8": "?tenant=%ff"}
    played({name: partial(ask, said) for name, said in odd.items()}, lambda answer: answer.status not in (400, 403))
    for said in odd.values():
        assert check(target, None, said, target.web.jar).status in (400, 401)
    assert check(target, None, "?tenant=elsewhere", target.web.jar).status == 401
    assert check(target, None, "?tenant=attacked", target.web.jar).status == 204


def test_answers_tell_no_more_than_they_must(target: Target) -> None:
    answer = target.web.exchange(target.web.code())
    assert (answer.headers["cache-control"], answer.headers.get("pragma")) == ("no-store", "no-cache")
    jwks = read(send(f"{target.server.url}/.well-known/jwks.json"))["keys"]
    assert jwks
    assert not any({"d", "p", "q", "dp", "dq", "qi", "k", "oth"} & set(key) for key in jwks)
    led = target.web.ask()
    assert led.status == 303
    assert {name: led.headers.get(name) for name in ("cache-control", "referrer-policy")} == {
        "cache-control": "no-store",
        "referrer-policy": "no-referrer",
    }
