"""What a page costs the further on it is: by `startIndex`, which counts its way there, and by cursor (RFC 9865).

One connection asks, one page after the other. A cursor is known only to whoever has the page before, so its pages are
walked from the first one on.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from statistics import median
from typing import Any, Final
from urllib.parse import quote

from benchmarks.roads import PAGE, Sample

DEPTHS: Final = (0.0, 0.1, 0.25, 0.5, 0.75, 0.99)
TIMES: Final = 20


@dataclass(frozen=True, slots=True)
class Page:
    """The median of some pages at this place, in milliseconds; None by cursor where nobody walked so far."""

    start_index: int
    by_index: float
    by_cursor: float | None


class _Client:
    """One connection that is kept."""

    def __init__(self, port: int, sample: Sample) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._base, self._headers = sample.base, {"Authorization": f"Bearer {sample.token}"}

    def get(self, path: str) -> tuple[float, bytes]:
        """How long it took in milliseconds, and the body."""
        began = time.perf_counter()
        self._connection.request("GET", self._base + path, headers=self._headers)
        answer = self._connection.getresponse()
        body = answer.read()
        took = 1000 * (time.perf_counter() - began)
        if answer.status != 200:
            raise RuntimeError(f"{path}: {answer.status} {body[:300]!r}")
        return took, body

    def close(self) -> None:
        self._connection.close()


def pages(port: int, sample: Sample, walk_seconds: float) -> list[Page]:
    """Pages at increasing depth. Walking by cursor ends after so many seconds, wherever it is."""
    client = _Client(port, sample)
    try:
        places = sorted({1 + int(depth * sample.total) // PAGE * PAGE for depth in DEPTHS})
        walked = list(_walk(client, walk_seconds)) if _has_cursors(client) else []
        return [Page(place, _by_index(client, place), _around(walked, place)) for place in places]
    finally:
        client.close()


def _has_cursors(client: _Client) -> bool:
    config: dict[str, Any] = json.loads(client.get("/ServiceProviderConfig")[1])
    return bool(config.get("pagination", {}).get("cursor"))


def _by_index(client: _Client, start_index: int) -> float:
    return median(client.get(f"/Users?count={PAGE}&startIndex={start_index}")[0] for _ in range(TIMES))


def _walk(client: _Client, seconds: float) -> Iterator[float]:
    """What each page took, from the first one on."""
    end, cursor = time.monotonic() + seconds, ""
    while cursor is not None and time.monotonic() < end:
        took, body = client.get(f"/Users?count={PAGE}&cursor={quote(cursor)}")
        yield took
        cursor = json.loads(body).get("nextCursor")


def _around(walked: list[float], start_index: int) -> float | None:
    """The median of the pages walked around that place."""
    number = start_index // PAGE
    near = list(takewhile(lambda place: place < len(walked), range(max(0, number - TIMES // 2), number + TIMES)))
    return median(walked[place] for place in near) if number < len(walked) else None
