"""The demo's learning platform: it knows nobody, and takes Rollcall's word for who is there and what they may do.

/  ──▶ Rollcall /oauth/authorize ──code──▶ /callback ──▶ ID token, userinfo ──▶ what an LMS gets
each look at the page asks /oauth/check; the button has Okta deactivate the person over SCIM, and the session is over
"""

from __future__ import annotations

import json
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlencode

import requests
from authlib.integrations.requests_client import OAuth2Session
from flask import Blueprint, Response, make_response, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import KeySet

from app.demo.okta import DemoError, Okta

COOKIE: Final = "kestrel-academy"
SCOPES: Final = "openid profile email roles groups"
MOST: Final = 200  # browsers and sign-ins under way that are remembered
SECONDS: Final = 10
HOURS: Final = 3600


@dataclass(frozen=True, slots=True)
class Platform:
    """What the learning platform was told when it was registered. Addresses have no slash at their end."""

    rollcall: str
    url: str
    client_id: str

    @property
    def callback(self) -> str:
        return f"{self.url}/callback"


@dataclass(slots=True)
class Visitor:
    """Somebody who signed in. `refused` is the status by which their token was refused first, if it was.

    `over_after` are the seconds from Okta's word until then.
    """

    claims: Mapping[str, Any]
    userinfo: Mapping[str, Any]
    id_token: str = field(repr=False)
    access_token: str = field(repr=False)
    refused: int | None = None
    deactivated_at: float | None = None
    over_after: float | None = None


class Academy:
    """The platform's memory, and its conversations with Rollcall."""

    def __init__(self, platform: Platform) -> None:
        self.platform = platform
        self.visitors: OrderedDict[str, Visitor] = OrderedDict()
        self._started: OrderedDict[str, tuple[str, str]] = OrderedDict()  # state -> verifier, nonce

    def begin(self) -> str:
        """The address at Rollcall where somebody signs in."""
        verifier, nonce = secrets.token_urlsafe(48), secrets.token_urlsafe(16)
        with self._client() as client:
            address, state = client.create_authorization_url(
                f"{self.platform.rollcall}/oauth/authorize", code_verifier=verifier, nonce=nonce
            )
        _keep(self._started, state, (verifier, nonce))
        return str(address)

    def finish(self, state: str, address: str) -> str:
        """Exchanges the code in `address`, checks the ID token, and remembers the visitor; returns the cookie's value.

        Raises:
            DemoError: the sign-in did not begin here, or what came back does not hold.
        """
        started = self._started.pop(state, None)
        if started is None:
            raise DemoError("This sign-in did not begin here.")
        verifier, nonce = started
        with self._client() as client:
            answer = client.fetch_token(
                f"{self.platform.rollcall}/oauth/token",
                authorization_response=address,
                code_verifier=verifier,
                state=state,
                timeout=SECONDS,
            )
            userinfo = client.get(f"{self.platform.rollcall}/oauth/userinfo", timeout=SECONDS).json()
        claims = self._checked(answer["id_token"], nonce)
        cookie = secrets.token_urlsafe(32)
        _keep(self.visitors, cookie, Visitor(claims, userinfo, answer["id_token"], answer["access_token"]))
        return cookie

    def check(self, visitor: Visitor) -> tuple[int, dict[str, str]]:
        """What Rollcall says of the visitor's token: the status and its headers. After the first no it is not asked."""
        if visitor.refused is None:
            answer = _get(f"{self.platform.rollcall}/oauth/check", {"Authorization": f"Bearer {visitor.access_token}"})
            if answer.status_code == 204:
                return 204, {name: v for name, v in answer.headers.items() if name.lower().startswith("x-auth-")}
            visitor.refused = answer.status_code
            if visitor.deactivated_at is not None:
                visitor.over_after = time.monotonic() - visitor.deactivated_at
        return visitor.refused, {}

    def sign_out_address(self, visitor: Visitor) -> str:
        """Where Rollcall ends the session and brings the browser back from."""
        query = {"id_token_hint": visitor.id_token, "post_logout_redirect_uri": f"{self.platform.url}/"}
        return f"{self.platform.rollcall}/oauth/end-session?{urlencode(query)}"

    def _checked(self, id_token: str, nonce: str) -> Mapping[str, Any]:
        keys = KeySet.import_key_set(_get(f"{self.platform.rollcall}/.well-known/jwks.json").json())
        claims = jwt.decode(id_token, keys, algorithms=["RS256"]).claims
        jwt.JWTClaimsRegistry(
            iss={"essential": True, "value": self.platform.rollcall},
            aud={"essential": True, "value": self.platform.client_id},
            nonce={"essential": True, "value": nonce},
        ).validate(claims)
        return claims

    def _client(self) -> OAuth2Session:
        session = OAuth2Session(
            self.platform.client_id,
            scope=SCOPES,
            redirect_uri=self.platform.callback,
            token_endpoint_auth_method="none",  # noqa: S106 - a public client has no secret
            code_challenge_method="S256",
        )
        session.trust_env = False
        return session


def blueprint(academy: Academy, okta: Okta) -> Blueprint:
    """The platform's pages. `okta` is told to deactivate people and to bring them back."""
    pages = Blueprint("academy", __name__)

    @pages.get("/")
    def home() -> str:
        visitor = academy.visitors.get(request.cookies.get(COOKIE, ""))
        if visitor is None:
            return render_template("demo/academy.html", visitor=None)
        status, headers = academy.check(visitor)
        return render_template(
            "demo/academy.html", visitor=visitor, status=status, headers=headers, claims=_pretty(visitor)
        )

    @pages.get("/sign-in")
    def sign_in() -> Any:
        return redirect(academy.begin(), 303)

    @pages.get("/callback")
    def callback() -> Any:
        if "error" in request.args:
            raise DemoError(f"Rollcall said {request.args['error']}: {request.args.get('error_description', '')}")
        cookie = academy.finish(request.args.get("state", ""), request.url)
        response = make_response(redirect("/", 303))
        response.set_cookie(COOKIE, cookie, max_age=8 * HOURS, httponly=True, samesite="Lax")
        return response

    @pages.post("/okta/<word>")
    def okta_says(word: str) -> Any:
        visitor = academy.visitors.get(request.cookies.get(COOKIE, ""))
        if visitor is not None and word in ("leave", "return"):
            okta.set_active(str(visitor.userinfo["preferred_username"]), word == "return")
            visitor.deactivated_at = time.monotonic() if word == "leave" else None
        return redirect("/", 303)

    @pages.post("/sign-out")
    def sign_out() -> Any:
        visitor = academy.visitors.pop(request.cookies.get(COOKIE, ""), None)
        response: Response = make_response(redirect("/" if visitor is None else academy.sign_out_address(visitor), 303))
        response.delete_cookie(COOKIE)
        return response

    pages.register_error_handler(DemoError, _told)
    pages.register_error_handler(requests.RequestException, _told)
    return pages


def _told(error: Exception) -> tuple[str, int]:
    return render_template("demo/academy.html", visitor=None, trouble=str(error)), 400


def _get(url: str, headers: Mapping[str, str] | None = None) -> requests.Response:
    with requests.Session() as session:
        session.trust_env = False
        return session.get(url, headers=dict(headers or {}), timeout=SECONDS)


def _pretty(visitor: Visitor) -> str:
    return json.dumps(visitor.claims, indent=2, ensure_ascii=False)


def _keep(memory: OrderedDict[str, Any], key: str, value: Any) -> None:
    memory[key] = value
    while len(memory) > MOST:
        memory.popitem(last=False)
