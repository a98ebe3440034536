"""The token endpoint against RFC 6749 §4.4, §5.1, §5.2."""

from __future__ import annotations

import base64
from datetime import timedelta
from typing import Any

import pytest

from sso.provider import Answer, Provider, TokenRequest
from sso.tokens import Client

LMS = Client("lms-1", ("accounts:read", "events:read"))
SECRET = "rc_cs_se:cret"


class Keeper:
    """Clients and tokens in a dict."""

    def __init__(self) -> None:
        self.issued: list[tuple[str, tuple[str, ...], timedelta]] = []

    def authenticate(self, client_id: str, secret: str) -> Client | None:
        return LMS if (client_id, secret) == (LMS.id, SECRET) else None

    def public(self, client_id: str) -> Client | None:
        return None

    def revoke(self, client: Client, text: str) -> None:
        raise NotImplementedError

    def issue(self, client: Client, scopes: tuple[str, ...], lifetime: timedelta) -> str:
        self.issued.append((client.id, scopes, lifetime))
        return f"rc_at_{len(self.issued)}"


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def provider(keeper: Keeper) -> Provider:
    return Provider(keeper, keeper, ("accounts:read", "events:read", "records:write"))


def basic(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def ask(provider: Provider, headers: dict[str, str] | None = None, **form: Any) -> Answer:
    form = {"grant_type": "client_credentials", **form}
    shaped = {name: [value] if isinstance(value, str) else value for name, value in form.items() if value is not None}
    return provider.token(TokenRequest(headers or {}, shaped))


def test_basic_authentication_gets_a_token_of_one_hour(provider: Provider, keeper: Keeper) -> None:
    # RFC 6749 §2.3.1: the colon in the secret is form-encoded, or stands as it is after the first one.
    for text in ("lms-1:rc_cs_se%3Acret", "lms-1:rc_cs_se:cret"):
        answer = ask(provider, basic(text), scope="accounts:read")
        assert answer.status == 200
    assert answer.body == {
        "access_token": "rc_at_2",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "accounts:read",
    }
    assert ("Cache-Control", "no-store") in answer.headers
    assert keeper.issued == [("lms-1", ("accounts:read",), timedelta(hours=1))] * 2


def test_credentials_in_the_body_and_no_scope_get_all_that_the_client_may(provider: Provider) -> None:
    answer = ask(provider, client_id="lms-1", client_secret=SECRET)
    assert answer.status == 200
    assert answer.body["scope"] == "accounts:read events:read"


@pytest.mark.parametrize(
    ("headers", "form"),
    [
        ({}, {}),
        (basic("lms-1:wrong"), {}),
        (basic("nobody:" + SECRET), {}),
        (basic("lms-1"), {}),
        (basic(":"), {}),
        ({"Authorization": "Basic ÿÿ"}, {}),
        ({"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:x").decode()}, {}),
        ({"Authorization": "Bearer abc"}, {}),
        ({}, {"client_id": "lms-1"}),
        ({}, {"client_id": "lms-1", "client_secret": "wrong"}),
    ],
)
def test_whoever_does_not_prove_who_he_is_gets_401(
    provider: Provider, keeper: Keeper, headers: dict[str, str], form: dict[str, str]
) -> None:
    answer = ask(provider, headers, **form)
    assert answer.status == 401
    assert answer.body["error"] == "invalid_client"
    assert dict(answer.headers)["WWW-Authenticate"].startswith("Basic ")
    assert ("Cache-Control", "no-store") in answer.headers
    assert keeper.issued == []


@pytest.mark.parametrize(
    ("form", "error"),
    [
        ({"scope": "records:write"}, "invalid_scope"),  # known, but not this client's
        ({"scope": "accounts:read admin"}, "invalid_scope"),
        ({"grant_type": "password"}, "unsupported_grant_type"),
        ({"grant_type": 'x"é'}, "unsupported_grant_type"),
        ({"grant_type": None}, "invalid_request"),
        ({"scope": ["accounts:read", "events:read"]}, "invalid_request"),
        ({"client_id": "lms-1", "client_secret": SECRET}, "invalid_request"),
    ],
)
def test_a_wrong_request_is_named_and_gets_no_token(
    provider: Provider, keeper: Keeper, form: dict[str, Any], error: str
) -> None:
    answer = ask(provider, basic(f"lms-1:{SECRET}"), **form)
    assert answer.status == 400
    assert answer.body["error"] == error
    assert keeper.issued == []
