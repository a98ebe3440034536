"""What sources are called on a page, and what they own."""

from __future__ import annotations

from typing import Final

from app.identity.model import Rules, Source

KINDS: Final = {
    "idp": "Identity provider",
    "hris": "HR system",
    "crm": "CRM",
    "login": "Sign-in",
}
STATES: Final = {
    "active": ("Active", "success"),
    "paused": ("Paused", "warning"),
    "retired": ("Retired", "neutral"),
}
AFFILIATIONS: Final = {"employee": "Employees", "customer": "Customers"}


def place(source: Source, owners: tuple[str, ...]) -> int | None:
    """Where the source stands among the owners, from 1; by its name or its kind."""
    places = [number for number, owner in enumerate(owners, start=1) if owner in (source.name, str(source.kind))]
    return places[0] if places else None


def owns_first(source: Source, rules: Rules) -> list[str]:
    """The attributes whose first owner the source is."""
    return [name for name, rule in sorted(rules.ownership.items()) if place(source, rule.owners[:1])]
