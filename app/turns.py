"""Turns: in a web worker one request runs at a time, except while it waits for somebody outside.

    request ─▶ takes the turn ─▶ runs ─▶ `with outside():` asks an identity provider ─▶ runs on ─▶ gives it back
                                              └─ others run meanwhile

Threads that compete for the interpreter make no request quicker and the slow ones much slower; but a worker that waits
for a slow identity provider must not keep every other request waiting (docs/decisions/0026-turns.md).
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

_here = threading.local()

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class Turns:
    """A WSGI application whose requests take turns."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self._turn = threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._turn:
            _here.turn = self._turn
            try:
                return self._application(environ, start_response)
            finally:
                _here.turn = None


@contextmanager
def outside() -> Iterator[None]:
    """While the block waits for somebody outside, other requests have the turn. Hold no database connection in it."""
    turn: threading.Lock | None = getattr(_here, "turn", None)
    if turn is None:  # a command, a job, or a test
        yield
        return
    _here.turn = None
    turn.release()
    try:
        yield
    finally:
        turn.acquire()
        _here.turn = turn
