"""The OpenID client over the guarded way out, with a provider on a socket: genuine, lying, inside our network."""

from __future__ import annotations

import http.client
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from app.outbound import LOOPBACK, Outbound
from sso import oidc
from sso.assertion import Assertion
from sso.demands import Demands
from sso.discovery import Providers
from sso.errors import SignInError
from sso.issuer_keys import IssuerKeys, through
from tests.attacks.jwts import SIGNER
from tests.attacks.oidc_issuer import CLIENT, SECRET, Issuer, serving
from tests.attacks.oidc_tokens import ID_TOKENS
from tests.sso.provider_at_hand import ADDRESSES, connection

WAY = Outbound(LOOPBACK, total_seconds=5)


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    with serving() as found:
        yield found


def sign_in(issuer: Issuer, way: Outbound = WAY, **settings: Any) -> Assertion:
    """What a browser and the hub do."""
    used = connection(issuer=issuer.url, client_id=CLIENT, secret=SECRET, **settings)
    provider, pending = Providers(way).of(used), oidc.begin(Demands())
    url = oidc.login_url(
        used,
        ADDRESSES,
        provider,
        state=pending.state,
        nonce=pending.nonce,
        verifier=pending.verifier,
        demands=pending.demands,
    )
    parts = urlsplit(url)
    asking = http.client.HTTPConnection(str(parts.hostname), parts.port)
    asking.request("GET", f"{parts.path}?{parts.query}")
    back = asking.getresponse().getheader("Location", "")
    asking.close()
    assert back.startswith(f"{ADDRESSES.callback}?")
    answer = dict(parse_qsl(urlsplit(back).query))
    return oidc.accept(used, ADDRESSES, provider, answer, pending, way, IssuerKeys(through(way)), time.time())


def test_a_genuine_sign_in(issuer: Issuer) -> None:
    found = sign_in(issuer, use_userinfo=True)
    assert (found.subject, found.user_name, found.email_trusted) == ("s-1", "ada", True)
    assert issuer.asked == ["/.well-known/openid-configuration", "/authorize", "/token", "/keys", "/userinfo"]


@pytest.mark.parametrize("name", ["aud foreign", "nonce of another request", "exp past", "a logout token whole"])
def test_a_provider_that_lies(issuer: Issuer, name: str) -> None:
    forged = ID_TOKENS[name]
    issuer.forge = lambda claims: SIGNER.sign(forged.of(claims, time.time()), **forged.header)
    with pytest.raises(SignInError) as caught:
        sign_in(issuer)
    assert caught.value.code == forged.code, caught.value.detail


def test_mix_up(issuer: Issuer) -> None:
    issuer.callback = lambda answer: {**answer, "iss": "https://attacker.example"}
    with pytest.raises(SignInError, match="iss of the answer"):
        sign_in(issuer)
    issuer.callback = lambda answer: {name: value for name, value in answer.items() if name != "iss"}
    with pytest.raises(SignInError, match="has no iss"):
        sign_in(issuer)


@pytest.mark.parametrize("path", ["/token", "/keys"])
def test_a_redirect_is_not_followed(issuer: Issuer, path: str) -> None:
    issuer.answers[path] = (302, "application/json", b"{}")
    with pytest.raises(SignInError) as caught:
        sign_in(issuer)
    assert caught.value.code == "provider_unreachable"


def test_a_provider_inside_our_network_is_not_asked(issuer: Issuer) -> None:
    with pytest.raises(SignInError, match="private network") as caught:
        Providers(Outbound()).of(connection(issuer="https://127.0.0.1:1"))
    assert caught.value.code == "provider_unreachable"
    issuer.document = {"token_endpoint": "https://10.0.0.1/token"}
    with pytest.raises(SignInError, match="private network"):
        sign_in(issuer)


def test_a_document_of_ten_megabytes_is_not_read(issuer: Issuer) -> None:
    issuer.answers["/.well-known/openid-configuration"] = (200, "application/json", b" " * 10_000_000)
    with pytest.raises(SignInError) as caught:
        sign_in(issuer)
    assert caught.value.code == "malformed"
