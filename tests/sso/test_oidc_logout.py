"""Signing out with an OpenID provider: logout tokens, the front channel, and where we send the browser."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from sso import oidc_logout
from sso.discovery import read
from sso.errors import SignInError
from sso.issuer_keys import IssuerKeys, through
from sso.oidc_logout import BackChannelLogout, FrontChannelLogout
from tests.attacks.jwts import ALGORITHMS, SIGNER, tokens
from tests.attacks.oidc_tokens import EVENT, LOGOUT_TOKENS
from tests.sso.provider_at_hand import DOCUMENT, ISSUER, NOW, AtHand, connection, id_claims

PROVIDER = read(DOCUMENT, ISSUER)


def logout_claims(**changes: Any) -> dict[str, Any]:
    said = {
        "iss": ISSUER,
        "aud": "hub",
        "iat": NOW - 1,
        "exp": NOW + 120,
        "jti": "j-1",
        "sub": "s-1",
        "sid": "session-1",
        "events": {EVENT: {}},
    }
    return {name: value for name, value in {**said, **changes}.items() if value is not ...}


HOSTILE = tokens(SIGNER, logout_claims())


def back_channel(token: str) -> BackChannelLogout:
    return oidc_logout.read_back_channel(token, connection(), PROVIDER, IssuerKeys(through(AtHand())), NOW)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("typ", ["logout+jwt", "JWT", "application/logout+jwt", ...])
def test_genuine_logout_tokens(algorithm: str, typ: Any) -> None:
    found = back_channel(SIGNER.sign(logout_claims(), algorithm, typ=typ))
    assert found == BackChannelLogout("j-1", "s-1", "session-1", datetime.fromtimestamp(NOW + 240, UTC))


def test_one_name_is_enough() -> None:
    assert back_channel(SIGNER.sign(logout_claims(sid=...))).session is None
    assert back_channel(SIGNER.sign(logout_claims(sub=..., aud=["x", "hub"]))).subject is None
    assert back_channel(SIGNER.sign(logout_claims(events={EVENT: {"more": 1}})))


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tokens(name: str) -> None:
    with pytest.raises(SignInError) as caught:
        back_channel(HOSTILE[name].token)
    assert caught.value.code == HOSTILE[name].code, caught.value.detail


@pytest.mark.parametrize("name", LOGOUT_TOKENS)
def test_signed_tokens_that_are_no_logout(name: str) -> None:
    forged = LOGOUT_TOKENS[name]
    with pytest.raises(SignInError) as caught:
        back_channel(SIGNER.sign(forged.of(logout_claims(), NOW), **forged.header))
    assert caught.value.code == forged.code, caught.value.detail


def test_an_id_token_of_the_same_provider_ends_nothing() -> None:
    with pytest.raises(SignInError, match="events"):
        back_channel(SIGNER.sign(id_claims(jti="j-1")))


def test_another_tenants_provider_ends_nothing() -> None:
    with pytest.raises(SignInError, match="iss"):
        back_channel(SIGNER.sign(logout_claims(iss="https://other.example")))


def test_a_directory_that_may_not_sign_in_ends_nothing() -> None:
    many = "https://login.example/{tenantid}/v2.0"
    provider, used = read({**DOCUMENT, "issuer": many}, many), connection(issuer=many, tenants=("t-1",))
    keys = IssuerKeys(through(AtHand()))
    good = SIGNER.sign(logout_claims(iss="https://login.example/t-1/v2.0"))
    assert oidc_logout.read_back_channel(good, used, provider, keys, NOW)
    bad = SIGNER.sign(logout_claims(iss="https://login.example/t-2/v2.0"))
    with pytest.raises(SignInError, match="iss"):
        oidc_logout.read_back_channel(bad, used, provider, keys, NOW)


def test_the_front_channel() -> None:
    query = {"iss": ISSUER, "sid": "session-1"}
    assert oidc_logout.read_front_channel(query, connection(), PROVIDER) == FrontChannelLogout("session-1")


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ({}, "issuer"),
        ({"sid": "session-1"}, "issuer"),
        ({"iss": "https://attacker.example", "sid": "session-1"}, "issuer"),
        ({"iss": f"{ISSUER}/", "sid": "session-1"}, "issuer"),
        ({"iss": ISSUER}, "malformed"),
        ({"iss": ISSUER, "sid": ""}, "malformed"),
        ({"iss": ISSUER, "sid": "s" * 300}, "malformed"),
    ],
)
def test_the_front_channel_of_somebody_else(query: dict[str, str], code: str) -> None:
    with pytest.raises(SignInError) as caught:
        oidc_logout.read_front_channel(query, connection(), PROVIDER)
    assert caught.value.code == code


def test_where_the_browser_goes_to_sign_out_there() -> None:
    back = "https://hub.example/signed-out"
    url = oidc_logout.end_session_url(connection(), PROVIDER, hint="a.b.c", come_back=back, state="S")
    assert url is not None
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "x": "1",
        "id_token_hint": "a.b.c",
        "client_id": "hub",
        "post_logout_redirect_uri": back,
        "state": "S",
    }
    long = oidc_logout.end_session_url(connection(), PROVIDER, hint="a" * 9_000, come_back=back, state="S")
    assert long is not None
    assert "id_token_hint" not in long
    bare = read({name: value for name, value in DOCUMENT.items() if name != "end_session_endpoint"}, ISSUER)
    assert oidc_logout.end_session_url(connection(), bare, hint=None, come_back=back, state="S") is None
