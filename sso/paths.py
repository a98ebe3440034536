"""Paths of ours that a person may be sent to: never an address, whatever a browser would make of it."""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 20_000  # characters: an authorization request comes back so
# Browsers take `\` for `/` and drop tabs and line ends (WHATWG URL §4.4), so that more than `//` leads elsewhere.
_LOCAL: Final = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def is_local(path: str) -> bool:
    """Whether it is a path of this host, as ASCII without blanks and backslashes."""
    if len(path) > LONGEST or not _LOCAL.fullmatch(path):
        return False
    plain = re.split(r"[?#]", path, maxsplit=1)[0].lower()
    return not any(part in (".", "..") for part in re.sub("%2e", ".", plain).split("/"))
