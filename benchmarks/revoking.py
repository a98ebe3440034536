"""How soon a revocation shows, while the server is busy: in every process, at the last yes that anybody hears.

    connections to every process ask about one person's token all the time
    the person is deactivated over SCIM, or the session is ended ─▶ how long after the answer did a yes still come?

A yes is counted when it arrives, so the time on its way counts as well.
"""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import psutil
import sqlalchemy as sa

from app.store import sessions
from app.store.engine import writing
from benchmarks.roads import Request, Sample, encode
from benchmarks.token_roads import CHECK, INTROSPECT

EACH: Final = 2  # connections to each process: one checks, one introspects
MOST_CONNECTIONS: Final = 200
QUIET_SECONDS: Final = 1.5  # after the act; the promise is one
WARM_SECONDS: Final = 0.3


@dataclass(slots=True)
class Shown:
    """Of many acts of one kind: seconds until the last yes of each process, the slowest act of each."""

    kind: str
    acts: int = 0
    slowest: dict[int, float] = field(default_factory=dict)

    def note(self, last: Mapping[int, float]) -> None:
        self.acts += 1
        for process, seconds in last.items():
            self.slowest[process] = max(seconds, self.slowest.get(process, 0.0))

    @property
    def worst(self) -> float:
        return max(self.slowest.values(), default=0.0)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in: the account's and the SCIM id, and the token's text."""

    account_id: str
    scim_id: str
    token: str


class Watchers:
    """Connections to each of the server's processes, each of which asks about one token until it is told to stop."""

    def __init__(self, port: int, parent: int, workers: int, authorization: str) -> None:
        self._authorization = authorization
        self._connections = _to_each(port, parent, workers)

    def close(self) -> None:
        for opened in (one for some in self._connections.values() for one in some):
            opened.close()

    def last_yes(self, token: str, act: Callable[[], None]) -> dict[int, float]:
        """Seconds from the end of `act` to the last yes, by process.

        Raises:
            RuntimeError: a process did not say yes before, or still says yes at the end.
        """
        ends = threading.Event()
        yes: dict[int, float] = {}
        final: dict[tuple[int, int], bool] = {}

        def watch(process: int, place: int, opened: http.client.HTTPConnection) -> None:
            while not ends.is_set():
                final[process, place] = self._says_yes(opened, place, token)
                if final[process, place]:
                    yes[process] = time.perf_counter()

        asking = [
            threading.Thread(target=watch, args=(process, place, opened))
            for process, some in self._connections.items()
            for place, opened in enumerate(some)
        ]
        for thread in asking:
            thread.start()
        time.sleep(WARM_SECONDS)
        known = set(yes)
        act()
        done = time.perf_counter()
        time.sleep(QUIET_SECONDS)
        ends.set()
        for thread in asking:
            thread.join()
        if known != self._connections.keys() or any(final.values()):
            raise RuntimeError(f"yes before: {len(known)} processes; yes at the end: {sum(final.values())}")
        return {process: max(0.0, at - done) for process, at in yes.items()}

    def _says_yes(self, opened: http.client.HTTPConnection, place: int, token: str) -> bool:
        if place % 2 == 0:
            opened.request("GET", CHECK, headers={"Authorization": f"Bearer {token}"})
        else:
            form = {"Authorization": self._authorization, "Content-Type": "application/x-www-form-urlencoded"}
            opened.request("POST", INTROSPECT, f"token={token}", form)
        answer = opened.getresponse()
        body = answer.read()
        return answer.status == 204 or (answer.status == 200 and json.loads(body)["active"])


def deactivate(port: int, sample: Sample, person: Person) -> None:
    """As an identity provider does it; returns when it is answered."""
    operation = {"op": "replace", "path": "active", "value": False}
    schemas = ["urn:ietf:params:scim:api:messages:2.0:PatchOp"]
    body = {"schemas": schemas, "Operations": [operation]}
    with socket.create_connection(("127.0.0.1", port)) as opened:
        opened.sendall(encode(Request("PATCH", f"{sample.base}/Users/{person.scim_id}", body), sample.token))
        answer = opened.recv(65_536)
    if not answer.startswith(b"HTTP/1.1 2"):
        raise RuntimeError(answer[:200].decode(errors="replace"))


def end_session(engine: sa.Engine, tenant_id: str, person: Person) -> None:
    """As the command and the page do it; returns when it is committed."""
    with writing(engine) as conn:
        ids = conn.execute(
            sa.text("SELECT CAST(id AS text) FROM sessions WHERE tenant_id = :tenant AND account_id = :account"),
            {"tenant": tenant_id, "account": person.account_id},
        ).scalars()
        sessions.end(conn, tenant_id, ids.all(), "benchmark")


def lines(found: Sequence[Shown]) -> list[str]:
    """What was measured, as a table."""
    head = [
        "| until the last yes, under load | acts | slowest process s | other processes s |",
        "|---|---:|---:|---:|",
    ]
    rows = []
    for shown in found:
        first, *others = sorted(shown.slowest.values(), reverse=True) or [0.0]
        rows.append(f"| {shown.kind} | {shown.acts} | {first:.3f} | {', '.join(f'{one:.3f}' for one in others)} |")
    return head + rows


def _to_each(port: int, parent: int, workers: int) -> dict[int, list[http.client.HTTPConnection]]:
    """Opens connections until each worker process has enough, told by who holds the other end."""
    found: dict[int, list[http.client.HTTPConnection]] = defaultdict(list)
    spare = []
    for _ in range(MOST_CONNECTIONS):
        opened = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        opened.request("GET", "/healthz")
        opened.getresponse().read()
        assert opened.sock is not None
        process = _holder(parent, opened.sock.getsockname()[1])
        (found[process] if len(found[process]) < EACH else spare).append(opened)
        if len(found) == workers and all(len(some) == EACH for some in found.values()):
            break
    for opened in spare:
        opened.close()
    if len(found) != workers or any(len(some) < EACH for some in found.values()):
        raise RuntimeError(f"{len(found)} of {workers} processes were reached")
    return dict(found)


def _holder(parent: int, port: int) -> int:
    for process in psutil.Process(parent).children(recursive=True):
        if any(one.raddr and one.raddr.port == port for one in process.net_connections("tcp")):
            return process.pid
    raise RuntimeError("no process holds the connection")
