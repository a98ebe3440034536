"""Who the embedded PostgreSQL runs as. It refuses to run as root, so root lends it a user: the data folder's owner, if
that is an ordinary user, else one of its own."""

from __future__ import annotations

import os
import pwd
import stat
import subprocess
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SYSTEM_USER: Final = "rollcall-postgres"


class EmbeddedError(RuntimeError):
    """The embedded PostgreSQL cannot run here. The message says why and what to do."""


@dataclass(frozen=True, slots=True)
class ServerUser:
    """The operating system's user that runs the server."""

    name: str
    uid: int
    gid: int

    @property
    def is_me(self) -> bool:
        """Whether this process runs as that user already."""
        return self.uid == os.geteuid()

    def own(self, path: Path | int) -> None:
        """Gives a file or folder (never what a link points at) to the user; only root can and must."""
        if isinstance(path, int) and not self.is_me:
            os.fchown(path, self.uid, self.gid)
        elif not self.is_me:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def as_subprocess(self) -> dict[str, Any]:
        """The arguments of `subprocess.run` that make a program run as the user."""
        return {} if self.is_me else {"user": self.uid, "group": self.gid, "extra_groups": []}


def choose_user(data_dir: Path) -> ServerUser:
    """The user for the server of `data_dir`: ourselves, or under root the folder's owner or the system user."""
    if os.geteuid() != 0:
        return ServerUser(_name(os.geteuid()), os.geteuid(), os.getegid())
    owner = _nearest(data_dir).stat()
    if owner.st_uid != 0 and _known(owner.st_uid):
        return ServerUser(_name(owner.st_uid), owner.st_uid, owner.st_gid)
    return _system_user()


def may_enter(path: Path, user: ServerUser) -> bool:
    """Whether `user` may pass all folders down to `path` and enter (a program: run) it.

    Folders that are not there yet will be made so.
    """
    path = _nearest(path).resolve()
    return all(_passes(folder.stat(), user) for folder in (path, *path.parents))


def _passes(folder: os.stat_result, user: ServerUser) -> bool:
    if folder.st_uid == user.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == user.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _nearest(path: Path) -> Path:
    return next(folder for folder in (path, *path.parents) if folder.exists())


def _known(uid: int) -> bool:
    try:
        pwd.getpwuid(uid)
    except KeyError:
        return False
    return True


def _has_name(name: str) -> bool:
    return any(entry.pw_name == name for entry in pwd.getpwall())


def _name(uid: int) -> str:
    return pwd.getpwuid(uid).pw_name if _known(uid) else f"user {uid}"


def _system_user() -> ServerUser:
    try:
        entry = pwd.getpwnam(SYSTEM_USER)
    except KeyError:
        shell = "/usr/sbin/nologin"
        command = ["useradd", "--system", "--no-create-home", "--shell", shell, SYSTEM_USER]
        with suppress(FileNotFoundError):  # no useradd here
            subprocess.run(command, check=False, capture_output=True)
        if not _has_name(SYSTEM_USER):
            raise EmbeddedError(
                f"PostgreSQL does not run as root, and a user {SYSTEM_USER} for it could not be made with useradd. "
                "Run Rollcall as an ordinary user, or set DATABASE_URL to a PostgreSQL."
            ) from None
        entry = pwd.getpwnam(SYSTEM_USER)
    return ServerUser(entry.pw_name, entry.pw_uid, entry.pw_gid)
