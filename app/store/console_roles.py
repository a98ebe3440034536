"""Which roles of the learning platform open the console, and how far."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import sqlalchemy as sa

from app.identity.console_roles import ConsoleRole
from app.store import tables as t

MOST: Final = 200


@dataclass(frozen=True, slots=True)
class RoleRow:
    """A role; `console` is what whoever holds it may do here, None: nothing."""

    name: str
    description: str
    console: ConsoleRole | None


def listing(conn: sa.Connection, tenant_id: str) -> list[RoleRow]:
    """The tenant's roles, the highest first."""
    c = t.roles.c
    chosen = sa.select(c.name, c.description, c.console).where(c.tenant_id == tenant_id)
    rows = conn.execute(chosen.order_by(c.rank.desc(), c.name).limit(MOST))
    return [RoleRow(row.name, row.description, row.console) for row in rows]


def open_to(conn: sa.Connection, tenant_id: str, name: str, console: ConsoleRole | None) -> tuple[str | None] | None:
    """What the role could do before, in a tuple; None when the tenant has no such role."""
    c = t.roles.c
    this = (c.tenant_id == tenant_id, c.name == name)
    before = conn.execute(sa.select(c.console).where(*this).with_for_update()).one_or_none()
    if before is None:
        return None
    conn.execute(sa.update(t.roles).where(*this).values(console=console))
    return (before.console,)
