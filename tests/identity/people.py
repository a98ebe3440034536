"""A small tenant to tell stories with: two identity providers, HR, a CRM and a sign-in connection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.identity.attributes import default_ownership
from app.identity.model import (
    Account,
    Affiliation,
    Grant,
    ManagerRef,
    Record,
    Role,
    RoleMapping,
    Rules,
    Source,
    SourceKind,
    Status,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=1)

OKTA = Source("01-okta", "okta", SourceKind.IDP, "okta")
ENTRA = Source("02-entra", "entra", SourceKind.IDP, "entra")
WORKDAY = Source("03-workday", "workday", SourceKind.HRIS, "workday")
HUBSPOT = Source(
    "04-hubspot", "hubspot", SourceKind.CRM, "hubspot", affiliation=Affiliation.CUSTOMER, employee_namespace=None
)
LOGIN = Source("05-login", "okta sign-in", SourceKind.LOGIN, "saml", employee_namespace=None)

PAIRED = replace(LOGIN, paired_source_id=OKTA.id)

LEARNER = Role("learner", 1)
INSTRUCTOR = Role("instructor", 5)
ADMIN = Role("admin", 9, administrator=True)


def rules(*sources: Source, **changes: Any) -> Rules:
    """The tenant's rules with these sources in place of those of the same id."""
    known = {source.id: source for source in (OKTA, ENTRA, WORKDAY, HUBSPOT, LOGIN, *sources)}
    base = Rules(
        revision=1,
        sources=known,
        ownership=default_ownership(),
        roles={role.name: role for role in (LEARNER, INSTRUCTOR, ADMIN)},
    )
    return replace(base, **changes)


def record(source: Source, voice: Mapping[str, Any] | None = None, **changes: Any) -> Record:
    """An active record of the source; its id is the source's name unless `id` says otherwise."""
    base = Record(id=f"r-{source.name}", source_id=source.id, account_id=None, active=True, voice=voice or {})
    return replace(base, **changes)


def account(account_id: str = "anna", **changes: Any) -> Account:
    return replace(Account(account_id, Status.ACTIVE), **changes)


def gone(account_id: str, days: int) -> Account:
    """An account that turned inactive so many days ago."""
    return account(account_id, status=Status.INACTIVE, inactive_since=NOW - timedelta(days=days))


def mapping(mapping_id: str, kind: str, match: str, role: Role = LEARNER, **changes: Any) -> RoleMapping:
    return replace(RoleMapping(mapping_id, kind, match, role.name), **changes)


def grant(role: Role, rule: str = "hand", scope: str = "tenant", effective: bool = True) -> Grant:
    return Grant(role.name, scope, rule, effective)


def led_by(number: str, kind: str = "line", primary: bool = False) -> ManagerRef:
    return ManagerRef(keys=(("employee:default", number),), kind=kind, primary=primary)


def by_number(**accounts: str) -> dict[tuple[str, str], str]:
    """`found` for managers named by number: n7="boss"."""
    return {("employee:default", name.removeprefix("n")): account_id for name, account_id in accounts.items()}
