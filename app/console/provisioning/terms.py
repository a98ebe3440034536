"""How long a credential lives, and how long the one that it replaces: what forms offer, and what is said of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.console.rendering import field
from app.store.credentials import Listed

LONGEST_NAME: Final = 200
SOON: Final = timedelta(days=30)

LIVES: Final[Mapping[str, str]] = {
    "90": "In 90 days",
    "180": "In 180 days",
    "365": "In a year",
    "730": "In two years",
    "never": "Never",
}
OVERLAPS: Final[Mapping[str, str]] = {
    "0": "At once",
    "1": "In an hour",
    "24": "In a day",
    "168": "In a week",
    "720": "In 30 days",
    "2160": "In 90 days",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What a form of a new credential says. `errors` are messages by field; empty: all is well."""

    name: str
    lives: str
    overlap: timedelta
    errors: Mapping[str, str]

    def end(self, now: datetime) -> datetime | None:
        """When it ends."""
        return None if self.lives == "never" else now + timedelta(days=int(self.lives))


@dataclass(frozen=True, slots=True)
class State:
    """What is to be said of a credential's end: `tone` as badges have it."""

    text: str
    tone: str


def read(name: str | None = None) -> Terms:
    """The form's terms; `name` where the form asks for none."""
    said = field("name") if name is None else name
    lives, overlap = field("lives", "365"), field("overlap", "24")
    errors = {}
    if not said:
        errors["name"] = "Give it a name by which you will recognise it, such as Okta production."
    elif len(said) > LONGEST_NAME or not said.isprintable():
        errors["name"] = f"A name is one line of at most {LONGEST_NAME} characters."
    if lives not in LIVES:
        errors["lives"] = "Choose one of these."
    if overlap not in OVERLAPS:
        errors["overlap"] = "Choose one of these."
    hours = int(overlap) if overlap in OVERLAPS else 0
    return Terms(said, lives, timedelta(hours=hours), errors)


def state(one: Listed, now: datetime) -> State:
    """Whether it is valid, and for how long."""
    if one.revoked_at is not None:
        return State("Revoked", "neutral")
    if one.expires_at is None:
        return State("No end", "neutral")
    left = one.expires_at - now
    if left <= timedelta(0):
        return State("Expired", "danger")
    return State(f"Expires {_in(left)}", "warning" if left < SOON else "success")


def _in(left: timedelta) -> str:
    if left >= timedelta(days=2):
        return f"in {round(left / timedelta(days=1))} days"
    hours = max(1, round(left / timedelta(hours=1)))
    return f"in {hours} hour{'' if hours == 1 else 's'}"
