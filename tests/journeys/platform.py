"""A learning platform that lies: whatever it likes goes to the running provider, byte by byte."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from sso import cookies
from tests.attacks.provider import AFTER, CALLBACK
from tests.journeys.attacking import Answer, send
from tests.journeys.server import Server
from tests.signed_in import SignedIn

VERIFIER: Final = "verifier-of-at-least-forty-three-characters-0"
CHALLENGE: Final = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@dataclass
class Platform:
    """A client and the browser of somebody who is signed in. None leaves a parameter out, a list sends several."""

    server: Server
    who: SignedIn
    id: str
    secret: str = field(repr=False)
    callback: str = CALLBACK

    @classmethod
    def register(cls, server: Server, tenant: str, who: SignedIn, *options: str, callback: str = CALLBACK) -> Platform:
        told = server.rollcall(
            *("client", "create", "lms", "--tenant", tenant, "--redirect-uri", callback),
            *("--post-logout-redirect-uri", AFTER, *options),
        )
        return cls(server, who, told["client_id"], told.get("client_secret") or "", callback)

    @property
    def jar(self) -> dict[str, str]:
        return {cookies.session(self.server.url, self.who.tenant_id): self.who.secret}

    def ask(self, jar: Mapping[str, str] | None = None, /, **changes: Any) -> Answer:
        """An authorization request."""
        asked = {
            "response_type": "code",
            "client_id": self.id,
            "redirect_uri": self.callback,
            "scope": "openid email",
            "state": "st",
            "nonce": "n",
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
        }
        query = encoded({**asked, **changes})
        return send(f"{self.server.url}/oauth/authorize", query=query, cookies=self.jar if jar is None else jar)

    def code(self, **changes: Any) -> str:
        answer = self.ask(**changes)
        said = back(answer)
        assert "code" in said, (answer.status, said, answer.body)
        return said["code"]

    def form(self, code: str, /, **changes: Any) -> dict[str, Any]:
        asked = {"grant_type": "authorization_code", "code": code, "redirect_uri": self.callback}
        return {**asked, "code_verifier": VERIFIER, **changes}

    def exchange(self, code: str, /, **changes: Any) -> Answer:
        return self.post("/oauth/token", self.form(code, **changes))

    def refresh(self, token: str, /, **changes: Any) -> Answer:
        return self.post("/oauth/token", {"grant_type": "refresh_token", "refresh_token": token, **changes})

    def tokens(self, **changes: Any) -> dict[str, Any]:
        return read(self.exchange(self.code(**changes)))

    def post(self, path: str, form: Mapping[str, Any], **headers: str) -> Answer:
        """By HTTP Basic, or as a public client."""
        proof = self.basic() if self.secret else {}
        said = form if self.secret else {"client_id": self.id, **form}
        return send(self.server.url + path, "POST", body=encoded(said), headers={**proof, **headers})

    def basic(self, id: str | None = None, secret: str | None = None) -> dict[str, str]:
        text = f"{self.id if id is None else id}:{self.secret if secret is None else secret}"
        return {"Authorization": f"Basic {base64.b64encode(text.encode()).decode()}"}

    def userinfo(self, token: str) -> Answer:
        return send(f"{self.server.url}/oauth/userinfo", headers={"Authorization": f"Bearer {token}"})

    def introspect(self, token: str) -> Answer:
        return self.post("/oauth/introspect", {"token": token})

    def is_good(self, tokens: Mapping[str, Any]) -> bool:
        return self.userinfo(tokens["access_token"]).status == 200

    def leave(self, jar: Mapping[str, str] | None = None, /, **said: Any) -> Answer:
        """A request to sign the person out."""
        asked = {"client_id": self.id, "post_logout_redirect_uri": AFTER, "state": "st", **said}
        url = f"{self.server.url}/oauth/end-session"
        return send(url, query=encoded(asked), cookies=self.jar if jar is None else jar)


def encoded(said: Mapping[str, Any]) -> bytes:
    """As a form or query."""
    return urlencode({name: value for name, value in said.items() if value is not None}, doseq=True).encode()


def back(answer: Answer) -> dict[str, str]:
    """What a redirect tells the client."""
    return dict(parse_qsl(urlsplit(answer.headers.get("location", "")).query))


def read(answer: Answer) -> dict[str, Any]:
    """JSON that is there."""
    assert answer.status == 200, (answer.status, answer.body)
    found: dict[str, Any] = json.loads(answer.body)
    return found


def error(answer: Answer) -> str | None:
    """The error that the answer's JSON names."""
    try:
        found = json.loads(answer.body)
    except ValueError:
        return None
    return found.get("error") if isinstance(found, dict) else None
