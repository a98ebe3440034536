"""The duplicates inbox: who may be one person, side by side, for whoever decides.

    the matcher's doubts ─▶ page · show ─▶ a person ─┬─ app.merging.merge     one person
                                                     └─ tell_apart            two people

Nothing here is asked while people are written.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

import sqlalchemy as sa

from app.identity.decide import Decision, Kept
from app.identity.merging_evidence import Evidence, evidence
from app.identity.merging_guards import same
from app.identity.model import Account, Rules
from app.identity.roles import would_administer
from app.provisioning import in_transaction, save
from app.store import aliases, apart, people
from app.store import duplicates as store
from app.store import rules as rulebook
from app.store.audit import Entry
from app.store.duplicates import Doubted, Place
from app.store.engine import reading
from app.store.tenants import NotFoundError


@dataclass(frozen=True, slots=True)
class Side:
    """One of the two. `last_sign_in` is the last that is still in the sign-in log."""

    account: Account
    records: tuple[Kept, ...]
    last_sign_in: datetime | None
    administers: bool


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A pair. `one` was given the doubtful record, `other` may be the same person; None: it is there no longer.

    `doubt` is None where nobody doubted, and a person put the two side by side.
    """

    doubt: Doubted | None
    one: Side | None
    other: Side | None
    evidence: tuple[Evidence, ...]
    told_apart: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Pairs, the newest first; `next` is where to go on, None at the end."""

    pairs: tuple[Duplicate, ...]
    next: Place | None


def page(
    engine: sa.Engine, tenant_id: str, *, behind: Place | None = None, decided: bool | None = None, limit: int = 50
) -> Page:
    """A page of pairs: the open ones and behind them those that are decided; or one of both."""
    place = behind or Place(decided=bool(decided))
    with reading(engine) as conn:
        found: list[Doubted] = []
        if not place.decided and not decided:
            found = store.page(conn, tenant_id, behind=place, decided=False, limit=limit + 1)
        if decided is not False and len(found) <= limit:
            start = place if place.decided else Place()
            found += store.page(conn, tenant_id, behind=start, decided=True, limit=limit + 1 - len(found))
        shown = found[:limit]
        pairs = _pairs(conn, tenant_id, [(one.one, one.other, one) for one in shown])
    return Page(tuple(pairs), shown[-1].place if len(found) > limit else None)


def waiting(engine: sa.Engine, tenant_id: str, most: int = 100) -> int:
    """How many pairs wait for a decision; no more than `most` are counted."""
    with reading(engine) as conn:
        return store.open_pairs(conn, tenant_id, most)


def show(engine: sa.Engine, tenant_id: str, doubt_id: str) -> list[Duplicate]:
    """All pairs of one doubt.

    Raises:
        NotFoundError: the tenant has no such doubt.
    """
    with reading(engine) as conn:
        found = store.find(conn, tenant_id, _id(doubt_id, "doubt"))
        if not found:
            raise NotFoundError(f"there is no doubt {doubt_id}")
        return _pairs(conn, tenant_id, [(one.one, one.other, one) for one in found])


def side_by_side(engine: sa.Engine, tenant_id: str, one: str, other: str) -> Duplicate:
    """Any two accounts, whether or not anybody doubted.

    Raises:
        NotFoundError: the tenant has no such account.
        NotMergedError: they are one.
    """
    with reading(engine) as conn:
        pair = _two(conn, tenant_id, one, other)
        [found] = _pairs(conn, tenant_id, [(*pair, None)])
    for id, side in zip(pair, (found.one, found.other), strict=True):
        if side is None:
            raise _nobody(id)
    return found


def tell_apart(engine: sa.Engine, tenant_id: str, one: str, other: str, *, actor: str, reason: str = "") -> bool:
    """Two people: the pair is not asked about again, and what they share by name or address leads to neither of them.

    False: they were told apart before.

    Raises:
        NotFoundError: the tenant has no such account.
        NotMergedError: they are one. BusyError: others are at work.
    """

    def once(conn: sa.Connection, rules: Rules) -> bool:
        pair = _two(conn, tenant_id, one, other)
        known = people.accounts(conn, tenant_id, pair, lock=True)
        for id in pair:
            if id not in known:
                raise _nobody(id)
        new = apart.tell(conn, tenant_id, *pair, actor)
        closed = store.settle(conn, tenant_id, pair, actor)
        if new or closed:
            entries = [
                Entry(actor, "account.told_apart", id, {"from": from_, "doubts": closed}, {"note": reason})
                for id, from_ in (pair, pair[::-1])
            ]
            save(conn, tenant_id, Decision(), rules, actor, datetime.now(UTC), entries)
        return new

    return in_transaction(engine, tenant_id, once)


def _two(conn: sa.Connection, tenant_id: str, one: str, other: str) -> tuple[str, str]:
    pair = (_living(conn, tenant_id, one), _living(conn, tenant_id, other))
    if pair[0] == pair[1]:
        raise same()
    return pair


def _living(conn: sa.Connection, tenant_id: str, account_id: str) -> str:
    return aliases.resolve(conn, tenant_id, _id(account_id, "account"))


def _id(text: str, what: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFoundError(f"there is no {what} {text}") from None


def _nobody(account_id: str) -> NotFoundError:
    return NotFoundError(f"there is no account {account_id}")


def _pairs(conn: sa.Connection, tenant_id: str, asked: Sequence[tuple[str, str, Doubted | None]]) -> list[Duplicate]:
    ids = {id for one, other, _ in asked for id in (one, other)}
    rules = rulebook.current(conn, tenant_id)
    accounts = people.accounts(conn, tenant_id, ids, lock=False)
    records: dict[str, list[Kept]] = {id: [] for id in ids}
    for kept in people.records_of(conn, tenant_id, ids):
        records[str(kept.record.account_id)].append(kept)
    seen = store.last_sign_ins(conn, tenant_id, ids)
    told_apart = apart.among(conn, tenant_id, ids)

    def side(id: str) -> Side | None:
        account = accounts.get(id)
        if account is None:
            return None
        return Side(account, tuple(records[id]), seen.get(id), would_administer(account, rules))

    return [
        Duplicate(
            doubt,
            side(one),
            side(other),
            evidence(records[one], records[other], rules),
            apart.pair(one, other) in told_apart,
        )
        for one, other, doubt in asked
    ]
