"""Administrators: who may come into a tenant's console without any identity provider, and as what.

    create ─▶ invited by a link ─▶ a password with a second factor, or a passkey ─▶ … ─▶ removed (the row stays)

One is found by e-mail address within the tenant; a removed one by nobody. Whoever is removed may be invited again, and
is another administrator then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

import psycopg
import sqlalchemy as sa
import uuid_utils

from app.identity.console_roles import ConsoleRole
from app.identity.folding import fold
from app.store import console_tables as t
from app.store.driver import Statement

NOBODY: Final = "00000000-0000-0000-0000-000000000000"


class EmailTakenError(ValueError):
    """The tenant has an administrator of that address."""


@dataclass(frozen=True, slots=True)
class Administrator:
    """One who was not removed. `password` is a hash, `totp` sealed, `totp_step` that of the last code."""

    id: str
    tenant_id: str
    tenant_name: str
    email: str
    name: str
    role: ConsoleRole
    password: str | None = field(repr=False)
    totp: bytes | None = field(repr=False)
    totp_step: int | None
    failures: int
    locked_until: datetime | None
    created_by: str
    created_at: datetime
    signed_in_at: datetime | None
    passkeys: int

    @property
    def by_password(self) -> bool:
        """Whether a password and a code let the person in."""
        return self.password is not None and self.totp is not None

    @property
    def has_way_back(self) -> bool:
        """Whether the person can come in again without a link."""
        return self.by_password or self.passkeys > 0


@dataclass(frozen=True, slots=True)
class Listed:
    """One in the list; `invited_until` is when the living invitation ends, if there is one."""

    id: str
    email: str
    name: str
    role: ConsoleRole
    by_password: bool
    passkeys: int
    locked_until: datetime | None
    created_by: str
    created_at: datetime
    signed_in_at: datetime | None
    invited_until: datetime | None


def create(conn: sa.Connection, tenant_id: str, email: str, name: str, role: ConsoleRole, created_by: str) -> str:
    """A new one, who cannot come in yet; returns the id.

    Raises:
        EmailTakenError: the tenant has one of that address.
    """
    id = str(uuid_utils.uuid7())
    row = {"tenant_id": tenant_id, "id": id, "email": fold(email), "name": name, "role": role, "created_by": created_by}
    try:
        with conn.begin_nested():
            conn.execute(sa.insert(_T).values(row))
    except sa.exc.IntegrityError as error:
        if not isinstance(error.orig, psycopg.errors.UniqueViolation):
            raise
        raise EmailTakenError("there is an administrator of that address already") from error
    return id


def find(conn: sa.Connection, tenant_id: str, id: str) -> Administrator | None:
    """The tenant's administrator of that id."""
    return _one(_FIND.row(conn, {"tenant": tenant_id, "id": id}))


def by_email(conn: sa.Connection, tenant_id: str, email: str) -> Administrator | None:
    """The tenant's administrator of that address, whatever its case. One statement, always."""
    return _one(_BY_EMAIL.row(conn, {"tenant": tenant_id, "email": fold(email)}))


def listing(conn: sa.Connection, tenant_id: str, after: str = "", limit: int = 50) -> list[Listed]:
    """Administrators by address, from beyond `after`."""
    rows = _LISTING.rows(conn, {"tenant": tenant_id, "after": fold(after), "limit": limit})
    return [Listed(**row._asdict()) for row in rows]


def hold(conn: sa.Connection, tenant_id: str, id: str) -> Administrator | None:
    """The administrator, whose row and those of all owners are locked in the order of their ids."""
    _HOLD.rows(conn, {"tenant": tenant_id, "id": id})
    return find(conn, tenant_id, id)


def other_owners(conn: sa.Connection, tenant_id: str, id: str) -> int:
    """How many owners there are besides who can come in again: whoever was only invited is none yet."""
    return int(_OTHER_OWNERS.value(conn, {"tenant": tenant_id, "id": id}))


def set_role(conn: sa.Connection, tenant_id: str, id: str, role: ConsoleRole) -> None:
    """From now on, in sessions that are under way too."""
    conn.execute(_change(tenant_id, id).values(role=role))


def remove(conn: sa.Connection, tenant_id: str, id: str) -> None:
    """Nobody finds the administrator from now on; what could let them in is deleted."""
    gone = {"removed_at": sa.func.now(), "password": None, "totp": None, "totp_step": None}
    conn.execute(_change(tenant_id, id).values(gone))


def set_password(conn: sa.Connection, tenant_id: str, id: str, hash: str | None) -> None:
    """`hash` from now on; None: no password lets the person in."""
    conn.execute(_change(tenant_id, id).values(password=hash, failures=0, locked_until=None))


def rehash(conn: sa.Connection, tenant_id: str, id: str, before: str, after: str) -> None:
    """The same password under other parameters, unless it was changed meanwhile."""
    conn.execute(_change(tenant_id, id).where(_T.c.password == before).values(password=after))


def set_totp(conn: sa.Connection, tenant_id: str, id: str, sealed: bytes | None, step: int | None) -> None:
    """A secret that was confirmed by the code of `step`, which is spent by that; None: no codes from now on."""
    conn.execute(_change(tenant_id, id).values(totp=sealed, totp_step=step))


def came_in(conn: sa.Connection, tenant_id: str, id: str, password: str, step: int) -> bool:
    """Whether this password and the code of this step let the person in now: the step is spent then, once."""
    values = {"tenant": tenant_id, "id": id, "password": password, "step": step}
    return _CAME_IN.value(conn, values) is not None


def came_by_passkey(conn: sa.Connection, tenant_id: str, id: str) -> bool:
    """Note it; False when the administrator was removed."""
    return _CAME_BY_PASSKEY.value(conn, {"tenant": tenant_id, "id": id}) is not None


def failed(conn: sa.Connection, tenant_id: str, id: str | None) -> None:
    """A wrong try for the administrator, who waits longer after each from the fifth on; None: for nobody known."""
    _FAILED.rows(conn, {"tenant": tenant_id, "id": id or NOBODY})


def _one(row: object) -> Administrator | None:
    return None if row is None else Administrator(**row._asdict())  # type: ignore[attr-defined]


def _change(tenant_id: str, id: str) -> sa.Update:
    return sa.update(_T).where(_T.c.tenant_id == tenant_id, _T.c.id == id, _T.c.removed_at.is_(None))


_T: Final = t.administrators
_THIS: Final = "a.tenant_id = CAST(%(tenant)s AS uuid) AND a.removed_at IS NULL"
_SELECT: Final = f"""
    SELECT a.id, a.tenant_id, n.name AS tenant_name, a.email, a.name, a.role, a.password, a.totp, a.totp_step,
        a.failures, a.locked_until, a.created_by, a.created_at, a.signed_in_at,
        (SELECT count(*) FROM passkeys p WHERE p.tenant_id = a.tenant_id AND p.administrator_id = a.id)::int AS passkeys
    FROM administrators a JOIN tenants n ON n.id = a.tenant_id WHERE {_THIS}
"""
_FIND: Final = Statement(f"{_SELECT} AND a.id = CAST(%(id)s AS uuid)")
_BY_EMAIL: Final = Statement(f"{_SELECT} AND a.email = CAST(%(email)s AS text)")
_LISTING: Final = Statement(f"""
    SELECT a.id, a.email, a.name, a.role, (a.password IS NOT NULL AND a.totp IS NOT NULL) AS by_password,
        (SELECT count(*) FROM passkeys p
            WHERE p.tenant_id = a.tenant_id AND p.administrator_id = a.id)::int AS passkeys,
        a.locked_until, a.created_by, a.created_at, a.signed_in_at,
        (SELECT max(l.expires_at) FROM console_links l WHERE l.tenant_id = a.tenant_id AND l.administrator_id = a.id
            AND l.opened_at IS NULL AND l.revoked_at IS NULL AND l.expires_at > now()) AS invited_until
    FROM administrators a WHERE {_THIS} AND a.email > CAST(%(after)s AS text) COLLATE "C"
    ORDER BY a.email LIMIT CAST(%(limit)s AS int)
""")
_HOLD: Final = Statement(f"""
    SELECT a.id FROM administrators a WHERE {_THIS} AND (a.role = 'owner' OR a.id = CAST(%(id)s AS uuid))
    ORDER BY a.id FOR UPDATE
""")
_OTHER_OWNERS: Final = Statement(f"""
    SELECT count(*) FROM administrators a WHERE {_THIS} AND a.role = 'owner' AND a.id <> CAST(%(id)s AS uuid)
        AND ((a.password IS NOT NULL AND a.totp IS NOT NULL) OR EXISTS (
            SELECT FROM passkeys p WHERE p.tenant_id = a.tenant_id AND p.administrator_id = a.id))
""")
_CAME_IN: Final = Statement("""
    UPDATE administrators SET totp_step = CAST(%(step)s AS bigint), failures = 0, locked_until = NULL,
        signed_in_at = now()
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid) AND removed_at IS NULL
        AND password = CAST(%(password)s AS text) AND (totp_step IS NULL OR totp_step < CAST(%(step)s AS bigint))
        AND (locked_until IS NULL OR locked_until <= now())
    RETURNING 1
""")
_CAME_BY_PASSKEY: Final = Statement("""
    UPDATE administrators SET signed_in_at = now()
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid) AND removed_at IS NULL RETURNING 1
""")
# The fifth failure costs a minute, each further one twice as much, a quarter of an hour at most. Tries in between count
# for nothing: whoever only wants to keep somebody out could else do so by hurrying.
_FAILED: Final = Statement("""
    UPDATE administrators SET failures = failures + 1,
        locked_until = CASE WHEN failures + 1 >= 5
            THEN now() + LEAST(interval '15 minutes', interval '30 seconds' * (1 << LEAST(failures - 4, 10)))
            ELSE locked_until END
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid) AND removed_at IS NULL
        AND (locked_until IS NULL OR locked_until <= now())
""")
