"""The server: processes, threads and backlog as `rollcall serve` sets them, with the benchmark's application.

`python -m benchmarks.serving` runs until SIGTERM; its environment must name the database and the port.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final
from unittest.mock import patch

import psycopg
import sqlalchemy as sa
from psycopg import sql

from app import settings
from app.cli import processes
from app.store import embedded, migrate

READY: Final = "ready"
READY_SECONDS: Final = 60


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


@contextmanager
def serving(database_url: str, workers: int) -> Iterator[int]:
    """A running server with `workers` processes; its port. Its log lines go to a file, and away with it."""
    port = _free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ROLLCALL_")}
    environment |= {"DATABASE_URL": database_url, "ROLLCALL_PORT": str(port), "ROLLCALL_WORKERS": str(workers)}
    command = [sys.executable, "-m", "benchmarks.serving"]
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=log, text=True)
        assert process.stdout is not None
        ready = threading.Event()
        reader = threading.Thread(target=_drain, args=(process.stdout, ready), daemon=True)
        reader.start()
        try:
            if not ready.wait(READY_SECONDS):
                log.seek(0)
                raise RuntimeError(f"the server did not become ready:\n{log.read().decode(errors='replace')}")
            yield port
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
