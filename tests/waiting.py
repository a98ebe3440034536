"""Waiting for what comes soon: who was just admitted is remembered for a second."""

from __future__ import annotations

import time
from collections.abc import Callable


def soon(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    """Whether it becomes true; asked again and again until then, so that a slow machine fails nothing."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True
