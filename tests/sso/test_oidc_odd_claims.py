"""Whatever stands in a claim, header or answer of a provider: an assertion or a SignInError, nothing else."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import pytest

from sso import oidc_logout
from sso.discovery import read
from sso.errors import SignInError
from sso.issuer_keys import IssuerKeys, through
from tests.attacks.jwts import SIGNER
from tests.attacks.oidc_tokens import EVENT
from tests.sso.provider_at_hand import DOCUMENT, ISSUER, NOW, AtHand, connection, id_claims

ODD: list[Any] = [
    None, True, False, 0, -1, 1.5, 1e300, 10**400, "", " ", "x" * 3_000, "\u202e", [], [None], [[]], ["a", 1], {},
    {"a": {"b": []}}, [{}], "\x7f", "ſ", "😀",
]  # fmt: skip
CLAIMS = [
    *[
        "iss",
        "sub",
        "aud",
        "exp",
        "nbf",
        "iat",
        "nonce",
        "azp",
        "at_hash",
        "auth_time",
        "acr",
        "amr",
        "sid",
        "jti",
        "events",
        "email",
        "email_verified",
        "xms_edov",
    ],
    *[
        "tid",
        "oid",
        "hd",
        "groups",
        "name",
        "preferred_username",
        "_claim_names",
        "hasgroups",
        "address",
        "employee_number",
    ],
]


@pytest.mark.parametrize("name", CLAIMS)
def test_an_odd_claim(name: str) -> None:
    idp = AtHand()
    used = connection(contexts=("mfa",), max_age=60, hosted_domain="acme.example", tenants=("t",))
    keys = IssuerKeys(through(idp))
    for value in ODD:
        token = SIGNER.sign(id_claims(**{name: value}), "EdDSA")
        idp.gives(token)
        for of in (connection(), used):
            with suppress(SignInError):
                idp.accept(of)
        ending = (
            SIGNER.sign(id_claims(nonce=..., jti="j", events={EVENT: {}}, **{name: value}), "EdDSA")
            if (name not in ("nonce", "jti", "events"))
            else token
        )
        with suppress(SignInError):
            oidc_logout.read_back_channel(ending, connection(), read(DOCUMENT, ISSUER), keys, NOW)


@pytest.mark.parametrize("name", ["alg", "kid", "typ", "cty", "x5t"])
def test_an_odd_header(name: str) -> None:
    idp = AtHand()
    for value in ODD:
        idp.gives(SIGNER.sign(id_claims(), **{name: value}))
        with suppress(SignInError):
            idp.accept()


@pytest.mark.parametrize(
    "name", ["id_token", "access_token", "token_type", "expires_in", "error", "scope", "expires_at"]
)
def test_an_odd_answer_of_the_token_endpoint(name: str) -> None:
    idp = AtHand()
    for value in ODD:
        idp.gives(SIGNER.sign(id_claims()), **{name: value} if name != "id_token" else {})
        if name == "id_token":
            idp.gives(value)
        with suppress(SignInError):
            idp.accept()


@pytest.mark.parametrize("name", ["sub", "email", "email_verified", "groups", "name", "iss", "tid"])
def test_odd_userinfo(name: str) -> None:
    idp = AtHand()
    idp.gives(SIGNER.sign(id_claims(email=..., email_verified=..., groups=..., name=...)))
    for value in ODD:
        idp.say("/userinfo", {"sub": "s-1", name: value})
        with suppress(SignInError):
            idp.accept(connection(use_userinfo=True))


@pytest.mark.parametrize("name", [*DOCUMENT, "authorization_response_iss_parameter_supported"])
def test_an_odd_document(name: str) -> None:
    for value in ODD:
        with suppress(SignInError):
            read({**DOCUMENT, name: value}, ISSUER)


@pytest.mark.parametrize("name", ["kty", "n", "e", "alg", "use", "kid", "key_ops", "crv", "issuer", "x5c"])
def test_an_odd_key(name: str) -> None:
    idp = AtHand()
    for value in ODD:
        idp.say("/keys", {"keys": [{**SIGNER.public[0], name: value}]})
        with suppress(SignInError):
            idp.accept()
    for keys in ODD:
        idp.say("/keys", {"keys": keys})
        with suppress(SignInError):
            idp.accept()
