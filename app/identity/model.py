"""The nouns of the core: what a source says (record), what a person is (account), and the rules between them.

Everything here is a value: no I/O, no clock. Times are aware datetimes in UTC. Ids are UUIDs as text.

    records of sources ──▶ match ──▶ own ──▶ status ──▶ managers ──▶ roles ──▶ account (+ lineage) ──▶ diff ──▶ events
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from app.identity.console_roles import ConsoleRole

Value = Any  # JSON: text, number, bool, list or object


class _Empty:
    """The source says that the attribute has no value. It wins like a value; silence is the key's absence."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "EMPTY"


EMPTY: Final = _Empty()


class SourceKind(StrEnum):
    IDP = "idp"
    HRIS = "hris"
    CRM = "crm"
    LOGIN = "login"


class Affiliation(StrEnum):
    EMPLOYEE = "employee"
    CUSTOMER = "customer"


class Status(StrEnum):
    ACTIVE = "active"
    INACTIVE = "inactive"


@dataclass(frozen=True, slots=True)
class Source:
    """A system that speaks about people.

    `employee_namespace` names the numbering of its employee numbers (None: it has none that can be trusted).
    `domains` are the mail domains it may vouch for; None means all that are assigned to nobody else.
    `value_maps` turn its codes into the LMS's names: attribute -> code -> name.
    Of a login source: `arrival` is create or link, what becomes of somebody whom nobody provisioned; `paired_source_id`
    is the SCIM source of the same identity provider. Of an identity provider: whether it `pushes_groups` at present.
    """

    id: str
    name: str
    kind: SourceKind
    system: str
    affiliation: Affiliation = Affiliation.EMPLOYEE
    employee_namespace: str | None = "default"
    domains: frozenset[str] | None = None
    value_maps: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    retired: bool = False
    arrival: str = "link"
    paired_source_id: str | None = None
    pushes_groups: bool = False


@dataclass(frozen=True, slots=True)
class ManagerRef:
    """A manager as a source names one: `kind` is line, matrix or functional; `keys` are tried in order.

    A key is (namespace, value): ("record", SCIM id), ("key:<source id>", the source's own id of the record),
    ("employee:<numbering>", number) or ("email", address).
    """

    keys: tuple[tuple[str, str], ...]
    kind: str = "line"
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Record:
    """What one source says about one person, in the account's terms.

    `voice` maps attribute to value or EMPTY; an attribute that is not there was not spoken of.
    `managers` is None when the source is silent about them; () when it says that there is none.
    `active` is the source's own yes or no; a deleted record stays as an inactive voice.
    `groups` are the ids of all groups of the same source that it is in, nested ones included.
    Of a login: `known_as` are the folded names under which its paired source may know the person, the best one first;
    `vouched` is False where the provider does not vouch for its addresses, which then identify nobody.
    """

    id: str
    source_id: str
    account_id: str | None
    active: bool
    voice: Mapping[str, Any]
    managers: tuple[ManagerRef, ...] | None = None
    groups: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()
    entitlements: frozenset[str] = frozenset()
    deleted: bool = False
    changed_at: datetime | None = None
    known_as: tuple[str, ...] = ()
    vouched: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """One identifier that a record claims for its person. Lower `strength` is stronger."""

    namespace: str
    affiliation: str
    value: str
    strength: int

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.namespace, self.affiliation, self.value)


@dataclass(frozen=True, slots=True)
class Lineage:
    """Why an attribute has its value: the winning source and record (None: set by hand), the rule, and since when."""

    source_id: str | None
    record_id: str | None
    rule: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Grant:
    """A role given by one rule. `scope` is tenant, branch:x or course:y.

    `rule` names what gave it: ``mapping:<id>``, ``hand`` or ``kept:last administrator``.
    """

    role: str
    scope: str
    rule: str
    effective: bool = True

    @property
    def key(self) -> tuple[str, str, str]:
        return (self.role, self.scope, self.rule)


@dataclass(frozen=True, slots=True)
class Role:
    """A role of the tenant's LMS. A higher `rank` wins where the tenant lets the highest win.

    `console` is what whoever holds it in the scope tenant may do in the console; None: nothing.
    """

    name: str
    rank: int
    administrator: bool = False
    console: ConsoleRole | None = None


@dataclass(frozen=True, slots=True)
class RoleMapping:
    """One rule of the tenant's role table: who has `match` gets `role` in `scope`.

    `kind` is group (match = group id), role or entitlement (match = its SCIM value, folded), or attribute
    (match = folded value of `attribute`). `source_id` limits it to one source's voice; None means the account's value.
    """

    id: str
    kind: str
    match: str
    role: str
    scope: str = "tenant"
    priority: int = 0
    source_id: str | None = None
    attribute: str | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """The person in the LMS.

    `attributes` holds winning values by attribute name; `managers` the resolved ones as {kind: [account ids]}.
    `manual` are values set by hand, which stay until taken back. `version` is the number of the last event about it.
    """

    id: str
    status: Status
    attributes: Mapping[str, Value] = field(default_factory=dict)
    lineage: Mapping[str, Lineage] = field(default_factory=dict)
    grants: tuple[Grant, ...] = ()
    manager_id: str | None = None
    managers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manual: Mapping[str, Any] = field(default_factory=dict)
    suspended: bool = False
    affiliation: str = Affiliation.EMPLOYEE
    inactive_since: datetime | None = None
    version: int = 0

    @property
    def roles(self) -> tuple[str, ...]:
        """Effective tenant-wide roles, sorted."""
        return tuple(sorted({g.role for g in self.grants if g.effective and g.scope == "tenant"}))


@dataclass(frozen=True, slots=True)
class OwnershipRule:
    """Who owns one attribute: `owners` are source kinds or source names in order of precedence.

    `create_only` owners may give a first value and never change it.
    """

    owners: tuple[str, ...]
    create_only: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """All that a tenant decided, as of one revision. Everything the core needs beside the people."""

    revision: int
    sources: Mapping[str, Source]
    ownership: Mapping[str, OwnershipRule]
    roles: Mapping[str, Role]
    mappings: tuple[RoleMapping, ...] = ()
    highest_role_wins: bool = True
    assigned_domains: Mapping[str, str] = field(default_factory=dict)  # mail domain -> source id
    forget_email_after_days: int = 30
    # How many may lose access or a role at once without a person's yes: see `guards.GuardPolicy`.
    guard_share: float = 0.1
    guard_floor: int = 5
    group_guard_floor: int = 50  # for one change of a group, where day-to-day moves are larger

    def heard(self, source_id: str) -> Source | None:
        """The source, if its voice counts: None when it is retired or unknown."""
        source = self.sources.get(source_id)
        return None if source is None or source.retired else source
