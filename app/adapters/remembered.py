"""What was found good a moment ago, so that who asks many times a second costs one look a second.

Only what is good is kept: whoever shows rubbish fills nothing. What is kept is never older than its seconds, counted
from before it was read, and never outlives its own end. The key holds all that the answer depends on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Hashable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

MOST: Final = 10_000


class _Kept(NamedTuple, Generic[V]):
    value: V
    until: float  # of the steady clock
    ends: float | None  # of the calendar's clock


class Remembered(Generic[K, V]):
    """Values by key for `seconds`, at most `most` of them.

    They lie in two halves: when the young one is full or too old it becomes the old one, and what was old is forgotten.
    So nothing has to be searched for what is over. `steady` and `calendar` are clocks, both in seconds.
    """

    def __init__(
        self,
        seconds: float,
        most: int = MOST,
        *,
        steady: Callable[[], float] = time.monotonic,
        calendar: Callable[[], float] = time.time,
    ) -> None:
        self._seconds, self._half = seconds, max(1, most // 2)
        self.steady, self._calendar = steady, calendar
        self._young: dict[K, _Kept[V]] = {}
        self._old: dict[K, _Kept[V]] = {}
        self._turns = 0.0

    def __len__(self) -> int:
        return len(self._young) + len(self._old)

    def get(self, key: K) -> V | None:
        """What is remembered under the key and still counts."""
        kept = self._young.get(key) or self._old.get(key)
        if kept is None or kept.until <= self.steady():
            return None
        return kept.value if kept.ends is None or kept.ends > self._calendar() else None

    def put(self, key: K, value: V, read_at: float, ends: float | None = None) -> None:
        """Remember what was read at `read_at` (of `steady`, taken before the reading). `ends` is in epoch seconds."""
        if self._seconds <= 0:
            return
        if len(self._young) >= self._half or read_at >= self._turns:
            self._old, self._young = self._young, {}
            self._turns = read_at + self._seconds
        self._young[key] = _Kept(value, read_at + self._seconds, ends)
