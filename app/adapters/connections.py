"""Connections as `sso` knows them, read from our store.

    id or name ─▶ one statement ─▶ the same row as last time? ─yes─▶ what was made of it then
                                        └─no─▶ settings checked, secret opened

Each look reads the row, so that trust ends at once where it is withdrawn; only what was made of it is remembered.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import sqlalchemy as sa
import structlog

from app.adapters.connection_schemas import BadConnectionError, parse, parse_claims
from app.store import connections, saml_keys
from app.store.connections import Stored
from app.store.engine import reading, writing
from app.store.vault import Vault, VaultError
from sso import saml_keys as making
from sso.connections import Connection, SamlKey

_log = structlog.get_logger("connections")
MOST_REMEMBERED: Final = 1000
LEAD: Final = timedelta(days=14)  # a key is published for so long before it signs: providers read metadata seldom


class Connections:
    """The installation's connections and SAML keys. `vault` is asked for when a secret is to be opened first.

    Raises, all: VaultError, SettingsError when a secret cannot be opened; BadConnectionError for a row that this
    release cannot read.
    """

    def __init__(self, engine: sa.Engine, vault: Callable[[], Vault], name: str) -> None:
        """`name` is the public URL, which the certificate of the first SAML key names."""
        self._engine, self._vault, self._name = engine, vault, name
        self._made: OrderedDict[str, tuple[Stored, Connection]] = OrderedDict()
        self._keys: dict[str, tuple[bytes, SamlKey]] = {}
        self._lock = threading.Lock()

    def find(self, connection_id: str) -> Connection | None:
        """The connection of that id, whosever it is; None when there is none. Look whether it is `enabled`."""
        with reading(self._engine) as conn:
            found = connections.find(conn, connection_id)
        return None if found is None else self._connection(found)

    def named(self, tenant_id: str, name: str) -> Connection:
        """The tenant's connection called `name`.

        Raises:
            NotFoundError: it has none.
        """
        with reading(self._engine) as conn:
            found = connections.named(conn, tenant_id, name)
        return self._connection(found)

    def of_tenant(self, tenant_id: str) -> list[Connection]:
        """The tenant's connections by name, those that are switched off too.

        One that cannot be read or opened is left out and told to the log: the others go on.
        """
        with reading(self._engine) as conn:
            found = connections.listing(conn, tenant_id)
        return [made for one in found if (made := self._readable(one)) is not None]

    def _readable(self, found: Stored) -> Connection | None:
        try:
            return self._connection(found)
        except (BadConnectionError, VaultError) as error:
            _log.error("a connection cannot be used", connection=found.id, why=type(error).__name__)
            return None

    def saml_keys(self) -> list[SamlKey]:
        """What signs and decrypts: the key that signs now first, then every other that may decrypt. Made if there is
        none."""
        with reading(self._engine) as conn:
            rows = saml_keys.current(conn)
        if not rows:
            ensure_key(self._engine, self._vault(), self._name)
            with reading(self._engine) as conn:
                rows = saml_keys.current(conn)
        return [self._key(row.id, row.certificate, row.private) for row in rows]

    def _connection(self, found: Stored) -> Connection:
        with self._lock:
            known = self._made.get(found.id)
        if known is not None and known[0] == found:
            return known[1]
        secret = None if found.secret is None else self._vault().open(found.secret)
        made = connection_of(found, secret)
        with self._lock:
            self._made[found.id] = (found, made)
            self._made.move_to_end(found.id)
            while len(self._made) > MOST_REMEMBERED:
                self._made.popitem(last=False)
        return made

    def _key(self, id: str, certificate: str, sealed: bytes) -> SamlKey:
        known = self._keys.get(id)
        if known is None or known[0] != sealed:
            if len(self._keys) > MOST_REMEMBERED:
                self._keys.clear()
            known = self._keys[id] = (sealed, SamlKey(certificate, self._vault().open(sealed)))
        return known[1]


def connection_of(stored: Stored, secret: str | None) -> Connection:
    """The row in `sso`'s terms. A connection whose source is not active signs nobody in.

    Raises:
        BadConnectionError: the settings cannot be read.
    """
    settings = parse(stored.kind, stored.settings)
    return Connection(
        id=stored.id,
        tenant_id=stored.tenant_id,
        name=stored.name,
        title=stored.title,
        source_id=stored.source_id,
        settings=settings,
        enabled=stored.enabled and stored.source_state == "active",
        claims=parse_claims(stored.claims),
        domains=tuple(stored.domains),
        arrival="create" if stored.source_settings.get("arrival") == "create" else "link",
        paired_source_id=stored.source_settings.get("paired_source_id"),
        skew=settings.skew,
        secret=secret,
        version=stored.version,
    )


def ensure_key(engine: sa.Engine, vault: Vault, name: str) -> None:
    """Make the first SAML key, if there is none: it signs at once."""
    with writing(engine) as conn:
        saml_keys.hold(conn)
        if not saml_keys.current(conn):
            _add(conn, vault, name, datetime.now(UTC))


def rotate_key(
    engine: sa.Engine, vault: Vault, name: str, *, lead: timedelta = LEAD, overlap: timedelta
) -> tuple[str, datetime]:
    """A new SAML key, which signs after `lead`; the others go on decrypting for `overlap` after that.

    Returns its id and when it begins.
    """
    with writing(engine) as conn:
        saml_keys.hold(conn)
        now = datetime.now(UTC)
        saml_keys.forget(conn, now)
        begins = now + lead if saml_keys.current(conn) else now
        id = _add(conn, vault, name, begins)
        saml_keys.retire_others(conn, id, begins + overlap)
    return id, begins


def _add(conn: sa.Connection, vault: Vault, name: str, signs_from: datetime) -> str:
    made = making.make(name, datetime.now(UTC))
    return saml_keys.add(conn, made.certificate, made.private, signs_from, vault)
