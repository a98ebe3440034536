"""The keys that sign: one is made when it is first needed, and replaced with an overlap."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from app.store import signing_keys
from app.store.engine import reading, writing
from app.store.vault import Vault
from sso import keys

MOST_READY: Final = 8
LEAD: Final = timedelta(seconds=4 * keys.CACHED_SECONDS)  # published for so long before it signs


@dataclass(frozen=True, slots=True)
class Issuer:
    """Signs in the name of the installation. `name` is its public URL. A key is read once in a process."""

    engine: sa.Engine
    vault: Vault
    name: str
    _ready: dict[str, keys.SigningKey] = field(default_factory=dict, repr=False, compare=False)

    def sign(self, claims: Mapping[str, Any], *, type: str, algorithm: str = keys.ES256) -> str:
        """The token, signed by the key of that algorithm whose time it is.

        Raises:
            NoSigningKeyError: there is none yet.
            VaultError: it cannot be read.
        """
        with reading(self.engine) as conn:
            key = keys.signing(published_keys(conn), datetime.now(UTC), algorithm)
            ready = self._ready.get(key.kid)
            if ready is None:
                ready = keys.SigningKey.of(signing_keys.private(conn, key.kid, self.vault))
                if len(self._ready) > MOST_READY:
                    self._ready.clear()
                self._ready[key.kid] = ready
        return ready.sign(claims, type=type)

    def public_keys(self) -> list[Mapping[str, Any]]:
        """What verifies it, as JWKs."""
        now = datetime.now(UTC)
        with reading(self.engine) as conn:
            return [key.public for key in published_keys(conn) if key.is_published(now)]


@dataclass(frozen=True, slots=True)
class ReadyIssuer:
    """An issuer that makes the key that it lacks: an older installation has none for some algorithm."""

    issuer: Issuer

    def sign(self, claims: Mapping[str, Any], *, type: str, algorithm: str) -> str:
        """The token. Raises VaultError as `Issuer.sign` does."""
        try:
            return self.issuer.sign(claims, type=type, algorithm=algorithm)
        except keys.NoSigningKeyError:
            ensure_key(self.issuer.engine, self.issuer.vault)
            return self.issuer.sign(claims, type=type, algorithm=algorithm)

    def public_keys(self) -> list[Mapping[str, Any]]:
        """What verifies it, as JWKs."""
        return self.issuer.public_keys()


def published_keys(conn: sa.Connection) -> list[keys.PublicKey]:
    """All keys that are kept, by their public halves."""
    return [keys.PublicKey(row.kid, row.public, row.signs_from, row.retires_at) for row in signing_keys.listing(conn)]


def ensure_key(engine: sa.Engine, vault: Vault) -> None:
    """Make the first key of each algorithm that has none: it signs at once."""
    with writing(engine) as conn:
        signing_keys.hold(conn)
        there = {key.algorithm for key in published_keys(conn)}
        for algorithm in keys.ALGORITHMS:
            if algorithm not in there:
                _add(conn, vault, algorithm, datetime.now(UTC))


def rotate(engine: sa.Engine, vault: Vault, overlap: timedelta) -> list[keys.PublicKey]:
    """A new key of each algorithm, which signs once everybody can know it. The others stay for `overlap` after that.

    Returns the new ones.
    """
    with writing(engine) as conn:
        signing_keys.hold(conn)
        now = datetime.now(UTC)
        signing_keys.forget(conn, now)
        there = {key.algorithm for key in published_keys(conn)}
        begins = {algorithm: now + LEAD if algorithm in there else now for algorithm in keys.ALGORITHMS}
        made = [_add(conn, vault, algorithm, begins[algorithm]) for algorithm in keys.ALGORITHMS]
        signing_keys.retire_others(conn, [key.kid for key in made], max(begins.values()) + overlap)
    return made


def _add(conn: sa.Connection, vault: Vault, algorithm: str, signs_from: datetime) -> keys.PublicKey:
    made = keys.make(algorithm)
    signing_keys.add(conn, made.kid, made.public, made.private, signs_from, vault)
    return keys.PublicKey(made.kid, made.public, signs_from)
