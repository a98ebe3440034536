"""HR records to import, and looks at what became of them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import raise_revision


def hired(number: int, **changes: Any) -> dict[str, Any]:
    """The record of an active person."""
    return {
        "id": f"p-{number}",
        "employeeNumber": f"{1000 + number}",
        "status": "active",
        "email": f"p{number}@example.com",
        "givenName": "Person",
        "familyName": f"{number:04}",
        "title": "Trainer",
        **changes,
    }


def left(number: int) -> dict[str, Any]:
    """The same person, who has left."""
    return hired(number, status="terminated")


def statuses(engine: sa.Engine) -> dict[str, str]:
    """Employee number -> status."""
    with reading(engine) as conn:
        rows = conn.execute(sa.select(t.accounts.c.attributes, t.accounts.c.status))
        return {row.attributes["employeeNumber"]: row.status for row in rows}


def count(engine: sa.Engine, table: sa.Table) -> int:
    with reading(engine) as conn:
        return int(conn.execute(sa.select(sa.func.count()).select_from(table)).scalar_one())


def change(engine: sa.Engine, table: sa.Table, **values: Any) -> None:
    """Set columns of all rows of the table."""
    with writing(engine) as conn:
        conn.execute(sa.update(table).values(**values))


def map_title(engine: sa.Engine, tenant_id: str, value: str, role: str) -> None:
    """A mapping of the job title."""
    with writing(engine) as conn:
        conn.execute(
            sa.insert(t.mappings).values(
                tenant_id=tenant_id,
                id=sa.func.gen_random_uuid(),
                kind="attribute",
                attribute="title",
                value=value,
                role=role,
            )
        )
        raise_revision(conn, tenant_id)
