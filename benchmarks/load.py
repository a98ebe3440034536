"""The load generator: keep-alive connections in one thread, each asks again as soon as it is answered.

    python -m benchmarks.load <port> <connections> <seconds> <road> < sample.json

It prints what it measured as JSON. Raw sockets: on two cores a costlier client would be measured instead of the server.
"""

from __future__ import annotations

import json
import selectors
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from benchmarks import token_roads
from benchmarks.roads import ROADS, Sample, encode


@dataclass(frozen=True, slots=True)
class Measured:
    """Answers a second, and what one took in milliseconds. `failed` were not 2xx; `cpu` are the generator's seconds."""

    rate: float
    p50: float
    p99: float
    answers: int
    failed: int
    cpu: float = 0.0


@dataclass(slots=True)
class _Connection:
    socket: socket.socket
    began: float = 0.0
    got: bytearray = field(default_factory=bytearray)


def measure(port: int, connections: int, seconds: float, road: str, sample: Sample) -> Measured:
    """Runs the generator in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(seconds), road]
    done = subprocess.run(command, input=json.dumps(asdict(sample)), capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{road}: {done.stderr}")
    return Measured(**json.loads(done.stdout))


def main(port: str, connections: str, seconds: str, road: str) -> None:
    """The generator's process."""
    sample = Sample(**json.load(sys.stdin))
    roads = ROADS | token_roads.ROADS
    requests = (encode(request, sample.token) for request in roads[road](sample))
    print(json.dumps(asdict(_run(int(port), int(connections), float(seconds), requests))))


def _run(port: int, connections: int, seconds: float, requests: Iterator[bytes]) -> Measured:
    took: list[float] = []
    failed = 0
    with selectors.DefaultSelector() as selector:
        for _ in range(connections):
            opened = _Connection(socket.create_connection(("127.0.0.1", port)))
            opened.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(opened.socket, selectors.EVENT_READ, opened)
            _ask(opened, requests, selector)
        began, cpu = time.perf_counter(), time.process_time()
        end = began + seconds
        while selector.get_map():
            for key, _ in selector.select(30):
                connection: _Connection = key.data
                status = _read(connection)
                if status is None:
                    continue
                now = time.perf_counter()
                took.append(now - connection.began)
                failed += not 200 <= status < 300
                if now < end:
                    _ask(connection, requests, selector)
                else:
                    _close(connection, selector)
        elapsed = time.perf_counter() - began
    took.sort()
    return Measured(len(took) / elapsed, _at(took, 0.5), _at(took, 0.99), len(took), failed, time.process_time() - cpu)


def _ask(connection: _Connection, requests: Iterator[bytes], selector: selectors.BaseSelector) -> None:
    request = next(requests, None)
    if request is None:
        _close(connection, selector)
        return
    connection.got.clear()
    connection.began = time.perf_counter()
    connection.socket.sendall(request)


def _read(connection: _Connection) -> int | None:
    """The status of a whole answer; None while it is not whole."""
    some = connection.socket.recv(262_144)
    if not some:
        raise ConnectionError("the server closed a connection")
    got = connection.got
    got += some
    head_end = got.find(b"\r\n\r\n")
    if head_end < 0:
        return None
    head = bytes(got[:head_end]).lower()
    place = head.find(b"content-length:")
    length = int(head[place + 15 :].split(b"\r\n", 1)[0]) if place >= 0 else 0
    return int(head[9:12]) if len(got) >= head_end + 4 + length else None


def _close(connection: _Connection, selector: selectors.BaseSelector) -> None:
    selector.unregister(connection.socket)
    connection.socket.close()


def _at(ordered: list[float], part: float) -> float:
    return 1000 * ordered[min(len(ordered) - 1, int(part * len(ordered)))] if ordered else 0.0


if __name__ == "__main__":
    arguments: Any = sys.argv[1:]
    main(*arguments)
