"""The authorization request: each parameter honoured, or refused by its name; nothing goes where it should not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from sso import authorize
from sso.authorizations import SignedIn
from sso.authorize import Asked, NoWayBack, RefusedError
from sso.demands import Demands
from sso.relying_parties import RelyingParty

ID = "0190a000-0000-7000-8000-000000000001"
CALLBACK = "https://lms.example.com/callback"
PARTY = RelyingParty(ID, "t", "lms", (CALLBACK, f"{CALLBACK}?a=1"))
GOOD: dict[str, list[str]] = {
    "response_type": ["code"],
    "client_id": [ID],
    "redirect_uri": [CALLBACK],
    "scope": ["openid email"],
    "state": ["s"],
    "nonce": ["n"],
    "code_challenge": ["c" * 43],
    "code_challenge_method": ["S256"],
}
NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def read(party: RelyingParty = PARTY, **other: Any) -> Asked:
    said = {name: [value] if isinstance(value, str) else value for name, value in {**GOOD, **other}.items()}
    said = {name: values for name, values in said.items() if values is not None}
    return authorize.read(said, party, authorize.way_back(said, party))


def someone(*, ago: float = 600, account: str = "ada", context: str | None = "urn:mfa", **other: Any) -> SignedIn:
    began = NOW - timedelta(seconds=ago)
    return SignedIn("s", account, other.pop("authenticated_at", began), began, context)


def test_a_good_request_is_read() -> None:
    asked = read(
        prompt="login", max_age="60", acr_values="a b a", login_hint="x@y.org", connection="okta", display="page"
    )
    assert (asked.scopes, asked.nonce, asked.challenge) == (("openid", "email"), "n", "c" * 43)
    assert (asked.anew, asked.silent, asked.max_age, asked.contexts) == (True, False, 60, ("a", "b"))
    assert (asked.login_hint, asked.connection, asked.way.state) == ("x@y.org", "okta", "s")


@pytest.mark.parametrize("ids", [None, [], [""], ["x"], [ID, ID], [ID.upper()], [ID + "\n"], ["0" * 400]])
def test_without_a_client_there_is_no_way_back(ids: list[str] | None) -> None:
    with pytest.raises(NoWayBack):
        authorize.client_id_of({} if ids is None else {"client_id": ids})


@pytest.mark.parametrize(
    "uris",
    [None, [], [""], [CALLBACK, CALLBACK], [CALLBACK + "/"], [CALLBACK + "?b=1"], ["https://evil.example/"], ["//e"]],
)
def test_an_unregistered_redirect_uri_is_no_way_back(uris: list[str] | None) -> None:
    with pytest.raises(NoWayBack):
        read(redirect_uri=uris)


@pytest.mark.parametrize(
    ("code", "other"),
    [
        ("invalid_request", {"code_challenge_method": None}),
        ("invalid_request", {"code_challenge_method": "plain"}),
        ("invalid_request", {"code_challenge_method": "s256"}),
        ("invalid_request", {"code_challenge": None}),
        ("invalid_request", {"code_challenge": ""}),
        ("invalid_request", {"code_challenge": "c" * 42}),
        ("invalid_request", {"code_challenge": "c" * 44}),
        ("invalid_request", {"code_challenge": "c" * 42 + "="}),
        ("invalid_request", {"code_challenge": ["c" * 43, "d" * 43]}),
        ("invalid_request", {"response_type": None}),
        ("unsupported_response_type", {"response_type": "token"}),
        ("unsupported_response_type", {"response_type": "code id_token"}),
        ("invalid_request", {"response_mode": "fragment"}),
        ("invalid_request", {"response_mode": "form_post"}),
        ("request_not_supported", {"request": "ey.J.x"}),
        ("request_uri_not_supported", {"request_uri": "http://127.0.0.1/"}),
        ("registration_not_supported", {"registration": "{}"}),
        ("invalid_request", {"claims": "{}"}),
        ("invalid_target", {"resource": "https://x.example"}),
        ("invalid_request", {"state": ["a", "b"]}),
        ("invalid_request", {"nonce": ["a", "b"]}),
        ("invalid_request", {"scope": ["openid", "email"]}),
        ("invalid_request", {"unheard_of": ["a", "b"]}),
        ("invalid_request", {"état": ["a", "b"]}),
        ("invalid_request", {"state": "s" * 2049}),
        ("invalid_request", {"nonce": "n" * 513}),
        ("invalid_scope", {"scope": None}),
        ("invalid_scope", {"scope": ""}),
        ("invalid_scope", {"scope": "phone"}),
        ("invalid_scope", {"scope": "openid groups"}),
        ("invalid_scope", {"scope": "openid offline_access"}),
        ("invalid_request", {"prompt": "none login"}),
        ("invalid_request", {"prompt": "create"}),
        ("consent_required", {"prompt": "consent"}),
        ("invalid_request", {"max_age": ""}),
        ("invalid_request", {"max_age": "-1"}),
        ("invalid_request", {"max_age": "1.5"}),
        ("invalid_request", {"max_age": "٣"}),
        ("invalid_request", {"max_age": "9" * 10}),
        ("invalid_request", {"connection": "../okta"}),
        ("invalid_request", {"connection": ""}),
    ],
)
def test_what_is_wrong_or_not_supported_is_told_to_the_client(code: str, other: dict[str, Any]) -> None:
    with pytest.raises(RefusedError) as refused:
        read(**other)
    assert refused.value.code == code


def test_what_nobody_knows_is_ignored() -> None:
    assert read(scope="openid phone", ui_locales="de", whatever="1").scopes == ("openid",)


def test_two_states_are_answered_with_none() -> None:
    assert authorize.way_back({**GOOD, "state": ["a", "b"]}, PARTY).state is None


def test_a_session_that_will_do() -> None:
    asked = read(max_age="600", acr_values="urn:other urn:mfa")
    assert authorize.decide(asked, someone(), None, NOW) is None
    assert authorize.decide(read(prompt="none"), someone(), None, NOW) is None


@pytest.mark.parametrize(
    ("said", "who", "demands"),
    [
        ({}, None, Demands()),
        ({"prompt": "login"}, someone(), Demands(force=True)),
        ({"prompt": "select_account"}, someone(), Demands(force=True)),
        ({"prompt": "login"}, None, Demands(force=True)),
        ({"max_age": "599"}, someone(), Demands(force=True, max_age=599)),
        ({"max_age": "0"}, someone(ago=1), Demands(force=True, max_age=0)),
        ({"max_age": "60"}, someone(ago=5, authenticated_at=NOW - timedelta(hours=9)), Demands(True, 60)),
        ({"acr_values": "urn:hw"}, someone(), Demands(force=True, contexts=("urn:hw",))),
        ({"acr_values": "urn:hw"}, someone(context=None), Demands(force=True, contexts=("urn:hw",))),
        ({"login_hint": "x"}, None, Demands(login_hint="x")),
    ],
)
def test_who_must_sign_in_first(said: dict[str, str], who: SignedIn | None, demands: Demands) -> None:
    assert authorize.decide(read(**said), who, None, NOW) == demands
    if said.get("prompt"):
        return
    with pytest.raises(RefusedError) as refused:
        authorize.decide(read(**said, prompt="none"), who, None, NOW)
    expected = "unmet_authentication_requirements" if "acr_values" in said and who else "login_required"
    assert refused.value.code == expected


def test_another_person_than_the_hint_names_must_sign_in() -> None:
    asked = authorize.expecting(read(), "ada")
    assert authorize.decide(asked, someone(), None, NOW) is None
    assert authorize.decide(asked, someone(account="bob"), None, NOW) == Demands(force=True)
    with pytest.raises(RefusedError):
        authorize.decide(asked, someone(account="bob", ago=1), NOW - timedelta(seconds=9), NOW)
    with pytest.raises(RefusedError):
        authorize.decide(authorize.expecting(read(prompt="none"), "ada"), someone(account="bob"), None, NOW)


def test_who_comes_back_from_signing_in_goes_on() -> None:
    asked_at = NOW - timedelta(seconds=40)
    for said in ({"prompt": "login"}, {"max_age": "0"}, {"prompt": "select_account", "max_age": "0"}):
        assert authorize.decide(read(**said), someone(ago=2), asked_at, NOW) is None


def test_nobody_goes_round_in_circles() -> None:
    asked_at = NOW - timedelta(seconds=40)
    for said in ({"prompt": "login"}, {"max_age": "0"}, {"acr_values": "urn:hw"}):
        with pytest.raises(RefusedError):
            authorize.decide(read(**said), someone(ago=600), asked_at, NOW)


def test_a_sign_in_serves_a_demand_only_for_a_moment() -> None:
    asked_at = NOW - timedelta(minutes=10)
    assert authorize.decide(read(prompt="login"), someone(ago=300), asked_at, NOW) == Demands(force=True)
