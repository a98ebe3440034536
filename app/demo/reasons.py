"""Why one account is as it is, as lines for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import sqlalchemy as sa

from app.identity.explain import AttributeReason, Explanation, explain
from app.identity.lifecycle import standing
from app.store import finding, people
from app.store import rules as rulebook
from app.store.engine import reading

# What is worth a line in the story; `account explain` shows all of them.
TOLD: Final = ("displayName", "title", "department", "manager")


def explanation(engine: sa.Engine, tenant_id: str, account_id: str) -> Explanation:
    """The same explanation that `account explain` gives."""
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
        account = people.accounts(conn, tenant_id, [account_id], lock=False)[account_id]
        records = [kept.record for kept in people.records_of(conn, tenant_id, [account_id])]
        groups = finding.mapped_groups(conn, tenant_id)
    return explain(account, records, rules, standing(records, account.suspended, rules), groups)


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
