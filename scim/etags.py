"""Entity tags (RFC 7644 §3.14): `W/"7"` is version 7 of a resource.

Weak, because a projection changes the bytes of an answer and not the version.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


def etag(version: int) -> str:
    return f'W/"{version}"'


@dataclass(frozen=True, slots=True)
class Condition:
    """The versions that If-Match or If-None-Match names; tags that we never gave out name none."""

    any: bool
    versions: frozenset[int]

    def met_by(self, version: int) -> bool:
        return self.any or version in self.versions


def condition(header: str | None) -> Condition | None:
    """The condition in a header's value; None when there is no header. A bare number is taken for its tag."""
    if header is None or not header.strip():
        return None
    text = header.strip()
    tags = _TAG.findall(text) or [text]
    return Condition(
        text == "*", frozenset(int(tag) for tag in tags if tag.isascii() and tag.isdigit() and len(tag) < 19)
    )
