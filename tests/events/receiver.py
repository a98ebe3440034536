"""A receiver of Security Event Tokens on a real socket, and a verifier that shares no library with who signs."""

from __future__ import annotations

import base64
import json
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec, utils
from cryptography.hazmat.primitives.hashes import SHA256


@dataclass
class Taken:
    """A request as it came in."""

    headers: dict[str, str]
    body: bytes

    @property
    def token(self) -> str:
        return self.body.decode()

    @property
    def claims(self) -> dict[str, Any]:
        """Unverified."""
        return json.loads(_unbase64(self.token.split(".")[1]))

    @property
    def uri(self) -> str:
        [uri] = self.claims["events"]
        return uri

    @property
    def payload(self) -> dict[str, Any]:
        return self.claims["events"][self.uri]


@dataclass
class Receiver:
    """What came, in its order. `answer` says what to answer to the nth request: status, body, headers."""

    port: int = 0
    tried: list[Taken] = field(default_factory=list)
    taken: list[Taken] = field(default_factory=list)
    answer: Callable[[int], tuple[int, bytes, dict[str, str]]] = lambda _: (202, b"", {})

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/events?x=1"

    @property
    def told(self) -> list[tuple[str, str]]:
        """Short event names with the subjects' URIs."""
        return [
            (one.uri.removeprefix("urn:ietf:params:scim:event:"), one.claims["sub_id"]["uri"]) for one in self.taken
        ]


@contextmanager
def listening(receiver: Receiver, tls: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve until the block ends; a port of 0 becomes a free one and is kept for the next time."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            request = Taken({name.lower(): value for name, value in self.headers.items()}, body)
            receiver.tried.append(request)
            status, content, headers = receiver.answer(len(receiver.tried))
            if status == 202:
                receiver.taken.append(request)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", receiver.port), Handler)
    receiver.port = server.server_port
    server.handle_error = lambda *_: None  # who hangs up during the handshake is no news
    if tls is not None:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def verified(token: str, jwks: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, after an ES256 check with the key of the header's kid, by hand (RFC 7518 §3.4)."""
    head, body, signature = token.split(".")
    header = json.loads(_unbase64(head))
    assert header["alg"] == "ES256"
    [jwk] = [key for key in jwks["keys"] if key["kid"] == header["kid"]]
    assert "d" not in jwk
    x, y = (int.from_bytes(_unbase64(jwk[name])) for name in ("x", "y"))
    raw = _unbase64(signature)
    r, s = int.from_bytes(raw[:32]), int.from_bytes(raw[32:])
    key = ec.EllipticCurvePublicNumbers(x, y, ec.SECP256R1()).public_key()
    key.verify(utils.encode_dss_signature(r, s), f"{head}.{body}".encode(), ec.ECDSA(SHA256()))
    return header, json.loads(_unbase64(body))


def _unbase64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
