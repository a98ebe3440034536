"""Ids that carry their time: a UUIDv7 begins with the millisecond in which it was made."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa


def lowest_id(at: datetime) -> str:
    """The lowest UUIDv7 of this millisecond: all that was made earlier stands below it."""
    digits = f"{max(0, int(at.timestamp() * 1000)):012x}"
    return f"{digits[:8]}-{digits[8:12]}-0000-0000-000000000000"


def is_id(column: sa.ColumnElement[Any], text: str) -> sa.ColumnElement[bool]:
    """That the column is the id that the text writes, found by its index; never, where the text writes none."""
    try:
        return column == str(UUID(text))
    except ValueError:
        return sa.false()
