"""Requests take turns; one that waits for somebody outside keeps nobody waiting."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.turns import Turns, outside

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
