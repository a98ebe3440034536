"""Which SCIM events an audit entry is (RFC 9967 §2.4). Pure: rows in, events out.

record.created, group.created ──▶ prov:create:notice
record.updated, group.updated ──▶ prov:patch:notice or prov:put:notice, by the request's method
       and `active` turned    ──▶ and prov:activate or prov:deactivate, of the same transaction
record.deleted, group.deleted ──▶ prov:delete
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any, Final

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
    if thing not in ("record", "group") or "version" not in facts:
        return
    subject = Subject("Group" if thing == "group" else "User", str(row.resource), _external(row, external_id))
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


def _external(row: Any, wanted: bool) -> str | None:
    return row.external_id if wanted else None
