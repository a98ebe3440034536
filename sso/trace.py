"""The trace of one attempt: each check by name, with what it found, for the administrator who is asked about it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

from sso.assertion import Assertion
from sso.errors import SignInError

MOST_NAMES: Final = 60  # of attributes that are listed
LONGEST_NAME: Final = 80


@dataclass(slots=True)
class Trace:
    """Steps in the order in which they were taken; whoever keeps them masks personal data."""

    steps: list[dict[str, Any]] = field(default_factory=list)

    def passed(self, check: str, detail: str = "") -> None:
        """A check that went well."""
        self.steps.append({"check": check, "ok": True, "detail": detail})

    def failed(self, error: SignInError, remedy: str | None = None) -> None:
        """The check that did not, and what to change where."""
        step: dict[str, Any] = {"check": error.code, "ok": False, "detail": error.detail}
        self.steps.append(step | ({"remedy": remedy} if remedy else {}))


def received(assertion: Assertion) -> str:
    """Which attributes came, without a value, and which of the usual ones were found among them."""
    names = sorted(assertion.attributes)
    shown = [f"{name[:LONGEST_NAME]} ({len(assertion.attributes[name])})" for name in names[:MOST_NAMES]]
    more = [f"… {len(names) - MOST_NAMES} more"] if len(names) > MOST_NAMES else []
    found = {
        "user name": assertion.user_name,
        "e-mail": assertion.email,
        "given name": assertion.given_name,
        "family name": assertion.family_name,
        "display name": assertion.display_name,
        "employee number": assertion.employee_number,
    }
    lacking = [name for name, value in found.items() if value is None]
    groups = "no word of groups" if assertion.groups is None else f"{len(assertion.groups)} groups"
    trusted = (
        " (e-mail not vouched for: nobody is found by it)" if assertion.email and not assertion.email_trusted else ""
    )
    said = [f"attributes: {', '.join([*shown, *more]) or 'none'}", f"{groups}{trusted}"]
    return "; ".join(said + ([f"not found: {', '.join(lacking)}"] if lacking else []))
