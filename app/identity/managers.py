"""Who leads this person: many are named, one is primary, and nobody leads his own superior.

    owner of `manager` ──▶ its references ──▶ accounts found ──▶ cycles refused ──▶ primary + the others by kind

The primary manager is the one marked so, else a line manager, else the first by kind and key. Whoever is not known yet
or was refused does not count, so that a person with one known manager has that one; the order of naming never decides.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from app.identity.model import ManagerRef, Record, Rules
from app.identity.ownership import BY_HAND, Speaker, ranked, settled

Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Managers:
    """The resolved managers. `by_kind` holds account ids, best first.

    `named` are all keys by which the source named somebody, sorted, each with whether it led to an account.
    `refused` are account ids that would have closed a circle. `source_id` and `record_id` say who spoke (None: nobody),
    `rule` why the primary is who it is (empty: nobody spoke).
    """

    primary: str | None = None
    by_kind: dict[str, tuple[str, ...]] = field(default_factory=dict)
    named: tuple[tuple[str, str, bool], ...] = ()
    refused: tuple[str, ...] = ()
    source_id: str | None = None
    record_id: str | None = None
    rule: str = ""


def resolve(
    records: Sequence[Record],
    found: Mapping[Key, str],
    ancestors: Mapping[str, frozenset[str]],
    account_id: str,
    rules: Rules,
) -> Managers:
    """The managers of the account with these records.

    `found` leads from (namespace, value) to an account id; `ancestors` names, by account id, all who stand above it.
    """
    speakers = speaking(records, rules)
    if not speakers:
        return Managers()
    winner = speakers[0]
    refs = sorted(set(winner.record.managers or ()), key=_precedence)
    accepted: dict[tuple[str, str], None] = {}  # (kind, account id), in order
    refused: set[str] = set()
    for ref in refs:
        candidate = next((found[key] for key in ref.keys if key in found), None)
        if candidate is None:
            continue
        if closes_circle(candidate, account_id, ancestors):
            refused.add(candidate)
        else:
            accepted[(ref.kind, candidate)] = None
    return Managers(
        primary=next((candidate for _, candidate in accepted), None),
        by_kind=_by_kind(tuple(accepted)),
        named=tuple(sorted({(*key, key in found) for ref in refs for key in ref.keys})),
        refused=tuple(sorted(refused)),
        source_id=winner.source.id,
        record_id=winner.record.id,
        rule=winner.rule,
    )


def speaking(records: Sequence[Record], rules: Rules) -> list[Speaker]:
    """The records that may say who the manager is, and did: winner first."""
    return ranked("manager", records, rules, lambda record: record.managers is not None)


def chosen_by_hand(
    managers: Managers, chosen: Any, ancestors: Mapping[str, frozenset[str]], account_id: str
) -> Managers:
    """The same with the primary manager that an administrator set (an account id; EMPTY or None: nobody).

    The sources' managers stay in `by_kind`, and the source that spoke stays named, since its keys are still followed.
    """
    choice = settled(chosen)
    if not isinstance(choice, str):
        return replace(managers, primary=None, rule=BY_HAND)
    if closes_circle(choice, account_id, ancestors):
        refused = tuple(sorted({*managers.refused, choice}))
        return replace(managers, primary=None, refused=refused, rule=BY_HAND)
    return replace(managers, primary=choice, rule=BY_HAND)


def closes_circle(candidate: str, account_id: str, ancestors: Mapping[str, frozenset[str]]) -> bool:
    """Whether the candidate is the person or stands below."""
    return candidate == account_id or account_id in ancestors.get(candidate, frozenset())


def _precedence(ref: ManagerRef) -> tuple[bool, bool, str, tuple[Key, ...]]:
    return (not ref.primary, ref.kind != "line", ref.kind, ref.keys)


def _by_kind(accepted: Sequence[tuple[str, str]]) -> dict[str, tuple[str, ...]]:
    kinds = sorted({kind for kind, _ in accepted})
    return {kind: tuple(candidate for of, candidate in accepted if of == kind) for kind in kinds}
