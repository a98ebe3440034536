"""Signing keys: which signs, which are shown, and that whoever verifies has the key at every moment of a rotation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt
from joserfc.jwk import RSAKey

from sso import keys
from sso.keys import PublicKey
from tests.events.receiver import verified

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)


def _key(kid: str, signs: float, retires: float | None = None) -> PublicKey:
    end = None if retires is None else NOW + timedelta(hours=retires)
    return PublicKey(kid, {"kid": kid}, NOW + timedelta(hours=signs), end)


def test_a_made_key_signs_what_its_public_half_verifies() -> None:
    made = keys.make()
    token = keys.sign(made.private, {"iss": "me"}, type="secevent+jwt")
    header, claims = verified(token, {"keys": [made.public]})
    assert header == {"alg": "ES256", "typ": "secevent+jwt", "kid": made.kid}
    assert claims == {"iss": "me"}


def test_the_public_half_is_public() -> None:
    made = keys.make()
    assert made.public.keys() == {"kty", "crv", "x", "y", "use", "alg", "kid"}
    assert "d" in made.private
    assert str(made.private["d"]) not in repr(made)


def test_the_newest_whose_time_has_come_signs() -> None:
    assert keys.signing([_key("old", -9), _key("new", -1), _key("next", 1)], NOW).kid == "new"
    assert keys.signing([_key("old", -9, 2), _key("next", 1)], NOW).kid == "old"


def test_each_algorithm_has_its_own() -> None:
    rsa = PublicKey("rsa", {"kid": "rsa", "alg": "RS256"}, NOW)
    assert keys.signing([_key("ec", -1), rsa], NOW, "RS256").kid == "rsa"
    assert keys.signing([_key("ec", -1), rsa], NOW).kid == "ec"
    with pytest.raises(keys.NoSigningKeyError):
        keys.signing([_key("ec", -1)], NOW, "RS256")


def test_an_rsa_key_signs_and_shows_only_its_public_half() -> None:
    made = keys.make(keys.RS256)
    assert made.public.keys() == {"kty", "n", "e", "use", "alg", "kid"}
    token = keys.sign(made.private, {"iss": "me"}, type="JWT")
    claims = jwt.decode(token, RSAKey.import_key(dict(made.public)), algorithms=["RS256"])
    assert claims.header == {"alg": "RS256", "typ": "JWT", "kid": made.kid}


@pytest.mark.parametrize("known", [[], [("next", 1, None)], [("gone", -9, -1)]])
def test_without_a_key_nothing_is_signed(known: list[tuple[str, float, float | None]]) -> None:
    with pytest.raises(keys.NoSigningKeyError):
        keys.signing([_key(*one) for one in known], NOW)


def test_what_signs_will_sign_or_signed_is_published() -> None:
    known = [_key("gone", -9, -1), _key("old", -5, 1), _key("now", -1), _key("next", 1)]
    assert [one["kid"] for one in keys.published(known, NOW)["keys"]] == ["old", "now", "next"]


@given(st.lists(st.integers(2, 200), max_size=6), st.integers(1, 90))
def test_through_all_rotations_what_signs_was_published_long_enough(gaps: list[int], overlap: int) -> None:
    """Rotations as `events.issuing.rotate` does them, an hour ahead; looked at in every half hour."""
    known = [_key("0", 0)]
    hours, made_at = 0.0, {"0": -1.0}
    for number, gap in enumerate(gaps, 1):
        hours += gap
        begins = hours + 1
        known = [
            PublicKey(one.kid, one.public, one.signs_from, min(one.retires_at or end, end))
            for one in known
            for end in [NOW + timedelta(hours=begins + overlap)]
        ]
        known.append(_key(str(number), begins))
        made_at[str(number)] = hours
    for half in range(int(hours + 3) * 2):
        at = NOW + timedelta(hours=half / 2)
        there = [one for one in known if made_at[one.kid] <= half / 2]
        signer = keys.signing(there, at)
        assert signer.public in keys.published(there, at)["keys"]
        assert half / 2 - made_at[signer.kid] >= 1
