"""An OpenID provider on loopback that signs everybody in and lies as it is told to, for playing attacks over HTTP.

    with serving() as issuer:
        issuer.forge = lambda claims: SIGNER.sign(FORGED.of(claims, time.time()), **FORGED.header)
        … a browser that goes to the hub's sign-in comes back with a code for exactly this token

`issuer.url` is its issuer, `CLIENT` and `SECRET` those of the one client. Without lies it is a genuine one.
"""

from __future__ import annotations

import json
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlencode, urlsplit

from tests.attacks.jwts import SIGNER

CLIENT: Final = "hub"
SECRET: Final = "hub-secret"
ADA: Final = {
    "sub": "s-1",
    "email": "ada@acme.example",
    "email_verified": True,
    "preferred_username": "ada",
    "given_name": "Ada",
    "family_name": "Lovelace",
    "name": "Ada Lovelace",
}
Said = tuple[int, str, bytes]  # status, content type, body


@dataclass
class Issuer:
    """What it says. `answers` replaces what stands at a path, `callback` changes what the browser brings back."""

    url: str = ""
    person: dict[str, Any] = field(default_factory=lambda: dict(ADA))
    forge: Callable[[dict[str, Any]], str] = SIGNER.sign
    answers: dict[str, Said] = field(default_factory=dict)
    callback: Callable[[dict[str, str]], Mapping[str, str]] = lambda answer: answer
    document: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    _codes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def claims(self, nonce: str | None) -> dict[str, Any]:
        """Of a genuine ID token, now."""
        now = int(time.time())
        said = {"iss": self.url, "aud": CLIENT, "iat": now, "auth_time": now, "exp": now + 300, "sid": "session-1"}
        return {**said, "nonce": nonce, **self.person}

    def logout_claims(self) -> dict[str, Any]:
        """Of a genuine logout token, now."""
        now = int(time.time())
        event = {"http://schemas.openid.net/event/backchannel-logout": {}}
        said = {"iss": self.url, "aud": CLIENT, "iat": now, "exp": now + 120, "jti": secrets.token_hex(8)}
        return {**said, "sub": self.person["sub"], "sid": "session-1", "events": event}

    def at(self, path: str, query: Mapping[str, str], form: Mapping[str, str]) -> tuple[Said, str | None]:
        """What it says there, and where it sends the browser."""
        self.asked.append(path)
        if path in self.answers:
            return self.answers[path], None
        if path == "/authorize":
            return (302, "text/plain", b""), self._back(query)
        said = {
            "/.well-known/openid-configuration": self._document,
            "/keys": lambda _: {"keys": SIGNER.public},
            "/token": self._tokens,
            "/userinfo": lambda _: self.person,
        }.get(path)
        body = said(form) if said else None
        return (200 if body is not None else 404, "application/json", json.dumps(body).encode()), None

    def _back(self, query: Mapping[str, str]) -> str:
        code = secrets.token_urlsafe(16)
        self._codes[code] = self.claims(query.get("nonce"))
        answer = self.callback({"code": code, "state": query["state"], "iss": self.url})
        return f"{query['redirect_uri']}?{urlencode(answer)}"

    def _tokens(self, form: Mapping[str, str]) -> dict[str, Any]:
        claims = self._codes.pop(form.get("code", ""), None)
        if claims is None:
            return {"error": "invalid_grant"}
        return {"id_token": self.forge(claims), "access_token": "at-1", "token_type": "Bearer", "expires_in": 300}

    def _document(self, _form: Mapping[str, str]) -> dict[str, Any]:
        said = {
            "issuer": self.url,
            "authorization_endpoint": f"{self.url}/authorize",
            "token_endpoint": f"{self.url}/token",
            "jwks_uri": f"{self.url}/keys",
            "userinfo_endpoint": f"{self.url}/userinfo",
            "authorization_response_iss_parameter_supported": True,
            **self.document,
        }
        return {name: value for name, value in said.items() if value is not ...}


@contextmanager
def serving() -> Iterator[Issuer]:
    """A genuine one, to begin with."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            self._say(*issuer.at(parts.path, dict(parse_qsl(parts.query)), {}))

        def do_POST(self) -> None:
            form = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self._say(*issuer.at(urlsplit(self.path).path, {}, dict(parse_qsl(form))))

        def _say(self, said: Said, location: str | None) -> None:
            status, kind, body = said
            self.send_response(status)
            self.send_header("Content-Type", kind)
            if location is not None:
                self.send_header("Location", location)
            self.end_headers()
            try:
                self.wfile.write(body)
            except OSError:
                return  # who asked had read enough

        def log_message(self, *_: object) -> None: ...

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        issuer.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield issuer
        finally:
            server.shutdown()
            thread.join()
