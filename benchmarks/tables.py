"""What was measured, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.load import Measured
from benchmarks.paging import Page
from benchmarks.watching import MIB, Used


@dataclass(frozen=True, slots=True)
class Road:
    """One road in one tenant: ours, the floor just before, the peer just after; and who used the processor for ours."""

    name: str
    ours: Measured
    floor: Measured
    peer: Measured | None
    used: Used

    @property
    def slower_than_the_peer(self) -> bool:
        return self.peer is not None and self.ours.rate < self.peer.rate


def head(users: int, newcomers: int) -> list[str]:
    return [
        f"{users:,} users (and {newcomers:,} newcomers for the groups)",
        "",
        "| road | rate /s | p50 ms | p99 ms | floor /s | of the floor | peer /s | peer p50 ms | cores busy |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---|",
    ]


def row(road: Road) -> str:
    ours, peer = road.ours, road.peer
    cells = [
        road.name + _failed("", ours) + ("" if peer is None else _failed("peer: ", peer)),
        f"{ours.rate:,.0f}",
        f"{ours.p50:.1f}",
        f"{ours.p99:.1f}",
        f"{road.floor.rate:,.0f}",
        f"{ours.rate / road.floor.rate:.3f}",
        "" if peer is None else f"{peer.rate:,.0f}",
        "" if peer is None else f"{peer.p50:.1f}",
        str(road.used),
    ]
    return f"| {' | '.join(cells)} |"


def verdict(roads: Sequence[Road]) -> list[str]:
    """Whether any operation is slower than the peer's."""
    if all(road.peer is None for road in roads):
        return ["The peer was not asked at this size.", ""]
    slower = [road.name for road in roads if road.slower_than_the_peer]
    return [f"No operation slower than the peer: {'no: ' + ', '.join(slower) if slower else 'yes'}.", ""]


def beside_the_smallest(measured: Mapping[int, Sequence[Road]]) -> list[str]:
    """The median of each road in each tenant, and what it is to the smallest one's."""
    sizes = sorted(measured)
    if len(sizes) < 2:
        return []
    medians = {size: {road.name: road.ours.p50 for road in measured[size]} for size in sizes}
    titles = [f"{size:,}" for size in sizes] + [f"{size:,} ÷ {sizes[0]:,}" for size in sizes[1:]]
    lines = [f"p50 ms by users | {' | '.join(titles)}", "---|" + "|".join("---:" for _ in titles)]
    for name in medians[sizes[0]]:
        base = medians[sizes[0]][name]
        cells = [f"{medians[size][name]:.1f}" for size in sizes]
        cells += [f"{medians[size][name] / base:.2f}" for size in sizes[1:]]
        lines.append(f"{name} | {' | '.join(cells)}")
    return [f"| {line} |" if "---" not in line else f"|{line}|" for line in lines]


def paging(users: int, pages: Sequence[Page]) -> list[str]:
    """What a page of 100 costs the further on it is."""
    lines = [
        f"A page of 100 among {users:,} users, one connection",
        "",
        "| startIndex | by index, p50 ms | by cursor, p50 ms |",
        "|---:|---:|---:|",
    ]
    for page in pages:
        cursor = "not walked so far" if page.by_cursor is None else f"{page.by_cursor:.1f}"
        lines.append(f"| {page.start_index:,} | {page.by_index:.1f} | {cursor} |")
    return lines


def mebibytes(size: int) -> str:
    return f"{size / MIB:.0f} MiB resident"


def _failed(whose: str, measured: Measured) -> str:
    return f" ({whose}{measured.failed} failed)" if measured.failed else ""
