"""What is tried at an OpenID provider, over HTTP at the running one: authorizations, codes, refresh tokens."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from functools import partial
from typing import Final

import pytest
import sqlalchemy as sa

from app.store.engine import writing
from tests.attacks import provider
from tests.attacks.jwts import SIGNER, tokens
from tests.attacks.provider import AFTER
from tests.journeys import clients, signing_in
from tests.journeys.attacked import (
    Target,
    a_page,
    asks_first,
    attacked,
    check,
    exchanged,
    genuine_beside_them,
    is_inactive,
    is_refused,
    is_told,
    played,
    unchanged,
)
from tests.journeys.attacking import Answer
from tests.journeys.platform import back, error, read

pytestmark = pytest.mark.journey

LEAVES: Final = {"op": "Replace", "path": "active", "value": "False"}


@pytest.fixture(scope="module")
def target() -> Iterator[Target]:
    with attacked() as made:
        yield made
        unchanged(made)


@pytest.fixture(autouse=True)
def beside_what_is_right(target: Target) -> Iterator[None]:
    with genuine_beside_them(target):
        yield


def test_no_redirect_uri_but_the_registered_one(target: Target) -> None:
    web, native = target.web, target.native
    plays = {name: partial(web.ask, redirect_uri=uri) for name, uri in provider.REDIRECT_URIS.items()}
    plays |= {f"native: {name}": partial(native.ask, redirect_uri=uri) for name, uri in provider.NATIVE_URIS.items()}
    plays |= {f"client: {name}": partial(web.ask, client_id=id) for name, id in provider.CLIENTS.items()}
    plays |= {name: partial(web.ask, **changes) for name, changes in provider.UNREADABLE.items()}
    plays["client: twice"] = partial(web.ask, client_id=[web.id, web.id])
    plays["another client's"] = partial(web.ask, client_id=native.id)
    plays["a loopback port of a client that is not native"] = partial(
        target.public.ask, redirect_uri="http://127.0.0.1:4000/callback"
    )
    played(plays, a_page)
    assert "code" in back(native.ask(redirect_uri="http://127.0.0.1:4000/callback")), "RFC 8252 §7.3"


def test_each_parameter_of_an_authorization_is_honoured_or_refused(target: Target) -> None:
    web = target.web
    for name, (changes, wanted) in provider.PARAMETERS.items():
        played({name: partial(web.ask, **changes)}, partial(is_told, wanted=wanted))
    played({"no session": partial(web.ask, {}, prompt="none")}, partial(is_told, wanted="login_required"))
    played(
        {"another tenant's session": partial(web.ask, target.foreign.jar, prompt="none")},
        partial(is_told, wanted="login_required"),
    )
    hints = {
        "another client's hint": target.public.tokens()["id_token"],
        "an access token for a hint": target.signed.tokens()["access_token"],
    }
    plays = {name: partial(web.ask, id_token_hint=hint) for name, hint in hints.items()}
    played(plays, partial(is_told, wanted="invalid_request"))
    for prompt in ("login", "select_account"):
        assert "/sign-in/attacked" in web.ask(prompt=prompt).headers["location"], "asked anew"
    assert back(web.ask())["iss"] == target.server.url


def test_hostile_hints_are_refused_where_they_come(target: Target) -> None:
    now = int(time.time())
    claims = {"iss": target.server.url, "aud": target.web.id, "sub": target.web.who.account_id, "iat": now}
    hostile = {name: one.token for name, one in tokens(SIGNER, {**claims, "exp": now + 300, "sid": "s"}).items()}
    hostile = {name: token for name, token in hostile.items() if token and len(token) < 2_000 and "\0" not in token}
    leave, ask = target.web.leave, target.web.ask
    played(
        {name: partial(ask, id_token_hint=token) for name, token in hostile.items()},
        partial(is_told, wanted="invalid_request"),
    )
    played({name: partial(leave, id_token_hint=token) for name, token in hostile.items()}, asks_first)


def test_a_code_is_its_clients_alone_with_all_that_belongs_to_it(target: Target) -> None:
    web = target.web
    for name, (changes, wanted) in provider.FORMS.items():
        played({name: partial(exchanged, web, changes)}, is_refused(wanted))
    for name, other in {"public": target.public, "foreign": target.foreign, "signed": target.signed}.items():
        played({f"{name} client": partial(exchanged, web, {}, other)}, is_refused("invalid_grant"))


def test_an_expired_code(target: Target) -> None:
    def late() -> Answer:
        code = target.web.code()
        with writing(target.engine) as conn:
            conn.execute(sa.text("UPDATE codes SET expires_at = now() - interval '1 second' WHERE used_at IS NULL"))
        return target.web.exchange(code)

    played({"a minute later": late}, is_refused("invalid_grant"))


def test_a_code_twice_ends_what_it_gave(target: Target) -> None:
    web = target.web
    code = web.code()
    given = read(web.exchange(code))
    assert error(web.exchange(code)) == "invalid_grant"
    assert not web.is_good(given)
    assert error(web.refresh(given["refresh_token"])) == "invalid_grant"
    for _ in range(10):
        code = web.code()
        answers = clients.at_once([partial(web.exchange, code) for _ in range(6)])
        won = [json.loads(answer.body) for answer in answers if answer.status == 200]
        assert len(won) <= 1, "one, in all processes"
        assert not any(web.is_good(each) for each in won), "and the others ended what it got"


def test_a_refresh_token_is_used_once(target: Target) -> None:
    web = target.web
    first = web.tokens()
    second = read(web.refresh(first["refresh_token"]))
    third = read(web.refresh(second["refresh_token"]))
    assert error(web.refresh(first["refresh_token"])) == "invalid_grant"
    assert not web.is_good(third)
    assert error(web.refresh(third["refresh_token"])) == "invalid_grant"


def test_a_copy_that_hides_behind_a_lost_answer_is_found_out(target: Target) -> None:
    """Who took the token and used it in the moment of grace has a branch of their own: only one may go on."""
    web = target.web
    stolen = web.tokens()["refresh_token"]
    owner, thief = read(web.refresh(stolen)), read(web.refresh(stolen))
    goes_on = read(web.refresh(owner["refresh_token"]))
    assert error(web.refresh(thief["refresh_token"])) == "invalid_grant"
    assert not any(map(web.is_good, (goes_on, thief))), "all is ended: somebody has a copy"
    for _ in range(10):
        stolen = web.tokens()["refresh_token"]
        both = [read(web.refresh(stolen))["refresh_token"] for _ in range(2)]
        answers = clients.at_once([partial(web.refresh, token) for token in both])
        assert sorted(answer.status for answer in answers) == [200, 400]
        assert not any(web.is_good(json.loads(answer.body)) for answer in answers if answer.status == 200)


def test_what_refreshing_does_not_give(target: Target) -> None:
    web = target.web
    plays = {
        "a wider scope": lambda: web.refresh(web.tokens(scope="openid")["refresh_token"], scope="openid email"),
        "an unknown scope": lambda: web.refresh(web.tokens()["refresh_token"], scope="admin"),
    }
    played(plays, is_refused("invalid_scope"))
    held = web.tokens()
    plays = {
        f"{name} client": partial(other.refresh, held["refresh_token"])
        for name, other in {"public": target.public, "foreign": target.foreign, "native": target.native}.items()
    }
    plays |= {name: partial(web.refresh, held[name]) for name in ("access_token", "id_token")}
    plays |= {"a code": lambda: web.refresh(web.code()), "NUL": lambda: web.refresh("\0")}
    played(plays, is_refused("invalid_grant"))
    assert web.is_good(held), "nobody else's attempt ends it"
    narrow = read(web.refresh(held["refresh_token"], scope="openid"))
    assert "email" not in read(web.userinfo(narrow["access_token"]))


def test_after_signing_out_or_deactivation_nothing_is_good(target: Target) -> None:
    id, who = target.person("leaver")
    leaver = target.of(who)
    held, code = leaver.tokens(scope="openid"), leaver.code()
    assert target.scim.patch(f"/Users/{id}", LEAVES).ok
    other = target.person("goer")[1]
    goer = target.of(other)
    left, unused = goer.tokens(), goer.code()
    assert goer.leave(id_token_hint=left["id_token"]).headers["location"] == f"{AFTER}?state=st"
    signing_in.after_a_second()
    for platform, given, late in ((leaver, held, code), (goer, left, unused)):
        token = given["access_token"]
        plays = {"refresh": partial(platform.refresh, given["refresh_token"]), "code": partial(platform.exchange, late)}
        played(plays, is_refused("invalid_grant"))
        played({"userinfo": partial(platform.userinfo, token)}, is_refused("invalid_token"))
        played({"introspection": partial(target.all.introspect, token)}, is_inactive)
        assert check(target, token).status == 401
        assert back(platform.ask(prompt="none"))["error"] == "login_required"
