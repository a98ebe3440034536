"""Connections that are being set up in the console: what was entered so far, under the id that each will have.

begin ─▶ say … ─▶ made (the connection is there now; which guide it was set up by stays known)

A set-up trusts nobody and signs nobody in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.store import connections
from app.store.driver import Statement
from app.store.engine import dumps
from app.store.tenants import NAME, NameTakenError

MOST: Final = 100  # of one tenant that are not made yet


@dataclass(frozen=True, slots=True)
class Setup:
    """A set-up. `said` holds what is known of the provider; `made_at` is None until the connection is there."""

    tenant_id: str
    tenant_name: str
    connection_id: str
    name: str
    title: str
    kind: str
    vendor: str
    said: Mapping[str, Any] = field(repr=False)
    created_by: str
    created_at: datetime
    updated_at: datetime
    made_at: datetime | None


def begin(conn: sa.Connection, tenant_id: str, name: str, title: str, kind: str, vendor: str, actor: str) -> str:
    """A new set-up; the id that its connection will have.

    Raises:
        ValueError: `name` is none, or too many wait.
        NameTakenError: the tenant has a connection, a source or a set-up of that name.
    """
    if not NAME.fullmatch(name):
        raise ValueError("a name is of small letters, digits and hyphens, and begins with a letter or digit")
    if len(waiting(conn, tenant_id)) >= MOST:
        raise ValueError(f"{MOST} set-ups wait already: finish or discard one first")
    id = connections.new_id()
    values = {
        "tenant": tenant_id,
        "id": id,
        "name": name,
        "title": title,
        "kind": kind,
        "vendor": vendor,
        "actor": actor,
    }
    if _BEGIN.row(conn, values) is None:
        raise NameTakenError(f"{name} is taken by a connection, a source or another set-up")
    return id


def find(conn: sa.Connection, tenant_id: str, connection_id: str) -> Setup | None:
    """The tenant's set-up of the connection, made or not."""
    return _setup(_FIND.row(conn, {"tenant": tenant_id, "id": connection_id}))


def anybodys(conn: sa.Connection, connection_id: str) -> Setup | None:
    """Whosever it is, while it is not made: our metadata's address names it before the tenant is known."""
    return _setup(_ANYBODYS.row(conn, {"id": connection_id}))


def waiting(conn: sa.Connection, tenant_id: str) -> Sequence[Setup]:
    """The tenant's set-ups that are not made yet, the newest first."""
    return [Setup(**row._asdict()) for row in _WAITING.rows(conn, {"tenant": tenant_id, "most": MOST})]


def say(conn: sa.Connection, tenant_id: str, connection_id: str, said: Mapping[str, Any]) -> None:
    """What is known of the provider now. Secrets are not said before the connection is made."""
    _SAY.rows(conn, {"tenant": tenant_id, "id": connection_id, "said": dumps(dict(said))})


def adopt(conn: sa.Connection, stored: connections.Stored, vendor: str, actor: str) -> None:
    """A connection that was made elsewhere has one from now on, made."""
    values = {
        "tenant": stored.tenant_id,
        "id": stored.id,
        "name": stored.name,
        "title": stored.title,
        "kind": stored.kind,
        "vendor": vendor,
        "actor": actor,
    }
    _ADOPT.rows(conn, values)


def made(conn: sa.Connection, tenant_id: str, connection_id: str) -> None:
    """The connection is there: only the guide is remembered."""
    _MADE.rows(conn, {"tenant": tenant_id, "id": connection_id})


def discard(conn: sa.Connection, tenant_id: str, connection_id: str) -> bool:
    """Forget it, made or not; whether it was there."""
    return _DISCARD.row(conn, {"tenant": tenant_id, "id": connection_id}) is not None


def _setup(row: Any) -> Setup | None:
    return None if row is None else Setup(**row._asdict())


_SELECT: Final = """
    SELECT u.tenant_id, n.name AS tenant_name, u.connection_id, u.name, u.title, u.kind, u.vendor, u.said,
        u.created_by, u.created_at, u.updated_at, u.made_at
    FROM connection_setups u JOIN tenants n ON n.id = u.tenant_id
"""
_THIS: Final = "tenant_id = CAST(%(tenant)s AS uuid) AND connection_id = CAST(%(id)s AS uuid)"
_FIND: Final = Statement(
    f"{_SELECT} WHERE u.tenant_id = CAST(%(tenant)s AS uuid) AND u.connection_id = CAST(%(id)s AS uuid)"
)
_ANYBODYS: Final = Statement(f"{_SELECT} WHERE u.connection_id = CAST(%(id)s AS uuid) AND u.made_at IS NULL")
_WAITING: Final = Statement(f"""
    {_SELECT} WHERE u.tenant_id = CAST(%(tenant)s AS uuid) AND u.made_at IS NULL
        AND NOT EXISTS (SELECT FROM connections c WHERE c.tenant_id = u.tenant_id AND c.id = u.connection_id)
    ORDER BY u.created_at DESC, u.connection_id LIMIT CAST(%(most)s AS int)
""")
_BEGIN: Final = Statement("""
    INSERT INTO connection_setups (tenant_id, connection_id, name, title, kind, vendor, created_by)
    SELECT CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(name)s AS text), CAST(%(title)s AS text),
        CAST(%(kind)s AS text), CAST(%(vendor)s AS text), CAST(%(actor)s AS text)
    WHERE NOT EXISTS (SELECT FROM sources WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND name = CAST(%(name)s AS text))
    ON CONFLICT DO NOTHING RETURNING 1
""")
_SAY: Final = Statement(f"""
    UPDATE connection_setups SET said = CAST(%(said)s AS jsonb), updated_at = now()
    WHERE {_THIS}
""")
_ADOPT: Final = Statement("""
    INSERT INTO connection_setups (tenant_id, connection_id, name, title, kind, vendor, created_by, made_at)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(name)s AS text), CAST(%(title)s AS text),
        CAST(%(kind)s AS text), CAST(%(vendor)s AS text), CAST(%(actor)s AS text), now())
    ON CONFLICT DO NOTHING
""")
_MADE: Final = Statement(f"""
    UPDATE connection_setups SET said = '{{}}', made_at = now(), updated_at = now() WHERE {_THIS}
""")
_DISCARD: Final = Statement(f"DELETE FROM connection_setups WHERE {_THIS} RETURNING 1")
