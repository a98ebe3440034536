"""`make bench-console`: how long each page of the console takes, in a small tenant and in a large one.

    python -m benchmarks.console [--sizes 20000,100000] [--times 60] [--only PART]

    seed (console_seeding, console_filling) ─▶ our server ─▶ each GET route of the table, with ids, searches, deep pages
                                          └▶ a mapping of the large group: draft ─▶ ready ─▶ saved ─▶ run complete

One browser asks, one page after the other; /healthz in the same run is the floor. Statements are counted by asking the
same application once more in this process. `--seeded` takes the database of DATABASE_URL as an earlier run left it.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final
from unittest.mock import patch

import requests
import sqlalchemy as sa
from werkzeug.test import Client

from app.cli.processes import kept
from app.factory import create_app
from app.settings import Settings
from app.store.engine import make_engine, reading
from app.sync import drafts
from app.sync.mapping_changes import Change
from benchmarks import console_seeding
from benchmarks.console_filling import fill
from benchmarks.console_pages import STEPS, Page, Visitor, counted, enter, next_of, pages
from benchmarks.console_preview import Previewed, preview
from benchmarks.seeding import ACTOR, settle
from benchmarks.serving import database, serving
from benchmarks.watching import Watch, postmaster

AIM: Final = 200.0  # ms at p95
PREVIEW_AIM: Final = 2.0  # seconds
FLOOR: Final = Page("the floor: /healthz", "/healthz")
WARM: Final = 3
FIRST: Final = 4_096  # bytes of a file
FEW: Final = 20  # sources, connections, keys, …
PUBLIC_URL: Final = "http://127.0.0.1"
KEY: Final = bytes(range(32))


@dataclass(frozen=True, slots=True)
class Took:
    """A page's answers. `cpu`: milliseconds of the server's and PostgreSQL's processors for one of them."""

    milliseconds: Sequence[float] = field(repr=False)
    status: int
    size: int
    statements: int
    cpu: float

    @property
    def median(self) -> float:
        return statistics.median(self.milliseconds)

    @property
    def p95(self) -> float:
        return sorted(self.milliseconds)[max(0, round(0.95 * len(self.milliseconds)) - 1)]


def main() -> None:
    """Measure and print."""
    asked = _arguments()
    sizes = [int(size) for size in asked.sizes.split(",")]
    print(f"{platform.platform()}, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"load {os.getloadavg()[0]:.1f}, {asked.times} times a page\n", flush=True)
    with _given() if asked.seeded else database() as url:
        engine = make_engine(url)
        visitors = [_tenant(engine, size, asked.seeded) for size in sizes]
        if not asked.seeded:
            settle(engine)
        with serving(url, 2, PUBLIC_URL, KEY) as ours:
            base = f"http://127.0.0.1:{ours.port}"
            postgresql = postmaster(engine)
            watch = Watch({"server": ours.pid} | ({} if postgresql is None else {"PostgreSQL": postgresql}))
            found = [_measured(engine, base, one, asked, watch) for one in visitors]
            _print_pages(sizes, found)
            if not asked.only:
                with patch.dict(os.environ, {"DATABASE_URL": url}), kept("worker", "--child"):
                    time.sleep(5)
                    _print_previews([_preview(engine, base, one) for one in visitors])
        engine.dispose()


@contextmanager
def _given() -> Iterator[str]:
    yield os.environ["DATABASE_URL"]


def _name(people: int) -> str:
    return f"bench-{people}"


def _tenant(engine: sa.Engine, people: int, seeded: bool) -> Visitor:
    """A filled tenant of so many people, and its owner in the console."""
    name, began = _name(people), time.perf_counter()
    if not seeded:
        share = people / console_seeding.PEOPLE
        made = console_seeding.seed(
            engine,
            name,
            people,
            large=int(console_seeding.LARGE * share),
            groups=int(console_seeding.GROUPS * share),
            entries=int(console_seeding.ENTRIES * share),
        )
        fill(engine, made.tenant_id, made.source_id, name, few=FEW, many=people // 2, some=people // 100)
        print(f"{people:,} people seeded in {time.perf_counter() - began:.0f} s", flush=True)
    with reading(engine) as conn:
        tenant_id = str(conn.execute(sa.text("SELECT id FROM tenants WHERE name = :n"), {"n": name}).scalar_one())
    drafts.begin(engine, tenant_id, [Change("set", "group", "Crew 00001", "instructor", source="idp")], ACTOR)
    return enter(engine, tenant_id, name, PUBLIC_URL)


def _measured(
    engine: sa.Engine, base: str, visitor: Visitor, asked: argparse.Namespace, watch: Watch
) -> Mapping[str, Took]:
    browser, found = requests.Session(), {}
    browser.cookies.set(*visitor.cookie)
    inside = Client(create_app(Settings(log_level="error", secret_key=(KEY,), public_url=PUBLIC_URL), engine=engine))
    inside.set_cookie(*visitor.cookie)
    for page in (FLOOR, *(one for one in pages(engine, visitor) if asked.only in one.name)):
        address = _deep(browser, base, page.address) if page.deep else page.address
        found[page.name] = _took(browser, inside, base, address, asked.times, watch)
    return found


def _deep(browser: requests.Session, base: str, address: str) -> str:
    """So many pages on, or the last there is."""
    for _ in range(STEPS):
        further = next_of(browser.get(base + address).text, address)
        if further is None:
            return address
        address = further
    return address


def _took(browser: requests.Session, inside: Client, base: str, address: str, times: int, watch: Watch) -> Took:
    for _ in range(WARM):
        _begun(browser, base + address)
    milliseconds = []
    watch.begin()
    for _ in range(times):
        began = time.perf_counter()
        status, size = _begun(browser, base + address)
        milliseconds.append((time.perf_counter() - began) * 1000)
    used = sum(watch.end().cores.values()) * sum(milliseconds) / times
    with counted() as sent, inside.get(address) as answer:
        next(answer.iter_encoded(), b"")
    return Took(milliseconds, status, size, sent[0], used)


def _begun(browser: requests.Session, url: str) -> tuple[int, int]:
    """A page, whole; of a file, which is as long as what there is, the first piece."""
    with browser.get(url, allow_redirects=False, stream=True) as answer:
        if "attachment" in answer.headers.get("Content-Disposition", ""):
            return answer.status_code, len(next(answer.iter_content(FIRST), b""))
        return answer.status_code, len(answer.content)


def _preview(engine: sa.Engine, base: str, visitor: Visitor) -> Previewed:
    named = "SELECT id FROM groups WHERE tenant_id = :tenant AND display_name = 'Everyone at the locks'"
    with reading(engine) as conn:
        group = str(conn.execute(sa.text(named), {"tenant": visitor.tenant_id}).scalar_one())
    return preview(engine, base, visitor, group, "idp")


def _print_pages(sizes: Sequence[int], found: Sequence[Mapping[str, Took]]) -> None:
    """The largest tenant's figures, beside the smallest one's statements and median."""
    small, large = found[0], found[-1]
    titles = [f"page, {sizes[-1]:,} people", "p50 ms", "p95 ms", "CPU ms", "statements", "bytes"]
    print(f"| {' | '.join([*titles, f'÷ p50 at {sizes[0]:,}', f'p95 <= {AIM:g} ms'])} |")
    print("|---|---:|---:|---:|---:|---:|---:|---|")
    for name, took in large.items():
        other = small[name]
        statements = f"{took.statements}" + (f" ({other.statements})" if other.statements != took.statements else "")
        shown = name + ("" if took.status == 200 else f" ({took.status})")
        cells = [f"`{shown}`", f"{took.median:.0f}", f"{took.p95:.0f}", f"{took.cpu:.0f}", statements, f"{took.size:,}"]
        print(f"| {' | '.join(cells)} | {took.median / other.median:.2f} | {'yes' if took.p95 <= AIM else '**no**'} |")
    print(flush=True)


def _print_previews(found: Sequence[Previewed]) -> None:
    print("| preview of a group of | ready s | progress seen | saved s | run complete s | ready <= 2 s |")
    print("|---:|---:|---|---:|---:|---|")
    for one in found:
        seen = ", ".join(f"{number:,}" for number in sorted(set(one.seen))) or "none"
        reached = "yes" if one.ready <= PREVIEW_AIM else "**no**"
        print(f"| {one.people:,} | {one.ready:.1f} | {seen} | {one.saved:.1f} | {one.complete:.1f} | {reached} |")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description="Measure the console's pages beside the floor.")
    parser.add_argument("--sizes", default="20000,100000", help="People of each tenant, multiples of 5,000.")
    parser.add_argument("--times", type=int, default=60, help="How often each page is asked for.")
    parser.add_argument("--only", default="", help="Only pages whose rule holds this; no preview.")
    parser.add_argument("--seeded", action="store_true", help="The database of DATABASE_URL is filled already.")
    return parser.parse_args()


if __name__ == "__main__":
    main()
