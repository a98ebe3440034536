"""Why one account is as it is, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.identity.explain import AttributeReason, Explanation

# What is worth a line in the story; `account explain` shows all of them.
TOLD: Final = ("displayName", "title", "department", "manager")


def lines(found: Explanation, called: Mapping[str, str]) -> Iterator[str]:
    """The explanation in sentences; `called` leads account ids to names."""
    yield f"status {found.status}"
    yield from (f"  {reason}" for reason in found.status_reasons)
    for attribute in found.attributes:
        if attribute.name in TOLD:
            yield from _attribute(attribute, found, called)
    for role in found.roles:
        yield f"role {role.role}: {role.why}"


def _attribute(attribute: AttributeReason, found: Explanation, called: Mapping[str, str]) -> Iterator[str]:
    value: Any = attribute.value
    if attribute.name == "manager":
        value = called.get(found.manager_id or "", found.manager_id)
    yield f"{attribute.name} = {value}, from {attribute.source} ({attribute.rule})"
    for lost in attribute.lost:
        yield f"  {lost.source} says {lost.value}: {lost.why}"
