"""When two accounts may not become one, or one not two, whatever a person says; and when more must be said."""

from __future__ import annotations

from collections.abc import Sequence

from app.identity.merging import MOST_RECORDS, MOST_REPORTS
from app.identity.model import Account, Rules
from app.identity.roles import administers, would_administer
from app.identity.writes import RefusedError


class NotMergedError(RefusedError):
    """The accounts cannot be merged or split like this; nothing was changed.

    `code` is same, size, reports, affiliations, administrator, last_administrator, records or side; the message says
    what is wrong and what to do, without personal data.
    """

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def same() -> NotMergedError:
    """The two are one account already, perhaps by an alias."""
    return NotMergedError("same", "These are one account already: one id is the other's, or an alias of it.")


def too_large(records: int, reports: int) -> NotMergedError | None:
    """More records or more reports than one transaction takes."""
    if records > MOST_RECORDS:
        return NotMergedError(
            "size", f"Together they have {records} records, and more than {MOST_RECORDS} are no one person's."
        )
    if reports > MOST_REPORTS:
        return NotMergedError(
            "reports",
            f"{reports} people are led by the account that would go, and {MOST_REPORTS} can be moved at once: "
            "keep that account instead.",
        )
    return None


def mixed(affiliations: frozenset[str], allowed: bool) -> NotMergedError | None:
    """One account would be employee and customer, and the tenant keeps these apart."""
    if len(affiliations) < 2 or allowed:
        return None
    return NotMergedError(
        "affiliations",
        "One is an employee and the other a customer, and this tenant gives such a person two accounts. "
        "To have one instead: rollcall tenant set … both_affiliations true.",
    )


def unsaid(accounts: Sequence[Account], rules: Rules) -> NotMergedError | None:
    """One of these holds an administrator role, or would as soon as it is active: that is to be said."""
    if not any(would_administer(account, rules) for account in accounts):
        return None
    return NotMergedError(
        "administrator", "An administrator role is concerned: be sure who it is, and say that it is meant."
    )


def loses_administration(before: Sequence[Account], after: Sequence[Account], rules: Rules) -> bool:
    """Whether there was an administrator among these accounts, and there is none any more."""
    return any(administers(one, rules) for one in before) and not any(administers(one, rules) for one in after)


def last_administrator() -> NotMergedError:
    """The tenant would be left without an administrator."""
    return NotMergedError(
        "last_administrator", "The tenant would have no administrator left: give somebody else the role first."
    )
