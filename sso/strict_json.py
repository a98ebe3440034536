"""JSON that others sent: one object, read as every parser would read it, or not at all."""

from __future__ import annotations

import json
from typing import Any


def read_object(data: bytes) -> dict[str, Any]:
    """The object that the bytes are.

    Raises:
        ValueError: no JSON object in UTF-8; a member twice (parsers differ in which they take); nested too deep; a
            number beyond reason; text that cannot be stored (NUL, half a character).
    """
    try:
        found = json.loads(data.decode("utf-8"), object_pairs_hook=_once, parse_constant=_no_number)
        json.dumps(found, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise ValueError("this is no JSON that can be read in one way only") from None
    if not isinstance(found, dict):
        raise ValueError("this is no JSON object")
    if b"\\u0000" in data:
        raise ValueError("this holds a NUL")
    return found


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a member stands twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON number")
