"""Traces as they may be kept: no token, no address of a person, no long texts, no character that a page chokes on."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final

from app.adapters import masking

LONGEST: Final = 1_500  # characters: a list of attribute names is long
MOST_STEPS: Final = 30
_ADDRESS: Final = re.compile(r"([^\s@'\"<>,;:()]{1,64})@((?:[\w-]+\.)+[\w-]+)")


def steps(found: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """The steps of a trace, each text masked and cut."""
    return [
        {name: text(value) if isinstance(value, str) else value for name, value in step.items()}
        for step in found[:MOST_STEPS]
    ]


def text(found: str) -> str:
    """``ada@acme.example`` becomes ``a…@acme.example``: a colleague can still tell which of two it was."""
    shown = _ADDRESS.sub(lambda each: f"{each.group(1)[0]}…@{each.group(2)}", found[: LONGEST * 2])
    return masking.text("".join(sign if sign.isprintable() else " " for sign in shown), LONGEST)
