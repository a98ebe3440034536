"""Which source's value each attribute takes, and why.

    by hand ──▶ owners in the tenant's order ──▶ create-only owners ──▶ what a retired source left behind

Among the records of one owner: active before inactive before deleted, then source id, record id. So the answer depends
on what was said and never on the order in which it came. Silence passes to the next; EMPTY wins like a value.

A create-only owner gives the value that nobody else gives, and keeps it as first given until another owner speaks.
`manager` follows the same order, but its values are references: see `managers`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple

from app.identity.attributes import default_ownership, family
from app.identity.lifecycle import only_logins
from app.identity.model import EMPTY, Account, Lineage, OwnershipRule, Record, Rules, Source, SourceKind, Value

BY_HAND: Final = "by hand"
LEFT_BEHIND: Final = "left behind"
MAY_NOT_SPEAK: Final = "may not speak"
BY_HAND_STAYS: Final = "a value set by hand stays until it is taken back"

_DEFAULTS: Final = default_ownership()
_NOBODY: Final = OwnershipRule(owners=())
_STANDING: Final = ("active", "inactive", "deleted")

Voice = tuple[Record, Source]  # a record whose word counts, with its source


@dataclass(frozen=True, slots=True)
class Said:
    """One voice about one attribute. `source_id` and `record_id` are None for a value set by hand.

    `value` is EMPTY when it says that there is none. `rule` names what gave it its place; `why` says why it lost.
    """

    source_id: str | None
    record_id: str | None
    value: Any
    rule: str
    wins: bool
    why: str


class Speaker(NamedTuple):
    """A record that may speak about an attribute. `order` sorts the winner first; `owner` is its entry in the table."""

    record: Record
    source: Source
    owner: str
    create_only: bool
    order: tuple[int, int, int, str, str]

    @property
    def rule(self) -> str:
        return f"first value from {self.owner}" if self.create_only else f"owner {self.owner}"


def own(
    records: Sequence[Record], manual: Mapping[str, Any], before: Account | None, rules: Rules, now: datetime
) -> tuple[dict[str, Value], dict[str, Lineage]]:
    """The winning values by attribute, and the lineage of each, EMPTY ones included (which have no value).

    `lineage.at` is when this source's record gave this value: it stays while source, record and value do. A split
    passes a `before` without the lineage that goes with the records it moves, or what they left behind would stay.
    """
    values: dict[str, Value] = {}
    lineage: dict[str, Lineage] = {}
    heard = _heard(records, rules)
    for attribute in _attributes(records, manual, before):
        won = _winner(attribute, heard, manual, before, rules)
        if won is None:
            continue
        source_id, record_id, value, rule = won
        if value is not EMPTY:
            values[attribute] = value
        at = since(attribute, (source_id, record_id, value), before, now)
        lineage[attribute] = Lineage(source_id, record_id, rule, at)
    return values, lineage


def voices(
    attribute: str, records: Sequence[Record], manual: Mapping[str, Any], rules: Rules, before: Account | None = None
) -> tuple[Said, ...]:
    """All that is said about the attribute: winner first, then the others in order, then those who may not speak.

    Without a winner (nobody who may speak does) all have `wins` False. `before` knows what create-only owners gave.
    """
    said = [Said(None, None, settled(manual[attribute]), BY_HAND, True, "")] if attribute in manual else []
    by_hand = bool(said)
    speakers = ranked(attribute, records, rules, lambda record: attribute in record.voice, before)
    for place, speaker in enumerate(speakers):
        why = BY_HAND_STAYS if by_hand else why_after(speaker, speakers[0])
        wins = not by_hand and place == 0
        value = _value(attribute, speaker, before)
        said.append(Said(speaker.source.id, speaker.record.id, value, speaker.rule, wins, "" if wins else why))
    heard = {speaker.record.id for speaker in speakers}
    for record in sorted(records, key=lambda record: (record.source_id, record.id)):
        if attribute in record.voice and record.id not in heard:
            why = why_unheard(attribute, record, records, rules)
            value = settled(record.voice[attribute])
            said.append(Said(record.source_id, record.id, value, MAY_NOT_SPEAK, False, why))
    return tuple(said)


def ranked(
    attribute: str,
    records: Sequence[Record],
    rules: Rules,
    spoke: Callable[[Record], bool],
    before: Account | None = None,
) -> list[Speaker]:
    """The records that spoke and may, winner first. `records` are all of the account."""
    return _ranked(attribute, [voice for voice in _heard(records, rules) if spoke(voice[0])], rules, before)


def ownership_of(attribute: str, rules: Rules) -> OwnershipRule:
    """The tenant's rule for the attribute or its family, else the product's; nobody owns what neither knows."""
    name = family(attribute)
    return rules.ownership.get(attribute) or rules.ownership.get(name) or _DEFAULTS.get(name) or _NOBODY


def login_owns_nothing(records: Sequence[Record], rules: Rules) -> bool:
    """A login speaks only until a source of another kind has a record of the same person."""
    return not only_logins(records, rules)


def since(
    attribute: str, said: tuple[str | None, str | None, Value], before: Account | None, now: datetime
) -> datetime:
    """The time for the lineage of (source id, record id, value): the previous one if all three are unchanged."""
    known = before.lineage.get(attribute) if before else None
    if before is None or known is None:
        return now
    return known.at if said == (known.source_id, known.record_id, before.attributes.get(attribute, EMPTY)) else now


def is_left_behind(attribute: str, before: Account | None, rules: Rules) -> bool:
    """Whether the account's value was given by a source whose voice no longer counts."""
    if before is None or attribute not in before.attributes:
        return False
    known = before.lineage.get(attribute)
    return known is not None and known.source_id is not None and rules.heard(known.source_id) is None


def settled(value: Any) -> Any:
    """A value as the account sees it: null and EMPTY both say that there is none."""
    return EMPTY if value is None else value


def why_after(speaker: Speaker, winner: Speaker) -> str:
    """Why the speaker lost against the winner, as a sentence without its full stop; empty for the winner itself."""
    if speaker.order == winner.order:
        return ""
    if speaker.create_only and not winner.create_only:
        return f"{speaker.owner} may only give a first value"
    if speaker.create_only and speaker.order[0] != winner.order[0]:
        return f"{winner.owner} gave the first value"
    if speaker.owner != winner.owner:
        return f"{speaker.owner} comes after {winner.owner}"
    if speaker.order[2] != winner.order[2]:
        return f"its record is {_STANDING[speaker.order[2]]}, the winner's is {_STANDING[winner.order[2]]}"
    return f"both are {speaker.owner} and {_STANDING[speaker.order[2]]}: the older id wins"


def why_unheard(attribute: str, record: Record, records: Sequence[Record], rules: Rules) -> str:
    """Why the record may not speak about the attribute, as a sentence without its full stop."""
    source = rules.heard(record.source_id)
    if source is None:
        return "its source is retired"
    if source.kind == SourceKind.LOGIN and login_owns_nothing(records, rules):
        return "a login owns nothing once a source of another kind has a record"
    return f"{source.name} is not among the owners of {attribute}"


def _attributes(records: Sequence[Record], manual: Mapping[str, Any], before: Account | None) -> list[str]:
    names = set(manual).union(*(record.voice for record in records))
    if before is not None:
        names.update(before.attributes)
    return sorted(names - {"manager"})


def _winner(
    attribute: str, heard: Sequence[Voice], manual: Mapping[str, Any], before: Account | None, rules: Rules
) -> tuple[str | None, str | None, Value, str] | None:
    if attribute in manual:
        return None, None, settled(manual[attribute]), BY_HAND
    speakers = _ranked(attribute, [voice for voice in heard if attribute in voice[0].voice], rules, before)
    if speakers:
        first = speakers[0]
        return first.source.id, first.record.id, _value(attribute, first, before), first.rule
    if before is not None and is_left_behind(attribute, before, rules):
        known = before.lineage[attribute]
        return known.source_id, known.record_id, before.attributes[attribute], LEFT_BEHIND
    return None


def _heard(records: Sequence[Record], rules: Rules) -> list[Voice]:
    """The records whose word counts, whatever it is about."""
    silenced = login_owns_nothing(records, rules)
    voices = ((record, rules.heard(record.source_id)) for record in records)
    return [
        (record, source)
        for record, source in voices
        if source is not None and not (silenced and source.kind == SourceKind.LOGIN)
    ]


def _ranked(attribute: str, heard: Sequence[Voice], rules: Rules, before: Account | None) -> list[Speaker]:
    """Those of `heard`, who all spoke about the attribute, that are among its owners: winner first."""
    rule = ownership_of(attribute, rules)
    speakers = []
    for record, source in heard:
        seat = _seat(str(source.kind), source.name, rule.owners, rule.create_only)
        if seat is not None:
            speakers.append(_speaker(attribute, record, source, seat, before))
    return sorted(speakers, key=lambda speaker: speaker.order)


def _speaker(attribute: str, record: Record, source: Source, seat: _Seat, before: Account | None) -> Speaker:
    turn = 0
    if seat.create_only:
        turn = 1 if _gave_it(attribute, record, before) else 2
    standing = 2 if record.deleted else 0 if record.active else 1
    return Speaker(record, source, seat.owner, seat.create_only, (turn, seat.place, standing, source.id, record.id))


def _value(attribute: str, speaker: Speaker, before: Account | None) -> Any:
    if speaker.create_only and before is not None and _gave_it(attribute, speaker.record, before):
        return before.attributes.get(attribute, EMPTY)
    return mapped(attribute, settled(speaker.record.voice[attribute]), speaker.source)


def _gave_it(attribute: str, record: Record, before: Account | None) -> bool:
    known = before.lineage.get(attribute) if before else None
    return known is not None and known.record_id == record.id


def mapped(attribute: str, value: Any, source: Source) -> Any:
    """The value in the LMS's terms, by the source's value map; a code that the map does not know stays as it is."""
    if not source.value_maps:
        return value
    names = source.value_maps.get(attribute) or source.value_maps.get(family(attribute))
    if not names:
        return value
    if isinstance(value, list):
        return [mapped(attribute, element, source) for element in value]
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        return value
    return names.get(str(value), value)


class _Seat(NamedTuple):
    """Where a source stands in an attribute's rule: its `place`, and `owner`, the entry that gives it."""

    place: int
    owner: str
    create_only: bool


@lru_cache(maxsize=1_024)
def _seat(kind: str, name: str, owners: tuple[str, ...], create_only: tuple[str, ...]) -> _Seat | None:
    """The seat of a source of that kind and name under a rule; None when it owns nothing."""
    for place, entry in enumerate((*owners, *create_only)):
        if entry in (kind, name):
            return _Seat(place, entry, kind in create_only or name in create_only)
    return None
