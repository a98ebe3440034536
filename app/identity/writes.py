"""What comes through the write door, and what comes back out of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from app.identity.model import Account, ManagerRef


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a source's document says in the account's terms.

    `values` maps attribute to value or EMPTY; what is not in it was not spoken of. `withheld` names what the source
    could not tell this time (attributes, families, `active`): there its record goes on saying what it said before.
    `known_as` and `vouched` are of logins: see `Record`.
    """

    active: bool
    values: Mapping[str, Any] = field(default_factory=dict)
    managers: tuple[ManagerRef, ...] | None = None
    roles: frozenset[str] = frozenset()
    entitlements: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()
    known_as: tuple[str, ...] = ()
    vouched: bool = True


@dataclass(frozen=True, slots=True)
class RecordWrite:
    """The whole present state of one record.

    `record_id` None: a new record (SCIM POST), or the one that `source_key` names (HR and CRM). `document` is kept as
    the source wrote it, `search` is its folded form for filters. `expected_version` refuses a write over a newer one.
    `due_at` is the instant at which the same document will say something else: a first day comes, a last one is over.
    `groups` are the ids of all groups that a login says it is in; None: it says nothing, or is no login.
    `new_id` is the id that a new record shall have. `request` is told in the audit: method and transaction of the SCIM
    request behind it.
    """

    source_id: str
    spoken: Spoken
    document: Mapping[str, Any]
    search: Mapping[str, Any] = field(default_factory=dict)
    record_id: str | None = None
    source_key: str | None = None
    user_name: str | None = None
    expected_version: int | None = None
    due_at: datetime | None = None
    groups: frozenset[str] | None = None
    new_id: str | None = None
    request: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordDelete:
    """The source took its record back: a tombstone stays and counts as an inactive voice."""

    source_id: str
    record_id: str
    expected_version: int | None = None
    request: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Rederive:
    """Nothing new was said, but rules, groups or managers changed: derive the account again."""

    account_id: str


@dataclass(frozen=True, slots=True)
class ByHand:
    """What a person decided about one account: it stays until it is taken back, whatever sources say.

    `values` maps attribute to value or EMPTY (there is to be none), `taken_back` names attributes that sources speak
    about again. `given` and `taken` are (role, scope) by hand; what a mapping gives cannot be taken. `suspended` None:
    as it was. `note` says why, for the audit.
    """

    account_id: str
    values: Mapping[str, Any] = field(default_factory=dict)
    taken_back: frozenset[str] = frozenset()
    given: frozenset[tuple[str, str]] = frozenset()
    taken: frozenset[tuple[str, str]] = frozenset()
    suspended: bool | None = None
    note: str = ""


Write = RecordWrite | RecordDelete | Rederive | ByHand


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one write: `before` and `after` are the account's, `rule` says how it was matched.

    `said_before` is the record's document before the write; None where the record is new or stayed as it was.
    """

    write: Write
    record_id: str | None
    version: int
    rule: str
    before: Account | None
    after: Account
    changed: bool
    doubtful: tuple[str, ...] = ()
    said_before: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class GroupOutcome:
    """What became of one write of a group. Documents are None where they did not change.

    `came` and `gone` are the ids of members; `accounts` are those derived again because of it, before and after; `run`
    derives them later instead, if `run` is not None, and waits for a person's yes if `held`.
    """

    group_id: str
    action: str
    before: Mapping[str, Any] | None
    after: Mapping[str, Any] | None
    came: tuple[str, ...]
    gone: tuple[str, ...]
    accounts: tuple[tuple[Account | None, Account], ...]
    run: str | None = None
    held: bool = False


class RefusedError(Exception):
    """The write door refuses, and nothing was changed."""


class RecordGoneError(RefusedError):
    """There is no such record (any more), or it is another source's."""


class VersionConflictError(RefusedError):
    """The record is at another version than the writer expected."""


class UserNameTakenError(RefusedError):
    """Another living record of the same source has this userName."""


class UnknownMemberError(RefusedError):
    """Somebody who is no record or group of the source cannot be a member. The first argument is the id."""


class NotProvisionedError(RefusedError):
    """Nobody provisioned this person, and the sign-in creates no accounts."""


class AmbiguousError(RefusedError):
    """The person may be one of several, or may not be found in this way; the sign-in creates no accounts."""


class InactiveError(RefusedError):
    """The account is not active, and a sign-in does not change that."""


class NotByHandError(RefusedError):
    """That cannot be decided by hand: no such attribute, role or scope, or a value that it cannot have. Says which."""


class LastAdministratorError(RefusedError):
    """Nobody else is an administrator: by hand, the last one is neither suspended nor stripped of the role."""


class BusyError(RefusedError):
    """Others hold the same people for longer than a request may wait; try again."""


class StaleError(Exception):
    """What was read has moved meanwhile: read again and decide again. Never leaves the write door."""
