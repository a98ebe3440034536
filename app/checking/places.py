"""Reading an answer at a place: names with dots between them.

`emails[work].value` is taken of the element of that type, `members.value` of all elements (a set), `Resources#` is
their number, and `enterprise:department` stands inside that extension.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

ABSENT: Final = None
ENTERPRISE: Final = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
_STEP: Final = re.compile(r"([^\[\]#]+)(?:\[([^\]]+)\])?(#)?")


@dataclass(frozen=True, slots=True)
class Includes:
    """A set that must be among what stands there."""

    values: frozenset[str]


def at(body: Any, place: str) -> Any:
    """What stands there; None where nothing does, and for null and empty, which mean the same (RFC 7643 §2.5)."""
    extension, colon, rest = place.partition(":")
    if colon and extension == "enterprise":
        body, place = (body or {}).get(ENTERPRISE) if isinstance(body, dict) else None, rest
    for step in place.split("."):
        found = _STEP.fullmatch(step)
        assert found is not None, place
        body = _step(body, *found.groups())
    return None if body in ("", [], {}, frozenset()) else body


def same(found: Any, expected: Any) -> bool:
    """Equal, and of one type: 1 is not true, and "5" is not 5."""
    if isinstance(expected, Includes):
        return isinstance(found, frozenset) and found >= expected.values
    return type(found) is type(expected) and bool(found == expected)


def _step(value: Any, name: str, type_: str | None, number: str | None) -> Any:
    if isinstance(value, list):
        return frozenset(str(one.get(name)) for one in value if isinstance(one, dict))
    value = value.get(name) if isinstance(value, dict) else None
    if type_ is not None:
        listed = value if isinstance(value, list) else []
        value = next((one for one in listed if isinstance(one, dict) and one.get("type") == type_), None)
    if number:
        return len(value) if isinstance(value, list) else 0
    return value
