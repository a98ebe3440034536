"""Turns: in a web worker one request runs at a time, except while it waits for somebody outside.

    request ─▶ takes the turn ─▶ runs ─▶ `with outside(whom):` asks an identity provider ─▶ runs on ─▶ gives it back
                                              └─ others run meanwhile

Threads that compete for the interpreter make no request quicker and the slow ones much slower; but a worker that waits
for a slow identity provider must not keep every other request waiting (docs/decisions/0026-turns.md). Nor may one that
is always slow occupy all threads: after a few slow answers it is left alone, then tried by one request at a time.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

SLOW: Final = 4.0  # seconds, of the five that an answer may take
SLOW_ANSWERS: Final = 3  # in a row, after which whoever gave them is left alone
LEFT_ALONE: Final = 10.0  # seconds
MOST_REMEMBERED: Final = 1_000

_here = threading.local()

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


class NotNowError(Exception):
    """Whoever is to be asked answered too slowly a moment ago."""


@dataclass(slots=True)
class _Asked:
    waiting: int = 0
    slow: int = 0
    until: float = float("-inf")


class Turns:
    """A WSGI application whose requests take turns. `clock` counts seconds."""

    def __init__(self, application: Application, clock: Callable[[], float] = time.monotonic) -> None:
        self._application, self._clock = application, clock
        self._turn = threading.Lock()
        self._asked: dict[str, _Asked] = {}  # by whom; read and changed only by whoever has the turn

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        with self._turn:
            _here.turns = self
            try:
                return self._application(environ, start_response)
            finally:
                _here.turns = None

    @contextmanager
    def lent(self, whom: str) -> Iterator[None]:
        """The turn is somebody else's within the block.

        Raises:
            NotNowError: `whom` is left alone.
        """
        asked, began = self._known(whom), self._clock()
        if began < asked.until or (asked.slow >= SLOW_ANSWERS and asked.waiting):
            raise NotNowError
        asked.waiting += 1
        _here.turns = None
        self._turn.release()
        try:
            yield
        finally:
            took = self._clock() - began
            self._turn.acquire()
            _here.turns = self
            asked.waiting -= 1
            asked.slow = asked.slow + 1 if took >= SLOW else 0
            asked.until = self._clock() + LEFT_ALONE if asked.slow >= SLOW_ANSWERS else float("-inf")

    def _known(self, whom: str) -> _Asked:
        if len(self._asked) > MOST_REMEMBERED:
            self._asked = {name: one for name, one in self._asked.items() if one.waiting or one.slow}
        return self._asked.setdefault(whom, _Asked())


@contextmanager
def outside(whom: str = "") -> Iterator[None]:
    """While the block waits for `whom`, other requests have the turn. Hold no database connection in it.

    Raises:
        NotNowError: in a web worker, while `whom` is left alone.
    """
    turns: Turns | None = getattr(_here, "turns", None)
    if turns is None:  # a command, a job, or a test
        yield
        return
    with turns.lent(whom):
        yield
