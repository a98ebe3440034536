"""Why one account is as it is: read it and its records, and let the core explain them.

explanation(…)   each attribute, the status and each role, with what gave it
page(…)          the same with all that stands around the account: groups, managers, sessions, doubts
steps(page)      the way from the sources to the account, step by step
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app.identity.explain import Explanation, explain
from app.identity.lifecycle import standing
from app.identity.model import Rules
from app.identity.walkthrough import Matched, Step, standing_still, walkthrough
from app.store import finding, people
from app.store import rules as rulebook
from app.store.person import Membership, Person, person


@dataclass(frozen=True, slots=True)
class PersonPage:
    """An account with why it is so, under the rules of that moment."""

    person: Person
    explained: Explanation
    rules: Rules


def explanation(conn: sa.Connection, tenant_id: str, account_id: str) -> Explanation:
    """The explanation of an account of the tenant.

    Raises:
        KeyError: the tenant has no such account.
    """
    rules = rulebook.current(conn, tenant_id)
    account = people.accounts(conn, tenant_id, [account_id], lock=False)[account_id]
    records = [kept.record for kept in people.records_of(conn, tenant_id, [account_id])]
    groups = finding.mapped_groups(conn, tenant_id)
    return explain(account, records, rules, standing(records, account.suspended, rules), groups)


def page(conn: sa.Connection, tenant_id: str, account_id: str) -> PersonPage:
    """All about one account, in seven statements while the rules do not change.

    Raises:
        KeyError: the tenant has no such account.
    """
    rules = rulebook.current(conn, tenant_id)
    found = person(conn, tenant_id, account_id)
    records = [kept.record for kept in found.records]
    names = {one.group_id: one.name for one in found.groups}
    reasons = standing(records, found.account.suspended, rules)
    return PersonPage(found, explain(found.account, records, rules, reasons, names), rules)


def steps(shown: PersonPage) -> tuple[Step, ...]:
    """The way to the account as it stands."""
    found, rules = shown.person, shown.rules
    matched = [
        Matched(kept.record.id, rules.sources[kept.record.source_id].name, found.matched.get(kept.record.id, "link"))
        for kept in found.records
        if kept.record.source_id in rules.sources
    ]
    last = standing_still(shown.explained)
    return walkthrough(found.records, matched, group_names(found.groups), shown.explained, rules, last)


def group_names(groups: Sequence[Membership]) -> dict[str, list[str]]:
    """The names of each record's groups, each once."""
    named: dict[str, dict[str, str]] = {}
    for one in groups:
        named.setdefault(one.record_id, {})[one.group_id] = one.name
    return {record: sorted(of.values()) for record, of in named.items()}
