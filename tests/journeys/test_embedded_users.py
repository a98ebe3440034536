"""The embedded PostgreSQL is used by root first, then by two ordinary users of the same machine, each with own data."""

from __future__ import annotations

import json
import os
import pwd
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.journeys.server import CHECKOUT, data_dir

pytestmark = pytest.mark.journey

ORDINARY = ("nobody", "daemon")
SECONDS = 90

# One process, and forks of it: an ordinary user may not be able to enter the folder of root's Python.
PROGRAM = """
import os, sys
from app.cli import rollcall

def use(folder):
    os.environ["ROLLCALL_DATA_DIR"] = folder
    rollcall(["tenant", "create", "quay"], standalone_mode=False)
    rollcall(["tenant", "list", "--json"], standalone_mode=False)
    sys.stdout.flush()

folders = sys.argv[1::2]
users = sys.argv[2::2]
use(folders[0])
for folder, user in zip(folders[1:], users, strict=True):
    pid = os.fork()
    if pid == 0:
        os.setgroups([])
        os.setgid(int(user.split(":")[1]))
        os.setuid(int(user.split(":")[0]))
        try:
            use(folder)
        except BaseException as error:
            print(repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    if os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) != 0:
        sys.exit(1)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become other users")
def test_root_then_two_ordinary_users() -> None:
    users = [pwd.getpwnam(name) for name in ORDINARY]
    with ExitStack() as stack:
        folders = [stack.enter_context(data_dir()) for _ in range(3)]
        for folder, user in zip(folders[1:], users, strict=True):
            os.chown(folder, user.pw_uid, user.pw_gid)
            folder.chmod(0o700)
        before = [_modes(folder) for folder in folders]
        arguments = [str(folders[0])]
        for folder, user in zip(folders[1:], users, strict=True):
            arguments += [f"{user.pw_uid}:{user.pw_gid}", str(folder)]
        done = _run(arguments)

        assert done.returncode == 0, done.stderr
        listed = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("[")]
        assert [[one["name"] for one in tenants] for tenants in listed] == [["quay"]] * 3
        assert [_modes(folder) for folder in folders] == before, "no folder was opened to others"
        owners = [(folder / "postgresql").stat().st_uid for folder in folders]
        assert owners[1:] == [user.pw_uid for user in users]
        assert owners[0] != 0, "PostgreSQL does not run as root"
        assert not any((folder / "postgresql" / "postmaster.pid").exists() for folder in folders), "all stopped"


def _run(arguments: list[str]) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name not in ("DATABASE_URL", "HOME")}
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=CHECKOUT,
        env={**environment, "HOME": "/nonexistent", "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )


def _modes(folder: Path) -> list[int]:
    return [path.stat().st_mode for path in (folder, *folder.parents)]
