"""The keys of the installation as a SAML service provider, with their private parts sealed.

    made ──▶ published, decrypts ──signs_from──▶ signs ──a newer one signs──▶ published, decrypts ──retires_at──▶ gone

Identity providers read our metadata seldom: a new key is published long before it signs, and an old one decrypts long
after.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa
import uuid_utils

from app.store.driver import Statement
from app.store.sign_in_tables import saml_keys as t
from app.store.vault import Vault

LOCK: Final = 0x73616D6C  # "saml" in ASCII
_PUBLIC: Final = (t.c.id, t.c.certificate, t.c.signs_from, t.c.retires_at, t.c.created_at)
_CURRENT: Final = Statement(
    sa.select(t.c.id, t.c.certificate, t.c.private, t.c.signs_from)
    .where(sa.or_(t.c.retires_at.is_(None), t.c.retires_at > sa.func.now()))
    .order_by((t.c.signs_from <= sa.func.now()).desc(), t.c.signs_from.desc(), t.c.id.desc())
)


def current(conn: sa.Connection) -> list[Any]:
    """Rows of id, certificate, private (sealed), signs_from; the one that signs now comes first."""
    return _CURRENT.rows(conn, {})


def listing(conn: sa.Connection) -> list[Any]:
    """Rows of id, certificate, signs_from, retires_at, created_at; oldest first."""
    return list(conn.execute(sa.select(*_PUBLIC).order_by(t.c.signs_from, t.c.id)).all())


def hold(conn: sa.Connection) -> None:
    """Until COMMIT nobody else makes or replaces keys."""
    conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def add(conn: sa.Connection, certificate: str, private: str, signs_from: datetime, vault: Vault) -> str:
    """Keep a new key, PEM texts; returns its id."""
    id = str(uuid_utils.uuid7())
    conn.execute(
        sa.insert(t).values(id=id, certificate=certificate, private=vault.seal(private), signs_from=signs_from)
    )
    return id


def retire_others(conn: sa.Connection, id: str, at: datetime) -> None:
    """All keys but `id` are of use until `at`, or until their own end if that is sooner."""
    end = sa.func.least(t.c.retires_at, at)
    conn.execute(sa.update(t).where(t.c.id != id).values(retires_at=end))


def forget(conn: sa.Connection, now: datetime) -> None:
    """Delete the keys that are of no use any more."""
    conn.execute(sa.delete(t).where(t.c.retires_at <= now))


def reseal(conn: sa.Connection, vault: Vault) -> int:
    """Encrypt all private parts with the vault's first key; how many."""
    rows = conn.execute(sa.select(t.c.id, t.c.private).with_for_update()).all()
    for row in rows:
        conn.execute(sa.update(t).where(t.c.id == row.id).values(private=vault.seal(vault.open(row.private))))
    return len(rows)
