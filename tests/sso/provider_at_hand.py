"""An OpenID provider in memory: it says what it is told to, to whoever asks by `sso.web.Web`."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl

from app.outbound import OutboundError, Reply
from sso import oidc
from sso.assertion import Assertion
from sso.connections import Addresses, Connection, Oidc
from sso.demands import Demands
from sso.discovery import ProviderMetadata, read
from sso.issuer_keys import IssuerKeys, through
from tests.attacks.jwts import SIGNER

NOW: Final = 1_800_000_000.0
ISSUER: Final = "https://idp.example"
BASE: Final = "https://hub.example"
ID: Final = "0190aaaa-0000-7000-8000-000000000001"
ADDRESSES: Final = Addresses(BASE, ID)
PENDING: Final = oidc.Pending("state-1", "nonce-1", "v" * 43)
DOCUMENT: Final = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
    "userinfo_endpoint": f"{ISSUER}/userinfo",
    "end_session_endpoint": f"{ISSUER}/end?x=1",
    "id_token_signing_alg_values_supported": ["none", "HS256", "RS256"],
}


def connection(secret: str | None = "s3cret", skew: int = 120, **settings: Any) -> Connection:
    said = Oidc(**{"issuer": ISSUER, "client_id": "hub", **settings})
    return Connection(ID, "tenant-1", "idp", "IdP", "source-1", said, secret=secret, skew=skew)


def id_claims(**changes: Any) -> dict[str, Any]:
    """Of a genuine ID token; `...` removes one."""
    said = {
        "iss": ISSUER,
        "sub": "s-1",
        "aud": "hub",
        "iat": NOW - 5,
        "exp": NOW + 300,
        "nonce": "nonce-1",
        "email": "ada@acme.example",
        "email_verified": True,
        "preferred_username": "ada",
        "given_name": "Ada",
        "family_name": "Lovelace",
        "name": "Ada Lovelace",
        "groups": ["g1", "g2"],
        "sid": "session-1",
    }
    return {name: value for name, value in {**said, **changes}.items() if value is not ...}


def half_hash(text: str, algorithm: str = "sha256") -> str:
    digest = hashlib.new(algorithm, text.encode()).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).decode().rstrip("=")


@dataclass
class AtHand:
    """`answers`: what it says at each address, as (status, body, headers); None: it does not answer."""

    answers: dict[str, tuple[int, bytes, Mapping[str, str]] | None] = field(default_factory=dict)
    asked: list[tuple[str, str, Mapping[str, str], dict[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.say("/.well-known/openid-configuration", DOCUMENT)
        self.say("/keys", {"keys": SIGNER.public})
        self.gives(SIGNER.sign(id_claims()))

    def say(self, path: str, body: Any, status: int = 200, kind: str = "application/json", base: str = ISSUER) -> None:
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answers[base + path] = (status, data, {"content-type": kind})

    def gives(self, id_token: Any, **changes: Any) -> None:
        said = {"id_token": id_token, "access_token": "at-1", "token_type": "Bearer", "expires_in": 300, **changes}
        self.say("/token", {name: value for name, value in said.items() if value is not ...})

    def get(self, url: str, headers: Mapping[str, str], limit: int) -> Reply:
        return self._reply("GET", url, headers, b"", limit)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limit: int) -> Reply:
        return self._reply("POST", url, headers, body, limit)

    def _reply(self, method: str, url: str, headers: Mapping[str, str], body: bytes, limit: int) -> Reply:
        self.asked.append((method, url, headers, dict(parse_qsl(body.decode()))))
        found = self.answers.get(url)
        if found is None:
            raise OutboundError("no answer (TimeoutError)")
        return Reply(found[0], found[2], found[1][:limit], len(found[1]) <= limit)

    def accept(
        self,
        of: Connection | None = None,
        answer: Mapping[str, str] | None = None,
        demands: Demands | None = None,
        provider: ProviderMetadata | None = None,
    ) -> Assertion:
        """What comes of an answer, from this provider, now."""
        used = of or connection()
        pending = oidc.Pending("state-1", "nonce-1", "v" * 43, demands or Demands())
        keys = IssuerKeys(through(self))
        said = {"state": "state-1", "code": "code-1"} if answer is None else answer
        return oidc.accept(used, ADDRESSES, provider or read(DOCUMENT, ISSUER), said, pending, self, keys, NOW)
