"""Logins to tell stories with: what a sign-in says, what SCIM says, and what is kept."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from app.identity.writes import Outcome, RecordWrite, Spoken
from app.logins import Login
from app.provisioning import new_id, provision
from app.store import tables as t
from app.store.engine import writing
from app.store.tenants import SourceRow, Tenant, create_source, raise_revision


def sign_in(engine: sa.Engine, tenant: Tenant, name: str, **settings: Any) -> SourceRow:
    with writing(engine) as conn:
        return create_source(
            conn, tenant.id, name, kind="login", system="saml", employee_namespace=None, settings=settings
        )


def said_by(
    source: SourceRow,
    name: str,
    *,
    subject: str | None = None,
    email: str | None = None,
    vouched: bool = True,
    groups: tuple[str, ...] | None = None,
    number: str | None = None,
    **values: Any,
) -> Login:
    said = {"userName": name, "emails.work": email, "employeeNumber": number, "displayName": values.get("shown")}
    told = {attribute: value for attribute, value in said.items() if value is not None}
    return Login(source.id, subject or f"subject of {name}", name, Spoken(True, told, vouched=vouched), told, groups)


def scim(
    source: SourceRow, name: str = "ada", *, id: str | None = None, active: bool = True, **said: Any
) -> RecordWrite:
    told = {"userName": name, **said}
    return RecordWrite(source.id, Spoken(active, told), {**told, "active": active}, record_id=id, user_name=name)


def one(engine: sa.Engine, tenant: Tenant, write: Any) -> Outcome:
    [outcome] = provision(engine, tenant.id, [write], actor="test")
    return outcome


def rows(engine: sa.Engine, table: sa.Table, *where: Any) -> list[Any]:
    with engine.connect() as conn:
        return list(conn.execute(sa.select(table).where(*where).order_by(list(table.primary_key)[-1])))


def everything(engine: sa.Engine) -> dict[str, list[Any]]:
    kept = (
        t.records,
        t.accounts,
        t.groups,
        t.members,
        t.identifiers,
        t.grants,
        t.events,
        t.audit,
        t.ledger,
        t.duplicates,
    )
    return {table.name: [tuple(map(str, row)) for row in rows(engine, table)] for table in kept}


def mapped(engine: sa.Engine, tenant: Tenant, source: SourceRow, name: str, group: str | None = None) -> None:
    with writing(engine) as conn:
        conn.execute(
            sa.insert(t.mappings).values(
                tenant_id=tenant.id,
                id=new_id(),
                kind="group",
                source_id=source.id,
                group_id=group,
                group_name=name,
                role="instructor",
            )
        )
        raise_revision(conn, tenant.id)


def id_of(engine: sa.Engine, name: str) -> str:
    [row] = rows(engine, t.groups, t.groups.c.display_name == name)
    return str(row.id)
