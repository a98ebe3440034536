"""Servers: ours with processes, threads and backlog as `rollcall serve` sets them, and the peer.

`python -m benchmarks.serving` runs until SIGTERM; its environment must name the database and the port.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from unittest.mock import patch

import psycopg
import sqlalchemy as sa
from psycopg import sql

from app import settings
from app.cli import processes
from app.store import embedded, migrate
from benchmarks import peer
from benchmarks.roads import Sample

READY: Final = "ready"
READY_SECONDS: Final = 60
PEER_SECONDS: Final = 600  # it makes its people one by one


@contextmanager
def database() -> Iterator[str]:
    """A migrated database of its own: on an embedded PostgreSQL with its default settings, or on DATABASE_URL's."""
    given = os.environ.get("DATABASE_URL")
    if given:
        with _created(given) as url:
            yield url
        return
    folder = Path(tempfile.mkdtemp(prefix="rc-bench-"))
    folder.chmod(0o755)
    try:
        joined = embedded.join(folder)
        migrate.upgrade(joined.url)
        yield joined.url
        joined.leave()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers: its port, and the id of its first process."""

    port: int
    pid: int


@contextmanager
def serving(
    database_url: str, workers: int, public_url: str | None = None, secret_key: bytes | None = None
) -> Iterator[Running]:
    """Our server with `workers` processes."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    environment |= {"DATABASE_URL": database_url, "ROLLCALL_PORT": str(port), "ROLLCALL_WORKERS": str(workers)}
    if public_url is not None:
        environment["ROLLCALL_PUBLIC_URL"] = public_url
    if secret_key is not None:
        environment["ROLLCALL_SECRET_KEY"] = base64.b64encode(secret_key).decode()
    with _started("benchmarks.serving", environment, READY_SECONDS) as pid:
        yield Running(port, pid)


@contextmanager
def peer_serving(users: int, newcomers: int) -> Iterator[tuple[Running, Sample]]:
    """The peer with so many people, and whom it has."""
    port = _free_port()
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / "sample.json"
        said = {peer.PORT: port, peer.USERS: users, peer.NEWCOMERS: newcomers, peer.SAMPLE: written}
        environment = dict(os.environ) | {name: str(value) for name, value in said.items()}
        with _started("benchmarks.peer", environment, PEER_SECONDS) as pid:
            yield Running(port, pid), Sample(**json.loads(written.read_text(encoding="utf-8")))


@contextmanager
def _started(module: str, environment: Mapping[str, str], seconds: float) -> Iterator[int]:
    """A process that says when it is ready; its id. Its log lines go to a file, and away with it."""
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(
            [sys.executable, "-m", module], env=environment, stdout=subprocess.PIPE, stderr=log, text=True
        )
        assert process.stdout is not None
        ready = threading.Event()
        reader = threading.Thread(target=_drain, args=(process.stdout, ready), daemon=True)
        reader.start()
        try:
            if not ready.wait(seconds):
                log.seek(0)
                raise RuntimeError(f"{module} did not become ready:\n{log.read().decode(errors='replace')}")
            yield process.pid
        finally:
            process.terminate()
            process.wait(60)
            reader.join(10)
            process.stdout.close()


def main() -> None:
    """The server's process."""
    chosen = settings.load(os.environ)
    with patch.object(processes, "APPLICATION", "benchmarks.wsgi:application"):
        processes.serve_web(chosen, lambda: print(READY, flush=True))


def _drain(lines: Iterator[str], ready: threading.Event) -> None:
    for line in lines:
        if line.strip() == READY:
            ready.set()


@contextmanager
def _created(server_url: str) -> Iterator[str]:
    name = f"rollcall_bench_{os.getpid()}"
    with psycopg.connect(server_url, autocommit=True) as conn:
        conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    url = sa.make_url(server_url).set(database=name).render_as_string(hide_password=False)
    try:
        migrate.upgrade(url)
        yield url
    finally:
        with psycopg.connect(server_url, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


if __name__ == "__main__":
    main()
