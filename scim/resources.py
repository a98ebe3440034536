"""The six verbs on resources (RFC 7644 §3.2 to §3.6): the only door from the protocol to the store.

body ─▶ documents.normalise | patch.apply ─▶ Store ─▶ rendering ─▶ Answer
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, TypeVar

import orjson

from scim.cursors import Asked, Cursors
from scim.documents import Incoming, normalise, with_schemas
from scim.errors import Busy, InvalidSyntax, VersionMismatch
from scim.etags import condition, etag
from scim.immutable import carried
from scim.patch import Operation, Patched, apply, names_members, read_operations
from scim.query import ListRequest, Projection
from scim.rendering import location, render, render_list, render_stretch, spliced
from scim.returned import Named, written_in
from scim.schemas import Registry
from scim.store import Document, Draft, Kind, Limits, Member, MemberChange, Resource, Store

T = TypeVar("T")
_ATTEMPTS = 10


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. `body` is JSON text, empty when there is none; `version` makes the ETag."""

    status: int
    body: bytes = b""
    location: str | None = None
    version: int | None = None
    id: str | None = None


class Verbs(Protocol):
    """The four verbs that write. Each but `create` takes the conditions `if_match` and `if_none_match`."""

    def create(self, kind: Kind, body: Mapping[str, Any], projection: Projection) -> Answer: ...

    @property
    def replace(self) -> Callable[..., Answer]: ...

    @property
    def patch(self) -> Callable[..., Answer]: ...

    @property
    def delete(self) -> Callable[..., Answer]: ...


@dataclass(frozen=True, slots=True)
class Resources:
    """One client's resources. `base_url` is that of the SCIM service, without a slash at its end.

    `if_match` and `if_none_match` are header values, or None (RFC 9110 §13.1). All verbs raise the errors of
    `scim.errors`.
    """

    store: Store
    limits: Limits
    base_url: str

    @property
    def _registry(self) -> Registry:
        return self.store.features.schemas

    def create(self, kind: Kind, body: Mapping[str, Any], projection: Projection) -> Answer:
        """201 with the resource; `Uniqueness` also when the namesake is inactive: it can be found and updated."""
        incoming = normalise(kind, body, self._registry)
        draft = Draft(incoming.document, MemberChange(add=incoming.members or ()), incoming.ignored)
        return self._answer(201, self.store.create(kind, draft), projection, self._written(kind, draft))

    def get(
        self,
        kind: Kind,
        id: str,
        projection: Projection,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer:
        """200, or 304 without a body when the client has this version already."""
        resource = self.store.get(kind, id, members=projection.members)
        wanted, known = condition(if_match), condition(if_none_match)
        if wanted and not wanted.met_by(resource.version):
            raise VersionMismatch()
        if known and known.met_by(resource.version):
            return Answer(304, version=resource.version, id=resource.id)
        return self._answer(200, resource, _left_to_do(projection))

    def search(self, kinds: Sequence[Kind], request: ListRequest) -> Answer:
        """200 with a page, empty when nothing matches."""
        if request.cursor is not None:
            return self._walk(kinds, request, request.cursor)
        page = self.store.search(kinds, request.query)
        return Answer(200, render_list(page.total, request.query.start_index, self._rendered(page.resources, request)))

    def _walk(self, kinds: Sequence[Kind], request: ListRequest, asked: Asked) -> Answer:
        key, timeout = self.store.cursor_key(), self.limits.cursor_timeout
        cursors = Cursors(key, timeout, asked.fingerprint, request.query.count)
        walk = cursors.open(asked.text)
        found = self.store.walk(kinds, request.query, walk)
        around = cursors.around(walk, found) if request.query.count else (None, None)
        return Answer(200, render_stretch(found.total, around, self._rendered(found.resources, request)))

    def _rendered(self, resources: Sequence[Resource], request: ListRequest) -> Iterator[bytes]:
        projection = _left_to_do(request.projection)
        if not projection and not any(kind.withheld for kind in self._registry.kinds()):
            return (spliced(resource, self.base_url) for resource in resources)
        return (render(resource, self.base_url, projection, self._registry) for resource in resources)

    def replace(
        self,
        kind: Kind,
        id: str,
        body: Mapping[str, Any],
        projection: Projection,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer:
        """PUT. Attributes that are left out are cleared; a group's members stay unless the body speaks of them.

        RFC 7644 §3.5.1 leaves both to the server; a group emptied by a rename is the worse mistake.
        """
        incoming = normalise(kind, body, self._registry)
        draft, expected = _put(incoming), self._expected(kind, id, if_match, if_none_match)
        if self._registry.of(kind).immutable:
            replaced = self._retried(kind, id, expected, lambda current: self._put_beside(current, draft))
        else:
            replaced = self.store.replace(kind, id, draft, expected=expected)
        return self._answer(200, replaced, projection, self._written(kind, draft))

    def patch(
        self,
        kind: Kind,
        id: str,
        body: Mapping[str, Any],
        projection: Projection,
        *,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Answer:
        """PATCH: 200 with the resource, or 204 where the tenant's features say so and no projection is asked for."""
        operations, beside = read_operations(body, self.limits)
        expected = self._expected(kind, id, if_match, if_none_match)
        if kind == "Group" and not beside and self._members_alone(id, operations, expected):
            return self._patched(kind, id, None, projection, frozenset())
        written, named = self._retried(
            kind, id, expected, lambda current: self._patch(current, operations, beside, expected)
        )
        return self._patched(kind, id, written, projection, named)

    def delete(self, kind: Kind, id: str, *, if_match: str | None = None, if_none_match: str | None = None) -> Answer:
        """204."""
        self.store.delete(kind, id, expected=self._expected(kind, id, if_match, if_none_match))
        return Answer(204)

    def _retried(self, kind: Kind, id: str, expected: int | None, write: Callable[[Resource], T]) -> T:
        """Write by what is there now. A lost race is tried again, unless the client named the version it meant."""
        for _ in range(_ATTEMPTS):
            current = self.store.get(kind, id, members=False)
            if expected not in (None, current.version):
                raise VersionMismatch()
            try:
                return write(current)
            except VersionMismatch:
                if expected is not None:
                    raise
        raise Busy("Many requests change this resource at the same time; the request can be repeated.")

    def _put_beside(self, current: Resource, draft: Draft) -> Resource:
        schemas = self._registry.of(current.kind)
        document = carried(schemas, orjson.loads(current.document), draft.document)
        draft = replace(draft, document=with_schemas(schemas, document))
        return self.store.replace(current.kind, current.id, draft, expected=current.version)

    def _written(self, kind: Kind, draft: Draft) -> Named:
        return written_in(self._registry.of(kind), draft.document)

    def _patch(
        self, current: Resource, operations: tuple[Operation, ...], beside: tuple[str, ...], expected: int | None
    ) -> tuple[Resource | None, Named]:
        """Write what the operations change; None when the resource as it is now was not read back."""
        kind, id = current.kind, current.id
        stored: Document = orjson.loads(current.document)
        patched = apply(
            kind,
            stored,
            operations,
            limits=self.limits,
            present=lambda: self._members(id),
            registry=self._registry,
        )
        ignored = (*beside, *patched.ignored)
        if patched.document != stored or ignored:
            draft = Draft(patched.document, patched.members, ignored, patched=current)
            return self.store.replace(kind, id, draft, expected=current.version), patched.named
        return self._change_members(current, patched, expected), patched.named

    def _members_alone(self, id: str, operations: tuple[Operation, ...], expected: int | None) -> bool:
        """Change the members, where nothing else is named: the group itself need not be read for it."""
        if not all(names_members(operation) for operation in operations):
            return False
        patched = apply(
            "Group", {}, operations, limits=self.limits, present=lambda: self._members(id), registry=self._registry
        )
        if not patched.members or patched.ignored:
            return False
        self.store.change_members(id, patched.members, expected=expected)
        return True

    def _change_members(self, current: Resource, patched: Patched, expected: int | None) -> Resource | None:
        if patched.members:
            self.store.change_members(current.id, patched.members, expected=expected)
        return None if current.kind == "Group" else current

    def _patched(self, kind: Kind, id: str, written: Resource | None, projection: Projection, named: Named) -> Answer:
        features = self.store.features
        silent = features.user_patch_answers_204 if kind == "User" else features.group_patch_answers_204
        if silent and not projection:
            return Answer(204, version=written.version if written else None, id=id)
        if written is None:
            written = self.store.get(kind, id, members=projection.members)
        return self._answer(200, written, projection, named)

    def _members(self, id: str) -> Iterable[Member]:
        computed = orjson.loads(self.store.get("Group", id).computed)
        for member in computed.get("members", ()):
            yield Member(member["value"], member.get("type"), member.get("display"))

    def _expected(self, kind: Kind, id: str, if_match: str | None, if_none_match: str | None) -> int | None:
        """The version that the store must find, None for any."""
        wanted, unwanted = condition(if_match), condition(if_none_match)
        if unwanted is not None:
            version = self.store.get(kind, id, members=False).version
            if unwanted.met_by(version) or (wanted and not wanted.met_by(version)):
                raise VersionMismatch("The resource has a version that If-None-Match or If-Match rules out.")
            return version
        if wanted is None:
            return None
        if not wanted.any and len(wanted.versions) == 1:
            return next(iter(wanted.versions))
        current = self.store.get(kind, id, members=False)
        if not wanted.met_by(current.version):
            raise VersionMismatch()
        return None if wanted.any else current.version

    def _answer(self, status: int, resource: Resource, projection: Projection, written: Named = frozenset()) -> Answer:
        body = render(resource, self.base_url, projection, self._registry, written)
        return Answer(status, body, location(self.base_url, resource), resource.version, resource.id)


def _put(incoming: Incoming) -> Draft:
    members = MemberChange() if incoming.members is None else MemberChange(replace=incoming.members)
    return Draft(incoming.document, members, incoming.ignored)


def _left_to_do(projection: Projection) -> Projection:
    """Nothing, where the store has left out all that was to be left out."""
    return Projection() if projection.only_drops_members else projection


def version_header(answer: Answer) -> str | None:
    """The ETag of an answer."""
    return None if answer.version is None else etag(answer.version)


def object_of(value: Any, where: str) -> dict[str, Any]:
    """`value` when it is a JSON object, else `InvalidSyntax`."""
    if not isinstance(value, dict):
        raise InvalidSyntax(f"{where} must be an object.")
    return value
