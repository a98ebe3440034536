"""The embedded PostgreSQL: shared by its users, gone with the last, back after a kill."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from app.store import embedded
from app.store.embedded import EmbeddedError
from app.store.embedded_user import ServerUser, choose_user, may_enter

USE = """
import sys
from pathlib import Path
from app.store import embedded
server = embedded.join(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
server.leave()
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A fresh folder with a short name that PostgreSQL's user may enter."""
    made = Path(tempfile.mkdtemp(prefix="rc-"))
    made.chmod(0o755)
    yield made
    _stop_what_is_left(made)
    shutil.rmtree(made, ignore_errors=True)


def _stop_what_is_left(folder: Path) -> None:
    """A failed test leaves its server running."""
    with suppress(FileNotFoundError, ProcessLookupError, ValueError):
        pid = int((folder / "postgresql" / "postmaster.pid").read_text().split("\n")[0])
        if os.fsencode(folder) in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGQUIT)


def _answers(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=2).close()
    except psycopg.OperationalError:
        return False
    return True


def _user(folder: Path) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [sys.executable, "-c", USE, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    return process


def test_the_last_user_stops_it(folder: Path) -> None:
    first = embedded.join(folder)
    second = _user(folder)
    assert not first.leave()
    assert _answers(first.url)
    second.communicate()
    assert not _answers(first.url)


def test_leaving_twice_does_nothing(folder: Path) -> None:
    first, second = embedded.join(folder), embedded.join(folder)
    assert not first.leave()
    assert not first.leave()
    assert second.leave()
    assert not second.leave()


def test_a_killed_user_leaves_a_server_that_the_next_one_finds_and_stops(folder: Path) -> None:
    killed = _user(folder)
    killed.kill()
    killed.communicate()
    server = embedded.join(folder)
    assert _answers(server.url)
    assert server.leave()
    assert not _answers(server.url)


def test_data_survive_a_killed_server(folder: Path) -> None:
    server = embedded.join(folder)
    with psycopg.connect(server.url) as conn:
        conn.execute("CREATE TABLE kept AS SELECT 1")
    pid = int((folder / "postgresql" / "postmaster.pid").read_text().split("\n")[0])
    os.kill(pid, signal.SIGKILL)
    server.leave()
    again = embedded.join(folder)
    with psycopg.connect(again.url) as conn:
        assert conn.execute("SELECT count(*) FROM kept").fetchone() == (1,)
    assert again.leave()


def test_a_pid_file_that_names_another_process_is_stale(folder: Path) -> None:
    embedded.join(folder).leave()
    (folder / "postgresql" / "postmaster.pid").write_text(f"{os.getpid()}\n{folder / 'postgresql'}\n")
    server = embedded.join(folder)
    assert _answers(server.url)
    assert server.leave()


def test_an_interrupted_initdb_is_done_again(folder: Path) -> None:
    (folder / "initdb-killed").mkdir()
    (folder / "initdb-killed" / "PG_VERSION").write_text("18\n")
    server = embedded.join(folder)
    assert server.leave()
    assert sorted(path.name for path in folder.glob("initdb-*")) == []


def test_nobody_else_may_look_at_data_or_socket(folder: Path) -> None:
    server = embedded.join(folder)
    for name in ("postgresql", "run", "postgresql.log", "users.lock"):
        assert (folder / name).stat().st_mode & (stat.S_IRWXG | stat.S_IRWXO) == 0, name
    server.leave()


def test_server_settings_are_taken(folder: Path) -> None:
    server = embedded.join(folder, options={"fsync": "off", "max_connections": "17"})
    with psycopg.connect(server.url) as conn:
        assert conn.execute("SELECT current_setting('fsync'), current_setting('max_connections')").fetchone() == (
            "off",
            "17",
        )
    server.leave()


def test_a_path_too_long_for_a_socket_is_refused(folder: Path) -> None:
    with pytest.raises(EmbeddedError, match="bytes too long for a Unix socket"):
        embedded.join(folder / ("x" * 100))


@pytest.mark.parametrize("name", ["a'b", 'a"b', "a$b", "a`b", "a\\b"])
def test_a_path_that_a_shell_would_read_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(EmbeddedError, match="has a quote, a dollar sign or a backslash"):
        embedded.join(folder / name)


def test_spaces_and_other_letters_in_a_path_do_no_harm(folder: Path) -> None:
    server = embedded.join(folder / "ä & 100% b?")
    assert _answers(server.url)
    assert server.leave()


def test_data_of_another_release_are_left_alone(folder: Path) -> None:
    embedded.join(folder).leave()
    (folder / "postgresql" / "PG_VERSION").write_text("16\n")
    with pytest.raises(EmbeddedError, match="was made by PostgreSQL 16"):
        embedded.join(folder)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has a choice")
class TestRoot:
    """Root lends the server a user and never opens a folder for it."""

    def test_a_private_folder_is_refused_and_stays_private(self, folder: Path) -> None:
        private = folder / "home"
        private.mkdir(mode=0o700)
        with pytest.raises(EmbeddedError, match="a folder above it is private"):
            embedded.join(private / "var")
        assert stat.S_IMODE(private.stat().st_mode) == 0o700

    def test_without_a_choice_private_data_go_to_a_public_place(self, folder: Path) -> None:
        private = folder / "home"
        private.mkdir(mode=0o700)
        assert embedded.place(private / "var", chosen=True) == private / "var"
        assert embedded.place(folder / "var", chosen=False) == folder / "var"
        moved = embedded.place(private / "var", chosen=False)
        assert moved.parent == embedded.PUBLIC_PLACE
        assert not moved.exists()

    def test_the_server_runs_as_the_owner_of_the_folder(self, folder: Path) -> None:
        owner = pwd.getpwnam("nobody")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        assert choose_user(folder / "var" / "deeper") == ServerUser("nobody", owner.pw_uid, owner.pw_gid)
        server = embedded.join(folder)
        assert (folder / "postgresql").stat().st_uid == owner.pw_uid
        assert (folder / "users.lock").stat().st_uid == owner.pw_uid
        assert server.leave()

    def test_a_link_is_not_followed(self, folder: Path) -> None:
        target = folder / "precious"
        target.touch()
        (folder / "users.lock").symlink_to(target)
        with pytest.raises(OSError, match="symbolic link"):
            embedded.join(folder)
        assert target.stat().st_uid == 0

    def test_nobody_else_may_write_beside_the_data(self, folder: Path) -> None:
        embedded.join(folder).leave()
        assert not any(path.stat().st_mode & stat.S_IWOTH for path in (folder, *folder.iterdir()))


def test_who_may_enter(tmp_path: Path) -> None:
    stranger = ServerUser("stranger", 54321, 54321)
    tmp_path.chmod(0o700)
    assert not may_enter(tmp_path / "not there yet", stranger)
    assert may_enter(Path("/usr/bin"), stranger)
    assert may_enter(Path("/usr/not there yet"), stranger)


def test_a_folder_that_another_process_makes_at_this_moment_is_no_obstacle(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "exists", lambda _self: False)
    assert embedded._prepare(tmp_path) == tmp_path.resolve()
