"""`make bench`: the SCIM roads beside the floor, as a table.

    python -m benchmarks.scim [--users 1000,10000] [--seconds 5] [--workers 2] [--connections 8]

The floor is what the same server does for a bare Flask application that answers one constant. It is measured anew
just before each road, since a shared machine is not equally busy all the time. Compare the ratios: the rates are those
of this machine at this hour, and the generator takes its share of it.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from app.store.engine import make_engine
from benchmarks.load import Measured, measure
from benchmarks.roads import FLOOR, LARGE, ROADS, Sample
from benchmarks.seeding import seed
from benchmarks.serving import database, serving

WARM_SECONDS: Final = 0.5
FLOOR_SECONDS: Final = 1.0
NEWCOMERS_A_SECOND: Final = 600


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    sizes = [int(size) for size in asked.users.split(",")]
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{asked.workers} server processes, {asked.connections} connections, {asked.seconds:g} s a road\n")
    with database() as url:
        for size in sizes:
            began = time.perf_counter()
            engine = make_engine(url)
            sample = seed(engine, size, int(asked.seconds * NEWCOMERS_A_SECOND))
            engine.dispose()
            print(f"{size:,} users (seeded in {time.perf_counter() - began:.1f} s)\n", flush=True)
            with serving(url, asked.workers) as port:
                for line in _table(port, sample, asked):
                    print(line, flush=True)
            print()


def _table(port: int, sample: Sample, asked: argparse.Namespace) -> Iterator[str]:
    yield "| road | rate /s | p50 ms | p99 ms | floor /s | of the floor |"
    yield "|---|---:|---:|---:|---:|---:|"
    for road in ROADS:
        if road == LARGE and sample.large_group is None:
            continue
        floor = measure(port, asked.connections, FLOOR_SECONDS, FLOOR, sample)
        found = _measured(port, road, sample, asked)
        failed = f" ({found.failed} failed)" if found.failed else ""
        rates = f"{found.rate:,.0f} | {found.p50:.1f} | {found.p99:.1f} | {floor.rate:,.0f}"
        yield f"| {road}{failed} | {rates} | {found.rate / floor.rate:.3f} |"


def _measured(port: int, road: str, sample: Sample, asked: argparse.Namespace) -> Measured:
    """Warmed up with the requests of another run; the newcomers are dealt out, since each joins a group once."""
    spared = int(len(sample.newcomers) * WARM_SECONDS / (WARM_SECONDS + asked.seconds))
    warming = replace(sample, run="warm", newcomers=sample.newcomers[:spared])
    measure(port, asked.connections, WARM_SECONDS, road, warming)
    return measure(port, asked.connections, asked.seconds, road, replace(sample, newcomers=sample.newcomers[spared:]))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the SCIM roads beside the floor.")
    parser.add_argument("--users", default="1000,10000", help="Sizes of the tenants.")
    parser.add_argument("--seconds", type=float, default=5.0, help="How long each road is measured.")
    parser.add_argument("--workers", type=int, default=2, help="Server processes.")
    parser.add_argument("--connections", type=int, default=8, help="Connections that ask at once.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
