"""What the audit keeps of one SCIM request: the entries about its accounts, by whom and when.

The log names the accounts, the source and the moment; an entry stands under its account with the same actor, and with
the time at which the request was under way.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store import tables as t

MOST: Final = 100


def entries(
    conn: sa.Connection, tenant_id: str, actor: str, accounts: Sequence[str], began: datetime, ended: datetime
) -> Sequence[Any]:
    """Rows of number, at, action, subject, facts, personal: what `actor` did to these accounts in that time."""
    a = t.audit.c
    chosen = sa.select(a.number, a.at, a.action, a.subject, a.facts, a.personal).where(
        a.tenant_id == tenant_id, a.subject.in_(list(accounts)), a.at >= began, a.at <= ended, a.actor == actor
    )
    return conn.execute(chosen.order_by(a.number).limit(MOST)).all()


def people(conn: sa.Connection, tenant_id: str, accounts: Sequence[str]) -> Mapping[str, str]:
    """How these accounts are called, by id."""
    said = t.accounts.c.attributes
    name = sa.func.coalesce(said["displayName"].astext, said["userName"].astext, t.accounts.c.name)
    rows = conn.execute(
        sa.select(t.accounts.c.id, name.label("name")).where(
            t.accounts.c.tenant_id == tenant_id, t.accounts.c.id.in_(list(accounts))
        )
    )
    return {str(row.id): row.name for row in rows}


def account_of(conn: sa.Connection, tenant_id: str, record_id: str) -> str | None:
    """The account that a record of this id belongs to."""
    r = t.records.c
    found = conn.execute(
        sa.select(r.account_id).where(r.tenant_id == tenant_id, r.id == record_id)
    ).scalar_one_or_none()
    return None if found is None else str(found)


def account_named(conn: sa.Connection, tenant_id: str, source_id: str, user_name: str) -> str | None:
    """The account of the source's living record with this folded userName."""
    r = t.records.c
    mine = (r.tenant_id == tenant_id, r.source_id == source_id, r.user_name == user_name, r.deleted_at.is_(None))
    found = conn.execute(sa.select(r.account_id).where(*mine)).scalar_one_or_none()
    return None if found is None else str(found)
