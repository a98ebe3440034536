"""Requests take turns; one that waits for somebody outside keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app import turns as waiting_outside
from app.turns import NotNowError, Turns, outside

SECONDS = 10


def _said(answer: Iterable[bytes]) -> bytes:
    return b"".join(answer)


def _start(_status: str, _headers: list[tuple[str, str]], _error: object = None) -> Callable[[bytes], object]:
    return lambda _data: None


def test_one_request_runs_at_a_time() -> None:
    running, most = 0, 0
    arrived = threading.Barrier(4)

    def application(_environ: dict[str, Any], _start_response: object) -> list[bytes]:
        nonlocal running, most
        running += 1
        most = max(most, running)
        threading.Event().wait(0.01)  # lets the interpreter go, as a query does
        running -= 1
        return [b"done"]

    turns = Turns(application)

    def ask() -> bytes:
        arrived.wait(SECONDS)
        return _said(turns({}, _start))

    with ThreadPoolExecutor(4) as pool:
        assert [each.result(SECONDS) for each in [pool.submit(ask) for _ in range(4)]] == [b"done"] * 4
    assert most == 1


def test_others_run_while_one_waits_outside() -> None:
    answered, waiting = threading.Event(), threading.Event()

    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        if environ["PATH_INFO"] == "/slow":
            with outside():
                waiting.set()
                assert answered.wait(SECONDS)
            return [b"slow"]
        return [b"quick"]

    turns = Turns(application)
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(lambda: _said(turns({"PATH_INFO": "/slow"}, _start)))
        assert waiting.wait(SECONDS)
        assert _said(turns({"PATH_INFO": "/quick"}, _start)) == b"quick"
        answered.set()
        assert slow.result(SECONDS) == b"slow"
    assert _said(turns({"PATH_INFO": "/quick"}, _start)) == b"quick"


def test_the_turn_is_given_back_after_an_error() -> None:
    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        if environ["PATH_INFO"] == "/outside":
            with outside():
                raise ValueError("outside")
        if environ["PATH_INFO"] == "/inside":
            raise ValueError("inside")
        return [b"fine"]

    turns = Turns(application)
    for place in ("outside", "inside", "outside"):
        with pytest.raises(ValueError, match=place):
            turns({"PATH_INFO": f"/{place}"}, _start)
    assert _said(turns({"PATH_INFO": "/"}, _start)) == b"fine"


def test_where_nobody_takes_turns_outside_changes_nothing() -> None:
    with outside(), outside():
        pass


class _Slow:
    """A clock by which each answer of `whom` takes `seconds`."""

    def __init__(self) -> None:
        self.now, self.seconds, self.asked = 0.0, 5.0, 0
        self.turns = Turns(self._application, lambda: self.now)

    def _application(self, environ: dict[str, Any], _start_response: object) -> list[bytes]:
        try:
            with outside(environ["PATH_INFO"]):
                self.asked += 1
                self.now += self.seconds
        except NotNowError:
            return [b"not now"]
        return [b"answered"]

    def ask(self, whom: str = "idp") -> bytes:
        return _said(self.turns({"PATH_INFO": whom}, _start))


def test_who_answers_too_slowly_is_left_alone_and_tried_again() -> None:
    slow = _Slow()
    assert [slow.ask() for _ in range(10)] == [b"answered"] * 3 + [b"not now"] * 7
    slow.seconds = 0.1
    assert [slow.ask("other") for _ in range(5)] == [b"answered"] * 5
    slow.now, slow.seconds = 100.0, 5.0
    assert [slow.ask() for _ in range(3)] == [b"answered", b"not now", b"not now"]
    slow.now, slow.seconds = 200.0, 0.1
    assert [slow.ask() for _ in range(5)] == [b"answered"] * 5
    slow.seconds = 5.0
    assert [slow.ask() for _ in range(4)] == [b"answered"] * 3 + [b"not now"]


def test_who_was_too_slow_is_tried_by_one_request_at_a_time() -> None:
    """Else it would have every thread of a worker again, each time."""
    now, seconds = [0.0], [5.0]
    answered, waiting = threading.Event(), threading.Event()

    def application(environ: dict[str, Any], _start_response: object) -> list[bytes]:
        try:
            with outside("idp"):
                now[0] += seconds[0]
                if environ["PATH_INFO"] == "/waits":
                    waiting.set()
                    assert answered.wait(SECONDS)
        except NotNowError:
            return [b"not now"]
        return [b"answered"]

    turns = Turns(application, lambda: now[0])
    for _ in range(3):
        turns({"PATH_INFO": "/"}, _start)
    now[0], seconds[0] = 100.0, 0.0
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(lambda: _said(turns({"PATH_INFO": "/waits"}, _start)))
        assert waiting.wait(SECONDS)
        assert _said(turns({"PATH_INFO": "/"}, _start)) == b"not now"
        answered.set()
        assert first.result(SECONDS) == b"answered"
    assert _said(turns({"PATH_INFO": "/"}, _start)) == b"answered"


def test_few_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting_outside, "MOST_REMEMBERED", 3)
    slow = _Slow()
    for _ in range(3):
        slow.ask("idp")
    slow.seconds = 0.0
    for number in range(20):
        slow.ask(f"other-{number}")
    assert slow.ask("idp") == b"not now"
    assert len(slow.turns._asked) <= 5
