"""Attacks over the wire: bytes as they are, no library in between that would tidy them up."""

from __future__ import annotations

import http.client
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

import psutil
import sqlalchemy as sa

from app.store import sign_ins
from app.store.engine import reading
from tests.journeys.server import Server

LONGEST: Final = 0.25  # seconds within which anything is refused
TRIES: Final = 5  # that many may be disturbed by whatever else the machine does
SECONDS: Final = 30
MOST_GROWTH: Final = 48 * 2**20  # bytes of all web workers together, over a whole suite
TOO_LARGE: Final = frozenset({413, 414, 431})
FORM: Final = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, and how many seconds it took from the last byte sent."""

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)
    cookies: Mapping[str, str]
    seconds: float


def send(
    url: str,
    method: str = "GET",
    *,
    query: bytes = b"",
    body: bytes | None = None,
    kind: str = FORM,
    cookies: Mapping[str, str] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """One request over a connection of its own. `query` and `body` go out byte by byte."""
    parts = urlsplit(url)
    target = parts.path.encode() + (b"?" + parts.query.encode() if parts.query else b"")
    lines = {"Host": parts.netloc, "Connection": "close", **(headers or {})}
    if cookies:
        lines["Cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    if body is not None:
        lines |= {"Content-Type": kind, "Content-Length": str(len(body))}
    head = b"".join(f"{name}: {value}\r\n".encode() for name, value in lines.items())
    line = method.encode() + b" " + target + (b"?" + query if query else b"") + b" HTTP/1.1\r\n"
    with socket.create_connection((parts.hostname or "", parts.port or 80), timeout=SECONDS) as wire:
        with suppress(ConnectionError):  # it may have read enough, and answered
            wire.sendall(line + head + b"\r\n" + (body or b""))
        started = time.perf_counter()
        answer = http.client.HTTPResponse(wire)
        answer.begin()
        text = answer.read().decode("utf-8", "replace")
        seconds = time.perf_counter() - started
    set_cookies = [value.split(";")[0].partition("=") for value in answer.headers.get_all("Set-Cookie") or []]
    found = {name: value for name, _, value in set_cookies}
    return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, text, found, seconds)


def latest(engine: sa.Engine, tenant_id: str) -> sign_ins.Listed | None:
    """The newest attempt in the sign-in log."""
    with reading(engine) as conn:
        found = sign_ins.listing(conn, tenant_id, limit=1)
    return found[0] if found else None


def judged(engine: sa.Engine, tenant_id: str, play: Callable[[], Answer]) -> tuple[Answer, str | None]:
    """The answer to a play, and why it was refused, as the sign-in log has it; None: it was not.

    Raises:
        AssertionError: each try took too long.
    """
    before = latest(engine, tenant_id)
    answer = in_time(play)
    after = latest(engine, tenant_id)
    if answer.status in TOO_LARGE:
        return answer, "too_large"  # the web server itself
    written = after is not None and (before is None or after.code != before.code)
    return answer, after.reason if after and written else None


def in_time(play: Callable[[], Answer]) -> Answer:
    """The answer of a play, or of the next, if the first took too long.

    Raises:
        AssertionError: each took too long.
    """
    for _ in range(TRIES):
        answer = play()
        if answer.seconds <= LONGEST:
            return answer
    raise AssertionError(f"{answer.seconds:.3f} s, {answer.status}")


def memory(server: Server) -> int:
    """The bytes that the web workers hold."""
    return sum(psutil.Process(pid).memory_info().rss for pid in server.web_workers())


def told(wrong: Iterable[str]) -> str:
    """All that went wrong, one a line."""
    return "\n" + "\n".join(wrong)
