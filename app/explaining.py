"""Why one account is as it is: read it and its records, and let the core explain them."""

from __future__ import annotations

import sqlalchemy as sa

from app.identity.explain import Explanation, explain
from app.identity.lifecycle import standing
from app.store import finding, people
from app.store import rules as rulebook


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
