"""Registering a receiver, and trying it: an address that may be called, a key that signs, a token that is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import sqlalchemy as sa

from app import outbound, provisioning
from app.events.delivery import Delivery
from app.events.issuing import ensure_key
from app.events.push import Delivered
from app.identity.decide import Decision
from app.identity.model import Rules
from app.outbound import Outbound
from app.provisioning import new_id
from app.settings import Settings
from app.store import connections, receivers, saml_keys, signing_keys
from app.store.audit import Entry
from app.store.engine import reading, writing
from app.store.receivers import Receiver
from app.store.vault import Vault
from scim import events
from scim.events import Event, Stream


@dataclass(frozen=True, slots=True)
class Registration:
    """What an administrator says of a receiver. `events` as `scim.events.chosen` takes them."""

    url: str
    audience: str
    source_id: str | None = None
    events: Sequence[str] = ()
    token: str | None = None
    external_id: bool = False


def way_out(settings: Settings) -> Outbound:
    """How receivers are reached."""
    return outbound.way_out(settings.public_url, settings.outbound_networks or ())


def register(engine: sa.Engine, vault: Vault, way: Outbound, tenant_id: str, said: Registration, *, actor: str) -> str:
    """A new receiver; it hears what happens from now on. Returns its id.

    Raises:
        ValueError: an event is not offered, or the audience or the token is none.
        OutboundError: the address may not be called.
    """
    uris = events.chosen(said.events)
    if not said.audience.strip():
        raise ValueError("the audience is what the receiver expects in `aud`; it cannot be empty")
    if said.token is not None and not (said.token and said.token.isascii() and said.token.isprintable()):
        raise ValueError("the token is one line of ASCII")
    way.check(said.url)
    ensure_key(engine, vault)

    def once(conn: sa.Connection, rules: Rules) -> str:
        id = receivers.add(
            conn,
            tenant_id,
            source_id=said.source_id,
            url=said.url,
            audience=said.audience,
            events=uris,
            external_id=said.external_id,
            token=None if said.token is None else vault.seal(said.token),
        )
        _note(conn, tenant_id, rules, Entry(actor, "receiver.added", id, _facts(receivers.find(conn, tenant_id, id))))
        receivers.begin_here(conn, tenant_id, id)
        return id

    return provisioning.in_transaction(engine, tenant_id, once)


def remove(engine: sa.Engine, tenant_id: str, id: str, *, actor: str) -> None:
    """It hears nothing more; what it has not heard yet is not sent.

    Raises:
        NotFoundError: the tenant has no such receiver.
    """

    def once(conn: sa.Connection, rules: Rules) -> None:
        facts = _facts(receivers.find(conn, tenant_id, id))
        receivers.remove(conn, tenant_id, id)
        _note(conn, tenant_id, rules, Entry(actor, "receiver.removed", id, facts))

    provisioning.in_transaction(engine, tenant_id, once)


def try_now(engine: sa.Engine, tenant_id: str, id: str, *, actor: str) -> None:
    """A failing receiver is tried without waiting for its time.

    Raises:
        NotFoundError: the tenant has no such receiver.
    """

    def once(conn: sa.Connection, rules: Rules) -> None:
        facts = _facts(receivers.find(conn, tenant_id, id))
        receivers.try_now(conn, tenant_id, id)
        _note(conn, tenant_id, rules, Entry(actor, "receiver.retried", id, facts))

    provisioning.in_transaction(engine, tenant_id, once)


def probe(delivery: Delivery, receiver: Receiver) -> Delivered:
    """Send a verification event, which is about nobody, outside the receiver's order. If taken, waiting is over."""
    event = Event(events.VERIFICATION, Stream(receiver.id), new_id(), delivery.now())
    delivered = delivery.send(receiver, event, new_id())
    if delivered.taken:
        with reading(delivery.engine) as conn:
            receivers.try_now(conn, receiver.tenant_id, receiver.id)
    return delivered


def reseal(engine: sa.Engine, vault: Vault) -> int:
    """Encrypt every stored secret with the first key of the setting; how many. Older keys can be dropped then."""
    with writing(engine) as conn:
        rows = receivers.sealed_tokens(conn)
        for row in rows:
            receivers.replace_token(conn, row.tenant_id, row.id, vault.seal(vault.open(row.token)))
        others = (signing_keys.reseal, saml_keys.reseal, connections.reseal)
        return len(rows) + sum(each(conn, vault) for each in others)


def _facts(receiver: Receiver) -> dict[str, Any]:
    """Without what an address may carry as a secret: its query, or a password."""
    parts = urlsplit(receiver.url)
    place = f"{parts.scheme}://{parts.hostname or ''}{'' if parts.port is None else f':{parts.port}'}{parts.path}"
    return {"url": place, "source": receiver.source, "events": list(receiver.events)}


def _note(conn: sa.Connection, tenant_id: str, rules: Rules, entry: Entry) -> None:
    provisioning.save(conn, tenant_id, Decision(), rules, entry.actor, datetime.now(UTC), [entry])
