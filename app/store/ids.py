"""Ids that carry their time: a UUIDv7 begins with the millisecond in which it was made."""

from __future__ import annotations

from datetime import datetime


def lowest_id(at: datetime) -> str:
    """The lowest UUIDv7 of this millisecond: all that was made earlier stands below it."""
    digits = f"{max(0, int(at.timestamp() * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:12]}-0000-0000-000000000000"
