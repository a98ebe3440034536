"""How many SCIM requests a tenant may send in a second: a token bucket a tenant in each process, without a statement.

    rate a second ÷ web workers ──fills──▶ bucket (holds the whole rate of one second) ──a request──▶ one token less

The database is not asked: a bucket that all processes share would cost each request what the limit is there to save. So
the limit is the tenant's setting divided by the workers of this server. A client that keeps to one connection meets one
worker and gets that worker's share, after a burst of a whole second's rate.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

MOST_TENANTS: Final = 10_000  # who was not heard of for longest is forgotten, with a bucket that is full again by then

ROUNDING: Final = 1e-9


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled: float


class Pace:
    """The buckets of one process, which is one of `processes`. `clock` counts seconds."""

    def __init__(self, processes: int = 1, clock: Callable[[], float] = time.monotonic) -> None:
        self._processes = max(1, processes)
        self._clock = clock
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._lock = threading.Lock()

    def wait(self, tenant_id: str, rate: int, burst: int | None = None) -> int:
        """Takes a token: 0 when the request may go on, else whole seconds (at least 1) until the next one may.

        `rate` is the tenant's requests a second over all processes; 0: no limit. `burst` is what the bucket holds.
        """
        if rate <= 0:
            return 0
        mine = rate / self._processes
        now = self._clock()
        with self._lock:
            bucket = self._buckets.get(tenant_id)
            if bucket is None:
                bucket = self._buckets[tenant_id] = _Bucket(float(burst or rate), now)
                while len(self._buckets) > MOST_TENANTS:
                    self._buckets.popitem(last=False)
            self._buckets.move_to_end(tenant_id)
            bucket.tokens = min(float(burst or rate), bucket.tokens + (now - bucket.filled) * mine)
            bucket.filled = now
            if bucket.tokens >= 1 - ROUNDING:
                bucket.tokens -= 1
                return 0
            return max(1, math.ceil((1 - bucket.tokens) / mine))
