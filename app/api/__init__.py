"""The REST API for learning platforms, integration platforms and HR systems.

    request ─▶ routes ─▶ auth (tenant, scopes) ─▶ one handler ─▶ store.feeds            GET  /api/v1/accounts, events
                 │                                     └───────▶ sources.hr ─▶ pushes   POST /api/v1/sources/…/records
                 │                                                            └─▶ the write door
                 ├─▶ scim_requests ─▶ store.scim_requests                               GET  /api/v1/scim/requests
                 ├─▶ scim_tokens ─▶ store.credentials                                   …    /api/v1/scim/tokens
                 ├─▶ token ─▶ sso.provider                                              POST /oauth/token
                 └─▶ openapi                                                            GET  /api/openapi.json

`problems` is the closed list of what can go wrong (RFC 9457); `bodies` and `parameters` check what arrives, `schemas`
says what goes out. A handler parses, calls one function, answers. Every route stands in one table, with its
documentation.
"""

from __future__ import annotations

from typing import Final

import sqlalchemy as sa
from flask import Blueprint

from app.api import accounts, events, openapi, problems, records, scim_requests, scim_tokens, token
from app.api.auth import Door
from app.api.providing import people
from app.api.routes import Route, add
from app.outbound import way_out
from app.settings import Settings
from sso.issuer_keys import IssuerKeys, through

ISSUER_SECONDS: Final = 5.0  # a client's issuer has so long to show its keys


def routes() -> tuple[Route, ...]:
    """Every route of the API, each once."""
    mine = (accounts, events, records, scim_requests, scim_tokens, token, openapi)
    return tuple(route for module in mine for route in module.ROUTES)


def door(engine: sa.Engine, settings: Settings) -> Door:
    """What the handlers share, and the provider with them."""
    way = way_out(settings.public_url, settings.outbound_networks or (), ISSUER_SECONDS)
    document = openapi.rendered(routes(), settings.public_url)
    return Door(engine, document, IssuerKeys(through(way)), people(engine, settings))


def blueprint(shared: Door) -> Blueprint:
    """The API, to be registered without a prefix."""
    made = Blueprint("api", __name__)
    add(made, routes(), shared)
    problems.handle(made)
    return made
