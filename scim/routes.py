"""The doors (RFC 7644 §3): parse, call one verb, answer. Every answer below the prefix is SCIM, failures too.

/Users /Groups ── GET list, POST            /Users/.search /Groups/.search /.search ── POST
/Users/{id} /Groups/{id} ── GET PUT PATCH DELETE            /Bulk ── POST            /Me ── 501
/Roles /Roles/{id} ── GET, and /Roles/.search ── POST: where the tenant's features say so
/ServiceProviderConfig /ResourceTypes /Schemas ── GET, also without a token            / ── GET: all kinds
"""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import orjson
from flask import Blueprint, Request, Response, current_app, g, request
from flask.sansio.app import App as SansioApp
from werkzeug.datastructures import Headers
from werkzeug.exceptions import HTTPException

from scim import asynchronous, bodies, bulk, discovery, events, query, roles
from scim.errors import (
    MEDIA_TYPE,
    BadRequest,
    Busy,
    Forbidden,
    Internal,
    InvalidVers,
    MalformedCredentials,
    MethodNotAllowed,
    NotFound,
    NotImplemented_,
    PayloadTooLarge,
    ScimError,
    Unauthorized,
)
from scim.resources import Answer, Resources, version_header
from scim.store import Doorkeeper, Exchange, Features, Kind, Later, Limits, Observer

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

log = logging.getLogger(__name__)

Handler = Callable[..., Response]
_WITH_BODY = frozenset(("POST", "PUT", "PATCH"))
_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
_KINDS: tuple[tuple[Kind, str], ...] = (("User", "/Users"), ("Group", "/Groups"))
_ALL_KINDS: tuple[Kind, ...] = ("User", "Group")


def blueprint(
    doorkeeper: Doorkeeper,
    limits: Limits,
    *,
    url_prefix: str = "/scim/v2",
    public_url: str | None = None,
    observer: Observer | None = None,
    unavailable: tuple[type[Exception], ...] = (),
) -> Blueprint:
    """The SCIM service as a Flask blueprint under `url_prefix` (a path without a slash at its end).

    `public_url` is how clients reach the server, for the locations it answers with; without it the request tells.
    `observer` is told of every request. `unavailable` are the errors by which a store says that it does not answer at
    the moment: the client is asked to come again.
    """
    doors = _Doors(doorkeeper, limits, url_prefix, public_url)
    made = Blueprint("scim", __name__, url_prefix=url_prefix)
    for kind, path in _KINDS:
        _route(made, path, {"GET": doors.list, "POST": doors.create}, kind=kind)
        _route(made, f"{path}/.search", {"POST": doors.search}, kinds=(kind,))
        one: dict[str, Handler] = {
            "GET": doors.get,
            "PUT": doors.replace,
            "PATCH": doors.patch,
            "DELETE": doors.delete,
        }
        _route(made, f"{path}/<id>", one, kind=kind)
    _route(made, "/Roles", {"GET": doors.roles}, otherwise=doors.read_only)
    _route(made, "/Roles/.search", {"POST": doors.search_roles}, otherwise=doors.search_only)
    _route(made, "/Roles/<id>", {"GET": doors.role}, otherwise=doors.read_only)
    _route(made, "/.search", {"POST": doors.search}, kinds=_ALL_KINDS)
    _route(made, "/Bulk", {"POST": doors.bulk})
    _route(made, "/Me", {}, otherwise=doors.me)
    _route(made, "/ServiceProviderConfig", {"GET": doors.config})
    _route(made, "/ResourceTypes", {"GET": doors.resource_types})
    _route(made, "/ResourceTypes/<id>", {"GET": doors.resource_types})
    _route(made, "/Schemas", {"GET": doors.schemas})
    _route(made, "/Schemas/<id>", {"GET": doors.schemas})
    _route(made, "/", {"GET": doors.root})
    _route(made, "/<path:rest>", {}, otherwise=doors.nowhere)
    made.register_error_handler(Exception, _failed)
    for kind_of_error in unavailable:
        made.register_error_handler(kind_of_error, _unavailable)
    if observer is not None:
        _observe(made, observer, len(url_prefix.rstrip("/")))
    made.record_once(lambda state: _refuse_other_versions(state.app, url_prefix))
    return made


def _refuse_other_versions(app: SansioApp, url_prefix: str) -> None:
    """`/scim/v1/…` beside our `/scim/v2` is a version that is not served (RFC 7644 §3.13)."""
    base, _, own = url_prefix.rstrip("/").rpartition("/")
    if not own.removeprefix("v").isdigit():
        return

    def refuse(number: int, rest: str = "") -> Response:
        return _failed(InvalidVers(f"Version {number} of the protocol is not served: use {own}."))

    for rule in (f"{base}/v<int:number>", f"{base}/v<int:number>/<path:rest>"):
        name = f"scim_version_{rule.count('/')}"
        app.add_url_rule(rule, name, refuse, methods=_METHODS, provide_automatic_options=False)


def _observe(made: Blueprint, observer: Observer, prefix: int) -> None:
    # Called with nothing but the endpoint, before anything else, and without a look at whether it is a coroutine.
    made.url_value_preprocessor(lambda _endpoint, _values: observer.began())

    @made.after_request
    def ended(answer: Response) -> Response:
        asked = _asked()
        method, path, status = asked.method, asked.path[prefix:], answer.status_code
        body = g.get("scim_body", b"") if method in _WITH_BODY else b""
        told = answer.get_data() if status >= 400 or path == "/Bulk" else b""
        observer.ended(Exchange(method, path, body, status, told, asked.environ.get("HTTP_USER_AGENT", "")))
        return answer


def _route(
    made: Blueprint, rule: str, handlers: Mapping[str, Handler], *, otherwise: Handler | None = None, **fixed: Any
) -> None:
    """One path with all its methods, so that the 405 is ours and names what is allowed."""
    allowed = tuple(name for method in handlers for name in ((method, "HEAD") if method == "GET" else (method,)))

    def view(**found: Any) -> Response:
        handler = handlers.get("GET" if request.method == "HEAD" else request.method, otherwise)
        if handler is None:
            raise MethodNotAllowed(request.method, allowed)
        return handler(**fixed, **found)

    name = rule.strip("/").replace("/", "_").replace(".", "") or "root"
    made.add_url_rule(rule, name, view, methods=_METHODS, strict_slashes=False, provide_automatic_options=False)


class _Doors:
    """The handlers of one blueprint."""

    def __init__(self, doorkeeper: Doorkeeper, limits: Limits, url_prefix: str, public_url: str | None) -> None:
        self._doorkeeper = doorkeeper
        self._limits = limits
        self._url_prefix = url_prefix.rstrip("/")
        self._fixed_url = public_url and public_url.rstrip("/") + self._url_prefix

    def list(self, kind: Kind) -> Response:
        resources = self._resources()
        registry = resources.store.features.schemas
        parameters = request.args.items(multi=True)
        asked = query.list_request((kind,), parameters, self._limits, in_uri=True, registry=registry)
        return _respond(resources.search((kind,), asked))

    def root(self) -> Response:
        """All kinds of resources (RFC 7644 §3.4.2.1)."""
        resources = self._resources()
        registry, parameters = resources.store.features.schemas, request.args.items(multi=True)
        asked = query.list_request(_ALL_KINDS, parameters, self._limits, in_uri=True, registry=registry)
        return _respond(resources.search(_ALL_KINDS, asked))

    def search(self, kinds: tuple[Kind, ...]) -> Response:
        resources = self._resources()
        registry = resources.store.features.schemas
        return _respond(resources.search(kinds, query.search_request(kinds, self._body(), self._limits, registry)))

    def create(self, kind: Kind) -> Response:
        resources, body = self._resources(), self._body()
        return self._later(resources, kind, None, body) or _respond(resources.create(kind, body, _projection()))

    def get(self, kind: Kind, id: str) -> Response:
        return _respond(self._resources().get(kind, id, _projection(), **_conditions()))

    def replace(self, kind: Kind, id: str) -> Response:
        resources, body = self._resources(), self._body()
        return self._later(resources, kind, id, body) or _respond(
            resources.replace(kind, id, body, _projection(), **_conditions())
        )

    def patch(self, kind: Kind, id: str) -> Response:
        resources, body = self._resources(), self._body()
        return self._later(resources, kind, id, body) or _respond(
            resources.patch(kind, id, body, _projection(), **_conditions())
        )

    def delete(self, kind: Kind, id: str) -> Response:
        resources = self._resources()
        return self._later(resources, kind, id, None) or _respond(resources.delete(kind, id, **_conditions()))

    def bulk(self) -> Response:
        resources, body = self._resources(), self._body()
        return self._later(resources, None, None, body) or _respond(bulk.run(resources, body, _report))

    def _later(
        self, resources: Resources, kind: Kind | None, id: str | None, body: dict[str, Any] | None
    ) -> Response | None:
        """202 for who prefers to be answered later (RFC 9967 §2.5.1); None when it is done at once."""
        features = resources.store.features
        prefer = request.headers.getlist("Prefer")
        if not prefer or not asynchronous.wanted(prefer, features, kind):
            return None
        later = Later(request.method, kind, id, body, _conditions())
        txn = resources.store.defer(asynchronous.checked(later, features, self._limits))
        if txn is None:
            return None
        made = Response(status=202)
        made.headers.remove("Content-Type")
        made.headers["Set-Txn"] = txn
        made.headers["Preference-Applied"] = asynchronous.PREFERENCE
        if kind is not None:
            made.headers["Location"] = self._base_url() + events.uri_of(kind, id or txn)
        return made

    def roles(self) -> Response:
        resources = self._with_roles()
        parameters = request.args.items(multi=True)
        asked = query.list_request(("Role",), parameters, self._limits, in_uri=True, registry=roles.ROLES)
        return _respond(roles.search(resources, asked))

    def search_roles(self) -> Response:
        resources = self._with_roles()
        return _respond(
            roles.search(resources, query.search_request(("Role",), self._body(), self._limits, roles.ROLES))
        )

    def role(self, id: str) -> Response:
        known = request.headers.get("If-None-Match")
        return _respond(roles.get(self._with_roles(), id, _projection(), if_none_match=known))

    def read_only(self, id: str = "") -> Response:
        self._with_roles()
        raise MethodNotAllowed(request.method, ("GET", "HEAD"))

    def search_only(self) -> Response:
        self._with_roles()
        raise MethodNotAllowed(request.method, ("POST",))

    def _with_roles(self) -> Resources:
        resources = self._resources()
        if not resources.store.features.roles_endpoint:
            raise NotFound("There is no such endpoint.")
        return resources

    def me(self) -> Response:
        raise NotImplemented_("/Me is not offered: a token belongs to a source, not to a person.")

    def nowhere(self, rest: str = "") -> Response:
        raise NotFound("There is no such endpoint.")

    def config(self) -> Response:
        return self._discovery(
            lambda features: discovery.service_provider_config(self._base_url(), self._limits, features)
        )

    def resource_types(self, id: str | None = None) -> Response:
        base = self._base_url()
        return self._discovery(
            lambda features: (
                discovery.resource_type(id, base, features) if id else discovery.resource_types(base, features)
            )
        )

    def schemas(self, id: str | None = None) -> Response:
        base = self._base_url()
        return self._discovery(
            lambda features: discovery.schema(id, base, features) if id else discovery.schemas(base, features)
        )

    def _discovery(self, shown: Callable[[Features], dict[str, Any]]) -> Response:
        """Readable without a token (RFC 7643 §5); a wrong one is still refused."""
        known = "Authorization" in request.headers
        features = self._resources().store.features if known else Features()
        if any(name.lower() == "filter" for name in request.args):
            raise Forbidden("Discovery endpoints cannot be filtered.")  # RFC 7644 §4
        return Response(orjson.dumps(shown(features)), 200, content_type=MEDIA_TYPE)

    def _resources(self) -> Resources:
        """The caller's resources, once the token is known."""
        scheme, _, token = request.environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthorized()
        if not token.strip():
            raise MalformedCredentials()
        return Resources(self._doorkeeper.admit(token.strip()), self._limits, self._base_url())

    def _base_url(self) -> str:
        return self._fixed_url or request.root_url.rstrip("/") + self._url_prefix

    def _body(self) -> dict[str, Any]:
        asked = _asked()
        bodies.check_media_type(asked.content_type)
        bodies.check_size(asked.content_length or 0, self._limits)
        g.scim_body = read = asked.stream.read(self._limits.body + 1)
        return bodies.parse(read, self._limits)


def _asked() -> Request:
    """The present request itself: Flask's stand-in for it looks it up anew for each attribute."""
    present: Request = request._get_current_object()  # type: ignore[attr-defined]
    return present


def _projection() -> query.Projection:
    asked = _asked()
    return query.projection(asked.args.items(multi=True)) if asked.query_string else query.Projection()


def _conditions() -> dict[str, str | None]:
    sent = request.environ
    return {"if_match": sent.get("HTTP_IF_MATCH"), "if_none_match": sent.get("HTTP_IF_NONE_MATCH")}


class _Ready(Response):
    """An answer whose headers are as they go out: its locations are absolute and ASCII, so nothing is to be worked out.

    werkzeug would read each location as an IRI once more, which costs a tenth of a GET.
    """

    def get_wsgi_headers(self, environ: WSGIEnvironment) -> Headers:
        return self.headers if self.status_code in (200, 201) else super().get_wsgi_headers(environ)


def _respond(answer: Answer) -> Response:
    made = _Ready(answer.body, answer.status, content_type=MEDIA_TYPE)
    version = version_header(answer)
    if version is not None:
        made.headers["ETag"] = version
    if answer.location is not None:
        made.headers["Location" if answer.status == 201 else "Content-Location"] = answer.location
    return made


def _failed(error: Exception) -> Response:
    """Any failure as a SCIM error. An unforeseen one surfaces where the application is being tested."""
    known = error if isinstance(error, ScimError) else _translated(error)
    if known is None:
        if current_app.testing or current_app.config.get("PROPAGATE_EXCEPTIONS"):
            raise error
        _report(error)
        known = Internal()
    made = Response(orjson.dumps(known.as_json()), known.status, content_type=MEDIA_TYPE)
    made.headers.update(known.headers)
    return made


def _unavailable(error: Exception) -> Response:
    log.warning("the store did not answer: %s", type(error).__name__)
    return _failed(Busy("The server cannot reach its database at the moment; the request can be repeated."))


def _translated(error: Exception) -> ScimError | None:
    """Errors that Flask itself raises while a body is read."""
    if not isinstance(error, HTTPException) or error.code is None or error.code >= 500:
        return None
    if error.code == 413:
        return PayloadTooLarge("The body is larger than the server accepts.")
    return BadRequest("The request could not be read.")


def _report(error: Exception) -> None:
    """Where it happened, and not what it said: messages of exceptions may quote personal data."""
    if current_app.testing:
        raise error
    where = "".join(traceback.format_tb(error.__traceback__))
    log.error("%s in %s %s\n%s", type(error).__name__, request.method, request.url_rule, where)
