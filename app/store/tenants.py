"""Tenants, their sources, their mail domains. Whatever changes a tenant's rules raises its revision."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import psycopg
import sqlalchemy as sa
import uuid_utils
from sqlalchemy.dialects.postgresql import insert

from app.identity.model import Affiliation, SourceKind
from app.store import tables

NAME: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
DOMAIN: Final = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z][a-z0-9-]{0,61}[a-z0-9]")

# What a new tenant's LMS knows, by rank; the highest wins where only one role can be held.
DEFAULT_ROLES: Final = (
    {"name": "learner", "rank": 10, "administrator": False, "console": None, "description": "Takes courses."},
    {"name": "instructor", "rank": 50, "administrator": False, "console": None, "description": "Teaches and grades."},
    {
        "name": "manager",
        "rank": 60,
        "administrator": False,
        "console": None,
        "description": "Sees the progress of a team.",
    },
    {
        "name": "admin",
        "rank": 100,
        "administrator": True,
        "console": "admin",
        "description": "Runs the learning platform.",
    },
)


class NameTakenError(ValueError):
    """Something of that name exists already."""


class NotFoundError(LookupError):
    """There is nothing of that name."""


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer of the learning platform. `revision` counts the changes of its rules."""

    id: str
    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    revision: int = 1


@dataclass(frozen=True, slots=True)
class SourceRow:
    """A source as it is stored; `state` is active, paused or retired."""

    id: str
    tenant_id: str
    name: str
    kind: str
    system: str
    affiliation: str
    employee_namespace: str | None
    state: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def create(conn: sa.Connection, name: str) -> Tenant:
    """A tenant with its ledger row and the default roles.

    Raises:
        ValueError: `name` is not lower-case letters, digits and inner hyphens, at most 63.
        NameTakenError: there is one of that name.
    """
    tenant = Tenant(_new_id(), _checked(name))
    with _unique(conn, f"there is a tenant {name} already"):
        conn.execute(sa.insert(tables.tenants).values(id=tenant.id, name=name))
    conn.execute(sa.insert(tables.ledger).values(tenant_id=tenant.id))
    conn.execute(sa.insert(tables.roles), [{"tenant_id": tenant.id, **role} for role in DEFAULT_ROLES])
    return tenant


def listing(conn: sa.Connection) -> list[Tenant]:
    """All tenants by name."""
    return [Tenant(**row) for row in conn.execute(_TENANT.order_by(tables.tenants.c.name)).mappings()]


def find(conn: sa.Connection, name: str) -> Tenant:
    """The tenant called `name`.

    Raises:
        NotFoundError: there is none.
    """
    row = conn.execute(_TENANT.where(tables.tenants.c.name == name)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"there is no tenant {name}")
    return Tenant(**row)


def raise_revision(conn: sa.Connection, tenant_id: str) -> int:
    """Marks that the tenant's rules changed; locks its row until COMMIT. Returns the new revision."""
    change = sa.update(tables.tenants).where(tables.tenants.c.id == tenant_id)
    counted = change.values(revision=tables.tenants.c.revision + 1).returning(tables.tenants.c.revision)
    return int(conn.execute(counted).scalar_one())


def create_source(
    conn: sa.Connection,
    tenant_id: str,
    name: str,
    *,
    kind: str,
    system: str,
    affiliation: str = Affiliation.EMPLOYEE,
    employee_namespace: str | None = "default",
    settings: Mapping[str, Any] | None = None,
) -> SourceRow:
    """A source of the tenant: `kind` idp, hris, crm or login; `system` the vendor's product, as okta or workday.

    Raises:
        ValueError: a name, the kind or the affiliation is not one that can be.
        NameTakenError: the tenant has a source of that name.
    """
    source = SourceRow(
        id=_new_id(),
        tenant_id=tenant_id,
        name=_checked(name),
        kind=SourceKind(kind).value,
        system=_checked(system),
        affiliation=Affiliation(affiliation).value,
        employee_namespace=employee_namespace,
        state="active",
        settings=dict(settings or {}),
    )
    values = {column.name: getattr(source, column.name) for column in _SOURCE_COLUMNS}
    with _unique(conn, f"the tenant has a source {name} already"):
        conn.execute(sa.insert(tables.sources).values(**values))
    raise_revision(conn, tenant_id)
    return source


def sources(conn: sa.Connection, tenant_id: str) -> list[SourceRow]:
    """The tenant's sources by name."""
    rows = conn.execute(_SOURCE.where(tables.sources.c.tenant_id == tenant_id).order_by(tables.sources.c.name))
    return [SourceRow(**row) for row in rows.mappings()]


def find_source(conn: sa.Connection, tenant_id: str, name: str) -> SourceRow:
    """The tenant's source called `name`.

    Raises:
        NotFoundError: there is none.
    """
    where = (tables.sources.c.tenant_id == tenant_id, tables.sources.c.name == name)
    row = conn.execute(_SOURCE.where(*where)).mappings().one_or_none()
    if row is None:
        raise NotFoundError(f"the tenant has no source {name}")
    return SourceRow(**row)


def source_by_id(conn: sa.Connection, tenant_id: str, source_id: str) -> SourceRow:
    """The tenant's source of that id.

    Raises:
        NotFoundError: there is none.
    """
    where = (tables.sources.c.tenant_id == tenant_id, sa.cast(tables.sources.c.id, sa.Text) == source_id)
    row = conn.execute(_SOURCE.where(*where)).mappings().one_or_none()
    if row is None:
        raise NotFoundError("the tenant has no such source")
    return SourceRow(**row)


def checked_id(text: str) -> str:
    """An id as it is written.

    Raises:
        ValueError: it is none.
    """
    return str(UUID(text))


def turn_source(conn: sa.Connection, tenant_id: str, source_id: str, state: str) -> bool:
    """Pause a source or let it go on: `state` is paused or active. False: it was so, or is retired."""
    where = (tables.sources.c.tenant_id == tenant_id, tables.sources.c.id == source_id)
    turned = sa.update(tables.sources).where(*where, tables.sources.c.state.not_in([state, "retired"]))
    if conn.execute(turned.values(state=state)).rowcount == 0:
        return False
    raise_revision(conn, tenant_id)
    return True


def free_domain(conn: sa.Connection, tenant_id: str, domain: str) -> str | None:
    """Assign the domain to nobody any more; returns the id of the source that had it."""
    where = (tables.domains.c.tenant_id == tenant_id, tables.domains.c.domain == domain)
    had = conn.execute(sa.delete(tables.domains).where(*where).returning(tables.domains.c.source_id))
    source_id = had.scalar_one_or_none()
    if source_id is not None:
        raise_revision(conn, tenant_id)
    return source_id


def assign_domain(conn: sa.Connection, tenant_id: str, domain: str, source_id: str) -> None:
    """Lets one source alone vouch for addresses in `domain`; it may take the domain from another.

    Raises:
        ValueError: `domain` is no domain name.
    """
    folded = domain_name(domain)
    if not DOMAIN.fullmatch(folded):
        raise ValueError(f"{domain!r} is not a domain name")
    assigned = insert(tables.domains).values(tenant_id=tenant_id, domain=folded, source_id=source_id)
    keys = [tables.domains.c.tenant_id, tables.domains.c.domain]
    conn.execute(assigned.on_conflict_do_update(index_elements=keys, set_={"source_id": source_id}))
    raise_revision(conn, tenant_id)


def domain_name(text: str) -> str:
    """A domain as it is kept."""
    return text.strip().rstrip(".").casefold()


def domains(conn: sa.Connection, tenant_id: str) -> dict[str, str]:
    """The assigned mail domains and the source that each belongs to, by id."""
    chosen = sa.select(tables.domains.c.domain, tables.domains.c.source_id)
    rows = conn.execute(chosen.where(tables.domains.c.tenant_id == tenant_id).order_by(tables.domains.c.domain))
    return {row.domain: row.source_id for row in rows}


def _new_id() -> str:
    return str(uuid_utils.uuid7())


def _checked(name: str) -> str:
    if not NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name: lower-case letters, digits and inner hyphens, at most 63")
    return name


@contextmanager
def _unique(conn: sa.Connection, message: str) -> Iterator[None]:
    """Turns a unique violation into `NameTakenError` and keeps the transaction usable."""
    try:
        with conn.begin_nested():
            yield
    except sa.exc.IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.UniqueViolation):
            raise
        raise NameTakenError(message) from error


_TENANT: Final = sa.select(
    tables.tenants.c.id, tables.tenants.c.name, tables.tenants.c.settings, tables.tenants.c.revision
)
_SOURCE_COLUMNS: Final = tuple(column for column in tables.sources.c if column.name != "created_at")
_SOURCE: Final = sa.select(*_SOURCE_COLUMNS)
