"""The doors by which identity providers sign people out.

/saml/<id>/slo                   GET, POST: LogoutRequest and LogoutResponse
/oidc/<id>/backchannel-logout    POST: a logout token, from the provider's server
/oidc/<id>/frontchannel-logout   GET: a frame in the provider's page
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from flask import Blueprint, Response

from sso import pages
from sso.arriving import Arrivals, RefusedError
from sso.bindings import Form
from sso.browser import connection_of, received, visitor
from sso.connections import Connection, Oidc
from sso.departing import Departures, signed_out
from sso.errors import SignInError
from sso.keeping import Keeper

BACK_TO_PROVIDER: Final = "You are signed out here. You are being taken back to your organisation's sign-in page."


def add(made: Blueprint, keeper: Keeper, arrivals: Arrivals, departures: Departures) -> None:
    """Adds the doors to the blueprint of signing in."""
    doors = _Doors(keeper, arrivals, departures)
    made.add_url_rule("/saml/<id>/slo", "slo", doors.slo, methods=["GET", "POST"])
    made.add_url_rule("/oidc/<id>/backchannel-logout", "back_channel", doors.back_channel, methods=["POST"])
    made.add_url_rule("/oidc/<id>/frontchannel-logout", "front_channel", doors.front_channel, methods=["GET"])


class _Doors:
    def __init__(self, keeper: Keeper, arrivals: Arrivals, departures: Departures) -> None:
        self._keeper, self._arrivals, self._departures = keeper, arrivals, departures

    def slo(self, id: str) -> Response:
        tenant, connection = connection_of(self._keeper, id, "saml")
        came = None
        try:
            came = received()
            reply = self._departures.by_saml(connection, tenant, came, visitor())
        except SignInError as error:
            raise self._arrivals.refuse(tenant, connection, error, visitor(), "sign-out") from error
        except RefusedError:
            # An answer to a sign-out of ours, however wrong: here the session ended before it was asked for.
            if came is not None and b"SAMLResponse=" in came.query + came.form:
                return pages.onward(signed_out(tenant))
            raise
        if reply is None:
            return pages.onward(signed_out(tenant))
        if isinstance(reply, Form):
            return pages.posting_to(reply.action, reply.fields, BACK_TO_PROVIDER)
        return pages.onward(reply.url)

    def back_channel(self, id: str) -> Response:
        tenant, connection = connection_of(self._keeper, id, "oidc")
        try:
            came = received()
            self._departures.by_back_channel(connection, tenant, came, visitor())
        except SignInError as error:
            self._arrivals.refuse(tenant, connection, error, visitor(), "sign-out")
            return _bad_token()
        except RefusedError:
            return _bad_token()
        return pages.empty(200)

    def front_channel(self, id: str) -> Response:
        tenant, connection = connection_of(self._keeper, id, "oidc")
        try:
            self._departures.by_front_channel(connection, tenant, received(), visitor())
        except RefusedError:
            return pages.empty(400)
        return pages.empty(
            200, {"Content-Security-Policy": f"default-src 'none'; frame-ancestors {_issuer(connection)}"}
        )


def _bad_token() -> Response:
    """OpenID Connect Back-Channel Logout 1.0 §2.8."""
    answer = Response('{"error":"invalid_request"}', 400, mimetype="application/json")
    answer.headers.update(pages.PRIVATE)
    return answer


def _issuer(connection: Connection) -> str:
    assert isinstance(connection.settings, Oidc)
    parts = urlsplit(connection.settings.issuer)
    return f"{parts.scheme}://{parts.netloc}"
