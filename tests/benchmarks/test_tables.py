"""What the benchmark says of what it measured."""

from __future__ import annotations

from benchmarks import tables
from benchmarks.load import Measured
from benchmarks.paging import Page
from benchmarks.roads import ROADS, Sample, encode
from benchmarks.tables import Road
from benchmarks.watching import Used


def road(name: str, rate: float, peers: float | None = None, p50: float = 2.0, failed: int = 0) -> Road:
    ours = Measured(rate, p50, 9.0, 100, failed)
    peer = None if peers is None else Measured(peers, 1.0, 5.0, 100, 0)
    return Road(name, ours, Measured(1000.0, 1.0, 2.0, 100, 0), peer, Used({"client": 0.25, "server": 1.5}))


def test_a_row_shows_ours_beside_the_floor_and_the_peer() -> None:
    cells = [cell.strip() for cell in tables.row(road("GET", 500.0, 250.0, failed=3)).strip("|").split("|")]
    assert cells == ["GET (3 failed)", "500", "2.0", "9.0", "1,000", "0.500", "250", "1.0", "client 0.25, server 1.50"]


def test_whether_any_operation_is_slower_than_the_peer() -> None:
    faster, slower, alone = road("GET", 500.0, 250.0), road("POST", 200.0, 250.0), road("floor", 1.0)
    assert tables.verdict([faster, alone])[0] == "No operation slower than the peer: yes."
    assert tables.verdict([faster, slower])[0] == "No operation slower than the peer: no: POST."
    assert tables.verdict([alone])[0] == "The peer was not asked at this size."


def test_medians_stand_beside_the_smallest_tenants() -> None:
    lines = tables.beside_the_smallest({1000: [road("GET", 1, p50=2.0)], 1_000_000: [road("GET", 1, p50=3.0)]})
    assert lines[0] == "| p50 ms by users | 1,000 | 1,000,000 | 1,000,000 ÷ 1,000 |"
    assert lines[2] == "| GET | 2.0 | 3.0 | 1.50 |"
    assert tables.beside_the_smallest({1000: []}) == []


def test_pages_that_nobody_walked_to_are_named_so() -> None:
    lines = tables.paging(1000, [Page(1, 2.0, 2.1), Page(501, 9.0, None)])
    assert lines[-2:] == ["| 1 | 2.0 | 2.1 |", "| 501 | 9.0 | not walked so far |"]


def test_every_road_asks_at_the_base_of_its_sample() -> None:
    sample = Sample("t", 2, ["u1", "u2"], ["a", "b"], ["n"], ["g"], "large", base="/v2")
    for name, made in ROADS.items():
        request = next(made(sample))
        assert request.path.startswith("/v2/") or request.path in ("/floor", "/healthz"), name
        assert b"\r\n\r\n" in encode(request, sample.token)
