"""Text as it is compared: without case, width or surrounding space."""

from __future__ import annotations

import unicodedata
from typing import Any


def fold(text: str) -> str:
    """Compatibility caseless form: spellings that people take for one are equal; ``fold(fold(x)) == fold(x)``."""
    if text.isascii():
        return text.lower().strip()
    # Case folding can undo a normalisation and the other way round: Unicode (D146) asks for both, twice.
    for _ in range(2):
        text = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    return text.strip()


def spelled(value: Any) -> str | None:
    """A text or whole number as text, without surrounding space; None for all else and for nothing."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return None
    return str(value).strip() or None


def words(value: Any) -> frozenset[str]:
    """The folded forms under which a rule can meet a value: one for a scalar, one an element of a list."""
    if isinstance(value, (list, tuple, set, frozenset)):
        return frozenset().union(*(words(element) for element in value))
    if isinstance(value, bool):
        return frozenset({"true" if value else "false"})
    if isinstance(value, (str, int, float)):
        return frozenset({fold(str(value))} - {""})
    return frozenset()
