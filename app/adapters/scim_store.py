"""`scim.store.Store` on our tables: reads go straight to them, writes through the write door.

create, replace, delete of a User ─▶ provisioning        of a Group ─▶ grouping        get, search ─▶ scim_reads
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, Final

import sqlalchemy as sa

from app.adapters import scim_notes
from app.adapters.scim_answers import changed, created
from app.adapters.scim_cursor import cursor_key, walked
from app.adapters.scim_reads import Reads
from app.adapters.scim_root import sorted_page
from app.adapters.scim_voice import spoken
from app.adapters.search_document import search_document
from app.grouping import Grouping, GroupSpoken, Membership
from app.identity.writes import (
    BusyError,
    Outcome,
    RecordDelete,
    RecordGoneError,
    RecordWrite,
    UnknownMemberError,
    UserNameTakenError,
    VersionConflictError,
)
from app.provisioning import provision
from app.store import async_requests, drift, mappings, rules
from app.store.engine import reading
from scim.errors import Busy, InvalidValue, NotFound, Uniqueness, VersionMismatch
from scim.store import Draft, Features, Kind, Later, Member, MemberChange, Page, Query, Resource, Role, Stretch, Walk

LONGEST_USER_NAME: Final = 512  # it is indexed: PostgreSQL holds at most 2,700 bytes in an index row
UNKNOWN_MEMBER: Final = "members.value of nobody"
_UUID: Final = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class ScimStore:
    """The resources of one source of one tenant.

    `written` is called after each write that was committed. `txn` names the transaction of an asynchronous request, and
    `new_id` the resource that it will make; `deferred` is called after one was kept for later.
    """

    def __init__(
        self,
        engine: sa.Engine,
        tenant_id: str,
        source_id: str,
        actor: str,
        features: Features,
        *,
        written: Callable[[], None] | None = None,
        deferred: Callable[[], None] | None = None,
        txn: str | None = None,
        new_id: str | None = None,
    ) -> None:
        self.features = features
        self.engine, self.tenant, self.source, self.actor = engine, tenant_id, source_id, actor
        self._reads = Reads(tenant_id, source_id, features.account_extension)
        self._groups = Grouping(engine, tenant_id, source_id, actor, told=scim_notes.add, txn=txn)
        self._written, self._deferred, self._txn, self._new_id = written, deferred, txn, new_id

    def create(self, kind: Kind, draft: Draft) -> Resource:
        if kind == "User":
            return self._create_user(draft)
        strays = self._strays()
        with self._refusals(kind, ""):
            id = self._groups.create(self._group(draft, strays), self._new_id)
        self._report_drift(draft.ignored, strays)
        return self.get(kind, id)

    def _create_user(self, draft: Draft) -> Resource:
        now = datetime.now(UTC)
        with self._refusals("User", ""):
            outcome = self._say(draft, None, None, now)
        self._report_drift(draft.ignored, None)
        return created(outcome, draft.document, now, account=self.features.account_extension)

    def get(self, kind: Kind, id: str, *, members: bool = True) -> Resource:
        if _UUID.fullmatch(id):
            with reading(self.engine) as conn:
                found = self._reads.one(conn, kind, id, members)
            if found is not None:
                return found
        raise NotFound.resource(kind, id)

    def search(self, kinds: Sequence[Kind], query: Query) -> Page:
        with reading(self.engine) as conn:
            if query.sort_by is not None and len(kinds) > 1:
                page = sorted_page(conn, self._reads, kinds, query)
            else:
                page = self._kind_by_kind(conn, kinds, query)
        scim_notes.add(scim_notes.Read(kinds, query.filter, page.total))
        return page

    def _kind_by_kind(self, conn: sa.Connection, kinds: Sequence[Kind], query: Query) -> Page:
        offset, total = query.start_index - 1, 0
        found: list[Resource] = []
        for kind in kinds:
            skipped = max(0, offset - total)
            page = self._reads.page(conn, kind, query, skipped, query.count - len(found))
            total += page.total
            found += page.resources
        return Page(total, found)

    def walk(self, kinds: Sequence[Kind], query: Query, walk: Walk) -> Stretch:
        with reading(self.engine) as conn:
            stretch = walked(conn, self._reads, kinds, query, walk)
        scim_notes.add(scim_notes.Read(kinds, query.filter, stretch.total))
        return stretch

    def roles(self) -> Sequence[Role]:
        with reading(self.engine) as conn:
            return [Role(row.name, row.name, row.description) for row in mappings.roles(conn, self.tenant)]

    def cursor_key(self) -> bytes:
        return cursor_key(self.engine, self.tenant, self.source)

    def replace(self, kind: Kind, id: str, draft: Draft, *, expected: int | None) -> Resource:
        self._check_id(kind, id)
        strays = self._strays()
        with self._refusals(kind, id):
            if kind == "Group":
                group = self._group(draft, strays)
                self._groups.write(id, group, group.members, expected, _method(draft))
            else:
                return self._replace_user(id, draft, expected)
        self._report_drift(draft.ignored, strays)
        return self.get(kind, id)

    def _replace_user(self, id: str, draft: Draft, expected: int | None) -> Resource:
        now = datetime.now(UTC)
        outcome = self._say(draft, id, expected, now)
        self._report_drift(draft.ignored, None)
        past = draft.patched
        if past is None or outcome.version != past.version + 1:
            return self.get("User", id)
        return changed(outcome, past, draft.document, now, account=self.features.account_extension)

    def change_members(self, id: str, change: MemberChange, *, expected: int | None) -> None:
        self._check_id("Group", id)
        strays = self._strays()
        with self._refusals("Group", id):
            self._groups.write(id, None, _membership(change, strays), expected)
        self._report_drift((), strays)

    def delete(self, kind: Kind, id: str, *, expected: int | None) -> None:
        self._check_id(kind, id)
        with self._refusals(kind, id):
            if kind == "Group":
                self._groups.delete(id, expected)
            else:
                gone = RecordDelete(self.source, id, expected, self._request("DELETE"))
                scim_notes.add(provision(self.engine, self.tenant, [gone], actor=self.actor)[0])

    def defer(self, request: Later) -> str | None:
        with reading(self.engine) as conn:
            txn = async_requests.add(conn, self.tenant, self.source, request)
        if txn is not None and self._deferred is not None:
            self._deferred()
        return txn

    def _say(self, draft: Draft, id: str | None, expected: int | None, now: datetime) -> Outcome:
        if len(draft.document["userName"]) > LONGEST_USER_NAME:
            raise InvalidValue(f"userName has at most {LONGEST_USER_NAME} characters.")
        write = RecordWrite(
            source_id=self.source,
            spoken=spoken(draft.document, rules.source(self.engine, self.tenant, self.source)),
            document=draft.document,
            search=self._search("User", draft),
            record_id=id,
            user_name=draft.document["userName"],
            expected_version=expected,
            new_id=self._new_id if id is None else None,
            request=self._request("POST" if id is None else _method(draft)),
        )
        [outcome] = provision(self.engine, self.tenant, [write], actor=self.actor, now=now)
        scim_notes.add(outcome)
        return outcome

    def _request(self, method: str) -> dict[str, str]:
        return {"method": method} if self._txn is None else {"method": method, "txn": self._txn}

    def _group(self, draft: Draft, strays: set[str] | None) -> GroupSpoken:
        return GroupSpoken(draft.document, self._search("Group", draft), _membership(draft.members, strays))

    def _strays(self) -> set[str] | None:
        """Where ids of nobody are gathered, if the tenant leaves them out."""
        return set() if self.features.unknown_members_ignored else None

    def _search(self, kind: Kind, draft: Draft) -> dict[str, Any]:
        return search_document(
            kind, draft.document, tenant_id=self.tenant, source_id=self.source, registry=self.features.schemas
        )

    def _report_drift(self, ignored: Sequence[str], strays: set[str] | None) -> None:
        paths = [*ignored, UNKNOWN_MEMBER] if strays else ignored
        if paths:
            drift.report(self.engine, self.tenant, self.source, paths)
            scim_notes.add(scim_notes.Ignored(paths))

    def _check_id(self, kind: Kind, id: str) -> None:
        if not _UUID.fullmatch(id):
            raise NotFound.resource(kind, id)

    @contextmanager
    def _refusals(self, kind: Kind, id: str) -> Iterator[None]:
        """The write door's refusals in SCIM's words."""
        try:
            yield
        except RecordGoneError as error:
            raise NotFound.resource(kind, id) from error
        except VersionConflictError as error:
            raise VersionMismatch() from error
        except UserNameTakenError as error:
            raise Uniqueness(
                "There is a user with this userName already. Find it with a filter on userName."
            ) from error
        except UnknownMemberError as error:
            raise InvalidValue(
                f"There is no user and no group with the id {str(error)[:200]!r}: nobody was added."
            ) from error
        except BusyError as error:
            raise Busy(str(error)) from error
        if self._written is not None:
            self._written()


def _method(draft: Draft) -> str:
    return "PATCH" if draft.patched else "PUT"


def _membership(change: MemberChange, strays: set[str] | None) -> Membership:
    replace = None if change.replace is None else _named(change.replace, strays)
    remove = frozenset(one for one in change.remove if _UUID.fullmatch(one))
    return Membership(replace, _named(change.add, strays), remove, strays)


def _named(members: Sequence[Member], strays: set[str] | None) -> dict[str, str | None]:
    named = {one.id: one.display for one in members if _UUID.fullmatch(one.id)}
    others = [one.id for one in members if one.id not in named]
    if others and strays is None:
        raise UnknownMemberError(others[0])
    if strays is not None:
        strays.update(others)
    return named
