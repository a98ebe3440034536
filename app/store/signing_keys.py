"""The keys that sign, kept with their private parts sealed. They belong to the installation, which is one issuer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import orjson
import sqlalchemy as sa

from app.store.outward_tables import signing_keys as t
from app.store.vault import Vault

LOCK: Final = 0x6B657973  # "keys" in ASCII
_PUBLIC: Final = (t.c.kid, t.c.public, t.c.signs_from, t.c.retires_at)


def listing(conn: sa.Connection) -> Sequence[Any]:
    """Rows of kid, public, signs_from, retires_at; oldest first."""
    return conn.execute(sa.select(*_PUBLIC).order_by(t.c.signs_from, t.c.kid)).all()


def private(conn: sa.Connection, kid: str, vault: Vault) -> dict[str, Any]:
    """The whole key as a JWK.

    Raises:
        VaultError: it was sealed with another key.
    """
    sealed = conn.execute(sa.select(t.c.private).where(t.c.kid == kid)).scalar_one()
    found: dict[str, Any] = orjson.loads(vault.open(sealed))
    return found


def hold(conn: sa.Connection) -> None:
    """Until COMMIT nobody else makes or replaces keys."""
    conn.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))


def add(
    conn: sa.Connection,
    kid: str,
    public: Mapping[str, Any],
    private: Mapping[str, Any],
    signs_from: datetime,
    vault: Vault,
) -> None:
    """Keep a new key."""
    sealed = vault.seal(orjson.dumps(dict(private)).decode())
    conn.execute(sa.insert(t).values(kid=kid, public=dict(public), private=sealed, signs_from=signs_from))


def retire_others(conn: sa.Connection, kids: Sequence[str], at: datetime) -> None:
    """All keys but these are published until `at`, or until their own end if that is sooner."""
    end = sa.func.least(t.c.retires_at, at)
    conn.execute(sa.update(t).where(t.c.kid.not_in(kids)).values(retires_at=end))


def forget(conn: sa.Connection, now: datetime) -> None:
    """Delete the keys that are not published any more."""
    conn.execute(sa.delete(t).where(t.c.retires_at <= now))


def reseal(conn: sa.Connection, vault: Vault) -> int:
    """Encrypt all private parts with the vault's first key; how many."""
    rows = conn.execute(sa.select(t.c.kid, t.c.private).with_for_update()).all()
    for row in rows:
        sealed = vault.seal(vault.open(row.private))
        conn.execute(sa.update(t).where(t.c.kid == row.kid).values(private=sealed))
    return len(rows)
