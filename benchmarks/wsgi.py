"""The application, and beside it the floor: a bare Flask application that answers one constant of 1 KB."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final

from flask import Flask, Response

from app.factory import create_app
from app.turns import Turns

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

PATH: Final = "/floor"
CONSTANT: Final = b'{"constant":"' + b"x" * 1009 + b'"}'

_floor = Flask("floor")
_app = create_app()


_taking_turns = Turns(_floor)


@_floor.get(PATH)
def constant() -> Response:
    return Response(CONSTANT, content_type="application/json")


def application(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """One of the two, by the path. Both take turns (`app.turns`)."""
    chosen: Any = _taking_turns if environ["PATH_INFO"] == PATH else _app
    answer: Iterable[bytes] = chosen(environ, start_response)
    return answer
