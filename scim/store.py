"""The way out: what SCIM needs of whoever keeps the resources.

Routes parse, `resources` decides, and a `Store` keeps. The store sees documents that are already checked and
normalised: canonical attribute names, right types, no read-only attribute, no null and no empty list. A store belongs
to one client (one tenant and one source): it can neither name nor reach anybody else's resources.

Group members never stand inside a document. They travel as a `MemberChange`, so that one member more costs the same
in a group of ten and in one of a hundred thousand.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, Protocol

from scim.filters import Filter
from scim.paths import Path
from scim.schemas import SCHEMAS, Registry

Kind = Literal["User", "Group"]
Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Member:
    """One member of a group: a User or a Group of the same client.

    `type` is None when the client did not say; the store resolves the id.
    """

    id: str
    type: Kind | None = None
    display: str | None = None


@dataclass(frozen=True, slots=True)
class MemberChange:
    """What a request asks of a group's members: `replace` (when not None) first, then `remove`, then `add`."""

    replace: tuple[Member, ...] | None = None
    add: tuple[Member, ...] = ()
    remove: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return self.replace is not None or bool(self.add or self.remove)


@dataclass(frozen=True, slots=True)
class Draft:
    """A resource as its client wants it.

    `ignored` names what arrived and was not understood (paths, as sent): the store reports it as drift. `patched` is
    the resource that a PATCH was applied to, which led to this.
    """

    document: Document
    members: MemberChange = MemberChange()
    ignored: tuple[str, ...] = ()
    patched: Resource | None = None


class Resource(NamedTuple):
    """A stored resource, ready to be written out without being parsed.

    `document` is the JSON object that the client wrote (with `schemas`, without `id`, `meta` and members), `computed`
    a JSON object of the read-only attributes that the keeper adds (`groups`, `members`, the LMS extension); both are
    compact UTF-8 JSON text. A `$ref` in `computed` is relative to the base URL (`"$ref":"/Users/…"`) and is made
    absolute on its way out. A member has `value`, `$ref`, `type`, and the `display` that the client gave it, if it gave
    one. `version` counts changes and makes the ETag. `created` and `modified` are xsd:dateTime text in UTC.
    """

    kind: Kind
    id: str
    version: int
    created: str
    modified: str
    document: bytes
    computed: bytes = b"{}"


@dataclass(frozen=True, slots=True)
class Query:
    """One page to be read. `start_index` counts from 1; `count` is already within the limits, and may be 0."""

    filter: Filter | None = None
    sort_by: Path | None = None
    descending: bool = False
    start_index: int = 1
    count: int = 100
    members: bool = True


@dataclass(frozen=True, slots=True)
class Page:
    """One page of resources and the number of all that match."""

    total: int
    resources: Sequence[Resource]


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the learning platform. `id` is what a client writes into a user's `roles`."""

    id: str
    name: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Mark:
    """A resource's place in an order.

    `value` is its sort value as the store writes it; None when it has none, or when nothing is sorted by.
    """

    value: str | None
    id: str


@dataclass(frozen=True, slots=True)
class Walk:
    """A page by keyset: those after `mark` (None: from the beginning), or the last ones before it."""

    mark: Mark | None = None
    backwards: bool = False


@dataclass(frozen=True, slots=True)
class Stretch:
    """A page of a walk, in the query's order. `more` says whether the walk's direction leads on.

    `first` and `last` are the places of its ends; None when it is empty.
    """

    total: int
    resources: Sequence[Resource]
    first: Mark | None
    last: Mark | None
    more: bool


@dataclass(frozen=True, slots=True)
class Features:
    """What may differ from tenant to tenant."""

    user_patch_answers_204: bool = False
    group_patch_answers_204: bool = True
    # An unknown id among members is left out; else it refuses the whole request.
    unknown_members_ignored: bool = False
    # Whether users show the account they belong to. Some clients refuse an extension that they cannot write.
    account_extension: bool = True
    # Whether the platform's roles are a resource type to be read. Suites take every resource type for writable.
    roles_endpoint: bool = False
    # What resources may hold: names are resolved by the tenant's own registry.
    schemas: Registry = SCHEMAS
    # The SCIM events (RFC 9967) that some receiver hears of this client's resources.
    event_uris: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Later:
    """A request that is carried out later (RFC 9967 §2.5.1): checked as far as it can be without the store.

    `kind` is None for Bulk; `id` names the resource, of a POST the one that will be made. `body` has no password.
    `conditions` are the headers If-Match and If-None-Match, by the names that the verbs give them.
    """

    method: str
    kind: Kind | None
    id: str | None
    body: Mapping[str, Any] | None
    conditions: Mapping[str, str | None]


class Store(Protocol):
    """The keeper of one client's resources.

    Every verb is atomic. Errors are those of `scim.errors`: `NotFound`, `Uniqueness` (409), `VersionMismatch` (412,
    only when `expected` was given), `NoTarget`/`InvalidValue` for a member that cannot be one, `Busy` (503).
    """

    features: Features

    def create(self, kind: Kind, draft: Draft) -> Resource: ...

    def get(self, kind: Kind, id: str, *, members: bool = True) -> Resource: ...

    def search(self, kinds: Sequence[Kind], query: Query) -> Page:
        """Resources of one kind, or of several for a search at the root. Total order: by creation, then id."""
        ...

    def walk(self, kinds: Sequence[Kind], query: Query, walk: Walk) -> Stretch:
        """At most `query.count` of what `search` finds, by keyset: by sort value, then id; `start_index` says nothing.

        Over several kinds it is one order. A deep page costs what the first one does.
        """
        ...

    def roles(self) -> Sequence[Role]:
        """All roles of the learning platform, in any order."""
        ...

    def cursor_key(self) -> bytes:
        """32 random bytes of this client alone, the same in every process: what its cursors are sealed with."""
        ...

    def replace(self, kind: Kind, id: str, draft: Draft, *, expected: int | None) -> Resource:
        """Write the whole document. For a group, `draft.members` says what happens to the members.

        Without any difference the version and the time stay as they were.
        """
        ...

    def change_members(self, id: str, change: MemberChange, *, expected: int | None) -> None:
        """Change a group's members and nothing else, without reading the members that are there."""
        ...

    def delete(self, kind: Kind, id: str, *, expected: int | None) -> None: ...

    def defer(self, request: Later) -> str | None:
        """Keep a request to be carried out in its turn, and its completion told as an event.

        Returns its transaction, which is also the id of a resource to be made; None when no more are taken now.
        """
        ...


class Doorkeeper(Protocol):
    """Knows who calls: one bearer token names one tenant and one source."""

    def admit(self, token: str) -> Store:
        """The store of the token's client, or `scim.errors.Unauthorized`."""
        ...


class Exchange(NamedTuple):
    """One request and its answer, for whoever keeps a log.

    `path` is below the service's prefix, without the query, where values of people stand. `body` is what was read of
    the request; `answer` is the answer's body where it is a refusal or a Bulk response, else empty.
    """

    method: str
    path: str
    body: bytes
    status: int
    answer: bytes
    user_agent: str


class Observer(Protocol):
    """Is told of every request. `began` and `ended` are called in the same thread."""

    def began(self) -> None: ...

    def ended(self, exchange: Exchange) -> None: ...


@dataclass(frozen=True, slots=True)
class Limits:
    """What a request may cost. Sizes in bytes; each limit has its own precise error."""

    body: int = 1_048_576
    json_depth: int = 32
    filter_length: int = 2_048
    filter_clauses: int = 50
    filter_depth: int = 10
    patch_operations: int = 1_000
    bulk_operations: int = 1_000
    page: int = 200
    default_page: int = 100
    cursor_timeout: int = 3_600  # seconds between two pages
