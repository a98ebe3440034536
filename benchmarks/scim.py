"""`make bench`: the SCIM roads beside the floor and beside a peer, as tables.

    python -m benchmarks.scim [--users 1000,10000] [--seconds 5] [--workers 2] [--connections 8] [--peer-users 10000]

The floor is what the same server does for a bare Flask application that answers one constant. It is measured anew
just before each road, since a shared machine is not equally busy all the time. Compare the ratios: the rates are those
of this machine at this hour, and the generator takes its share of it.

All tenants are in one database, and one server answers for all of them. The peer (see `peer`) has as many people as the
tenant, if these are not too many for its memory, and is measured just after each of our roads.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Final

from app.store.engine import make_engine
from benchmarks import tables
from benchmarks.load import measure
from benchmarks.paging import pages
from benchmarks.roads import FLOOR, OURS_ALONE, ROADS, Sample
from benchmarks.seeding import SMALL, WRITTEN, seed, settle
from benchmarks.serving import Running, database, peer_serving, serving
from benchmarks.tables import Road
from benchmarks.watching import Watch, postmaster

WARM_SECONDS: Final = 0.5
FLOOR_SECONDS: Final = 1.0
NEWCOMERS_A_SECOND: Final = 600
PEERS_NEWCOMERS_A_SECOND: Final = 200


@dataclass(frozen=True, slots=True)
class _Asked:
    users: Sequence[int]
    seconds: float
    workers: int
    connections: int
    peer_users: int
    walk_seconds: float


@dataclass(frozen=True, slots=True)
class _Served:
    """A server with its people."""

    running: Running
    sample: Sample


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{asked.workers} server processes, {asked.connections} connections, {asked.seconds:g} s a road\n")
    with database() as url:
        samples, postgresql = _seeded(url, asked)
        measured: dict[int, list[Road]] = {}
        with serving(url, asked.workers) as ours:
            watch = Watch({"server": ours.pid} | ({} if postgresql is None else {"PostgreSQL": postgresql}))
            for users, sample in samples.items():
                measured[users] = list(_tenant(_Served(ours, sample), watch, users, asked))
            _say([*tables.beside_the_smallest(measured), ""])
            _say([f"The largest of our server's processes: {tables.mebibytes(watch.largest['server'])}.", ""])
            _say(tables.paging(max(samples), pages(ours.port, samples[max(samples)], asked.walk_seconds)))


def _seeded(url: str, asked: _Asked) -> tuple[dict[int, Sample], int | None]:
    """All tenants, the largest first, so that each was analysed when it was whole; and PostgreSQL's first process."""
    engine, samples = make_engine(url), {}
    for users in sorted(asked.users, reverse=True):
        began = time.perf_counter()
        samples[users] = seed(engine, users, int((asked.seconds + WARM_SECONDS) * NEWCOMERS_A_SECOND))
        print(f"{users:,} users seeded in {time.perf_counter() - began:.1f} s", flush=True)
    settle(engine)
    found = postmaster(engine)
    engine.dispose()
    return dict(sorted(samples.items())), found


def _tenant(ours: _Served, watch: Watch, users: int, asked: _Asked) -> Iterator[Road]:
    """One tenant's table, printed row by row."""
    with ExitStack() as stack:
        peer = None
        if users <= asked.peer_users:
            newcomers = int((asked.seconds + WARM_SECONDS) * PEERS_NEWCOMERS_A_SECOND)
            peer = _Served(*stack.enter_context(peer_serving(users, newcomers)))
        _say(["", *tables.head(users, len(ours.sample.newcomers))])
        found = []
        for road in ROADS:
            found.append(_road(road, ours, peer, watch, asked))
            _say([tables.row(found[-1])])
        _say(["", *tables.verdict(found)])
    yield from found


def _road(road: str, ours: _Served, peer: _Served | None, watch: Watch, asked: _Asked) -> Road:
    floor = measure(ours.running.port, asked.connections, FLOOR_SECONDS, FLOOR, ours.sample)
    warmed = _warmed(road, ours, asked)
    watch.begin()
    found = measure(ours.running.port, asked.connections, asked.seconds, road, warmed)
    used = watch.end(client=found.cpu)
    beside = None
    if peer is not None and road not in OURS_ALONE:
        beside = measure(peer.running.port, asked.connections, asked.seconds, road, _warmed(road, peer, asked))
    return Road(road, found, floor, beside, used)


def _warmed(road: str, served: _Served, asked: _Asked) -> Sample:
    """Warmed up with the requests of another run; the newcomers are dealt out, since each joins a group once."""
    sample = served.sample
    spared = int(len(sample.newcomers) * WARM_SECONDS / (WARM_SECONDS + asked.seconds))
    warming = replace(sample, run="warm", newcomers=sample.newcomers[:spared])
    measure(served.running.port, asked.connections, WARM_SECONDS, road, warming)
    return replace(sample, newcomers=sample.newcomers[spared:])


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)


def _arguments() -> _Asked:
    parser = argparse.ArgumentParser(description="Measure the SCIM roads beside the floor and a peer.")
    parser.add_argument("--users", default="1000,10000", help="Sizes of the tenants; above 10,000 in ten thousands.")
    parser.add_argument("--seconds", type=float, default=5.0, help="How long each road is measured.")
    parser.add_argument("--workers", type=int, default=2, help="Server processes.")
    parser.add_argument("--connections", type=int, default=8, help="Connections that ask at once.")
    parser.add_argument("--peer-users", type=int, default=10_000, help="The largest tenant with a peer; 0: none.")
    parser.add_argument("--walk-seconds", type=float, default=120.0, help="How long pages are walked by cursor.")
    said = parser.parse_args()
    users = sorted({int(size) for size in said.users.split(",")})
    if any(size < SMALL or (size > WRITTEN and size % WRITTEN) for size in users):
        parser.error(f"--users: from {SMALL} to {WRITTEN:,}, or a multiple of {WRITTEN:,}")
    return _Asked(users, said.seconds, said.workers, said.connections, said.peer_users, said.walk_seconds)


if __name__ == "__main__":
    main()
