"""A server process of the demo's own, on a free port of the loopback, for as long as the story takes."""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import IO, Final

import requests

from app.demo.okta import DemoError

READY_SECONDS: Final = 60.0
STOP_SECONDS: Final = 15.0

# The same `rollcall serve` as by hand, except that it ends when the demo is killed.
_PROGRAM: Final = "from app.cli.processes import end_with_parent; end_with_parent(); from app.cli import main; main()"


@contextmanager
def running(database_url: str, environ: Mapping[str, str]) -> Iterator[str]:
    """Serves the database until the block ends; gives the server's address, without a slash at its end.

    Raises:
        DemoError: it did not come up; the message holds the end of what it wrote.
    """
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-c", _PROGRAM, "serve", "--host", "127.0.0.1", "--port", str(port)]
    own = {
        "DATABASE_URL": database_url,
        "ROLLCALL_PUBLIC_URL": url,
        "ROLLCALL_LOG_LEVEL": "warning",
        "ROLLCALL_WORKERS": "1",
    }
    with tempfile.TemporaryFile() as written:
        process = subprocess.Popen(
            [*command, "--workers", "1", "--no-worker"],
            env={**environ, **own},
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=subprocess.STDOUT,
        )
        try:
            _wait(process, url, written)
            yield url
        finally:
            _stop(process)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait(process: subprocess.Popen[bytes], url: str, written: IO[bytes]) -> None:
    end = time.monotonic() + READY_SECONDS
    with requests.Session() as session:
        session.trust_env = False
        while time.monotonic() < end and process.poll() is None:
            with suppress(requests.RequestException):
                if session.get(f"{url}/readyz", timeout=5).status_code == 200:
                    return
            time.sleep(0.05)
    written.seek(0)
    tail = written.read()[-2000:].decode(errors="replace").strip()
    raise DemoError(f"the demo's server did not come up at {url}\n{tail}")


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
