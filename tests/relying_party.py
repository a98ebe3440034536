"""A relying party that speaks to the application as an LMS would, on the real store, without a network."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient
from joserfc import jwt
from joserfc.jwk import KeySet

from app.factory import create_app
from app.settings import Settings
from sso import cookies
from sso.relying_parties import RelyingParty
from tests.signed_in import CALLBACK, SignedIn

ISSUER = "https://id.example.com"


def make_app(engine: sa.Engine) -> Flask:
    made = create_app(Settings(log_level="error", public_url=ISSUER, secret_key=(b"k" * 32,)), engine=engine)
    made.testing = True
    return made


@dataclass
class Lms:
    """One client and one browser. `asked` are the parameters of its authorization request; None leaves one out."""

    app: Flask
    party: RelyingParty
    secret: str
    verifier: str = field(default_factory=lambda: secrets.token_urlsafe(32))
    browser: FlaskClient = field(init=False)

    def __post_init__(self) -> None:
        self.browser = self.app.test_client()

    @property
    def challenge(self) -> str:
        hashed = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()

    def take_cookie(self, who: SignedIn) -> None:
        """The browser is the person's from now on."""
        name = cookies.session(ISSUER, who.tenant_id)
        self.browser.set_cookie(name, who.secret, domain="localhost", secure=False)

    def address(self, **asked: Any) -> str:
        known: dict[str, Any] = {
            "response_type": "code",
            "client_id": self.party.id,
            "redirect_uri": CALLBACK,
            "scope": "openid profile email roles",
            "state": "s t/1",
            "nonce": "n-1",
            "code_challenge": self.challenge,
            "code_challenge_method": "S256",
        }
        said = {name: value for name, value in {**known, **asked}.items() if value is not None}
        return f"/oauth/authorize?{urlencode(said, doseq=True)}"

    def ask(self, **asked: Any) -> Any:
        return self.browser.get(self.address(**asked))

    def told(self, **asked: Any) -> dict[str, str]:
        """What came back to the client."""
        answer = self.ask(**asked)
        assert answer.status_code == 303, answer.text
        assert answer.location.startswith(CALLBACK), answer.location
        return dict(parse_qsl(urlsplit(answer.location).query))

    def code(self, **asked: Any) -> str:
        return self.told(**asked)["code"]

    def exchange(self, code: str, /, **form: Any) -> Any:
        said = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK}
        return self.post("/oauth/token", **{**said, "code_verifier": self.verifier, **form})

    def refresh(self, token: str, **form: Any) -> Any:
        return self.post("/oauth/token", grant_type="refresh_token", refresh_token=token, **form)

    def post(self, path: str, **form: Any) -> Any:
        """By the client's own way to prove who it is."""
        said = {name: value for name, value in form.items() if value is not None}
        headers = {}
        if self.party.auth_method == "client_secret_basic":
            text = base64.b64encode(f"{self.party.id}:{self.secret}".encode()).decode()
            headers["Authorization"] = f"Basic {text}"
        elif self.party.auth_method == "client_secret_post":
            said = {"client_id": self.party.id, "client_secret": self.secret, **said}
        else:
            said = {"client_id": self.party.id, **said}
        return self.app.test_client().post(path, data=said, headers=headers)

    def tokens(self, **asked: Any) -> dict[str, Any]:
        answer = self.exchange(self.code(**asked))
        assert answer.status_code == 200, answer.text
        return answer.get_json()

    def userinfo(self, token: str, method: str = "GET") -> Any:
        return self.app.test_client().open(
            "/oauth/userinfo", method=method, headers={"Authorization": f"Bearer {token}"}
        )

    def introspect(self, token: str) -> dict[str, Any]:
        return self.post("/oauth/introspect", token=token).get_json()

    def verified(self, token: str, algorithm: str = "RS256") -> tuple[dict[str, Any], dict[str, Any]]:
        """Header and claims of a token that the published keys verify."""
        keys = KeySet.import_key_set(self.app.test_client().get("/.well-known/jwks.json").get_json())
        found = jwt.decode(token, keys, algorithms=[algorithm])
        return found.header, found.claims


def flow_of(location: str) -> str:
    """The flow's key in the address at which somebody signs in."""
    [key] = parse_qs(urlsplit(location).query)["flow"]
    return key


def fields_of(page: str) -> dict[str, str]:
    """The hidden fields of the page's form."""
    return dict(re.findall(r'name="([^"]+)" value="([^"]*)"', page))
