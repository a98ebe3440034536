"""Who uses the processor during a road, and how large the server's processes are."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass

import psutil
import sqlalchemy as sa

MIB = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Used:
    """Cores that each family of processes kept busy on average: 0.5 is half of one."""

    cores: Mapping[str, float]

    def __str__(self) -> str:
        return ", ".join(f"{name} {cores:.2f}" for name, cores in self.cores.items())


class Watch:
    """Families of processes by name, each the process with this id and all below it."""

    def __init__(self, families: Mapping[str, int]) -> None:
        self._families = {name: psutil.Process(pid) for name, pid in families.items()}
        self._began, self._before = time.perf_counter(), self._seconds()
        self.largest: dict[str, int] = {}

    def begin(self) -> None:
        self._began, self._before = time.perf_counter(), self._seconds()

    def end(self, **others: float) -> Used:
        """What was used since `begin`; `others` are CPU seconds of processes that have ended. Notes sizes, too."""
        elapsed = time.perf_counter() - self._began
        seconds = {name: now - self._before[name] for name, now in self._seconds().items()}
        self._note_sizes()
        return Used({name: used / elapsed for name, used in (others | seconds).items()})

    def _seconds(self) -> dict[str, float]:
        return {name: sum(map(_cpu, _with_children(root))) for name, root in self._families.items()}

    def _note_sizes(self) -> None:
        """The largest process of each family, in bytes of resident memory."""
        for name, root in self._families.items():
            size = max(map(_resident, _with_children(root)))
            self.largest[name] = max(size, self.largest.get(name, 0))


def postmaster(engine: sa.Engine) -> int | None:
    """PostgreSQL's first process, if it runs on this machine."""
    with engine.connect() as conn:
        backend = conn.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        try:
            found = psutil.Process(backend)
            parent = found.parent()
        except psutil.NoSuchProcess:
            return None
    return parent.pid if parent is not None and "postgres" in found.name() else None


def _with_children(root: psutil.Process) -> list[psutil.Process]:
    return [root, *root.children(recursive=True)]


def _cpu(process: psutil.Process) -> float:
    try:
        times = process.cpu_times()
    except psutil.NoSuchProcess:
        return 0.0
    return float(times.user + times.system)


def _resident(process: psutil.Process) -> int:
    try:
        return int(process.memory_info().rss)
    except psutil.NoSuchProcess:
        return 0
