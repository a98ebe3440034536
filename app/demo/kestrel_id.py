"""The demo's identity provider: an OpenID provider on the loopback that lets one be anybody at the demo's company.

    Rollcall ──/id/authorize──▶ who would you like to be? ──code──▶ Rollcall ──/id/token──▶ ID token

It asks for no password and keeps everything in memory, its key too. Towards Rollcall it does all that a real one does:
PKCE, codes that work once, signed ID tokens, logout.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from base64 import urlsafe_b64encode
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, jsonify, redirect, render_template, request
from joserfc import jwt
from joserfc.jwk import RSAKey

from app.demo.people import ADMINISTRATORS, GROUPS, LEFT, PEOPLE, TEAM_LEADS, TRAINERS, Person

CLIENT: Final = "rollcall"
PATH: Final = "/id"
CODE_SECONDS: Final = 60
TOKEN_SECONDS: Final = 300
MOST_CODES: Final = 100
_BY_NUMBER: Final = {person.number: person for person in PEOPLE}
_SUGGESTED: Final = (
    ("1009", "a learner"),
    ("1005", "an instructor, whose title HR corrected"),
    (GROUPS[ADMINISTRATORS][0], "an administrator of the learning platform"),
    (LEFT, "somebody who left: HR says so, Okta does not yet"),
)
_OTHERS: Final = [person for person in PEOPLE if person.number not in dict(_SUGGESTED)]


@dataclass(frozen=True, slots=True)
class _Asked:
    """What Rollcall asked for, and who was chosen."""

    number: str
    redirect_uri: str
    nonce: str
    challenge: str
    at: float


class KestrelId:
    """The provider's memory. `issuer` is its address with its path; `callbacks` are Rollcall's redirect URIs."""

    def __init__(self, issuer: str, callbacks: frozenset[str]) -> None:
        self.issuer, self.callbacks = issuer, callbacks
        self._key = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256"}, private=True, auto_kid=True)
        self._codes: OrderedDict[str, _Asked] = OrderedDict()

    def keys(self) -> dict[str, Any]:
        """Its key set."""
        return {"keys": [self._key.as_dict(private=False)]}

    def checked(self, asked: Mapping[str, str]) -> None:
        """Ends a request that is not Rollcall's, with 400."""
        known = asked.get("client_id") == CLIENT and asked.get("redirect_uri") in self.callbacks
        if not known or asked.get("code_challenge_method") != "S256" or not asked.get("state"):
            abort(400)

    def answer(self, number: str, asked: Mapping[str, str]) -> str:
        """The address at Rollcall that says who was chosen."""
        code = secrets.token_urlsafe(24)
        said = (asked["redirect_uri"], asked.get("nonce", ""), asked.get("code_challenge", ""))
        self._codes[code] = _Asked(number, *said, time.time())
        while len(self._codes) > MOST_CODES:
            self._codes.popitem(last=False)
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer})}"

    def id_token(self, form: Mapping[str, str]) -> str | None:
        """What a code is worth; None when it is worth nothing."""
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not _redeems(asked, form):
            return None
        claims = _claims(_BY_NUMBER[asked.number], self.issuer, asked.nonce)
        return jwt.encode({"alg": "RS256", "kid": self._key.kid, "typ": "JWT"}, claims, self._key)

    def leads_back(self, address: str) -> bool:
        """Whether the address is Rollcall's."""
        return any(address.startswith(f"{callback.partition('/oidc/')[0]}/") for callback in self.callbacks)


def blueprint(provider: KestrelId) -> Blueprint:
    """The provider's pages."""
    pages = Blueprint("kestrel_id", __name__, url_prefix=PATH)

    @pages.get("/.well-known/openid-configuration")
    def discovery() -> Response:
        return jsonify(_discovery(provider.issuer))

    @pages.get("/jwks.json")
    def jwks() -> Response:
        return jsonify(provider.keys())

    @pages.get("/authorize")
    def authorize() -> str:
        provider.checked(request.args)
        query = request.query_string.decode()
        suggested = [(_BY_NUMBER[number], why, f"{PATH}/as/{number}?{query}") for number, why in _SUGGESTED]
        others = [(one, _groups(one), f"{PATH}/as/{one.number}?{query}") for one in _OTHERS]
        return render_template("demo/kestrel_id.html", suggested=suggested, others=others)

    @pages.get("/as/<number>")
    def chosen(number: str) -> Any:
        provider.checked(request.args)
        if number not in _BY_NUMBER:
            abort(404)
        return redirect(provider.answer(number, request.args), 303)

    @pages.post("/token")
    def token() -> Any:
        id_token = provider.id_token(request.form)
        if id_token is None:
            return jsonify({"error": "invalid_grant"}), 400
        access_token = secrets.token_urlsafe(24)
        return jsonify(
            id_token=id_token,
            access_token=access_token,
            token_type="Bearer",  # noqa: S106
            expires_in=TOKEN_SECONDS,
        )

    @pages.get("/end-session")
    def end_session() -> Any:
        wanted, state = request.args.get("post_logout_redirect_uri", ""), request.args.get("state")
        if not provider.leads_back(wanted):
            abort(400)
        return redirect(wanted + (f"?{urlencode({'state': state})}" if state else ""), 303)

    return pages


def _discovery(issuer: str) -> dict[str, Any]:
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "jwks_uri": f"{issuer}/jwks.json",
        "end_session_endpoint": f"{issuer}/end-session",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["RS256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": True,
    }


def _redeems(asked: _Asked, form: Mapping[str, str]) -> bool:
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    right = hmac.compare_digest(urlsafe_b64encode(digest).rstrip(b"=").decode(), asked.challenge)
    return right and form.get("redirect_uri") == asked.redirect_uri and time.time() - asked.at < CODE_SECONDS


def _claims(person: Person, issuer: str, nonce: str) -> dict[str, Any]:
    now = int(time.time())
    return {
        "iss": issuer,
        "aud": CLIENT,
        "sub": f"00u{person.number}",
        "iat": now,
        "exp": now + TOKEN_SECONDS,
        "auth_time": now,
        "nonce": nonce,
        "sid": secrets.token_urlsafe(12),
        "preferred_username": person.login,
        "email": person.login,
        "email_verified": True,
        "name": person.name,
        "given_name": person.given,
        "family_name": person.family,
    }


def _groups(person: Person) -> str:
    return ", ".join(group for group in (TRAINERS, TEAM_LEADS) if person.number in GROUPS[group])
