"""What is answered before Flask: the roads on which its dispatch would cost more than the answer.

    request ─▶ Front ─┬─ one of its roads ─▶ answer, with the headers and the log line that every answer has
                      └─ any other ─▶ Flask

See docs/decisions/0021. To everybody outside they are as every other: request number, headers, one line in the log.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import uuid_utils

from app import logs
from sso.checking import NO_STORE, Answer, Environment

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_logger: Final = logging.getLogger(__name__)
_TEXT: Final = ("Content-Type", "text/plain; charset=utf-8")
_DOWN: Final = Answer(503, (("Retry-After", "1"), _TEXT, NO_STORE), b"The database does not answer.\n")
_BROKEN: Final = Answer(500, (_TEXT, NO_STORE), b"Something went wrong; the log says what.\n")
_STATUS: Final = {one.value: f"{one.value} {one.phrase}" for one in HTTPStatus}


@dataclass(frozen=True, slots=True)
class Road:
    """`takes` tells by the path whether a request is this road's; `name` is what the log calls it."""

    name: str
    takes: Callable[[str], bool]
    answer: Callable[[Environment], Answer]


class Front:
    """The WSGI application in front of `behind`. All its roads begin with `prefix`.

    `headers` are added to each answer. `unavailable` are the exceptions that mean that the database is away.
    """

    def __init__(
        self,
        behind: WSGIApplication,
        prefix: str,
        roads: Sequence[Road],
        headers: Iterable[tuple[str, str]],
        unavailable: tuple[type[Exception], ...],
    ) -> None:
        self._behind, self._prefix, self._roads = behind, prefix, tuple(roads)
        self._headers, self._unavailable = tuple(headers), unavailable

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        path: str = environ["PATH_INFO"]
        if path.startswith(self._prefix):
            for road in self._roads:
                if road.takes(path):
                    return self._answered(road, environ, start_response)
        return self._behind(environ, start_response)

    def _answered(self, road: Road, environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        began, request_id = time.perf_counter(), str(uuid_utils.uuid7())
        logs.REQUEST_ID.set(request_id)
        answer = self._safely(road, environ)
        headers = [*answer.headers, *self._headers, ("X-Request-Id", request_id)]
        if answer.status != HTTPStatus.NO_CONTENT:
            headers.append(("Content-Length", str(len(answer.body))))
        start_response(_STATUS[answer.status], headers)
        method = environ["REQUEST_METHOD"]
        logs.request_ended(method, road.name, answer.status, round((time.perf_counter() - began) * 1000, 1))
        return [] if method == "HEAD" else [answer.body]

    def _safely(self, road: Road, environ: WSGIEnvironment) -> Answer:
        try:
            return road.answer(environ)
        except self._unavailable:
            return _DOWN
        except Exception:
            _logger.exception("a request failed")
            return _BROKEN
