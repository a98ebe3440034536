"""The demo's identity provider does towards Rollcall what a real one does."""

from __future__ import annotations

from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet

from app.demo import kestrel_id
from app.demo.kestrel_id import CLIENT, KestrelId

ISSUER = "http://127.0.0.1:8081/id"
CALLBACK = "http://127.0.0.1:8080/oidc/0190/callback"
VERIFIER = "a-verifier-that-is-long-enough-for-the-standard-43"


@pytest.fixture
def client() -> FlaskClient:
    app = Flask("app", template_folder="templates", static_folder="static")
    app.register_blueprint(kestrel_id.blueprint(KestrelId(ISSUER, frozenset({CALLBACK}))))
    return app.test_client()


def _query(**other: str) -> str:
    asked = {
        "client_id": CLIENT,
        "redirect_uri": CALLBACK,
        "state": "state-1",
        "nonce": "nonce-1",
        "code_challenge": create_s256_code_challenge(VERIFIER),
        "code_challenge_method": "S256",
    }
    return urlencode({**asked, **other})


def _code(client: FlaskClient, number: str) -> str:
    answer = client.get(f"/id/as/{number}?{_query()}")
    assert answer.status_code == 303
    said = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (said["state"], said["iss"]) == (["state-1"], [ISSUER])
    return said["code"][0]


def _redeem(client: FlaskClient, code: str, verifier: str = VERIFIER) -> tuple[int, dict[str, object]]:
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    answer = client.post("/id/token", data=form)
    return answer.status_code, answer.get_json()


def test_the_page_offers_everybody(client: FlaskClient) -> None:
    page = client.get(f"/id/authorize?{_query()}")
    assert page.status_code == 200
    for name in ("Sofia Almeida", "Priya Raman", "Amara Okafor", "Daniel Mensah", "Ravi Desai"):
        assert name in page.text


def test_a_code_becomes_a_signed_id_token(client: FlaskClient) -> None:
    status, body = _redeem(client, _code(client, "1005"))
    assert status == 200
    keys = KeySet.import_key_set(client.get("/id/jwks.json").get_json())
    claims = jwt.decode(str(body["id_token"]), keys, algorithms=["RS256"]).claims
    assert (claims["iss"], claims["aud"], claims["nonce"]) == (ISSUER, CLIENT, "nonce-1")
    assert (claims["sub"], claims["preferred_username"]) == ("00u1005", "priya.raman@kestrel.example")


def test_a_code_works_once(client: FlaskClient) -> None:
    code = _code(client, "1005")
    assert _redeem(client, code)[0] == 200
    assert _redeem(client, code)[0] == 400


def test_a_code_needs_its_verifier(client: FlaskClient) -> None:
    assert _redeem(client, _code(client, "1005"), "another-verifier-that-is-long-enough-as-well-43")[0] == 400


@pytest.mark.parametrize(
    "wrong",
    [{"client_id": "other"}, {"redirect_uri": "http://evil.example/"}, {"code_challenge_method": "plain"}],
    ids=lambda each: next(iter(each)),
)
def test_it_serves_rollcall_alone(client: FlaskClient, wrong: dict[str, str]) -> None:
    assert client.get(f"/id/authorize?{_query(**wrong)}").status_code == 400
    assert client.get(f"/id/as/1005?{_query(**wrong)}").status_code == 400


def test_signing_out_leads_back_to_rollcall_alone(client: FlaskClient) -> None:
    back = urlencode({"post_logout_redirect_uri": "http://127.0.0.1:8080/signed-out", "state": "s"})
    answer = client.get(f"/id/end-session?{back}")
    assert answer.headers["Location"] == "http://127.0.0.1:8080/signed-out?state=s"
    away = urlencode({"post_logout_redirect_uri": "http://127.0.0.1:8080.evil.example/"})
    assert client.get(f"/id/end-session?{away}").status_code == 400
