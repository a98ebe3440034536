"""What can go wrong, as RFC 9457 problem details. The list is closed: clients may switch on `type`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import orjson
import sqlalchemy as sa
import structlog
from flask import Blueprint, Response
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from app.identity.writes import BusyError, RefusedError
from sso.errors import BearerError

RETRY_AFTER: Final = 2  # seconds

_log = structlog.get_logger("api")


@dataclass(frozen=True, slots=True)
class Kind:
    """One thing that can go wrong."""

    name: str
    status: int
    title: str

    @property
    def type(self) -> str:
        """Its URI: a name, nothing is served there."""
        return f"urn:rollcall:problem:{self.name}"


INVALID_JSON: Final = Kind("invalid-json", 400, "The body is not the JSON that is expected")
INVALID_PARAMETER: Final = Kind("invalid-parameter", 400, "A query parameter is wrong")
INVALID_RECORDS: Final = Kind("invalid-records", 400, "Records are wrong; none was taken")
INVALID_REQUEST: Final = Kind("invalid-request", 400, "The request is malformed")
UNAUTHORIZED: Final = Kind("unauthorized", 401, "A valid token is missing")
FORBIDDEN: Final = Kind("insufficient-scope", 403, "The token may not do this")
NOT_FOUND: Final = Kind("not-found", 404, "There is no such thing")
NOT_ALLOWED: Final = Kind("method-not-allowed", 405, "The method is not known here")
SOURCE_CLOSED: Final = Kind("source-closed", 409, "The source takes no records")
REFUSED: Final = Kind("refused", 409, "The write was refused; nothing was changed")
TOO_LARGE: Final = Kind("body-too-large", 413, "The body is too large")
TOO_MANY: Final = Kind("too-many-records", 413, "There are too many records in one request")
UNSUPPORTED: Final = Kind("unsupported-media-type", 415, "The body has another media type than expected")
INTERNAL: Final = Kind("internal", 500, "Something went wrong on our side")
BUSY: Final = Kind("busy", 503, "Busy: try again")

KINDS: Final = (
    INVALID_JSON,
    INVALID_PARAMETER,
    INVALID_RECORDS,
    INVALID_REQUEST,
    UNAUTHORIZED,
    FORBIDDEN,
    NOT_FOUND,
    NOT_ALLOWED,
    SOURCE_CLOSED,
    REFUSED,
    TOO_LARGE,
    TOO_MANY,
    UNSUPPORTED,
    INTERNAL,
    BUSY,
)


class Problem(Exception):
    """A request that cannot be answered as asked. `detail` is one sentence or more, for the caller's developer."""

    def __init__(
        self,
        kind: Kind,
        detail: str,
        *,
        errors: Sequence[Mapping[str, Any]] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = list(errors)
        self.headers = dict(headers or {})


def answer(problem: Problem) -> Response:
    """The problem as an HTTP answer."""
    kind = problem.kind
    shown: dict[str, Any] = {"type": kind.type, "title": kind.title, "status": kind.status, "detail": problem.detail}
    if problem.errors:
        shown["errors"] = problem.errors
    headers = {"Cache-Control": "no-store", **problem.headers}
    return Response(orjson.dumps(shown), kind.status, headers, content_type="application/problem+json")


def handle(blueprint: Blueprint) -> None:
    """Turn every exception of the blueprint's handlers into a problem."""
    blueprint.register_error_handler(Problem, answer)
    blueprint.register_error_handler(BearerError, _bearer)
    blueprint.register_error_handler(RequestEntityTooLarge, _too_large)
    blueprint.register_error_handler(RefusedError, _refused)
    blueprint.register_error_handler(sa.exc.SQLAlchemyError, _database)
    blueprint.register_error_handler(HTTPException, _http)
    blueprint.register_error_handler(Exception, _internal)


def _bearer(error: BearerError) -> Response:
    kinds = {400: INVALID_REQUEST, 401: UNAUTHORIZED, 403: FORBIDDEN}
    return answer(Problem(kinds[error.status], error.detail, headers={"WWW-Authenticate": error.challenge}))


def _too_large(_error: RequestEntityTooLarge) -> Response:
    return answer(Problem(TOO_LARGE, "The body is larger than this request may be."))


def _refused(error: RefusedError) -> Response:
    if isinstance(error, BusyError):
        return _busy("Others are changing the same people. Nothing was changed.")
    return answer(Problem(REFUSED, "The records were changed meanwhile. Nothing was changed; send them again."))


def _database(error: sa.exc.SQLAlchemyError) -> Response:
    if isinstance(error, (sa.exc.OperationalError, sa.exc.TimeoutError, sa.exc.InterfaceError)):
        _log.warning("the database did not answer", error=type(error).__name__)
        return _busy("The database did not answer in time.")
    return _internal(error)


def _busy(detail: str) -> Response:
    return answer(Problem(BUSY, f"{detail} Try again in {RETRY_AFTER} s.", headers={"Retry-After": str(RETRY_AFTER)}))


def _http(error: HTTPException) -> Response:
    """What Flask itself refuses while it reads a request."""
    if error.code is not None and error.code >= 500:
        return _internal(error)
    return answer(Problem(INVALID_REQUEST, "The request cannot be read."))


def _internal(error: Exception) -> Response:
    _log.error("a request failed", exc_info=error)
    return answer(Problem(INTERNAL, "The failure was logged with this answer's X-Request-Id."))
