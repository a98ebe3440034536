"""Connections as they are stored: an identity provider's sign-in settings, with the source that its records belong to.

    connections ──source_id──▶ sources (kind login; its settings say arrival and the paired SCIM source)

What the settings mean is `sso.connections`; `app.adapters.connections` reads them. Each change raises `version`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.identity.model import SourceKind
from app.store import tenants
from app.store.driver import Statement
from app.store.sign_in_tables import connections as t
from app.store.tables import sources
from app.store.tenants import NAME, NameTakenError, NotFoundError, raise_revision
from app.store.vault import Vault

CHANGEABLE: Final = frozenset(
    {"title", "enabled", "settings", "claims", "secret", "domains", "metadata_url"}
    | {"metadata_certificate", "refreshed_at", "refresh_at", "refresh_failure"}
)
_RETIRED_SUFFIX: Final = 8  # characters of its id


@dataclass(frozen=True, slots=True)
class NewConnection:
    """What an administrator says. `settings` and `claims` are plain JSON that was checked; `secret` is sealed."""

    tenant_id: str
    name: str
    title: str
    kind: str
    settings: Mapping[str, Any]
    claims: Mapping[str, Any] = field(default_factory=dict)
    secret: bytes | None = field(default=None, repr=False)
    domains: Sequence[str] = ()
    arrival: str = "link"
    paired_source_id: str | None = None
    affiliation: str = "employee"
    employee_namespace: str | None = None  # None: that of the paired source, if it has one
    enabled: bool = True
    id: str | None = None  # None: a new one
    metadata_url: str | None = None
    metadata_certificate: str | None = None
    refresh_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stored:
    """A connection's row with its tenant's name and its source's state and settings."""

    tenant_id: str
    tenant_name: str
    id: str
    name: str
    title: str
    kind: str
    source_id: str
    source_state: str
    source_settings: Mapping[str, Any]
    enabled: bool
    settings: Mapping[str, Any]
    claims: Mapping[str, Any]
    secret: bytes | None = field(repr=False)
    domains: Sequence[str]
    version: int
    metadata_url: str | None
    metadata_certificate: str | None
    refreshed_at: datetime | None
    refresh_at: datetime | None
    refresh_failure: str | None
    created_at: datetime
    updated_at: datetime


def new_id() -> str:
    """An id for a connection that is to come: its addresses are known by it."""
    return str(uuid_utils.uuid7())


def create(conn: sa.Connection, new: NewConnection) -> str:
    """A connection with its source, of the same name; returns its id.

    Raises:
        ValueError: `name` is none.
        NameTakenError: the tenant has a connection or a source of that name, or somebody has one of that id.
    """
    settings = {"arrival": new.arrival, "paired_source_id": new.paired_source_id}
    try:
        source = tenants.create_source(
            conn,
            new.tenant_id,
            new.name,
            kind=SourceKind.LOGIN,
            system=new.kind,
            affiliation=new.affiliation,
            employee_namespace=new.employee_namespace,
            settings=settings,
        )
    except NameTakenError:
        hint = f"choose another name, such as {new.name[:57]}-login"
        raise NameTakenError(
            f"the tenant has a source {new.name} already, and a connection is one too: {hint}"
        ) from None
    id = new.id or new_id()
    if conn.execute(sa.select(t.c.id).where(t.c.id == id)).one_or_none() is not None:
        raise NameTakenError(f"there is a connection of the id {id} already")
    conn.execute(
        sa.insert(t).values(
            tenant_id=new.tenant_id,
            id=id,
            name=new.name,
            title=new.title,
            kind=new.kind,
            source_id=source.id,
            enabled=new.enabled,
            settings=dict(new.settings),
            claims=dict(new.claims),
            secret=new.secret,
            domains=list(new.domains),
            metadata_url=new.metadata_url,
            metadata_certificate=new.metadata_certificate,
            refresh_at=new.refresh_at,
        )
    )
    return id


def find(conn: sa.Connection, id: str) -> Stored | None:
    """The connection of that id, whosever it is: an answer's address names it before the tenant is known."""
    return _stored(_BY_ID.row(conn, {"id": id}))


def named(conn: sa.Connection, tenant_id: str, name: str) -> Stored:
    """The tenant's connection called `name`.

    Raises:
        NotFoundError: it has none.
    """
    found = _stored(_BY_NAME.row(conn, {"tenant": tenant_id, "name": name}))
    if found is None:
        raise NotFoundError(f"the tenant has no connection {name}")
    return found


def listing(conn: sa.Connection, tenant_id: str) -> list[Stored]:
    """The tenant's connections by name, those that are switched off too."""
    return [Stored(**row._asdict()) for row in _OF_TENANT.rows(conn, {"tenant": tenant_id})]


def change(conn: sa.Connection, tenant_id: str, id: str, **values: Any) -> int:
    """Set columns of `CHANGEABLE`; returns the new version.

    Raises:
        NotFoundError: the tenant has no such connection.
    """
    unknown = values.keys() - CHANGEABLE
    if unknown:
        raise TypeError(f"a connection's {', '.join(sorted(unknown))} cannot be changed")
    this = sa.update(t).where(t.c.tenant_id == tenant_id, t.c.id == id)
    counted = this.values(**values, version=t.c.version + 1, updated_at=sa.func.now()).returning(t.c.version)
    version = conn.execute(counted).scalar_one_or_none()
    if version is None:
        raise NotFoundError("the tenant has no such connection")
    return int(version)


def change_arrival(conn: sa.Connection, tenant_id: str, id: str, arrival: str, paired_source_id: str | None) -> None:
    """Say what becomes of somebody whom nobody provisioned, and whose userNames the connection's people have.

    Raises:
        NotFoundError: the tenant has no such connection.
    """
    change(conn, tenant_id, id)
    said = sources.c.settings.op("||")(
        sa.literal({"arrival": arrival, "paired_source_id": paired_source_id}, sources.c.settings.type)
    )
    conn.execute(sa.update(sources).where(*_its_source(tenant_id, id)).values(settings=said))
    raise_revision(conn, tenant_id)


def remove(conn: sa.Connection, tenant_id: str, id: str) -> None:
    """It is gone; its source is retired, and gives its name up: a successor shall not take its people for its own.

    Raises:
        NotFoundError: the tenant has no such connection.
    """
    row = conn.execute(
        sa.select(sources.c.id, sources.c.name).where(*_its_source(tenant_id, id)).with_for_update()
    ).one_or_none()
    if row is None:
        raise NotFoundError("the tenant has no such connection")
    name = f"{row.name[: 63 - len('-retired-') - _RETIRED_SUFFIX]}-retired-{row.id[-_RETIRED_SUFFIX:]}"
    assert NAME.fullmatch(name)
    this = (sources.c.tenant_id == tenant_id, sources.c.id == row.id)
    conn.execute(sa.update(sources).where(*this).values(state="retired", name=name))
    conn.execute(sa.delete(t).where(t.c.tenant_id == tenant_id, t.c.id == id))
    raise_revision(conn, tenant_id)


def claim_due(conn: sa.Connection, now: datetime, until: datetime, limit: int) -> list[Stored]:
    """Connections whose metadata is to be read again; nobody else takes them before `until`."""
    rows = conn.execute(_CLAIM_DUE, {"now": now, "until": until, "limit": limit}).scalars().all()
    return [found for found in (find(conn, str(id)) for id in rows) if found is not None]


def ask_refresh(conn: sa.Connection, id: str, floor_seconds: int) -> bool:
    """Have its metadata read at once; not when somebody asked or looked less than `floor_seconds` ago."""
    return _ASK_REFRESH.row(conn, {"id": id, "floor": floor_seconds}) is not None


def note_refresh(
    conn: sa.Connection, tenant_id: str, id: str, looked: datetime, again: datetime, failure: str | None
) -> None:
    """How the last look at its metadata went, and when the next one is due. It is no change of the connection."""
    this = sa.update(t).where(t.c.tenant_id == tenant_id, t.c.id == id)
    conn.execute(this.values(refreshed_at=looked, refresh_at=again, refresh_failure=failure and failure[:500]))


def reseal(conn: sa.Connection, vault: Vault) -> int:
    """Encrypt all client secrets with the vault's first key; how many."""
    rows = conn.execute(
        sa.select(t.c.tenant_id, t.c.id, t.c.secret).where(t.c.secret.is_not(None)).with_for_update()
    ).all()
    for row in rows:
        this = sa.update(t).where(t.c.tenant_id == row.tenant_id, t.c.id == row.id)
        conn.execute(this.values(secret=vault.seal(vault.open(row.secret))))
    return len(rows)


def _its_source(tenant_id: str, id: str) -> tuple[sa.ColumnElement[bool], ...]:
    its = sa.select(t.c.source_id).where(t.c.tenant_id == tenant_id, t.c.id == id).scalar_subquery()
    return sources.c.tenant_id == tenant_id, sources.c.id == its


def _stored(row: Any) -> Stored | None:
    return None if row is None else Stored(**row._asdict())


_SELECT: Final = """
    SELECT c.tenant_id, n.name AS tenant_name, c.id, c.name, c.title, c.kind, c.source_id, s.state AS source_state,
        s.settings AS source_settings, c.enabled, c.settings, c.claims, c.secret, c.domains, c.version, c.metadata_url,
        c.metadata_certificate, c.refreshed_at, c.refresh_at, c.refresh_failure, c.created_at, c.updated_at
    FROM connections c JOIN tenants n ON n.id = c.tenant_id
    JOIN sources s ON s.tenant_id = c.tenant_id AND s.id = c.source_id
"""
_BY_ID: Final = Statement(f"{_SELECT} WHERE c.id = CAST(%(id)s AS uuid)")
_BY_NAME: Final = Statement(f"{_SELECT} WHERE c.tenant_id = CAST(%(tenant)s AS uuid) AND c.name = %(name)s")
_OF_TENANT: Final = Statement(f"{_SELECT} WHERE c.tenant_id = CAST(%(tenant)s AS uuid) ORDER BY c.name")
_CLAIM_DUE: Final = sa.text("""
    UPDATE connections c SET refresh_at = :until FROM (
        SELECT tenant_id, id FROM connections WHERE refresh_at <= :now AND metadata_url IS NOT NULL
        ORDER BY refresh_at LIMIT :limit FOR UPDATE SKIP LOCKED
    ) due WHERE c.tenant_id = due.tenant_id AND c.id = due.id RETURNING c.id
""")
_ASK_REFRESH: Final = Statement("""
    UPDATE connections SET refresh_at = clock_timestamp(), refreshed_at = clock_timestamp()
    WHERE id = CAST(%(id)s AS uuid) AND metadata_url IS NOT NULL AND (refreshed_at IS NULL
        OR refreshed_at < clock_timestamp() - make_interval(secs => CAST(%(floor)s AS int)))
    RETURNING id
""")
