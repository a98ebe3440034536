"""A learning platform that signs instead of sending a secret (private_key_jwt), at each door that asks who it is."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from app.store import tenants
from sso.assertions import ASSERTION_TYPE
from tests.attacks.jwts import SIGNER, tokens
from tests.relying_party import ISSUER, Lms, make_app
from tests.signed_in import SignedIn, add_client, sign_in

DOORS = ("/oauth/token", "/oauth/revoke", "/oauth/introspect")
KEYS = json.dumps({"keys": SIGNER.public})


class Signing(Lms):
    """Proves who it is by its key."""

    def claims(self, **other: Any) -> dict[str, Any]:
        now = int(time.time())
        known = {"iss": self.party.id, "sub": self.party.id, "aud": ISSUER, "iat": now, "exp": now + 60}
        said = {**known, "jti": str(uuid4()), **other}
        return {name: value for name, value in said.items() if value is not None}

    def post(self, path: str, **form: Any) -> Any:
        proof = {"client_assertion_type": ASSERTION_TYPE, "client_assertion": SIGNER.sign(self.claims(), "ES256")}
        said = {"client_id": self.party.id, **proof, **form}
        return self.app.test_client().post(path, data={name: value for name, value in said.items() if value})

    def proved(self, path: str, assertion: str, **form: Any) -> bool:
        """Whether the door believes it."""
        answer = self.post(
            path, grant_type="refresh_token", refresh_token="x", token="x", client_assertion=assertion, **form
        )
        return answer.get_json().get("error") not in ("invalid_client", "invalid_request")


@pytest.fixture
def app(engine: sa.Engine) -> Flask:
    return make_app(engine)


@pytest.fixture
def ada(engine: sa.Engine, tenant: tenants.Tenant) -> SignedIn:
    return sign_in(engine, tenant.id)


@pytest.fixture
def lms(engine: sa.Engine, app: Flask, ada: SignedIn) -> Signing:
    made = Signing(app, *add_client(engine, ada.tenant_id, auth_method="private_key_jwt", jwks=KEYS))
    made.take_cookie(ada)
    return made


def test_the_whole_way(lms: Signing) -> None:
    tokens = lms.tokens()
    assert lms.introspect(tokens["access_token"])["active"] is True
    again = lms.refresh(tokens["refresh_token"]).get_json()
    assert lms.post("/oauth/revoke", token=again["access_token"]).status_code == 200
    assert lms.introspect(again["access_token"]) == {"active": False}


@pytest.mark.parametrize("path", DOORS)
def test_who_is_believed(lms: Signing, path: str) -> None:
    for audience in (ISSUER, f"{ISSUER}/oauth/token", [ISSUER, "https://other.example"]):
        assert lms.proved(path, SIGNER.sign(lms.claims(aud=audience)))


@pytest.mark.parametrize("path", DOORS)
@pytest.mark.parametrize(
    "wrong",
    [
        {"aud": "https://other.example"},
        {"aud": f"{ISSUER}/"},
        {"aud": f"{ISSUER}/oauth"},
        {"aud": None},
        {"iss": "https://other.example"},
        {"sub": "other"},
        {"jti": None},
        {"exp": None},
        {"exp": 1},
        {"exp": int(time.time()) + 200_000},
    ],
)
def test_who_is_not(lms: Signing, path: str, wrong: dict[str, Any]) -> None:
    assert not lms.proved(path, SIGNER.sign(lms.claims(**wrong)))


def test_an_assertion_is_used_once_at_whatever_door(lms: Signing) -> None:
    assertion = SIGNER.sign(lms.claims())
    assert [lms.proved(path, assertion) for path in (*DOORS, *DOORS)] == [True, *[False] * 5]


def test_hostile_assertions(lms: Signing) -> None:
    for name, attack in tokens(SIGNER, lms.claims()).items():
        assert not any(lms.proved(path, attack.token) for path in DOORS if attack.token), name


def test_it_has_no_other_way_and_others_have_not_its_way(lms: Signing, engine: sa.Engine, app: Flask) -> None:
    """The fixture gave it a secret, as one that was registered otherwise once."""
    basic = Lms(app, replace(lms.party, auth_method="client_secret_basic"), lms.secret)
    for path in DOORS:
        assert basic.post(path, grant_type="refresh_token", refresh_token="x", token="x").status_code == 401
    other = Signing(app, *add_client(engine, lms.party.tenant_id, jwks=KEYS))
    assert not any(other.proved(path, SIGNER.sign(other.claims())) for path in DOORS)
    assert not any(other.proved(path, SIGNER.sign(lms.claims())) for path in DOORS)
    assert not any(lms.proved(path, SIGNER.sign(lms.claims()), client_secret=lms.secret) for path in DOORS)
