"""The store's Protocol in a dict: the reference that tests and conformance runs use."""

from __future__ import annotations

import os
import threading
import uuid
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from scim.errors import InvalidValue, NotFound, Unauthorized, Uniqueness, VersionMismatch
from scim.matching import comparable, matches, values
from scim.ordering import cut
from scim.paths import Path
from scim.schemas import LMS_USER
from scim.store import (
    Document,
    Draft,
    Features,
    Kind,
    Later,
    Member,
    MemberChange,
    Page,
    Query,
    Resource,
    Role,
    Store,
    Stretch,
    Walk,
)


@dataclass(slots=True)
class _Entry:
    kind: Kind
    id: str
    document: Document
    created: datetime
    modified: datetime
    version: int = 1
    members: dict[str, Member] = field(default_factory=dict)


def _now() -> datetime:
    return datetime.now(UTC)


class MemoryStore:
    """One client's resources. An unknown member id refuses the whole change; a deleted resource leaves all groups."""

    def __init__(self, features: Features | None = None, *, now: Callable[[], datetime] = _now) -> None:
        self.features = features or Features()
        self.drift: list[str] = []
        self.deferred: list[Later] = []
        self.platform_roles: Sequence[Role] = ()
        self._now = now
        self._entries: dict[str, _Entry] = {}
        self._lock = threading.RLock()
        self._cursor_key = os.urandom(32)

    def create(self, kind: Kind, draft: Draft) -> Resource:
        with self._lock:
            self._check_name(kind, draft.document, None)
            now = self._now()
            entry = _Entry(kind, str(uuid.uuid4()), draft.document, now, now)
            entry.members = self._changed(entry, draft.members)
            self._entries[entry.id] = entry
            self.drift.extend(draft.ignored)
            return self._resource(entry, True)

    def get(self, kind: Kind, id: str, *, members: bool = True) -> Resource:
        with self._lock:
            return self._resource(self._entry(kind, id, None), members)

    def search(self, kinds: Sequence[Kind], query: Query) -> Page:
        with self._lock:
            found = [entry for entry in self._entries.values() if entry.kind in kinds]
            if query.filter is not None:
                found = [entry for entry in found if matches(query.filter, self._full(entry))]
            found.sort(key=lambda entry: (entry.created, entry.id))
            if query.sort_by is not None:
                found = self._sorted(found, query.sort_by, query.descending)
            start = query.start_index - 1
            page = [self._resource(entry, query.members) for entry in found[start : start + query.count]]
            return Page(len(found), page)

    def walk(self, kinds: Sequence[Kind], query: Query, walk: Walk) -> Stretch:
        with self._lock:
            found = [entry for entry in self._entries.values() if entry.kind in kinds]
            if query.filter is not None:
                found = [entry for entry in found if matches(query.filter, self._full(entry))]
            places = {entry.id: self._place(entry, query.sort_by) for entry in found}
            page = cut(places, walk, query.count, query.descending and query.sort_by is not None)
            resources = [self._resource(self._entries[id], query.members) for id in page.ids]
            return Stretch(len(found), resources, page.first, page.last, page.more)

    def roles(self) -> Sequence[Role]:
        return self.platform_roles

    def cursor_key(self) -> bytes:
        return self._cursor_key

    def _place(self, entry: _Entry, path: Path | None) -> Any:
        key = entry.created if path is None else self._key(entry, path)
        return key.astimezone(UTC).isoformat(timespec="microseconds") if isinstance(key, datetime) else key

    def replace(self, kind: Kind, id: str, draft: Draft, *, expected: int | None) -> Resource:
        with self._lock:
            entry = self._entry(kind, id, expected)
            self._check_name(kind, draft.document, id)
            self._write(entry, draft.document, self._changed(entry, draft.members))
            self.drift.extend(draft.ignored)
            return self._resource(entry, True)

    def change_members(self, id: str, change: MemberChange, *, expected: int | None) -> None:
        with self._lock:
            entry = self._entry("Group", id, expected)
            self._write(entry, entry.document, self._changed(entry, change))

    def delete(self, kind: Kind, id: str, *, expected: int | None) -> None:
        with self._lock:
            self._entry(kind, id, expected)
            del self._entries[id]
            for group in self._entries.values():
                if id in group.members:
                    left = {key: member for key, member in group.members.items() if key != id}
                    self._write(group, group.document, left)

    def defer(self, request: Later) -> str | None:
        """Nobody carries it out here."""
        self.deferred.append(request)
        return str(uuid.uuid4())

    def _entry(self, kind: Kind, id: str, expected: int | None) -> _Entry:
        entry = self._entries.get(id)
        if entry is None or entry.kind != kind:
            raise NotFound.resource(kind, id)
        if expected not in (None, entry.version):
            raise VersionMismatch()
        return entry

    def _check_name(self, kind: Kind, document: Document, own: str | None) -> None:
        if kind != "User":
            return
        name = document["userName"].casefold()
        for entry in self._entries.values():
            if entry.kind == "User" and entry.id != own and entry.document["userName"].casefold() == name:
                raise Uniqueness(f"There is a user with the userName {document['userName']!r} already.")

    def _changed(self, entry: _Entry, change: MemberChange) -> dict[str, Member]:
        """The members after `change`; those who stay keep what was known of them."""
        kept = entry.members
        if change.replace is not None:
            kept = {member.id: entry.members.get(member.id) or member for member in self._known(change.replace)}
        kept = {id: member for id, member in kept.items() if id not in change.remove}
        return kept | {member.id: member for member in self._known(change.add) if member.id not in kept}

    def _known(self, members: Iterable[Member]) -> Iterator[Member]:
        for member in members:
            entry = self._entries.get(member.id)
            if entry is not None:
                yield Member(entry.id, entry.kind, member.display)
            elif self.features.unknown_members_ignored:
                self.drift.append("members.value of nobody")
            else:
                raise InvalidValue(f"There is no user and no group with the id {member.id[:200]!r}: nobody was added.")

    def _write(self, entry: _Entry, document: Document, members: dict[str, Member]) -> None:
        if document == entry.document and members.keys() == entry.members.keys():
            return
        entry.document, entry.members = document, members
        entry.version += 1
        entry.modified = self._now()

    def _resource(self, entry: _Entry, members: bool) -> Resource:
        return Resource(
            entry.kind,
            entry.id,
            entry.version,
            _text(entry.created),
            _text(entry.modified),
            orjson.dumps(self._shown(entry.document)),
            orjson.dumps(self._computed(entry, members)),
        )

    def _shown(self, document: Document) -> Document:
        if self.features.account_extension:
            return document
        return {**document, "schemas": [urn for urn in document["schemas"] if urn != LMS_USER]}

    def _computed(self, entry: _Entry, members: bool) -> dict[str, Any]:
        if entry.kind == "Group":
            listed = [_shown(member) for member in entry.members.values()] if members else []
            return {"members": listed} if listed else {}
        groups = [
            {
                "value": group.id,
                "$ref": f"/Groups/{group.id}",
                "display": group.document["displayName"],
                "type": "direct",
            }
            for group in self._entries.values()
            if entry.id in group.members
        ]
        status = "inactive" if entry.document.get("active") is False else "active"
        account = {LMS_USER: {"accountId": entry.id, "status": status}} if self.features.account_extension else {}
        return account | ({"groups": groups} if groups else {})

    def _full(self, entry: _Entry) -> dict[str, Any]:
        meta = {
            "resourceType": entry.kind,
            "created": _text(entry.created),
            "lastModified": _text(entry.modified),
        }
        return {"id": entry.id, "meta": meta, **entry.document, **self._computed(entry, True)}

    def _sorted(self, entries: Iterable[_Entry], path: Path, descending: bool) -> list[_Entry]:
        """Missing values last, first when descending (RFC 7644 §3.4.2.3)."""
        keyed = [(self._key(entry, path), entry) for entry in entries]
        there = sorted((pair for pair in keyed if pair[0] is not None), key=lambda pair: pair[0], reverse=descending)
        missing = [entry for key, entry in keyed if key is None]
        held = [entry for _, entry in there]
        return missing + held if descending else held + missing

    def _key(self, entry: _Entry, path: Path) -> Any:
        """The primary value of a list, else its first."""
        full = self._full(entry)
        listed = full.get(path.attribute.name) if path.attribute and path.sub and not path.schema else None
        if path.attribute and isinstance(listed, list):
            full[path.attribute.name] = sorted(listed, key=lambda element: not element.get("primary", False))[:1]
        found = values(path, full)
        return comparable(path.target, found[0]) if found and path.target else None


def _shown(member: Member) -> dict[str, Any]:
    shown = {"value": member.id, "$ref": f"/{member.type}s/{member.id}", "type": member.type}
    return shown | ({"display": member.display} if member.display else {})


class MemoryDoorkeeper:
    """Tokens in a dict."""

    def __init__(self, stores: Mapping[str, Store]) -> None:
        self._stores = dict(stores)

    def admit(self, token: str) -> Store:
        store = self._stores.get(token)
        if store is None:
            raise Unauthorized()
        return store


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat().removesuffix("+00:00") + "Z"
