"""People of whom nobody knows yet whether they are one: written as their sources write them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB

from app.identity.model import Account, ManagerRef
from app.identity.writes import Outcome, RecordWrite, Spoken
from app.provisioning import provision
from app.store import people
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.tenants import SourceRow


def scim(source: SourceRow, name: str, *, id: str | None = None, active: bool = True, **values: Any) -> RecordWrite:
    """A SCIM User; its userName is no address."""
    said = {"userName": name, **values}
    return RecordWrite(source.id, Spoken(active, said), {"said": said}, record_id=id, user_name=name)


def hris(
    source: SourceRow, number: str, *, active: bool = True, manager: str | None = None, **values: Any
) -> RecordWrite:
    """A record of HR, with its employee number."""
    named = None if manager is None else (ManagerRef(((f"employee:{source.employee_namespace}", manager.lower()),)),)
    said = {"employeeNumber": number, **values}
    return RecordWrite(source.id, Spoken(active, said, named), {"said": said, "by": manager}, source_key=number)


def write(engine: sa.Engine, source: SourceRow, said: RecordWrite) -> Outcome:
    [outcome] = provision(engine, source.tenant_id, [said], actor="test")
    return outcome


def account(engine: sa.Engine, tenant_id: str, id: str) -> Account | None:
    """As it is stored."""
    with reading(engine) as conn:
        return people.accounts(conn, tenant_id, [id], lock=False).get(id)


def by_hand(engine: sa.Engine, id: str, **columns: Any) -> None:
    """Set columns of an account that no source sets."""
    with writing(engine) as conn:
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id == id).values(**columns))


def give_by_hand(engine: sa.Engine, tenant_id: str, id: str, role: str) -> None:
    """A role by hand, as the next derivation keeps it."""
    grant = [{"role": role, "scope": "tenant", "rule": "hand", "effective": True}]
    with writing(engine) as conn:
        added = t.accounts.c.grants.op("||")(sa.bindparam("grant", grant, JSONB))
        conn.execute(sa.update(t.accounts).where(t.accounts.c.id == id).values(grants=added))
        conn.execute(
            sa.insert(t.grants).values(
                tenant_id=tenant_id,
                account_id=id,
                role=role,
                scope="tenant",
                rule="hand",
                effective=True,
                since=sa.func.now(),
            )
        )


def rows(engine: sa.Engine, table: sa.Table, *where: Any) -> list[Any]:
    with reading(engine) as conn:
        return list(conn.execute(sa.select(table).where(*where)))
