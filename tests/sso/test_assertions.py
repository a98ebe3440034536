"""Client assertions: who is let in, and the long list of what is not."""

from __future__ import annotations

import base64
import json
import warnings
from typing import Any

import pytest
from joserfc import jws
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from sso.assertions import Asserted, RejectedError, Trust, check
from sso.jwks import usable_keys

NOW = 1_800_000_000.0
TRUST = Trust("https://login.example/t/v2.0", "subject-1", "api://rollcall", jwks_url="https://login.example/keys")
RSA = RSAKey.generate_key(2048, {"kid": "r", "use": "sig"})
EC = ECKey.generate_key("P-256", {"kid": "e"})
ED = OKPKey.generate_key("Ed25519", {"kid": "d"})
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    SHORT = RSAKey.generate_key(1024, {"kid": "short"})


class Fixed:
    def __init__(self, *keys: Any) -> None:
        self.keys = [key if isinstance(key, dict) else key.as_dict(private=False) for key in keys]

    def of(self, trust: Trust, kid: str | None) -> list[dict[str, Any]]:
        return self.keys

    def again(self, trust: Trust) -> list[dict[str, Any]]:
        return self.keys


KEYS = Fixed(RSA, EC, ED)


def claims(**changes: Any) -> dict[str, Any]:
    said = {
        "iss": TRUST.issuer,
        "sub": TRUST.subject,
        "aud": TRUST.audience,
        "iat": NOW,
        "exp": NOW + 300,
        "jti": "j-1",
    }
    return {name: value for name, value in {**said, **changes}.items() if value is not ...}


def signed(said: Any, key: Any = RSA, alg: str = "RS256", **header: Any) -> str:
    kid = key.as_dict(private=False).get("kid") if not isinstance(key, OctKey) else "r"
    full = {name: one for name, one in {"alg": alg, "kid": kid, "typ": "JWT", **header}.items() if one is not ...}
    payload = said if isinstance(said, (str, bytes)) else json.dumps(said)
    return jws.serialize_compact(full, payload, key, algorithms=[alg])


def part(value: Any) -> str:
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(("key", "alg"), [(RSA, "RS256"), (RSA, "PS256"), (EC, "ES256"), (ED, "EdDSA")])
@pytest.mark.filterwarnings("ignore::joserfc.errors.SecurityWarning")
def test_each_allowed_algorithm_lets_the_client_in(key: Any, alg: str) -> None:
    assert check(signed(claims(), key, alg), TRUST, KEYS, NOW) == Asserted("j-1", NOW + 360)


def test_what_a_genuine_assertion_may_look_like() -> None:
    for said in (
        claims(aud=["other", TRUST.audience]),
        claims(jti=...),
        claims(iat=..., nbf=NOW + 50),
        claims(exp=NOW - 50),
        claims(azp="x", tid="y"),
    ):
        assert check(signed(said), TRUST, KEYS, NOW)
    assert check(signed(claims(), kid=..., typ=...), TRUST, Fixed(RSA, EC), NOW)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"iss": TRUST.issuer + "/"}, "iss"),
        ({"iss": [TRUST.issuer]}, "iss"),
        ({"iss": ...}, "iss"),
        ({"sub": "subject-2"}, "sub"),
        ({"sub": ...}, "sub"),
        ({"aud": TRUST.audience + "x"}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": {TRUST.audience: 1}}, "aud"),
        ({"exp": ...}, "no exp"),
        ({"exp": NOW - 61}, "expired"),
        ({"exp": str(NOW + 300)}, "exp is no time"),
        ({"exp": True}, "exp is no time"),
        ({"exp": 1e300}, "exp is no time"),
        ({"nbf": NOW + 120}, "not valid yet"),
        ({"iat": NOW + 120}, "not valid yet"),
        ({"exp": NOW + 90_000}, "more than a day"),
        ({"iat": ..., "exp": NOW + 90_000}, "more than a day"),
        ({"jti": 7}, "jti"),
        ({"jti": "j" * 300}, "jti"),
    ],
)
def test_wrong_claims_are_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(RejectedError, match=said):
        check(signed(claims(**changes)), TRUST, KEYS, NOW)


def hostile() -> dict[str, str]:
    good = signed(claims())
    head, body, mark = good.split(".")
    public = RSA.as_pem(private=False)
    return {
        "empty": "",
        "two parts": f"{head}.{body}",
        "empty signature": f"{head}.{body}.",
        "padding": good + "=",
        "white space": f" {good}",
        "alg none": f"{part({'alg': 'none', 'kid': 'r'})}.{body}.{mark}",
        "alg nOnE": f"{part({'alg': 'nOnE', 'kid': 'r'})}.{body}.{mark}",
        "no alg": f"{part({'kid': 'r'})}.{body}.{mark}",
        "alg of another kind": f"{part({'alg': ['RS256'], 'kid': 'r'})}.{body}.{mark}",
        "HS256": f"{part({'alg': 'HS256', 'kid': 'r'})}.{body}.{part(public)}",
        "RS512": signed(claims(), RSA, "RS512"),
        "tampered": f"{head}.{part(claims(sub='admin'))}.{mark}",
        "another key": signed(claims(), RSAKey.generate_key(2048, {"kid": "r"})),
        "unknown kid": signed(claims(), RSA, kid="x"),
        "kid of an EC key": f"{part({'alg': 'RS256', 'kid': 'e'})}.{body}.{mark}",
        "kid that is no text": f"{part({'alg': 'RS256', 'kid': 7})}.{body}.{mark}",
        "long kid": f"{part({'alg': 'RS256', 'kid': 'k' * 300})}.{body}.{mark}",
        "empty crit": f"{part({'alg': 'RS256', 'kid': 'r', 'crit': []})}.{body}.{mark}",
        "b64": f"{part({'alg': 'RS256', 'kid': 'r', 'b64': False})}.{body}.{mark}",
        "an access token": signed(claims(), typ="at+jwt"),
        "a logout token": signed(claims(), typ="logout+jwt"),
        "a member twice": signed(json.dumps(claims())[:-1] + ', "sub": "subject-1"}'),
        "no object": signed(json.dumps([claims()])),
        "not UTF-8": signed(b"\xff{}"),
        "deep payload": signed("[" * 5_000),
        "deep header": f"{part(b'[' * 5000)}.{body}.{mark}",
        "large": signed(claims(more="x" * 20_000)),
        "long number": signed('{"exp": ' + "9" * 6000 + "}"),
        "JWE": "a.b.c.d.e",
    }


HOSTILE = hostile()


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_assertions_are_refused(name: str) -> None:
    with pytest.raises(RejectedError):
        check(HOSTILE[name], TRUST, KEYS, NOW)


def test_keys_that_may_not_be_used() -> None:
    twin = RSAKey.generate_key(2048, {"kid": "r"})
    for keys in (Fixed(), Fixed(RSA, twin), Fixed({**RSA.as_dict(private=False), "alg": "PS256"})):
        with pytest.raises(RejectedError, match=r"no such key|not to be had"):
            check(signed(claims()), TRUST, keys, NOW)
    with pytest.raises(RejectedError, match="cannot be used"):
        check(signed(claims(), SHORT), TRUST, Fixed(SHORT), NOW)
    with pytest.raises(RejectedError, match="no such key"):
        check(signed(claims(), kid=...), TRUST, Fixed(RSA, twin), NOW)
    secret = OctKey.import_key("public" * 10, {"kid": "r"}).as_dict()
    with pytest.raises(RejectedError):
        check(signed(claims()), TRUST, Fixed(secret), NOW)


def test_a_key_set_is_public() -> None:
    assert usable_keys(json.dumps({"keys": [RSA.as_dict(private=False), {"kty": "RSA", "use": "enc"}, 7]})) == [
        RSA.as_dict(private=False)
    ]
    for wrong in ("", "[]", "{}", '{"keys": {}}', json.dumps({"keys": [RSA.as_dict(private=True)]}), "[" * 100_000):
        with pytest.raises(ValueError, match=r"key|JSON"):
            usable_keys(wrong)
