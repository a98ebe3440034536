"""How moments, numbers and differences are said on a page: filters of the templates, and `changes()`."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from flask import Blueprint

SOON: Final = timedelta(seconds=45)
# from how long on; the unit's length and its name
STEPS: Final = (
    (timedelta(days=365), timedelta(days=365), "year"),
    (timedelta(days=45), timedelta(days=30), "month"),
    (timedelta(days=1), timedelta(days=1), "day"),
    (timedelta(minutes=60), timedelta(hours=1), "hour"),
    (SOON, timedelta(minutes=1), "minute"),
)
# kinds of sources, as a rule names them
OWNERS: Final = {"hris": "the HR system", "idp": "the identity provider", "crm": "the CRM", "login": "the sign-in"}
_OWNER: Final = re.compile(rf"\b(?:an? )?({'|'.join(OWNERS)})\b")
MOST: Final = 1_000  # counts are read no further


@dataclass(frozen=True, slots=True)
class Change:
    """One value of a before and after. `kind` is added, removed, changed or same."""

    name: str
    before: Any
    after: Any
    kind: str


def ago(at: datetime, now: datetime | None = None) -> str:
    """How long ago, or how soon: "3 minutes ago", "in 2 days"."""
    gone = (now or datetime.now(UTC)) - at
    length = abs(gone)
    if length < SOON:
        return "just now" if gone >= timedelta(0) else "in a moment"
    unit, name = next((unit, name) for start, unit, name in STEPS if length >= start)
    number = max(1, round(length / unit))
    text = f"{number} {name}{'' if number == 1 else 's'}"
    return f"{text} ago" if gone >= timedelta(0) else f"in {text}"


def exact(at: datetime) -> str:
    """The moment itself: "30 Nov 2026, 05:32:28 UTC"."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M:%S} UTC"


def iso(at: datetime) -> str:
    """The moment as machines read it, for `<time datetime>`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def many(number: int, thing: str) -> str:
    """A number of things: "1 record", "1,204 records"."""
    return f"{number:,} {thing}{'' if number == 1 else 's'}"


def counted(number: int, most: int = MOST) -> str:
    """A count with separators, capped: one more than `most` is said as "1,000+"."""
    return f"{most:,}+" if number > most else f"{number:,}"


def owners(rule: str) -> str:
    """Why a value counts, or lost, with the kinds of sources in words: "the identity provider comes after …"."""
    return _OWNER.sub(lambda found: OWNERS[found[1]], rule)


def as_json(value: Any) -> str:
    """A value of the audit or of a document, to be read by people."""
    return json.dumps(value, ensure_ascii=False, default=str)


def changes(before: Any, after: Any) -> list[Change]:
    """What differs, by name; names that did not change come last. Mappings within are compared by dotted names."""
    old, new = _flat(before), _flat(after)
    found = [Change(name, old.get(name), new.get(name), _kind(name, old, new)) for name in sorted(old | new)]
    return sorted(found, key=lambda change: change.kind == "same")


def add(blueprint: Blueprint) -> None:
    """Give them to the templates."""
    for phrase in (ago, exact, iso, counted, many, owners, as_json):
        blueprint.add_app_template_filter(phrase)
    blueprint.add_app_template_global(changes, "changes")


def _kind(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> str:
    if name not in old:
        return "added"
    if name not in new:
        return "removed"
    return "same" if old[name] == new[name] else "changed"


def _flat(value: Any, prefix: str = "") -> dict[str, Any]:
    if not isinstance(value, Mapping):
        return {} if value is None and not prefix else {prefix or "value": value}
    return {
        name: found for key, part in value.items() for name, found in _flat(part, f"{prefix}.{key}".strip(".")).items()
    }
