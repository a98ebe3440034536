"""Signed tokens: the genuine ones hold, the hostile ones are refused, each for its reason."""

from __future__ import annotations

import time
from typing import Any

import pytest

from sso import jwts
from sso.jwts import JwtError
from sso.refusals import SENTENCES
from tests.attacks.jwts import ALGORITHMS, SIGNER, encoded, tokens

CLAIMS: dict[str, Any] = {"iss": "https://idp.example", "sub": "s-1", "aud": "us", "exp": 2_000_000_000}
TYPES = ("", "jwt")
HOSTILE = tokens(SIGNER, CLAIMS)


def read(token: str, keys: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return jwts.verified(token, jwts.header(token, TYPES), SIGNER.public if keys is None else keys)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_genuine_tokens_hold(algorithm: str) -> None:
    assert read(SIGNER.sign(CLAIMS, algorithm)) == CLAIMS


@pytest.mark.parametrize(
    "header", [{"typ": ...}, {"typ": "jwt"}, {"typ": "application/JWT"}, {"x5t": "a"}, {"x5t#S256": "a"}, {"kid": ...}]
)
def test_what_a_header_may_say(header: dict[str, Any]) -> None:
    assert read(SIGNER.sign(CLAIMS, **header)) == CLAIMS


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_tokens_are_refused(name: str) -> None:
    began = time.thread_time()
    with pytest.raises(JwtError) as caught:
        read(HOSTILE[name].token)
    assert caught.value.code == HOSTILE[name].code, caught.value.detail
    assert caught.value.code in SENTENCES
    assert len(caught.value.detail) < 400
    assert time.thread_time() - began < 0.25  # of this thread alone: the machine may be busy


def test_which_algorithms_is_our_choice() -> None:
    with pytest.raises(JwtError, match="none of ES256"):
        jwts.header(SIGNER.sign(CLAIMS), TYPES, ("ES256",))
    with pytest.raises(JwtError) as caught:
        jwts.header(f"{encoded({'alg': 'none'})}.e30.AAAA", TYPES, ("none",))
    assert caught.value.code == "algorithm"


@pytest.mark.parametrize(
    "changes",
    [{"alg": "PS256"}, {"use": "enc"}, {"key_ops": ["sign"]}, {"key_ops": "verify"}, {"kid": None}, {"n": "AQAB"}],
)
def test_a_key_that_is_for_something_else(changes: dict[str, Any]) -> None:
    with pytest.raises(JwtError) as caught:
        read(SIGNER.sign(CLAIMS), [{**SIGNER.public[0], **changes}])
    assert caught.value.code == "signature"


def test_of_two_keys_with_one_name_neither_is_taken() -> None:
    twins = [SIGNER.public[0], SIGNER.jwk(SIGNER.stranger)]
    for header in ({}, {"kid": ...}):
        with pytest.raises(JwtError, match="no such key"):
            read(SIGNER.sign(CLAIMS, **header), twins)


def test_the_trace_says_what_was_found_and_not_all_of_it() -> None:
    with pytest.raises(JwtError) as caught:
        read(SIGNER.sign(CLAIMS, kid="k" * 300))
    assert "kkk" in caught.value.detail
    assert len(caught.value.detail) < 200
    assert "kkk" not in str(caught.value)
