"""The tokens that clients get: opaque or signed access tokens (RFC 9068), refresh tokens, ID tokens (OpenID Core §2).

Nothing lives longer than what it stands for: without `offline_access` all ends with the session.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import uuid_utils

from sso import jwt_claims, jwts, person_claims
from sso.authorizations import Authorization, Pair, Person, Signer, Token
from sso.jwts import JwtError
from sso.relying_parties import OPENID, RelyingParty

OPAQUE_LIFE: Final = timedelta(hours=1)
SIGNED_LIFE: Final = timedelta(minutes=10)  # nobody who verifies it offline hears of a sign-out before its end
REFRESH_LIFE: Final = timedelta(days=30)
ID_TOKEN_LIFE: Final = timedelta(minutes=10)
OLDEST_HINT: Final = timedelta(days=90).total_seconds()
RANDOM_BYTES: Final = 32
ACCESS_TYPE: Final = "at+jwt"
ID_TYPE: Final = "JWT"
_ACCESS: Final = "rc_pt_"
_REFRESH: Final = "rc_rt_"


@dataclass(frozen=True, slots=True)
class Hint:
    """Whom an ID token of ours was about."""

    client_id: str
    account_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Mint:
    """Makes tokens in the name of `issuer`, our public address."""

    issuer: str
    signer: Signer
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def pair(self, party: RelyingParty, authorization: Authorization, person: Person, scopes: tuple[str, ...]) -> Pair:
        """An access token of these scopes, and a refresh token of all that was authorized."""
        now = self.now()
        signed = party.token_format == "jwt"  # noqa: S105
        end = _end(authorization, now + (SIGNED_LIFE if signed else OPAQUE_LIFE))
        id = str(uuid_utils.uuid7())
        text = _random(_ACCESS)
        if signed:
            claims = self._access_claims(party, authorization, person, scopes) | _times(now, end) | {"jti": id}
            text = self.signer.sign(claims, type=ACCESS_TYPE, algorithm="RS256")
        last = _end(authorization, now + REFRESH_LIFE)
        refresh = Token(str(uuid_utils.uuid7()), _random(_REFRESH), authorization.scopes, last)
        return Pair(Token(id, text, scopes, end), refresh)

    def id_token(
        self,
        party: RelyingParty,
        authorization: Authorization,
        person: Person,
        access: Token,
        nonce: str | None,
    ) -> str:
        """Who signed in, when and how, for this client."""
        now = self.now()
        claims = {
            **person_claims.of(person, access.scopes),
            "iss": self.issuer,
            "aud": party.id,
            **_times(now, now + ID_TOKEN_LIFE),
            **_sign_in(authorization),
            "at_hash": _half_hash(access.text),
        }
        if nonce:
            claims["nonce"] = nonce
        return self.signer.sign(claims, type=ID_TYPE, algorithm=party.id_token_algorithm)

    def read_hint(self, token: str) -> Hint | None:
        """Whom an ID token of ours is about, also after its end; None for anything else, our other tokens included."""
        try:
            head = jwts.header(token, [ID_TYPE.lower()], ("RS256", "ES256"))
            claims = jwts.verified(token, head, self.signer.public_keys())
            jwt_claims.issued_by(claims, self.issuer)
            [client_id] = jwt_claims.audiences(claims) or [""]
            issued, session_id = jwt_claims.instant(claims, "iat"), jwt_claims.identifier(claims, "sid")
            account_id = jwt_claims.subject(claims)
        except (JwtError, ValueError):
            return None
        now = self.now().timestamp()
        if issued is None or session_id is None or not now - OLDEST_HINT < issued <= now + 60:
            return None
        return Hint(client_id, account_id, session_id)

    def _access_claims(
        self, party: RelyingParty, authorization: Authorization, person: Person, scopes: tuple[str, ...]
    ) -> dict[str, Any]:
        told = person_claims.of(person, set(scopes) & {"roles"})
        return {
            **told,
            "iss": self.issuer,
            "aud": party.audience or party.id,
            "client_id": party.id,
            "scope": " ".join(scopes),
            **_sign_in(authorization),
        }


def answer(pair: Pair, scopes: tuple[str, ...], id_token: str | None, now: datetime) -> dict[str, Any]:
    """The token response (RFC 6749 §5.1)."""
    said = {
        "access_token": pair.access.text,
        "token_type": "Bearer",
        "expires_in": max(0, int((pair.access.expires_at - now).total_seconds())),
        "refresh_token": pair.refresh.text,
        "scope": " ".join(scopes),
    }
    return said if id_token is None else {**said, "id_token": id_token}


def is_openid(scopes: tuple[str, ...]) -> bool:
    """Whether an ID token is due."""
    return OPENID in scopes


def _end(authorization: Authorization, wanted: datetime) -> datetime:
    return wanted if authorization.offline else min(wanted, authorization.session_expires_at)


def _times(now: datetime, end: datetime) -> dict[str, int]:
    return {"iat": int(now.timestamp()), "exp": int(end.timestamp())}


def _sign_in(authorization: Authorization) -> dict[str, Any]:
    said = {
        "sid": authorization.session_id,
        "auth_time": int(authorization.authenticated_at.timestamp()),
        "acr": authorization.context,
        "amr": list(authorization.methods) or None,
    }
    return {name: value for name, value in said.items() if value is not None}


def _half_hash(text: str) -> str:
    """`at_hash` (OpenID Connect Core §3.1.3.6): both algorithms hash with SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode("ascii")).digest()[:16]).rstrip(b"=").decode()


def _random(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(RANDOM_BYTES)
