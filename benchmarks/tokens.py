"""`make bench-tokens`: how fast a token is checked among a million sessions, and how soon a revocation shows.

    python -m benchmarks.tokens [--sessions 1000000] [--accounts 100000] [--seconds 5] [--connections 32] [--workers 2]

Each road is measured beside the floor (see `scim`), just before it: compare the ratios. Tokens are each time another
one, or 200 that repeat. Then, while the roads are kept busy in turn, people are deactivated over SCIM and sessions
are ended, and the last yes that any process says is timed.
"""

from __future__ import annotations

import argparse
import os
import platform
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Final

import sqlalchemy as sa

from app.store.engine import make_engine, reading
from benchmarks import revoking, seeding, tables, token_seeding
from benchmarks.load import Measured, measure
from benchmarks.revoking import Person, Shown, Watchers
from benchmarks.roads import FLOOR, Sample
from benchmarks.serving import Running, database, serving
from benchmarks.token_roads import ROADS
from benchmarks.watching import Used, Watch, postmaster

WARM_SECONDS: Final = 1.0
FLOOR_SECONDS: Final = 1.0
AIMS: Final = {"another": 0.25, "repeat": 0.5}  # of the floor, by what the road's name says
P99_AIM: Final = 20.0
_PEOPLE: Final = """
    SELECT CAST(id AS text) AS id, CAST(account_id AS text) AS account, CAST(tenant_id AS text) AS tenant FROM records
"""


@dataclass(frozen=True, slots=True)
class _Asked:
    sessions: int
    accounts: int
    seconds: float
    connections: int
    workers: int
    acts: int


@dataclass(frozen=True, slots=True)
class _Seeded:
    """`sample`: the million. `scim`, `place` and `people`: a tenant whose people are deactivated."""

    sample: Sample
    scim: Sample
    place: token_seeding.Place
    people: Sequence[Person]


@dataclass(frozen=True, slots=True)
class _Road:
    """One road, the floor just before, and who used the processor for each."""

    name: str
    ours: Measured
    floor: Measured
    used: Used
    floor_used: Used


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"{asked.workers} server processes, {asked.connections} connections, {asked.seconds:g} s a road\n")
    with database() as url:
        engine = make_engine(url)
        seeded, postgresql = _seed(engine, asked), postmaster(engine)
        with serving(url, asked.workers) as ours:
            watch = Watch({"server": ours.pid} | ({} if postgresql is None else {"PostgreSQL": postgresql}))
            _say(_head())
            for road in ROADS:
                _say([_row(_road(road, ours, seeded.sample, watch, asked))])
            size = tables.mebibytes(watch.largest["server"])
            _say(["", f"The largest of our server's processes: {size}.", ""])
            if asked.acts:
                _say(revoking.lines(list(_revocations(engine, ours, seeded, asked))))
        engine.dispose()


def _seed(engine: sa.Engine, asked: _Asked) -> _Seeded:
    began = time.perf_counter()
    _, sample = token_seeding.seed(engine, "sessions", asked.sessions, asked.accounts)
    scim = seeding.seed(engine, max(seeding.SMALL, 2 * asked.acts), 0, small_groups=1)
    with reading(engine) as conn:
        rows = conn.execute(sa.text(_PEOPLE)).all()
    place = token_seeding.place(engine, rows[0].tenant)
    tokens = token_seeding.sign_in(engine, place, asked.sessions)
    seeding.settle(engine)
    print(f"{asked.sessions:,} sessions of {asked.accounts:,} accounts seeded in {time.perf_counter() - began:.0f} s\n")
    return _Seeded(sample, scim, place, [Person(row.account, row.id, tokens[row.account]) for row in rows])


def _road(road: str, ours: Running, sample: Sample, watch: Watch, asked: _Asked) -> _Road:
    watch.begin()
    floor = measure(ours.port, asked.connections, FLOOR_SECONDS, FLOOR, sample)
    beside = watch.end(client=floor.cpu)
    measure(ours.port, asked.connections, WARM_SECONDS, road, replace(sample, run="warm"))
    watch.begin()
    found = measure(ours.port, asked.connections, asked.seconds, road, sample)
    return _Road(road, found, floor, watch.end(client=found.cpu), beside)


def _revocations(engine: sa.Engine, ours: Running, seeded: _Seeded, asked: _Asked) -> Iterator[Shown]:
    """Both kinds of act, each time another person, while the roads are kept busy in turn."""
    watchers = Watchers(ours.port, ours.pid, asked.workers, seeded.place.authorization)
    people = iter(seeded.people)
    acts = {
        "deactivated over SCIM": lambda one: revoking.deactivate(ours.port, seeded.scim, one),
        "session ended": lambda one: revoking.end_session(engine, seeded.place.tenant_id, one),
    }
    with _busy(ours, seeded.sample, asked.connections):
        for kind, act in acts.items():
            shown = Shown(kind)
            for _ in range(asked.acts):
                person = next(people)
                shown.note(watchers.last_yes(person.token, lambda act=act, one=person: act(one)))
            yield shown
    watchers.close()


@contextmanager
def _busy(ours: Running, sample: Sample, connections: int) -> Iterator[None]:
    """Keeps the server at its limit meanwhile."""
    ends = threading.Event()

    def keep() -> None:
        while not ends.is_set():
            for road in ROADS:
                if not ends.is_set():
                    measure(ours.port, connections, 2.0, road, sample)

    keeper = threading.Thread(target=keep)
    keeper.start()
    try:
        yield
    finally:
        ends.set()
        keeper.join()


def _head() -> list[str]:
    return [
        "| road | rate /s | p50 ms | p99 ms | floor /s | of the floor | aim | CPU µs each | the floor's | cores busy |",
        "|---|---:|---:|---:|---:|---:|---:|---|---:|---|",
    ]


def _row(road: _Road) -> str:
    ours, floor = road.ours, road.floor
    aim = next(aim for word, aim in AIMS.items() if word in road.name)
    share = ours.rate / floor.rate
    met = share >= aim and ours.p99 < P99_AIM
    cells = [
        road.name + (f" ({ours.failed} failed)" if ours.failed else ""),
        f"{ours.rate:,.0f}",
        f"{ours.p50:.1f}",
        f"{ours.p99:.1f}",
        f"{floor.rate:,.0f}",
        f"{share:.3f}",
        f"{aim:g}, p99 {P99_AIM:g} ms: {'reached' if met else 'missed'}",
        _each(road.used, ours),
        _each(road.floor_used, floor),
        str(road.used),
    ]
    return f"| {' | '.join(cells)} |"


def _each(used: Used, measured: Measured) -> str:
    """CPU of one answer by family, the generator's aside: on a machine that others use it moves less than a rate."""
    served = {name: cores for name, cores in used.cores.items() if name != "client" and cores > 0.02}
    return ", ".join(f"{name} {1_000_000 * cores / measured.rate:,.0f}" for name, cores in served.items())


def _say(lines: Sequence[str]) -> None:
    print("\n".join(lines), flush=True)


def _arguments() -> _Asked:
    parser = argparse.ArgumentParser(description="Measure how tokens are checked beside the floor.")
    parser.add_argument("--sessions", type=int, default=1_000_000, help="Sessions stored, each with one token.")
    parser.add_argument("--accounts", type=int, default=100_000, help="Accounts whose sessions they are.")
    parser.add_argument("--seconds", type=float, default=5.0, help="How long each road is measured.")
    parser.add_argument("--connections", type=int, default=32, help="Connections that ask at once.")
    parser.add_argument("--workers", type=int, default=2, help="Server processes.")
    parser.add_argument("--acts", type=int, default=20, help="How many people of each kind are revoked; 0: none.")
    return _Asked(**vars(parser.parse_args()))


if __name__ == "__main__":
    main()
