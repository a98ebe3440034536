"""From what was entered in the console to a connection: begun, understood, made, switched off until somebody says so.

begin ─▶ the id and our addresses ─▶ keep (what was understood) ─▶ make ─▶ connecting.create
                                                              └─▶ change, where the connection is there already
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from app.adapters import connecting, metadata_import
from app.adapters.audited import audited
from app.adapters.connecting import Change, Metadata, Said
from app.adapters.connection_schemas import parse
from app.adapters.connections import ensure_key
from app.adapters.metadata_import import Imported, MetadataError
from app.adapters.understanding import Understood
from app.store import connection_setups, connections
from app.store.audit import Entry
from app.store.connection_setups import Setup
from app.store.connections import Stored
from app.store.engine import writing
from app.store.tenants import NameTakenError
from app.store.vault import Vault
from sso.connections import Saml

_TRIES: Final = 50


def begin(
    engine: sa.Engine,
    vault: Callable[[], Vault],
    public_url: str,
    tenant_id: str,
    kind: str,
    vendor: str,
    name: str,
    title: str,
    actor: str,
) -> str:
    """A set-up under `name`, or the next free one like it; returns the id that the connection will have.

    Raises:
        ValueError: too many set-ups wait.
    """
    if kind == "saml":  # a key takes seconds to make: our metadata names it from the first minute
        ensure_key(engine, vault(), public_url)

    def act(conn: sa.Connection) -> tuple[str, list[Entry]]:
        for number in range(1, _TRIES):
            wanted = name if number == 1 else f"{name}-{number}"
            try:
                id = connection_setups.begin(conn, tenant_id, wanted, title, kind, vendor, actor)
            except NameTakenError:
                continue
            return id, [Entry(actor, "connection.prepared", id, {"name": wanted, "kind": kind})]
        raise ValueError("no name is free: remove old connections first")

    return audited(engine, tenant_id, act)


def discard(engine: sa.Engine, setup: Setup, actor: str) -> None:
    """Forget a set-up that is not made."""

    def act(conn: sa.Connection) -> tuple[None, list[Entry]]:
        gone = connection_setups.discard(conn, setup.tenant_id, setup.connection_id)
        facts = {"name": setup.name}
        return None, [Entry(actor, "connection.discarded", setup.connection_id, facts)] if gone else []

    audited(engine, setup.tenant_id, act)


def keep(engine: sa.Engine, tenant_id: str, id: str, understood: Understood | None) -> None:
    """What was understood, until somebody looked at it and saves it, or enters something else."""
    said = {} if understood is None else asdict(understood)
    with writing(engine) as conn:
        connection_setups.say(conn, tenant_id, id, said)


def understood(setup: Setup | None) -> Understood | None:
    """What waits to be looked at."""
    if setup is None or not setup.said:
        return None
    said = dict(setup.said)
    return Understood(**{**said, "warnings": tuple(said.get("warnings") or ())})


def make(
    engine: sa.Engine,
    vault: Callable[[], Vault],
    setup: Setup,
    settings: Mapping[str, Any],
    now: datetime,
    actor: str,
    *,
    secret: str | None = None,
    claims: Mapping[str, Any] | None = None,
) -> None:
    """The connection, switched off. `settings` are laid over what was understood.

    Raises:
        BadConnectionError: they cannot be.
        NameTakenError: somebody took the name meanwhile.
    """
    found = understood(setup)
    said = Said(
        setup.name,
        setup.kind,
        {**(found.settings if found else {}), **settings},
        title=setup.title,
        claims=claims or {},
        secret=secret,
        id=setup.connection_id,
        enabled=False,
        metadata=_published(found, now),
    )
    connecting.create(engine, vault, setup.tenant_id, said, actor)
    with writing(engine) as conn:
        connection_setups.made(conn, setup.tenant_id, setup.connection_id)


def take_over(
    engine: sa.Engine, vault: Callable[[], Vault], stored: Stored, found: Understood, now: datetime, actor: str
) -> None:
    """What was understood, into a connection that is there. Somebody looked at it.

    Raises:
        MetadataError: it is another provider's.
    """
    current = parse(stored.kind, stored.settings)
    if not isinstance(current, Saml):
        raise MetadataError("metadata is for SAML")
    settings = metadata_import.judge(current, _imported(found), now, believed=True)
    published = _published(found, now)
    change = Change(settings=settings or None, metadata=published or Metadata())
    connecting.change(engine, vault, stored.tenant_id, stored.name, change, actor)
    keep(engine, stored.tenant_id, stored.id, None)


def adopt(engine: sa.Engine, stored: Stored, vendor: str, actor: str) -> None:
    """A connection that was made elsewhere gets a place for what is entered about it."""
    with writing(engine) as conn:
        if connections.find(conn, stored.id) is not None:
            connection_setups.adopt(conn, stored, vendor, actor)


def _published(found: Understood | None, now: datetime) -> Metadata | None:
    if found is None or found.url is None:
        return None
    return Metadata(found.url, None, metadata_import.next_time(_imported(found), now))


def _imported(found: Understood) -> Imported:
    settings = dict(found.settings)
    until = datetime.fromisoformat(found.valid_until) if found.valid_until else None
    return Imported(settings.pop("entity_id"), settings, until)
