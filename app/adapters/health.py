"""Is everything here that the service needs, and does it work? For `rollcall doctor` and the console's page of health.

settings ─▶ data folder, disk, SAML library ┐
database ─▶ version, revision, clock, room  ├─▶ checks: name, ok, one sentence
workers ─▶ heard of, jobs that wait         ┘
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa

from app.settings import Settings
from app.store import embedded, health, migrate
from app.store.engine import OLDEST_SERVER, reading
from app.store.health import Database, Work
from sso import saml_library

LEAST_FREE_BYTES: Final = 500 * 1024 * 1024
CLOCKS_APART: Final = timedelta(seconds=5)
SILENT: Final = timedelta(minutes=1)
WAITS_LONG: Final = timedelta(minutes=2)
FULL: Final = 0.9  # share of the server's connections


class TroubleError(Exception):
    """A check failed; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Check:
    """One look at something. `says` is a sentence: how it is, or what is wrong and what to do."""

    name: str
    ok: bool
    says: str


def checks(engine: sa.Engine, settings: Settings, now: datetime | None = None) -> list[Check]:
    """All of them, for a service that runs: the database answers, or its error is the answer."""
    moment = now or datetime.now(UTC)
    with reading(engine) as conn:
        base, work = health.database(conn), health.work(conn)
    looks: dict[str, Callable[[], str]] = {
        "PostgreSQL": lambda: version(base),
        "revision": lambda: revision(base.at_head),
        "connections": lambda: connections(base),
        "clocks": lambda: clocks(base.at, moment),
        "worker": lambda: worker(work, base.at),
        "jobs": lambda: jobs(work, base.at),
        "data folder": lambda: data_folder(settings),
        "disk": lambda: disk(settings),
        "SAML library": lambda: saml_versions(),
    }
    return [_check(name, look) for name, look in looks.items()]


def version(base: Database) -> str:
    """The server's version and the size of the database."""
    if int(base.version.split(".")[0]) < OLDEST_SERVER:
        raise TroubleError(f"PostgreSQL {OLDEST_SERVER} or newer is needed; this server is {base.version}")
    return f"version {base.version}, {_size(base.size)}"


def revision(at_head: bool) -> str:
    """Whether the tables are those of this release."""
    if not at_head:
        raise TroubleError("not this release's tables; run `rollcall db upgrade`")
    return f"at {migrate.head()}"


def connections(base: Database) -> str:
    """Whether the server has connections left."""
    if base.connections >= FULL * base.most_connections:
        raise TroubleError(
            f"{base.connections} of {base.most_connections} connections are taken: raise max_connections, or run fewer"
            " processes"
        )
    return f"{base.connections} of {base.most_connections} connections taken"


def clocks(theirs: datetime, ours: datetime) -> str:
    """Whether the database's clock and ours agree: tokens and days are judged by both."""
    apart = abs(theirs - ours)
    if apart > CLOCKS_APART:
        raise TroubleError(f"the database's clock and this machine's are {apart.total_seconds():.0f} s apart; set them")
    return "this machine's clock and the database's agree"


def worker(work: Work, now: datetime) -> str:
    """Whether a worker runs: without one, nothing is delivered, and larger changes wait."""
    if work.heard_at is None:
        raise TroubleError("no worker has run yet; start one with `rollcall worker`")
    silent = now - work.heard_at
    if silent > SILENT:
        raise TroubleError(f"no worker was heard of for {_span(silent)}; start one with `rollcall worker`")
    return f"{work.workers} at work, heard of {_span(silent)} ago"


def jobs(work: Work, now: datetime) -> str:
    """Whether jobs are taken up soon."""
    waits = timedelta() if work.oldest_waiting_at is None else now - work.oldest_waiting_at
    if waits > WAITS_LONG:
        raise TroubleError(f"{work.waiting} jobs wait, the oldest for {_span(waits)}: is a worker running?")
    if work.failed:
        raise TroubleError(f"{work.failed} jobs failed; the worker's log says why")
    return f"{work.waiting} wait, {work.running} run"


def data_folder(settings: Settings) -> str:
    """Where the embedded database lives, and that nobody else may read it."""
    if settings.database_url:
        return "not used, DATABASE_URL is set"
    folder = embedded.place(settings.data_dir, chosen=settings.data_dir_chosen)
    open_to_all = [path for path in (folder / "postgresql", folder / "run") if path.exists() and _others_may(path)]
    if open_to_all:
        raise TroubleError(f"{open_to_all[0]} is open to other users; close it with chmod 700")
    return str(folder)


def disk(settings: Settings) -> str:
    """Room where the data are."""
    folder = settings.data_dir
    while not folder.exists():
        folder = folder.parent
    free = shutil.disk_usage(folder).free
    if free < LEAST_FREE_BYTES:
        raise TroubleError(f"only {free // 2**20} MiB free at {folder}")
    return f"{free // 2**20} MiB free"


def saml_versions() -> str:
    """The versions of what verifies SAML."""
    return ", ".join(f"{name} {version}" for name, version in saml_library.library_versions().items())


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except (TroubleError, OSError, ImportError) as error:
        return Check(name, False, " ".join(str(error).split()))


def _others_may(path: os.PathLike[str]) -> bool:
    return bool(os.stat(path).st_mode & (stat.S_IRWXG | stat.S_IRWXO))


def _size(size: int) -> str:
    mebibytes = size / 2**20
    return f"{mebibytes / 1024:.1f} GiB" if mebibytes >= 1024 else f"{mebibytes:.0f} MiB"


def _span(span: timedelta) -> str:
    seconds = max(0, int(span.total_seconds()))
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7_200 else f"{seconds // 3_600} h"
