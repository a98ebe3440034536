"""The processes of `rollcall serve`:

    serve (parent: embedded PostgreSQL, migrations) ─┬─▶ web worker × N (granian)
                                                     └─▶ job worker (started again when it dies)

A child ends when its parent is gone, even by `kill -9`: otherwise orphans would go on answering at the port.
"""

from __future__ import annotations

import http.client
import importlib
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final
from urllib.parse import urlsplit

import click
from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from app.settings import Settings, local_url

APPLICATION: Final = "wsgi:application"
BACKLOG: Final = 1024
THREADS: Final = 8  # of which one runs at a time: see app/turns
STOP_SECONDS: Final = 25
READY_SECONDS: Final = 60
ORPHAN_SECONDS: Final = 1.0
ORPHAN_STOP_SECONDS: Final = 5.0


def serve_web(settings: Settings, ready: Callable[[], None]) -> None:
    """Runs the web workers until SIGTERM or SIGINT. Calls `ready` once when the first answers.

    Raises:
        click.ClickException: the port is taken.
    """
    _wait_for_port(settings.host, settings.port)
    server = Granian(
        APPLICATION,
        address=settings.host,
        port=settings.port,
        interface=Interfaces.WSGI,
        workers=settings.workers,
        blocking_threads=THREADS,
        backlog=BACKLOG,
        websockets=False,
        log_level=LogLevels.warning,
        respawn_failed_workers=True,
        workers_kill_timeout=STOP_SECONDS,
    )
    logging.getLogger("_granian").addFilter(_is_news)
    threading.Thread(target=_announce, args=(settings, ready), daemon=True).start()
    server.serve(target_loader=load)


def _is_news(record: logging.LogRecord) -> bool:
    """Granian advises against threads that compete for few cores; ours take turns."""
    return "Python threads" not in record.getMessage()


def load(target: str) -> Any:
    """Imports the application in a worker process, which from then on ends with its parent."""
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # the parent's handler, inherited, would swallow it while we load
    end_with_parent()
    os.setpgid(0, 0)  # Ctrl-C is for the parent, which stops its workers: told twice, granian's never stop
    module, _, name = target.partition(":")
    return getattr(importlib.import_module(module), name)


def end_with_parent() -> None:
    """Makes this process stop within seconds of its parent's end."""
    parent = os.getppid()

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(ORPHAN_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(ORPHAN_STOP_SECONDS)  # its database may be gone, and then it never stops by itself
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def kept(*command: str) -> Iterator[None]:
    """Keeps one process with this command of ours running beside the block, in this process's environment."""
    stopping = threading.Event()
    running: list[subprocess.Popen[bytes]] = []

    def keep() -> None:
        while not stopping.is_set():
            running[:] = [subprocess.Popen([sys.executable, "-m", "app.cli", *command], process_group=0)]
            running[0].wait()
            stopping.wait(2.0)

    keeper = threading.Thread(target=keep, daemon=True)
    keeper.start()
    try:
        yield
    finally:
        stopping.set()
        for process in running:
            process.terminate()
            with suppress(subprocess.TimeoutExpired):
                process.wait(STOP_SECONDS)
            process.kill()
        keeper.join(STOP_SECONDS)


def _wait_for_port(host: str, port: int) -> None:
    """Web workers whose parent was killed free the port within seconds. They share it if we do not wait."""
    end = time.monotonic() + ORPHAN_SECONDS + ORPHAN_STOP_SECONDS
    while (trouble := _port_trouble(host, port)) is not None:
        if time.monotonic() > end:
            raise click.ClickException(f"cannot listen on {host}:{port}: {trouble.strerror}")
        time.sleep(0.1)


def _port_trouble(host: str, port: int) -> OSError | None:
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        return error
    return None


def _announce(settings: Settings, ready: Callable[[], None]) -> None:
    end = time.monotonic() + READY_SECONDS
    while time.monotonic() < end:
        if _answers(local_url(settings.host, settings.port)):
            ready()
            return
        time.sleep(0.05)


def _answers(url: str) -> bool:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
