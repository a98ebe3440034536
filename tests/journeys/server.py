"""`rollcall serve` as a process of its own, on a PostgreSQL of its own (fsync on) or an own database of DATABASE_URL's.

start ─▶ url ─▶ stop (SIGTERM)        kill_web_worker, kill: SIGKILL, as a crash would
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import psycopg
import requests
import sqlalchemy as sa
from click.testing import CliRunner
from psycopg import sql

from app.cli import rollcall
from app.cli.context import Context
from app.settings import read_keys
from app.store import embedded
from app.store.engine import make_engine
from app.store.migrate import upgrade
from app.store.vault import Vault, kept_keys

CHECKOUT: Final = Path(__file__).resolve().parents[2]
SECRET_KEY: Final = "QUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUFBQUE="
READY_SECONDS: Final = 90
STOP_SECONDS: Final = 40


class Server:
    """One `rollcall serve` at a port of its own. It may be started again after `stop` or `kill`.

    `command` is another command that serves; `public_url` is where people come, if something stands in front.
    """

    def __init__(
        self,
        data_dir: Path,
        database_url: str | None,
        *,
        workers: int = 2,
        command: tuple[str, ...] = ("serve",),
        public_url: str | None = None,
    ) -> None:
        self._command, self._public_url = command, public_url
        self.data_dir, self.database_url = data_dir, database_url
        self.port = free_port()
        self.url = public_url or f"http://127.0.0.1:{self.port}"
        self.lines: list[str] = []
        self._workers = workers
        self._process: subprocess.Popen[str] | None = None
        self._reader: threading.Thread | None = None

    def start(self) -> None:
        """Starts it and waits until it says that it is ready."""
        ready = threading.Event()
        self.lines = []
        self._process = subprocess.Popen(
            [sys.executable, "-m", "app.cli", *self._command],
            cwd=CHECKOUT,
            env=self._environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            process_group=0,
        )
        self._reader = threading.Thread(target=self._read, args=(self._process, ready), daemon=True)
        self._reader.start()
        if not ready.wait(READY_SECONDS) or self._process.poll() is not None:
            self.kill()
            raise AssertionError("the server did not become ready:\n" + self.log())

    def stop(self) -> None:
        """Ends it as a service manager does."""
        if self._process is not None:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
            self.kill()

    def interrupt(self) -> int:
        """Ctrl-C at its terminal: SIGINT to the whole process group. Returns the exit code."""
        assert self._process is not None
        os.killpg(self._process.pid, signal.SIGINT)
        code = self._process.wait(STOP_SECONDS)
        self.kill()
        return code

    def kill(self) -> None:
        """`kill -9` of every process of it, the embedded PostgreSQL's included: the machine lost power."""
        if self._process is None:
            return
        family = [self._process.pid, *_descendants(self._process.pid)]
        if self.database_url is None and (postmaster := self._postmaster()) is not None:
            family += [postmaster, *_descendants(postmaster)]
        for pid in family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self._process.wait()
        assert self._reader is not None
        self._reader.join(STOP_SECONDS)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None

    def kill_web_worker(self) -> int:
        """`kill -9` of one process that answers requests; returns its id."""
        pid = self.web_workers()[0]
        os.kill(pid, signal.SIGKILL)
        return pid

    def web_workers(self) -> list[int]:
        """The ids of the processes that answer requests."""
        assert self._process is not None
        children = _children(self._process.pid)
        return [pid for pid in children if not {"--child", "resource_tracker"} & set(_command(pid))]

    def log(self) -> str:
        """What it wrote since its start."""
        return "".join(self.lines[-200:])

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        """An engine on its database, whether it runs or not."""
        if self.database_url is not None:
            made = make_engine(self.database_url, pool_size=20)
            yield made
            made.dispose()
            return
        joined = embedded.join(self.data_dir)
        made = make_engine(joined.url, pool_size=20)
        try:
            yield made
        finally:
            made.dispose()
            joined.leave()

    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ROLLCALL_", "DATABASE_URL"))}
        chosen = {
            "ROLLCALL_DATA_DIR": str(self.data_dir),
            "ROLLCALL_PORT": str(self.port),
            "ROLLCALL_WORKERS": str(self._workers),
            "ROLLCALL_LOG_LEVEL": "warning",
        }
        external = {"DATABASE_URL": self.database_url or "", "ROLLCALL_SECRET_KEY": SECRET_KEY}
        front = {"ROLLCALL_PUBLIC_URL": self._public_url} if self._public_url else {}
        return {**kept, **chosen, **front, **(external if self.database_url else {})}

    def rollcall(self, *args: str, stdin: str = "") -> Any:
        """The command with `--json` on this server's data, in this process; what it printed."""
        environ = self._environment()
        done = CliRunner().invoke(rollcall, [*args, "--json"], obj=Context(environ), input=stdin)
        assert done.exit_code == 0, f"{args}: {done.output} {done.exception!r}"
        return json.loads(done.stdout)

    def read(self, url: str) -> str:
        """GET of one of its addresses, past what stands in front."""
        path = url.removeprefix(self.url)
        answer = requests.get(f"http://127.0.0.1:{self.port}{path}", timeout=STOP_SECONDS)
        assert answer.ok, answer.text
        return answer.text

    def vault(self) -> Vault:
        """What this server keeps its secrets with."""
        return Vault(read_keys(SECRET_KEY) if self.database_url else kept_keys(self.data_dir))

    def _read(self, process: subprocess.Popen[str], ready: threading.Event) -> None:
        assert process.stdout is not None
        for line in process.stdout:
            self.lines.append(line)
            if "Rollcall is ready on" in line:
                ready.set()
        ready.set()

    def _postmaster(self) -> int | None:
        try:
            return int((self.data_dir / "postgresql" / "postmaster.pid").read_text().split("\n", 1)[0])
        except (FileNotFoundError, ValueError):
            return None


@contextmanager
def running(*, workers: int = 2, public_url: str | None = None) -> Iterator[Server]:
    """A started server with nothing in it; at the end it and all its data are gone."""
    with _places() as (data_dir, database_url):
        server = Server(data_dir, database_url, workers=workers, public_url=public_url)
        try:
            server.start()
            yield server
        finally:
            server.stop()


@contextmanager
def data_dir() -> Iterator[Path]:
    """A new folder that PostgreSQL's own user may enter, and whose path is short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="rc-journey-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _places() -> Iterator[tuple[Path, str | None]]:
    given = os.environ.get("DATABASE_URL")
    with data_dir() as folder:
        if not given:
            yield folder, None
            return
        name = f"rollcall_journey_{folder.name[-8:]}".lower()
        with psycopg.connect(given, autocommit=True) as conn:
            conn.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        own = sa.make_url(given).set(database=name).render_as_string(hide_password=False)
        upgrade(own)
        yield folder, own
        with psycopg.connect(given, autocommit=True) as conn:
            conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on at the moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _descendants(pid: int) -> list[int]:
    found = _children(pid)
    for child in list(found):
        found += _descendants(child)
    return found


def _children(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[1]) == pid:
                found.append(int(stat.parent.name))
    return sorted(found)


def _command(pid: int) -> list[str]:
    with suppress(OSError):
        return Path(f"/proc/{pid}/cmdline").read_text().split("\0")
    return []
