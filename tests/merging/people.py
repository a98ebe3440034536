"""People of whom nobody knows yet whether they are one: written as their sources write them."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.identity.model import Account, ManagerRef
from app.identity.writes import ByHand, Outcome, RecordWrite, Spoken
from app.provisioning import provision
from app.store import people
from app.store.engine import reading
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


def by_hand(engine: sa.Engine, tenant_id: str, id: str, **said: Any) -> None:
    """What a person decides: values, given roles, suspended."""
    if "given" in said:
        said["given"] = frozenset((role, "tenant") for role in said["given"])
    provision(engine, tenant_id, [ByHand(id, **said)], actor="test")


def rows(engine: sa.Engine, table: sa.Table, *where: Any) -> list[Any]:
    with reading(engine) as conn:
        return list(conn.execute(sa.select(table).where(*where)))
