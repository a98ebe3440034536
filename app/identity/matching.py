"""Whose record is this? The link first, then identifiers from the strongest to the weakest; in doubt, nobody's.

    link ──▶ paired name ──▶ employee number ──▶ verified e-mail ──▶ alias ──▶ new account
                  │                 │                    │             │
                  └─────────────────┴── several, or a doubt ───────────┴──▶ new account + the duplicates inbox

Two accounts can be merged later; a wrong merge shows one person's data to another. So whatever is unsure makes a new
account.

Who is identified by an identifier that several accounts hold:

- Two living (active) holders share it: it identifies nobody.
- A name that a SCIM source and its sign-ins share (`claims`) identifies like an address, but also an administrator.
- An employee number with one living holder identifies that one: numbers are not given to someone else.
- An e-mail address with one living holder and one that left within `forget_email_after_days` is a doubt: the record may
  be a late word about the one who left as well as news about the one who took the address over.
- After that time the one who left is no longer found by e-mail, and the living holder is identified; unless a person
  told these two apart: then the address does not say which of them is meant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from app.identity.claims import ALIAS, EMPLOYEE_NUMBER, PAIRED_NAME, VERIFIED_EMAIL
from app.identity.model import Account, Claim, Record, Rules, Status
from app.identity.roles import would_administer

Key = tuple[str, str, str]

RULES: Final = {
    PAIRED_NAME: "paired userName",
    EMPLOYEE_NUMBER: "employee number",
    VERIFIED_EMAIL: "verified e-mail",
    ALIAS: "alias",
}


@dataclass(frozen=True, slots=True)
class Match:
    """Whose record it is: `account_id`, or None for a new account.

    `rule` is link, paired userName, employee number, verified e-mail, alias or new. `doubtful` are the accounts,
    sorted, that a person should compare with the new one. `reason` is a sentence that names no personal value.
    """

    account_id: str | None
    rule: str
    doubtful: tuple[str, ...]
    reason: str


@dataclass(frozen=True, slots=True)
class _Situation:
    record: Record
    claims: Sequence[Claim]
    holders: Mapping[Key, Sequence[str]]
    accounts: Mapping[str, Account]
    records: Mapping[str, Sequence[Record]]
    held_keys: Mapping[str, frozenset[Key]]
    rules: Rules
    now: datetime
    apart: frozenset[tuple[str, str]]


def match(
    record: Record,
    claims: Sequence[Claim],
    holders: Mapping[Key, Sequence[str]],
    accounts: Mapping[str, Account],
    records: Mapping[str, Sequence[Record]],
    held_keys: Mapping[str, frozenset[Key]],
    rules: Rules,
    now: datetime,
    apart: frozenset[tuple[str, str]] = frozenset(),
) -> Match:
    """Decide whose record this is.

    `holders` are the account ids by claimed key; `accounts`, `records` and `held_keys` describe those accounts by id.
    A holder that is not in `accounts` counts as a living stranger, so a caller that loaded too little merges nothing.
    `apart` are pairs of holders, the smaller id first, of whom a person said that they are two people.
    """
    if record.account_id is not None:
        return Match(record.account_id, "link", (), "The record is linked to this account.")
    situation = _Situation(record, claims, holders, accounts, records, held_keys, rules, now, apart)
    for strength in sorted({claim.strength for claim in claims}):
        candidates = _candidates(strength, situation)
        if not candidates:
            continue
        rule = RULES.get(strength, "alias")
        others = _told_apart(candidates, strength, situation)
        doubts = _doubts(candidates, strength, situation) + (
            ["a person told apart those who share it"] if others else []
        )
        if not doubts:
            return Match(candidates[0], rule, (), f"The {rule} is held by this account alone.")
        candidates = tuple(sorted({*candidates, *others}))
        return Match(None, "new", candidates, f"Found by {rule}, but {'; '.join(doubts)}.")
    kept_apart = _kept_apart_by_number(situation)
    if kept_apart:
        return Match(
            None, "new", kept_apart, "Found by a name or an address, but another employee number keeps them apart."
        )
    return Match(None, "new", (), "No identifier of the record identifies an account.")


def _kept_apart_by_number(situation: _Situation) -> tuple[str, ...]:
    """Whom an address alone would have found: a rehire under a new number, or a slip of the pen. A person decides."""
    return tuple(
        sorted(
            {
                account_id
                for claim in situation.claims
                if claim.strength != EMPLOYEE_NUMBER
                for account_id in _identified(claim, situation)
                if _kept_apart(account_id, situation)
            }
        )
    )


def _candidates(strength: int, situation: _Situation) -> tuple[str, ...]:
    found = {
        account_id
        for claim in situation.claims
        if claim.strength == strength
        for account_id in _identified(claim, situation)
        if strength == EMPLOYEE_NUMBER or not _kept_apart(account_id, situation)
    }
    return tuple(sorted(found))


def _identified(claim: Claim, situation: _Situation) -> frozenset[str]:
    """The accounts among which the identifier leaves the choice; none when living people share it."""
    ids = frozenset(situation.holders.get(claim.key, ()))
    accounts = [situation.accounts.get(account_id) for account_id in ids]
    living = frozenset(account.id for account in accounts if account and account.status == Status.ACTIVE)
    if len(living) > 1 or None in accounts:
        return frozenset()
    if claim.strength == EMPLOYEE_NUMBER:
        return living or ids
    return frozenset(
        account.id
        for account in accounts
        if account and (account.id in living or not _is_forgotten(account, situation))
    )


def _is_forgotten(account: Account, situation: _Situation) -> bool:
    """Inactive for so long (or since nobody knows when) that its addresses may belong to someone else."""
    if account.inactive_since is None:
        return True
    return situation.now - account.inactive_since > timedelta(days=situation.rules.forget_email_after_days)


def _kept_apart(account_id: str, situation: _Situation) -> bool:
    """The account holds another employee number in a numbering in which the record has one too."""
    held = situation.held_keys.get(account_id, frozenset())
    for claim in situation.claims:
        if claim.strength != EMPLOYEE_NUMBER or claim.key in held:
            continue
        if any((namespace, affiliation) == claim.key[:2] for namespace, affiliation, _ in held):
            return True
    return False


def _told_apart(candidates: tuple[str, ...], strength: int, situation: _Situation) -> set[str]:
    """Who shares the identifier with a candidate and is somebody else, as a person said: it cannot tell who is meant.

    An employee number is not shared by mistake, so it goes on telling.
    """
    if not situation.apart or strength == EMPLOYEE_NUMBER:
        return set()
    sharing = {
        one
        for claim in situation.claims
        if claim.strength == strength
        for one in situation.holders.get(claim.key, ())
        if one in situation.accounts
    }
    return {one for one in sharing for other in candidates if (min(one, other), max(one, other)) in situation.apart}


def _doubts(candidates: tuple[str, ...], strength: int, situation: _Situation) -> list[str]:
    doubts = ["several accounts hold it"] if len(candidates) > 1 else []
    if strength == EMPLOYEE_NUMBER:
        return doubts
    if any(_has_sibling(account_id, situation) for account_id in candidates):
        doubts.append("the same source has another record of that person")
    if strength != PAIRED_NAME and any(
        would_administer(situation.accounts[account_id], situation.rules) for account_id in candidates
    ):
        doubts.append("an e-mail address alone never leads to an administrator")
    return doubts


def _has_sibling(account_id: str, situation: _Situation) -> bool:
    record = situation.record
    return any(
        other.source_id == record.source_id and other.id != record.id and not other.deleted
        for other in situation.records.get(account_id, ())
    )
