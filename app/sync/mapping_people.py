"""What changed rules do to people: who would gain, lose and keep effective roles. Reads in pages, saves nothing.

    whom the changes concern ─▶ pages of 2,000 ─▶ what deriving roles needs of them ─▶ derived as they would be
                                                                    └── alike in all of it: derived once, together

Thousands of people in one group differ in their names and in little that roles depend on. So each combination of what
deriving looks at is derived once, by the same pure function as in the write door.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

import orjson
import sqlalchemy as sa

from app.identity.folding import fold, words
from app.identity.guards import KEPT, keep_last_administrator
from app.identity.model import EMPTY, Account, Grant, Record, RoleMapping, Rules, Status
from app.identity.naming import name_of
from app.identity.ownership import mapped
from app.identity.roles import HAND, MAPPING, administers, concerns, derive
from app.store import mappings as store
from app.store import role_reads as read
from app.store.role_reads import AccountRead, RecordRead

PAGE: Final = 2_000
GAIN, LOSS, KEPT_ROLE = "gain", "loss", "kept"
STAYS, LOSES, LAST = "stays", "loses", "kept"  # as an administrator; kept: loses it, unless nobody else is one
SOMEWHERE: Final = "a group that nothing is mapped to"

Line = tuple[str, str, str]  # gain, loss or kept; scope; role


@dataclass(frozen=True, slots=True)
class Turn:
    """The rules as they are and as they would be; `touched` are the lines that come, go or change, old and new.

    `roles` are those that change themselves: whoever was given one by hand is concerned as well.
    """

    rules: Rules
    future: Rules
    touched: tuple[RoleMapping, ...] = ()
    roles: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What becomes of people who are alike. `if_last`: the lines if nobody else administers, for LAST alone."""

    lines: tuple[Line, ...]
    standing: str | None = None
    if_last: tuple[Line, ...] = ()
    concerned: bool = True


class Weighed(NamedTuple):
    """Somebody, and what becomes of them."""

    account_id: str
    name: str
    outcome: Outcome


def concerned(conn: sa.Connection, tenant_id: str, turn: Turn, limit: int | None = None) -> list[str] | None:
    """Everybody who meets one of the touched lines or has a grant by it, sorted; None if more than `limit`."""
    grouped = {one.match for one in turn.touched if one.kind == "group" and one.match != "waiting"}
    found = store.granted_by(conn, tenant_id, {f"{MAPPING}{one.id}" for one in turn.touched}, limit)
    if turn.roles:
        found |= store.granted_by(conn, tenant_id, (HAND, KEPT), roles=turn.roles)
    if grouped and (limit is None or len(found) <= limit):
        found |= store.in_groups(conn, tenant_id, grouped, limit)
    for one in turn.touched:
        if limit is not None and len(found) > limit:
            return None
        if one.kind != "group":
            found |= _meeting(conn, tenant_id, one, turn.rules)
    return None if limit is not None and len(found) > limit else sorted(found)


def _meeting(conn: sa.Connection, tenant_id: str, mapping: RoleMapping, rules: Rules) -> set[str]:
    if mapping.kind == "attribute":
        name, where = mapping.attribute or "", "account" if mapping.source_id is None else "voice"
    else:
        name, where = "roles" if mapping.kind == "role" else "entitlements", "list"
    source = rules.sources.get(mapping.source_id or "")

    def meets(value: Any) -> bool:
        heard = mapped(name, value, source) if where == "voice" and source is not None else value
        return fold(mapping.match) in words(heard)

    said = store.spoken(conn, tenant_id, where, name, mapping.source_id)
    return store.holders(conn, tenant_id, where, name, mapping.source_id, [one for one in said if meets(one)])


@dataclass(slots=True)
class Scales:
    """Weighs people of one tenant for one turn of its rules; what it found out about one of a kind holds for all."""

    conn: sa.Connection
    tenant_id: str
    turn: Turn
    _outcomes: dict[Any, Outcome] = field(default_factory=dict)
    _above: dict[str, frozenset[str]] = field(default_factory=dict)

    def weigh(self, account_ids: Sequence[str]) -> Iterator[Weighed]:
        """These people in the order of their ids, page by page; whoever is not there is left out."""
        ordered = sorted(account_ids)
        for start in range(0, len(ordered), PAGE):
            yield from self._page(ordered[start : start + PAGE])

    def _page(self, ids: Sequence[str]) -> Iterator[Weighed]:
        mappings = (*self.turn.future.mappings, *self.turn.touched)
        lists = any(one.kind in ("role", "entitlement") for one in mappings)
        spoken = sorted({one.attribute or "" for one in mappings if one.kind == "attribute" and one.source_id})
        asked = sorted({one.attribute or "" for one in mappings if one.kind == "attribute" and not one.source_id})
        grouped = frozenset(one.match for one in mappings if one.kind == "group")
        accounts = read.accounts(self.conn, self.tenant_id, ids)
        records = read.records(self.conn, self.tenant_id, ids, lists=lists, values=bool(spoken))
        self._learn(records)
        kinds: dict[str, list[Any]] = {}
        for one in records:
            kinds.setdefault(one.account_id, []).append(self._kind(one, grouped, spoken))
        for account in accounts:
            attributes = {name: account.attributes[name] for name in asked if name in account.attributes}
            alike = sorted(kinds.get(account.id, ()))
            key = (account.active, account.grants, orjson.dumps(attributes) if attributes else b"", tuple(alike))
            outcome = self._outcomes.get(key)
            if outcome is None:
                outcome = self._outcomes[key] = _outcome(account, attributes, alike, self.turn)
            yield Weighed(account.id, name_of(account.id, account.attributes), outcome)

    def _learn(self, records: Iterable[RecordRead]) -> None:
        """The groups above those that were not met before."""
        unknown = {group for one in records for group in one.groups} - self._above.keys()
        edges: dict[str, list[str]] = {}
        for child, parent in read.above(self.conn, self.tenant_id, unknown):
            edges.setdefault(child, []).append(parent)
        for group in unknown:
            self._above[group] = _closure(group, edges)

    def _kind(self, record: RecordRead, grouped: frozenset[str], spoken: Sequence[str]) -> tuple[Any, ...]:
        """All that deriving looks at in a record, in a form that can be compared and sorted."""
        within = sorted({above for group in record.groups for above in self._above[group] if above in grouped})
        if record.groups and not within:
            within = [SOMEWHERE]  # whether it is in any group tells whether its source pushes groups
        said = {name: record.said[name] for name in spoken if name in record.said} if record.said else {}
        lists = (record.roles or "[]", record.entitlements or "[]")
        return (record.source_id, record.active, record.deleted, tuple(within), *lists, orjson.dumps(said or {}))


def _closure(group: str, edges: Mapping[str, Sequence[str]]) -> frozenset[str]:
    seen, waiting = {group}, [group]
    while waiting:
        for parent in edges.get(waiting.pop(), ()):
            if parent not in seen:
                seen.add(parent)
                waiting.append(parent)
    return frozenset(seen)


def _outcome(account: AccountRead, attributes: dict[str, Any], kinds: Sequence[tuple[Any, ...]], turn: Turn) -> Outcome:
    grants = tuple(Grant(**grant) for grant in orjson.loads(account.grants))
    status = Status.ACTIVE if account.active else Status.INACTIVE
    before = Account(account.id, status, attributes, grants=grants)
    records = [_record(account.id, kind) for kind in kinds]
    by_hand = [grant for grant in grants if grant.rule == HAND]
    after = replace(before, grants=derive(attributes, records, account.active, turn.future, by_hand))
    touched = {(one.scope, one.role) for one in turn.touched}
    lines = _lines(before, after, touched)
    standing: str | None = None
    if_last: tuple[Line, ...] = ()
    if administers(after, turn.future):
        standing = STAYS
    elif administers(before, turn.rules):
        standing = LOSES
        if any(grant.rule == KEPT and grant.effective for grant in grants):
            standing = LAST
            if_last = _lines(before, keep_last_administrator(before, after, turn.future), touched)
    met = any(grant.rule in (HAND, KEPT) and grant.role in turn.roles for grant in grants)
    met = met or any(concerns(one, before, records, turn.rules) for one in turn.touched)
    return Outcome(lines, standing, if_last, met)


def _record(account_id: str, kind: tuple[Any, ...]) -> Record:
    source_id, active, deleted, groups, roles, entitlements, said = kind
    voice = {name: EMPTY if value is None else value for name, value in orjson.loads(said).items()}
    return Record(
        id="",
        source_id=source_id,
        account_id=account_id,
        active=active,
        voice=voice,
        groups=frozenset(groups),
        roles=frozenset(orjson.loads(roles)),
        entitlements=frozenset(orjson.loads(entitlements)),
        deleted=deleted,
    )


def _lines(before: Account, after: Account, touched: Collection[tuple[str, str]]) -> tuple[Line, ...]:
    old, new = _effective(before.grants), _effective(after.grants)
    stays = (old & new & set(touched)) if before.grants != after.grants else set()
    found = ((GAIN, new - old), (LOSS, old - new), (KEPT_ROLE, stays))
    return tuple((kind, scope, role) for kind, roles in found for scope, role in sorted(roles))


def _effective(grants: Sequence[Grant]) -> set[tuple[str, str]]:
    return {(grant.scope, grant.role) for grant in grants if grant.effective}
