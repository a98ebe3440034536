"""The write door for logins: what an identity provider says of whoever signs in, and whether they may come in.

    login ─▶ its groups (made if nobody named them before) ─▶ decide, as any record ─▶ may they come in?
                                                                 ├─ no: nothing was changed
                                                                 └─ yes: save what differs ─▶ finish (session) ─▶ COMMIT

One function for all ways of signing in, one transaction: who is deactivated meanwhile is either refused here, or loses
the session that `finish` began. What the sign-in may do (create accounts, which SCIM source it is paired with) stands
in the tenant's rules, which do not change until COMMIT. A login that repeats the last one writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Any, TypeVar

import sqlalchemy as sa

from app.identity.explain import RoleReason, role_reasons
from app.identity.folding import fold
from app.identity.model import Rules, Source, SourceKind, Status
from app.identity.writes import (
    AmbiguousError,
    InactiveError,
    NotProvisionedError,
    Outcome,
    RecordWrite,
    RefusedError,
    Spoken,
)
from app.provisioning import decided, in_transaction, save, tell_reports
from app.store import drift, finding, login_groups
from app.store import groups as store
from app.store import rules as rulebook
from app.store.audit import Entry
from app.store.engine import reading
from app.store.tenants import raise_revision

T = TypeVar("T")
TOO_MANY_GROUPS = "groups that are too many or no names"


@dataclass(frozen=True, slots=True)
class Login:
    """What one checked assertion says of a person.

    `subject` is the provider's lasting name for them, by which their record is found again; `user_name` the name that
    the paired SCIM source may know them by: from a claim that the provider rules, never an address that people set.
    `spoken.vouched` is whether it vouches for the addresses. `document` is what was sent, without what differs each
    time (ids, times) and without the groups. `groups` is None where nothing was said of them, which changes nothing;
    () is none.
    """

    source_id: str
    subject: str
    user_name: str | None
    spoken: Spoken
    document: Mapping[str, Any]
    groups: tuple[str, ...] | None = None


class _RulesTurnError(Exception):
    """A mapping waits for a new group: again, with nobody else writing."""


def log_in(
    engine: sa.Engine,
    tenant_id: str,
    login: Login,
    *,
    actor: str,
    now: datetime,
    finish: Callable[[sa.Connection, Outcome], T],
) -> T:
    """Take in what a login says, and let the person in; answers what `finish` does.

    `finish` is called in the same transaction, with the account's row saved and locked; what it raises undoes all. It
    may be called again after a lost race, so it must do nothing beyond `conn`.

    Raises:
        NotProvisionedError: nobody provisioned the person, and the sign-in creates no accounts, or counts no longer.
        AmbiguousError: as that, but the person may be somebody that is there.
        InactiveError: the account is not active.
        BusyError: others hold the same person. After each of them nothing was changed.
    """
    groups, left_out = (None, 0) if login.groups is None else login_groups.by_id(login.source_id, login.groups)
    once = partial(_once, tenant_id, login, groups, actor=actor, now=now, finish=finish)
    try:
        done, waiting = in_transaction(engine, tenant_id, partial(once, alone=False))
    except _RulesTurnError:
        done, waiting = in_transaction(engine, tenant_id, partial(once, alone=True), alone=True)
    tell_reports(engine, tenant_id, waiting)
    if left_out:
        drift.report(engine, tenant_id, login.source_id, [TOO_MANY_GROUPS])
    return done


@dataclass(frozen=True, slots=True)
class Preview:
    """What a login would come to. `outcome` is None where the sign-in does not count at all.

    `refusal` is why the person would not be let in. `roles` are those of the account as it would be; `new_groups` would
    be named for the first time, and `waiting` is whether mappings wait for a group of this source.
    """

    outcome: Outcome | None
    refusal: RefusedError | None = None
    roles: tuple[RoleReason, ...] = ()
    new_groups: tuple[str, ...] = ()
    waiting: bool = False


def preview(engine: sa.Engine, tenant_id: str, login: Login, *, now: datetime) -> Preview:
    """The same decision as `log_in`, without a lock, and nothing is saved."""
    groups, _ = (None, 0) if login.groups is None else login_groups.by_id(login.source_id, login.groups)
    with reading(engine) as conn:
        rules = rulebook.current(conn, tenant_id)
        source = rules.heard(login.source_id)
        if source is None or source.kind is not SourceKind.LOGIN:
            return Preview(None, NotProvisionedError("This sign-in does not count."))
        new = login_groups.unknown(conn, tenant_id, login.source_id, groups or {})
        waiting = bool(new) and store.mappings_wait(conn, tenant_id, login.source_id)
        [outcome] = decided(conn, tenant_id, [_write(login, groups)], rules, now, lock=False).outcomes
        names = finding.mapped_groups(conn, tenant_id)
    refusal: RefusedError | None = None
    try:
        _admit(outcome, source)
    except RefusedError as error:
        refusal = error
    return Preview(outcome, refusal, role_reasons(outcome.after, rules, names), tuple(sorted(new.values())), waiting)


def _once(
    tenant_id: str,
    login: Login,
    groups: Mapping[str, str] | None,
    conn: sa.Connection,
    rules: Rules,
    *,
    actor: str,
    now: datetime,
    finish: Callable[[sa.Connection, Outcome], T],
    alone: bool,
) -> tuple[T, list[str]]:
    source = rules.heard(login.source_id)
    if source is None or source.kind is not SourceKind.LOGIN:
        raise NotProvisionedError("This sign-in does not count.")
    made = _made(conn, tenant_id, login.source_id, groups or {}, now, alone=alone)
    if alone and _take_up(conn, tenant_id, login.source_id, made):
        rules = rulebook.current(conn, tenant_id)
    decision = decided(conn, tenant_id, [_write(login, groups)], rules, now)
    [outcome] = decision.outcomes
    _admit(outcome, source)
    entries = [
        Entry(actor, "group.created", id, {"group": id, "source": source.name}, {"name": made[id]}) for id in made
    ]
    counts = {f"{login.source_id}/Group": len(made)} if made else {}
    waiting = save(conn, tenant_id, decision, rules, actor, now, entries, counts)
    return finish(conn, outcome), waiting


def _write(login: Login, groups: Mapping[str, str] | None) -> RecordWrite:
    names = [fold(name) for name in (login.user_name, login.subject) if name]
    return RecordWrite(
        source_id=login.source_id,
        spoken=replace(login.spoken, known_as=tuple(dict.fromkeys(name for name in names if name))),
        document=login.document,
        source_key=login.subject,
        groups=None if groups is None else frozenset(groups),
    )


def _admit(outcome: Outcome, source: Source) -> None:
    if outcome.rule == "new" and source.arrival != "create":
        if outcome.doubtful:
            raise AmbiguousError("Somebody may be this person, but nothing says so for sure.")
        raise NotProvisionedError("Nobody provisioned this person.")
    if outcome.after.status is not Status.ACTIVE:
        raise InactiveError("The account is not active.")


def _made(
    conn: sa.Connection, tenant_id: str, source_id: str, groups: Mapping[str, str], now: datetime, *, alone: bool
) -> dict[str, str]:
    """The groups that this login is the first to name."""
    unknown = login_groups.unknown(conn, tenant_id, source_id, groups)
    if not unknown:
        return {}
    if not alone and store.mappings_wait(conn, tenant_id, source_id):
        raise _RulesTurnError
    return {id: unknown[id] for id in login_groups.make(conn, tenant_id, source_id, unknown, now)}


def _take_up(conn: sa.Connection, tenant_id: str, source_id: str, made: Mapping[str, str]) -> bool:
    """Whether mappings waited for one of these groups, and hang on it now. Only where nobody else writes."""
    taken = [store.take_up_mappings(conn, tenant_id, source_id, id, name, None) for id, name in made.items()]
    if any(taken):
        raise_revision(conn, tenant_id)
    return any(taken)
