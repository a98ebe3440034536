"""A peer on the same roads: scim2-server, a complete SCIM server in Python that keeps everything in memory.

It runs as its documentation says, its WSGI application in a WSGI server, and in the same one as ours: granian, with one
blocking thread. In memory means one process: a second one would have other people. It checks no token, writes nothing
to a disk, derives no account. `python -m benchmarks.peer` runs until SIGTERM; its environment says where and how much.
"""

from __future__ import annotations

import http.client
import io
import json
import os
import threading
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from benchmarks.roads import Sample, name, person

BASE: Final = "/v2"
PORT: Final = "BENCH_PEER_PORT"
USERS: Final = "BENCH_PEER_USERS"
NEWCOMERS: Final = "BENCH_PEER_NEWCOMERS"
SAMPLE: Final = "BENCH_PEER_SAMPLE"
GROUP: Final = "urn:ietf:params:scim:schemas:core:2.0:Group"
SMALL_GROUPS: Final = 100
SMALL: Final = 10


def main() -> None:
    """The peer's process."""
    from granian import Granian
    from granian.constants import Interfaces
    from granian.log import LogLevels

    port = int(os.environ[PORT])
    server = Granian(
        "benchmarks.peer:application",
        address="127.0.0.1",
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=1,
        backlog=1024,
        websockets=False,
        log_level=LogLevels.warning,
    )
    threading.Thread(target=_announce, args=(port,), daemon=True).start()
    server.serve(target_loader=_load)


def _load(_target: str) -> Any:
    """The application with its people in it; whom it has is written to a file."""
    from scim2_server.applications.wsgi import WSGIApplication
    from scim2_server.memory import InMemoryStorage
    from scim2_server.utils import load_default_provider

    application = WSGIApplication(InMemoryStorage(), load_default_provider())
    sample = _filled(application, int(os.environ[USERS]), int(os.environ[NEWCOMERS]))
    Path(os.environ[SAMPLE]).write_text(json.dumps(asdict(sample)), encoding="utf-8")
    return application


def _filled(application: Any, users: int, newcomers: int) -> Sample:
    names = [name("p", number) for number in range(users)]
    ids = [_made(application, "Users", person(one)) for one in names]
    fresh = [_made(application, "Users", person(name("n", number))) for number in range(newcomers)]
    few = [[ids[(n * SMALL + k) % users] for k in range(SMALL)] for n in range(SMALL_GROUPS)]
    small = [_made(application, "Groups", _group(f"small {n}", few[n])) for n in range(SMALL_GROUPS)]
    large = _made(application, "Groups", _group("large", ids))
    addresses = [f"{one}@quay.example" for one in names]
    return Sample("", users + newcomers, ids, addresses, fresh, small, large, base=BASE)


def _group(name: str, members: list[str]) -> dict[str, Any]:
    return {"schemas": [GROUP], "displayName": name, "members": [{"value": id} for id in members]}


def _made(application: Any, kind: str, document: dict[str, Any]) -> str:
    """One POST, without a network."""
    body, answered = json.dumps(document).encode(), []
    environ = {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": f"{BASE}/{kind}",
        "QUERY_STRING": "",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "CONTENT_TYPE": "application/scim+json",
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body),
    }
    answer = b"".join(application(environ, lambda status, headers: answered.append(status)))
    if not answered[0].startswith("201"):
        raise RuntimeError(f"the peer refuses a {kind}: {answered[0]} {answer[:500]!r}")
    return str(json.loads(answer)["id"])


def _announce(port: int) -> None:
    """Says on standard output that it answers, as ours does."""
    from benchmarks.serving import READY

    while not _answers(port):
        time.sleep(0.1)
    print(READY, flush=True)


def _answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", f"{BASE}/Users?count=0", headers={"Content-Length": "0"})  # granian has no end else
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    main()
