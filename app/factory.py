"""The web application. `create_app` is the only place that knows everything; each `setup_…` adds one thing.

GET /          what is here            GET /healthz   the process lives
/scim/v2       identity providers      GET /readyz    the database answers and its tables are this release's
/api           LMSs and integrations
/oauth/check, /oauth/introspect    whether a token is good: answered before Flask, see `app.front`
/oauth         the OpenID provider, where ROLLCALL_SECRET_KEY is set
/.well-known/jwks.json   the keys that sign what is sent out
/admin         the console
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any, Final

import orjson
import sqlalchemy as sa
import uuid_utils
from flask import Flask, Response, g, render_template, request

from app import logs
from app import settings as environment
from app.outbound import way_out
from app.proxies import Proxies, neighbourhood
from app.settings import Settings
from app.store import migrate
from app.store.engine import make_engine, reading
from app.store.vault import Vault
from app.turns import Turns

if TYPE_CHECKING:
    from app.api.auth import Door
    from app.console.desk import Desk

MAX_BODY_BYTES: Final = 16 * 1024 * 1024
STEPS_A_SECOND: Final = 50  # of sign-ins, from one network address: each is kept for a while, whoever asks
STEPS_AT_ONCE: Final = 2_000  # before that: a company may be behind the address
PROVIDER_SECONDS: Final = 5.0  # that a person waits for an identity provider's answer
SECURITY_HEADERS: Final = tuple(
    {
        "Content-Security-Policy": (
            "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none'; "
            "frame-ancestors 'none'"
        ),
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
    }.items()
)


def create_app(settings: Settings | None = None, *, engine: sa.Engine | None = None) -> Flask:
    """The WSGI application of one worker process, with an engine of its own unless one is given.

    Raises:
        SettingsError: `settings` is not given and the environment is wrong.
    """
    settings = settings or environment.load(os.environ)
    hold = engine is None
    if engine is None:
        if settings.database_url is None:
            raise environment.SettingsError("DATABASE_URL: a web worker needs it; `rollcall serve` sets it by itself")
        engine = make_engine(
            settings.database_url, pool_size=settings.pool_size, lock_timeout_ms=settings.lock_timeout_ms
        )
    app = Flask("app", static_folder="static", template_folder="templates")
    app.config.update(MAX_CONTENT_LENGTH=MAX_BODY_BYTES)
    logs.set_up(settings.log_level)
    setup_requests(app)
    setup_health(app, engine)
    setup_home(app, settings)
    setup_keys(app, engine)
    setup_scim(app, engine, settings)
    shared = setup_api(app, engine, settings)
    setup_checks(app, engine, settings, shared, hold)
    setup_console(app, setup_sign_in(app, engine, settings, shared))
    app.wsgi_app = Turns(app.wsgi_app)  # type: ignore[method-assign]
    if settings.trusted_proxies:
        app.wsgi_app = Proxies(app.wsgi_app, settings.trusted_proxies)  # type: ignore[method-assign]
    return app


def setup_requests(app: Flask) -> None:
    """A number for each request, one log line when it ends, and headers that keep browsers strict."""

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.request_id = str(uuid_utils.uuid7())
        logs.REQUEST_ID.set(g.request_id)

    @app.after_request
    def end(response: Response) -> Response:
        said = {name.lower() for name, _ in response.headers}
        for name, value in SECURITY_HEADERS:
            if name.lower() not in said:
                response.headers.add(name, value)
        response.headers.add("X-Request-Id", g.request_id)
        logs.request_ended(
            request.method,
            request.url_rule.rule if request.url_rule else "(none)",
            response.status_code,
            round((time.perf_counter() - g.began) * 1000, 1),
        )
        return response


def setup_health(app: Flask, engine: sa.Engine) -> None:
    """What a load balancer asks."""
    ready = False

    @app.get("/healthz")
    def healthz() -> Response:
        return Response("ok\n", mimetype="text/plain", headers={"Cache-Control": "no-store"})

    @app.get("/readyz")
    def readyz() -> Response:
        nonlocal ready
        try:
            with reading(engine) as conn:
                # Within a release a revision never moves back, so one look is enough; the database is asked each time.
                ready = migrate.is_head(conn) if not ready else conn.exec_driver_sql("SELECT true").scalar_one()
                text = "ready\n" if ready else "the database is not at this release's revision\n"
        except sa.exc.SQLAlchemyError:
            ready, text = False, "the database does not answer\n"
        headers = {"Cache-Control": "no-store"}
        return Response(text, 200 if ready else 503, mimetype="text/plain", headers=headers)


def setup_home(app: Flask, settings: Settings) -> None:
    """The page at `/`."""

    @app.get("/")
    def home() -> str:
        return render_template("home.html", public_url=settings.public_url, scim_base_url=settings.scim_base_url)


def setup_keys(app: Flask, engine: sa.Engine) -> None:
    """The public parts of the signing keys, for whoever verifies (RFC 7517)."""
    from app.events.issuing import published_keys
    from sso import keys
    from sso.provider_routes import OPEN_TO_ALL

    @app.get("/.well-known/jwks.json")
    def jwks() -> Response:
        with reading(engine) as conn:
            found = keys.published(published_keys(conn), datetime.now(UTC))
        response = Response(orjson.dumps(found), mimetype="application/jwk-set+json")
        response.headers.update(OPEN_TO_ALL)
        # An installation without a key will make one: that must not be missed for a quarter of an hour.
        response.headers["Cache-Control"] = f"public, max-age={keys.CACHED_SECONDS}" if found["keys"] else "no-store"
        response.add_etag()
        response.make_conditional(request)
        return response


def setup_scim(app: Flask, engine: sa.Engine, settings: Settings) -> None:
    """SCIM for identity providers."""
    from app.adapters.doorkeeper import REMEMBERED_SECONDS, Doorkeeper
    from app.adapters.pace import Pace
    from app.adapters.scim_log import ScimLog
    from app.sync.jobs import Teller
    from scim.routes import blueprint
    from scim.store import Limits

    tell, deferred = Teller(engine, "deliver"), Teller(engine, "asynchronous")
    door = Doorkeeper(engine, tell, deferred, Pace(settings.workers), remember=REMEMBERED_SECONDS)
    log = ScimLog(engine, lambda: g.request_id)
    down = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
    app.register_blueprint(blueprint(door, Limits(), public_url=settings.public_url, observer=log, unavailable=down))
    app.extensions["scim_log"] = log


def setup_api(app: Flask, engine: sa.Engine, settings: Settings) -> Door:
    """The REST API for learning platforms, with the endpoint for tokens; returns what its handlers share."""
    from app.api import blueprint, door

    shared = door(engine, settings)
    app.register_blueprint(blueprint(shared))
    return shared


def setup_checks(app: Flask, engine: sa.Engine, settings: Settings, shared: Door, hold: bool) -> None:
    """Whether a token is good, for proxies and for resource servers. `hold`: the engine is this process's own."""
    from app.adapters.token_checks import SECONDS, TokenChecks
    from app.front import Front, Road
    from sso import forward_auth, introspection

    asserting = shared.provider.asserting
    keeper = TokenChecks(engine, settings.public_url, seconds=SECONDS, hold=hold, asserting=asserting)
    roads = (
        Road(forward_auth.PATH, forward_auth.is_check, lambda environ: forward_auth.check(environ, keeper)),
        Road(
            introspection.PATH,
            introspection.PATH.__eq__,
            lambda environ: introspection.introspect(environ, keeper, settings.public_url),
        ),
    )
    down = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
    app.wsgi_app = Front(app.wsgi_app, "/oauth/", roads, SECURITY_HEADERS, down)  # type: ignore[method-assign]


def setup_sign_in(app: Flask, engine: sa.Engine, settings: Settings, shared: Door) -> Desk:
    """Signing in through identity providers, and out; and, as one of them, towards learning platforms.

    Returns what the console shares with it.
    """
    from app.adapters.connections import Connections
    from app.adapters.metadata_refresh import unknown_key
    from app.adapters.pace import Pace
    from app.adapters.sign_in import SignInDesk
    from app.console.desk import Desk
    from app.events.issuing import Issuer
    from app.sync.jobs import Teller
    from sso import keys, metadata, provider_routes
    from sso.arriving import Arrivals
    from sso.connections import Addresses, Connection
    from sso.departing import Departures, Logouts
    from sso.discovery import Providers
    from sso.issuer_keys import IssuerKeys, through
    from sso.oidc_side import OidcSide
    from sso.routes import SignIn, blueprint
    from sso.saml_side import SamlSide

    public_url, tell = settings.public_url, Teller(engine, "metadata")

    def vault() -> Vault:
        if settings.secret_key is None:
            raise environment.SettingsError("ROLLCALL_SECRET_KEY: it must be set before anybody can sign in")
        return Vault(settings.secret_key)

    @cache
    def issuer() -> Issuer:
        return Issuer(engine, vault(), public_url)

    def sign(claims: Mapping[str, Any]) -> str:
        return issuer().sign(claims, type="JWT", algorithm=keys.RS256)

    def ours(connection: Connection) -> bytes:
        return metadata.ours(Addresses(public_url, connection.id), desk.saml_keys(), connection, datetime.now(UTC))

    known, ended = Connections(engine, vault, public_url), Teller(engine, "logout")
    desk = SignInDesk(engine, known, Pace(settings.workers), ended)
    steps = Pace(settings.workers)

    def pace(address: str) -> int:
        return steps.wait(neighbourhood(address), STEPS_A_SECOND, STEPS_AT_ONCE)

    web = way_out(public_url, settings.outbound_networks or (), PROVIDER_SECONDS)
    saml = SamlSide(public_url, desk.saml_keys, lambda connection: unknown_key(engine, tell, connection.id))
    oidc = OidcSide(public_url, web, Providers(web), IssuerKeys(through(web)), sign)
    arrivals = Arrivals(desk, {"saml": saml, "oidc": oidc}, public_url)
    departures = Departures(desk, {"saml": saml, "oidc": oidc}, Logouts(saml, oidc), arrivals)
    down = (sa.exc.OperationalError, sa.exc.InterfaceError, sa.exc.TimeoutError)
    app.register_blueprint(blueprint(SignIn(desk, arrivals, departures, public_url, ours, pace), down))
    if shared.people is not None:
        upstream = provider_routes.Upstream(desk, departures)
        doors = provider_routes.Doors(shared.people, shared.provider, public_url, upstream, pace)
        app.register_blueprint(provider_routes.blueprint(doors, down))

    @cache
    def teller(chore: str) -> Teller:
        return Teller(engine, chore)

    return Desk(engine, settings, vault, known, desk, arrivals, web, lambda chore: teller(chore)())


def setup_console(app: Flask, desk: Desk) -> None:
    """The administrators' pages."""
    from app import console

    app.register_blueprint(console.blueprint(desk))
