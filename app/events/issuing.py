"""The keys that sign: one is made when it is first needed, and replaced with an overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store import signing_keys
from app.store.engine import reading, writing
from app.store.vault import Vault
from sso import keys

LEAD: Final = timedelta(seconds=4 * keys.CACHED_SECONDS)  # published for so long before it signs


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs in the name of the installation. `name` is its public URL."""

    engine: sa.Engine
    vault: Vault
    name: str

    def sign(self, claims: Mapping[str, Any], *, type: str) -> str:
        """The token, signed by the key whose time it is.

        Raises:
            NoSigningKeyError: there is none yet.
            VaultError: it cannot be read.
        """
        with reading(self.engine) as conn:
            key = keys.signing(published_keys(conn), datetime.now(UTC))
            private = signing_keys.private(conn, key.kid, self.vault)
        return keys.sign(private, claims, type=type)


def published_keys(conn: sa.Connection) -> list[keys.PublicKey]:
    """All keys that are kept, by their public halves."""
    return [keys.PublicKey(row.kid, row.public, row.signs_from, row.retires_at) for row in signing_keys.listing(conn)]


def ensure_key(engine: sa.Engine, vault: Vault) -> None:
    """Make the first key, if there is none: it signs at once."""
    with writing(engine) as conn:
        signing_keys.hold(conn)
        if not signing_keys.listing(conn):
            _add(conn, vault, datetime.now(UTC))


def rotate(engine: sa.Engine, vault: Vault, overlap: timedelta) -> tuple[str, datetime]:
    """A new key, which signs once everybody can know it. The others are published for `overlap` after that.

    Returns its kid and when it begins.
    """
    with writing(engine) as conn:
        signing_keys.hold(conn)
        now = datetime.now(UTC)
        signing_keys.forget(conn, now)
        first = not signing_keys.listing(conn)
        begins = now if first else now + LEAD
        kid = _add(conn, vault, begins)
        signing_keys.retire_others(conn, kid, begins + overlap)
    return kid, begins


def _add(conn: sa.Connection, vault: Vault, signs_from: datetime) -> str:
    made = keys.make()
    signing_keys.add(conn, made.kid, made.public, made.private, signs_from, vault)
    return made.kid
