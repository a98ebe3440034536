"""Which SCIM events an audit entry is (RFC 9967 §2.4). Pure: rows in, events out.

record.created, group.created ──▶ prov:create:notice
record.updated, group.updated ──▶ prov:patch:notice or prov:put:notice, by the request's method
       and `active` turned    ──▶ and prov:activate or prov:deactivate, of the same transaction
record.deleted, group.deleted ──▶ prov:delete
request.completed             ──▶ misc:asyncresp, with the transaction of the request (§2.5.1.3)
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

from app.store.async_requests import COMPLETED
from scim import events
from scim.etags import etag
from scim.events import Event, Subject

_CHANGED: Final = {"PUT": events.PUT, "PATCH": events.PATCH}


def told(row: Any, tenant_id: str, *, external_id: bool = False) -> tuple[Event, ...]:
    """The events of one entry, in the order in which they are told. `row` is one of `store.receivers.due`."""
    return tuple(_told(row, tenant_id, external_id))


def _told(row: Any, tenant_id: str, external_id: bool) -> Iterator[Event]:
    thing, _, change = row.action.partition(".")
    facts: Mapping[str, Any] = row.facts
    external = row.external_id if external_id else None
    if row.action == COMPLETED:
        result = (row.personal or {}).get("result", {})
        yield Event(events.ASYNC, Subject(facts["uri"], external), facts["txn"], row.at, result)
    if thing not in ("record", "group") or "version" not in facts:
        return
    subject = Subject(events.uri_of("Group" if thing == "group" else "User", str(row.resource)), external)
    txn = facts.get("txn") or uuid.uuid5(uuid.UUID(tenant_id), str(row.number)).hex

    def event(uri: str, **payload: Any) -> Event:
        return Event(uri, subject, txn, row.at, payload)

    changed = {"version": etag(facts["version"]), "attributes": facts.get("attributes", [])}
    if change == "deleted":
        yield event(events.DELETE)
    elif change == "created":
        yield event(events.CREATE, **changed)
    elif changed["attributes"]:
        yield event(_CHANGED.get(facts.get("method", "PUT"), events.PUT), **changed)
    if change == "updated" and "active" in facts:
        yield event(events.ACTIVATE if facts["active"] else events.DEACTIVATE)
