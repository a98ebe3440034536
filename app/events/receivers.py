"""Registering a receiver, and trying it: an address that may be called, a key that signs, a token that is sealed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from app import outbound
from app.events.delivery import Delivery
from app.events.issuing import ensure_key
from app.events.push import Delivered
from app.outbound import Outbound
from app.provisioning import new_id
from app.settings import Settings
from app.store import connections, receivers, saml_keys, signing_keys
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


def register(engine: sa.Engine, vault: Vault, way: Outbound, tenant_id: str, said: Registration) -> str:
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
    with writing(engine) as conn:
        return receivers.add(
            conn,
            tenant_id,
            source_id=said.source_id,
            url=said.url,
            audience=said.audience,
            events=uris,
            external_id=said.external_id,
            token=None if said.token is None else vault.seal(said.token),
        )


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
