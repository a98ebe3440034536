"""One change of the rules, worked out for everybody concerned: the list that is shown, its counts and its hash.

The hash adds up one digest for each person who gains or loses, so that a list has the same one in whatever order and
pages it was worked out.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

import orjson
import sqlalchemy as sa

from app.store import role_reads, since
from app.sync.mapping_people import GAIN, KEPT_ROLE, LAST, LOSES, LOSS, STAYS, Line, Scales, Turn, Weighed, concerned

_MODULUS: Final = 1 << 256
Standing = tuple[tuple[Line, ...], str | None]  # gains and losses; as an administrator


@dataclass(frozen=True, slots=True)
class Holding:
    """A role of one person in one scope."""

    account_id: str
    name: str
    role: str
    scope: str


@dataclass(frozen=True, slots=True)
class Preview:
    """Who would gain and lose effective roles; `kept` have the role before and after, by other lines.

    `accounts` people are concerned. `hash` stands for this list and these changes.
    """

    gains: tuple[Holding, ...]
    losses: tuple[Holding, ...]
    kept: tuple[Holding, ...]
    accounts: int
    removes_last_administrator: bool
    hash: str

    @property
    def counts(self) -> dict[str, int]:
        """How many of each."""
        return {
            "gains": len(self.gains),
            "losses": len(self.losses),
            "kept": len(self.kept),
            "accounts": self.accounts,
        }

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values, with counts."""
        return {
            "hash": self.hash,
            "counts": self.counts,
            "removesLastAdministrator": self.removes_last_administrator,
            "gains": [_shown(one) for one in self.gains],
            "losses": [_shown(one) for one in self.losses],
            "kept": [_shown(one) for one in self.kept],
        }


@lru_cache(maxsize=1_024)
def _said(lines: tuple[Line, ...]) -> bytes:
    """Gains and losses as text: many people have the same ones."""
    counted = [line for line in lines if line[0] != KEPT_ROLE]
    return orjson.dumps(counted) if counted else b""


class Sum:
    """The digest of a list of gains and losses, person by person."""

    __slots__ = ("value",)

    def __init__(self, value: int = 0) -> None:
        self.value = value

    def add(self, account_id: str, lines: tuple[Line, ...]) -> None:
        """Count somebody's gains and losses in."""
        said = _said(lines)
        if said:
            digest = hashlib.sha256(account_id.encode() + said).digest()
            self.value = (self.value + int.from_bytes(digest, "big")) % _MODULUS

    def hash(self, told: Sequence[Any], counts: dict[str, int]) -> str:
        """The preview's hash; `told` are the changes as JSON values."""
        said = [told, counts["gains"], counts["losses"], f"{self.value:064x}"]
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).hexdigest()[:16]


@dataclass(slots=True)
class Work:
    """A turn of the rules and what it does, in memory. `as_of`: the audit's next number before anybody was read.

    `others` tells whether others than these people administer; None where nobody of them stops doing so.
    """

    turn: Turn
    as_of: int
    people: list[Weighed]
    others: bool | None = None

    @property
    def total(self) -> int:
        return len(self.people)

    @property
    def removes_last(self) -> bool:
        """Whether nobody would administer the tenant any more."""
        return self.others is False and not any(one.outcome.standing == LAST for one in self.people)

    def lines(self, one: Weighed) -> tuple[Line, ...]:
        """What becomes of somebody, last administrators considered."""
        return one.outcome.if_last if self.others is False and one.outcome.standing == LAST else one.outcome.lines

    def preview(self, told: Sequence[Any]) -> Preview:
        """The list; `told` are the changes as JSON values."""
        found: dict[str, list[Holding]] = {GAIN: [], LOSS: [], KEPT_ROLE: []}
        digest = Sum()
        for one in self.people:
            lines = self.lines(one)
            digest.add(one.account_id, lines)
            for kind, scope, role in lines:
                found[kind].append(Holding(one.account_id, one.name, role, scope))
        gains, losses, kept = (tuple(found[kind]) for kind in (GAIN, LOSS, KEPT_ROLE))
        shown = Preview(gains, losses, kept, len(self.people), self.removes_last, "")
        hash_ = digest.hash(told, shown.counts)
        return Preview(gains, losses, kept, len(self.people), self.removes_last, hash_)

    def of(self, _conn: sa.Connection, account_ids: Collection[str]) -> dict[str, Standing]:
        """What was worked out for those of these people who were concerned."""
        wanted = set(account_ids)
        return {one.account_id: standing_of(one) for one in self.people if one.account_id in wanted}

    def ask_others(self, conn: sa.Connection, tenant_id: str) -> bool | None:
        """`others`, asked anew."""
        return _others(conn, tenant_id, self.people)

    def in_order(self) -> list[str]:
        """Whoever will administer comes first: a later chunk then keeps no last administrator for want of another."""
        first = [one.account_id for one in self.people if one.outcome.standing == STAYS]
        return [*first, *(one.account_id for one in self.people if one.outcome.standing != STAYS)]


def work_out(conn: sa.Connection, tenant_id: str, turn: Turn, account_ids: Sequence[str] | None = None) -> Work:
    """Everybody whom the turn concerns (or these, where others know better), and what becomes of them."""
    as_of = since.next_number(conn, tenant_id)
    ids = concerned(conn, tenant_id, turn) if account_ids is None else account_ids
    people = list(Scales(conn, tenant_id, turn).weigh(ids or ()))
    return Work(turn, as_of, people, _others(conn, tenant_id, people))


def standing_of(one: Weighed) -> Standing:
    """What must be the same for somebody's lines to hold."""
    return tuple(line for line in one.outcome.lines if line[0] != KEPT_ROLE), one.outcome.standing


def _others(conn: sa.Connection, tenant_id: str, people: Sequence[Weighed]) -> bool | None:
    standings = {one.outcome.standing for one in people}
    if STAYS in standings or not standings & {LOSES, LAST}:
        return None
    return role_reads.other_administrators(conn, tenant_id, [one.account_id for one in people])


def _shown(one: Holding) -> dict[str, str]:
    return {"account_id": one.account_id, "name": one.name, "role": one.role, "scope": one.scope}
