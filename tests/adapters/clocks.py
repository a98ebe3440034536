"""Both clocks of what is remembered, moved by hand."""

from __future__ import annotations

import time


class Clocks:
    """`passed`: seconds since the test began."""

    def __init__(self) -> None:
        self.passed = 0.0
        self._began = time.time()

    def steady(self) -> float:
        return self.passed

    def calendar(self) -> float:
        return self._began + self.passed
