"""The demo's outside world on one port of the loopback: an identity provider and a learning platform.

http://127.0.0.1:8081/      Kestrel Academy, the learning platform      (academy)
http://127.0.0.1:8081/id    Kestrel ID, the identity provider           (kestrel_id)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from flask import Flask, Response
from werkzeug.serving import WSGIRequestHandler, make_server

from app.demo import academy, kestrel_id
from app.demo.academy import Academy, Platform
from app.demo.kestrel_id import KestrelId
from app.demo.okta import Okta

HOST: Final = "127.0.0.1"
# Signing out is a form that leads by way of Rollcall, and browsers apply `form-action` to redirects as well.
POLICY: Final = (
    "default-src 'none'; style-src 'self'; img-src 'self'; script-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'self' {rollcall}; frame-ancestors 'none'"
)


@dataclass(frozen=True, slots=True)
class Site:
    """What the site needs to know. `callback` is where Kestrel ID sends people back to; `token` is Okta's, for SCIM."""

    port: int
    rollcall: str
    client_id: str
    callback: str
    token: str = field(repr=False)

    @property
    def url(self) -> str:
        return address(self.port)


def address(port: int) -> str:
    """The site's address, without a slash at its end."""
    return f"http://{HOST}:{port}"


def port_beside(port: int) -> int:
    """The site's, beside that of Rollcall."""
    return port + 1 if port < 65535 else port - 1


def issuer(port: int) -> str:
    """Kestrel ID's."""
    return f"{address(port)}{kestrel_id.PATH}"


def create_site(site: Site) -> Flask:
    """The WSGI application of both."""
    app = Flask("app", static_folder="static", template_folder="templates")
    okta = Okta(f"{site.rollcall}/scim/v2", site.token)
    app.register_blueprint(kestrel_id.blueprint(KestrelId(issuer(site.port), frozenset({site.callback}))))
    app.register_blueprint(academy.blueprint(Academy(Platform(site.rollcall, site.url, site.client_id)), okta))

    @app.after_request
    def plain(response: Response) -> Response:
        response.headers.setdefault("Content-Security-Policy", POLICY.format(rollcall=site.rollcall))
        response.headers.setdefault("Cache-Control", "no-store")
        response.headers.setdefault("Referrer-Policy", "no-referrer")
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        return response

    return app


def serve(site: Site, ready: Callable[[], None]) -> None:
    """Serves until the process ends; calls `ready` once it can be reached.

    Raises:
        OSError: the port is taken.
    """
    server = make_server(HOST, site.port, create_site(site), threaded=True, request_handler=_Quiet)
    ready()
    server.serve_forever()


class _Quiet(WSGIRequestHandler):
    def log(self, type: str, message: str, *args: object) -> None:
        """Requests to a demo are nobody's news."""
