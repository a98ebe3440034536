"""The write door for groups: what a source says about its groups, and the roles that follow from it.

group ─▶ lock it ─▶ document, members (rows) ─▶ whose membership changed, nested groups included
                                                   ├─ up to 500 accounts: derived again in the same transaction
                                                   └─ more: a run derives them; the group shows it as pending
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple

import sqlalchemy as sa

from app.identity.changes import changed_paths
from app.identity.decide import Decision
from app.identity.guards import GuardPolicy, Verdict, judge
from app.identity.model import Rules, SourceKind
from app.identity.roles import lost_roles
from app.identity.writes import GroupOutcome, RecordGoneError, UnknownMemberError, VersionConflictError
from app.provisioning import CHUNK, derive_again, in_transaction, new_id, save
from app.store import groups as store
from app.store import imports, people, runs
from app.store import rules as rulebook
from app.store.audit import Entry
from app.store.tenants import raise_revision

HELD_FOR: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Membership:
    """`replace` (when not None) is the whole list; then `remove` leave and `add` come. Values are display names.

    `strays` takes the ids that are nobody's, which are then left out; None: one of them refuses the whole request.
    """

    replace: Mapping[str, str | None] | None = None
    add: Mapping[str, str | None] | None = None
    remove: frozenset[str] = frozenset()
    strays: set[str] | None = None

    def __bool__(self) -> bool:
        return self.replace is not None or bool(self.add or self.remove)


@dataclass(frozen=True, slots=True)
class GroupSpoken:
    """A group as its source wants it: the document (with `displayName`), its search form, and the members' change."""

    document: Mapping[str, Any]
    search: Mapping[str, Any]
    members: Membership = Membership()


class Moves(NamedTuple):
    """Who came into a group, and who left it."""

    came: store.Moved
    gone: store.Moved

    @property
    def all(self) -> store.Moved:
        return {**self.gone, **self.came}


class Followed(NamedTuple):
    """What followed for the accounts: `run` derives them later, `held` until a person says yes."""

    decision: Decision
    run: str | None = None
    held: bool = False


class Grouping:
    """Groups of one source of one tenant. `actor` stands in the audit, `told` hears of each change after its COMMIT.

    `txn` is the transaction of an asynchronous SCIM request, for the audit.
    """

    def __init__(
        self,
        engine: sa.Engine,
        tenant_id: str,
        source_id: str,
        actor: str,
        clock: Callable[[], datetime] | None = None,
        told: Callable[[GroupOutcome], None] | None = None,
        txn: str | None = None,
    ) -> None:
        self.engine, self.tenant, self.source, self.actor, self.txn = engine, tenant_id, source_id, actor, txn
        self.clock = clock or (lambda: datetime.now(UTC))
        self.told = told or (lambda _outcome: None)

    def create(self, spoken: GroupSpoken, id: str | None = None) -> str:
        """A new group; returns its id, which is `id` if that is given.

        Raises:
            UnknownMemberError: somebody in it is nobody of this source. Nothing was changed.
        """
        now, made = self.clock(), id or new_id()

        def once(conn: sa.Connection, rules: Rules) -> GroupOutcome:
            store.insert(conn, self.tenant, self.source, made, spoken.document, spoken.search, now)
            if self._take_up_mappings(conn, made, spoken.document):
                rules = rulebook.current(conn, self.tenant)
            rules = self._tell_logins(conn, rules, pushes=True)
            moves = self._move(conn, made, spoken.members)
            facts = self._facts("POST", 1, moves, spoken.document)
            counts = {f"{self.source}/Group": 1}
            followed = self._follow(conn, made, moves.all, {made}, "group.created", rules, now, facts, counts)
            return _outcome(made, "created", None, spoken.document, moves, followed)

        self.told(in_transaction(self.engine, self.tenant, once, alone=self._rules_turn()))
        return made

    def write(
        self, id: str, spoken: GroupSpoken | None, members: Membership, expected: int | None, method: str = "PATCH"
    ) -> None:
        """Write the document (None: as it is) and change the members. No difference, no new version.

        `method` is that of the SCIM request, for the audit.

        Raises:
            RecordGoneError, VersionConflictError, UnknownMemberError: nothing was changed.
        """
        now = self.clock()

        def once(conn: sa.Connection, rules: Rules) -> GroupOutcome | None:
            row = self._locked(conn, id, expected)
            rewritten = spoken is not None and dict(spoken.document) != row.document
            moves = self._move(conn, id, members)
            moved = moves.all
            if not (rewritten or moved):
                return None
            document = spoken.document if spoken is not None and rewritten else None
            if spoken is not None and rewritten:
                store.update(conn, self.tenant, id, now, document=spoken.document, search=spoken.search)
            else:
                store.touch(conn, self.tenant, id, now)
            above = self._above(conn, id, rules) if moved else set()
            facts = self._facts(method, row.version + 1, moves, document or row.document, row.document)
            followed = self._follow(conn, id, moved, above, "group.updated", rules, now, facts)
            return _outcome(id, "updated", row.document if rewritten else None, document, moves, followed)

        outcome = in_transaction(self.engine, self.tenant, once)
        if outcome is not None:
            self.told(outcome)

    def delete(self, id: str, expected: int | None) -> None:
        """A tombstone: memberships end, mappings wait for the group to come back.

        Raises:
            RecordGoneError, VersionConflictError: nothing was changed.
        """
        now = self.clock()

        def once(conn: sa.Connection, rules: Rules) -> GroupOutcome:
            row = self._locked(conn, id, expected)
            above = self._above(conn, id, rules)
            moves = Moves({}, store.dissolve(conn, self.tenant, id))
            store.update(conn, self.tenant, id, now, deleted=True)
            if rules.sources[self.source].pushes_groups and store.logins_listen(conn, self.tenant, self.source):
                rules = self._tell_logins(conn, rules, pushes=False)
            facts = self._facts("DELETE", row.version + 1, moves)
            counts = {f"{self.source}/Group": -1}
            followed = self._follow(conn, id, moves.all, above, "group.deleted", rules, now, facts, counts)
            return _outcome(id, "deleted", row.document, None, moves, followed)

        self.told(in_transaction(self.engine, self.tenant, once, alone=self._rules_turn(id)))

    def _facts(
        self,
        method: str,
        version: int,
        moves: Moves,
        document: Mapping[str, Any] | None = None,
        before: Mapping[str, Any] | None = None,
    ) -> dict[str, Any]:
        """What the audit says of the request; SCIM events are made of it.

        Up to a chunk of members is named by ids: a draft of the role table asks who moved since it was worked out.
        """
        moved = moves.all
        members = ["members"] if moved else []
        changed = [] if document is None else [*changed_paths(before or {}, document), *members]
        txn = {} if self.txn is None else {"txn": self.txn}
        named = {"came": sorted(moves.came), "gone": sorted(moves.gone)} if 0 < len(moved) <= CHUNK else {}
        return {"moved": len(moved), "method": method, "version": version, "attributes": changed, **txn, **named}

    def _locked(self, conn: sa.Connection, id: str, expected: int | None) -> Any:
        row = store.locked(conn, self.tenant, self.source, id)
        if row is None:
            raise RecordGoneError(id)
        if expected is not None and expected != row.version:
            raise VersionConflictError(row.version)
        return row

    def _move(self, conn: sa.Connection, id: str, change: Membership) -> Moves:
        """Change the rows; returns who came and who went."""
        wanted = dict(change.replace or {}) | dict(change.add or {})
        gone: store.Moved = {}
        if change.replace is not None:
            gone |= store.keep_only(conn, self.tenant, id, change.replace.keys())
        gone |= store.remove(conn, self.tenant, id, change.remove - wanted.keys())
        known, came = store.add(conn, self.tenant, self.source, id, wanted)
        unknown = sorted(wanted.keys() - known)
        if unknown and change.strays is None:
            raise UnknownMemberError(unknown[0])
        if change.strays is not None:
            change.strays.update(unknown)
        return Moves(came, gone)

    def _above(self, conn: sa.Connection, id: str, rules: Rules) -> set[str]:
        """The group and all that it is in, if anybody's roles may hang on one of them."""
        mapped = any(mapping.kind == "group" for mapping in rules.mappings)
        return store.upwards(conn, self.tenant, id) if mapped else set()

    def _follow(
        self,
        conn: sa.Connection,
        id: str,
        moved: store.Moved,
        above: set[str],
        action: str,
        rules: Rules,
        now: datetime,
        told: Mapping[str, Any],
        counts: dict[str, int] | None = None,
    ) -> Followed:
        """Roles follow: at once, or by a run, or when a person has allowed it. `above`: the group and all it is in."""
        concerned = store.accounts_of(conn, self.tenant, moved)
        mapped = any(mapping.kind == "group" and mapping.match in above for mapping in rules.mappings)
        facts: dict[str, Any] = {"group": id, **told}
        decision, verdict = Decision(), None
        if len(concerned) <= CHUNK:
            if mapped:
                decision = derive_again(conn, self.tenant, concerned, rules, now)
            else:  # nobody's roles hang on it; the locks make whoever is being deleted visible
                people.hold(conn, self.tenant, concerned)
            store.drop_deleted(conn, self.tenant, id, moved)
            verdict = self._judged(conn, len(_losing(decision)), rules)
        elif mapped and store.left(conn, self.tenant, id, moved):
            verdict = self._judged(conn, len(concerned), rules)
        if verdict is not None and verdict.held:
            decision = Decision()
            facts |= {"run": self._run(conn, id, concerned, facts | {"guard": verdict.reason}, now, held=True)}
        elif len(concerned) > CHUNK and mapped:
            facts |= {"run": self._run(conn, id, concerned, facts, now, held=False)}
        save(conn, self.tenant, decision, rules, self.actor, now, [Entry(self.actor, action, id, facts)], counts)
        return Followed(decision, facts.get("run"), verdict is not None and verdict.held)

    def _judged(self, conn: sa.Connection, losses: int, rules: Rules) -> Verdict | None:
        if losses <= rules.group_guard_floor:
            return None
        population = imports.population(conn, self.tenant, self.source)
        return judge(losses, population, GuardPolicy(rules.guard_share, rules.group_guard_floor))

    def _run(
        self, conn: sa.Connection, id: str, accounts: list[str], summary: dict[str, Any], now: datetime, *, held: bool
    ) -> str:
        summary = {name: fact for name, fact in summary.items() if name not in ("came", "gone")}  # it names no person
        run = runs.add(
            conn,
            self.tenant,
            kind="group",
            state="held" if held else "queued",
            actor=self.actor,
            payloads=[{"account": one} for one in accounts],
            summary=summary,
            source_id=self.source,
            expires_at=now + HELD_FOR if held else None,
        )
        store.set_pending(conn, self.tenant, id, run)
        return run

    def _rules_turn(self, deleted: str | None = None) -> bool:
        """Whether a new group, or the end of `deleted`, may change the rules."""
        with self.engine.connect() as conn:
            waits = deleted is None and store.mappings_wait(conn, self.tenant, self.source)
            return waits or store.logins_listen(conn, self.tenant, self.source, deleted)

    def _tell_logins(self, conn: sa.Connection, rules: Rules, *, pushes: bool) -> Rules:
        """Groups that logins say count only while the source pushes none: with its first group or its last, rules turn.

        Whoever is in a mapped one of theirs is derived again by a run.
        """
        logins = {source.id for source in rules.sources.values() if source.kind is SourceKind.LOGIN}
        if not logins or rules.sources[self.source].pushes_groups == pushes:
            return rules
        revision = raise_revision(conn, self.tenant)
        theirs = [
            one
            for one in rules.mappings
            if one.kind == "group" and one.source_id in logins and one.match != rulebook.WAITING
        ]
        concerned = store.accounts_of(conn, self.tenant, {mapping.match: "Group" for mapping in theirs})
        if concerned:
            facts = {"revision": revision, "pushes_groups": pushes}
            runs.queue(
                conn,
                self.tenant,
                kind="rules",
                actor=self.actor,
                account_ids=concerned,
                summary=facts,
                source_id=self.source,
            )
        return rulebook.current(conn, self.tenant)

    def _take_up_mappings(self, conn: sa.Connection, id: str, document: Mapping[str, Any]) -> bool:
        """Whether mappings waited for this group, and hang on it now."""
        name, external = document["displayName"], document.get("externalId")
        waiting = store.mappings_wait(conn, self.tenant, self.source)
        taken_up = bool(waiting and store.take_up_mappings(conn, self.tenant, self.source, id, name, external))
        if taken_up:
            raise_revision(conn, self.tenant)
        return taken_up


def _outcome(
    id: str,
    action: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
    moves: Moves,
    followed: Followed,
) -> GroupOutcome:
    accounts = tuple((past, derived.account) for past, derived in followed.decision.accounts.values())
    return GroupOutcome(
        id, action, before, after, tuple(moves.came), tuple(moves.gone), accounts, followed.run, followed.held
    )


def _losing(decision: Decision) -> list[str]:
    return [
        account_id
        for account_id, (before, derived) in decision.accounts.items()
        if before is not None and lost_roles(before, derived.account)
    ]
