"""What speaks for two accounts being one person, and what against it: said by whom, on which side.

identifiers that their records claim ─┐
names and what else is said of them ──┴─▶ agree · differ · only one side says it
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.identity.decide import Kept
from app.identity.folding import fold, spelled
from app.identity.model import Rules

AGREES: Final = "agrees"
DIFFERS: Final = "differs"
ONE_SIDED: Final = "one-sided"

STRONG: Final = "strong"
WEAK: Final = "weak"

# What tells people apart when their identifiers do not, in the order in which it is shown.
_COMPARED: Final = (
    "givenName",
    "familyName",
    "displayName",
    "userName",
    "title",
    "department",
    "organization",
    "startDate",
    "phoneNumbers.work",
    "phoneNumbers.mobile",
)


@dataclass(frozen=True, slots=True)
class Voice:
    """A value as it was said, and the names of the sources that said it, sorted."""

    value: str
    sources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Evidence:
    """One thing that was compared.

    `what` is employeeNumber, email, userName or an attribute's name; `numbering` names the numbering of an employee
    number or the source of a paired name. `weight` is strong for an employee number or a paired name, weak for all
    else. `verdict` is agrees where both sides say one value, differs where both speak and say none together, one-sided.
    """

    what: str
    numbering: str
    weight: str
    verdict: str
    one: tuple[Voice, ...]
    other: tuple[Voice, ...]


def evidence(one: Sequence[Kept], other: Sequence[Kept], rules: Rules) -> tuple[Evidence, ...]:
    """Everything that either side's records say, identifiers first, then names; what nobody says is left out."""
    sides = (_living(one, rules), _living(other, rules))
    found = [*_identifiers(sides, rules), *_attributes(sides, rules)]
    return tuple(item for item in found if item.one or item.other)


def _living(records: Iterable[Kept], rules: Rules) -> list[Kept]:
    return [kept for kept in records if not kept.record.deleted and kept.record.source_id in rules.sources]


def _identifiers(sides: tuple[list[Kept], list[Kept]], rules: Rules) -> Iterable[Evidence]:
    said = tuple(_claimed(side, rules) for side in sides)
    for namespace in sorted(said[0].keys() | said[1].keys(), key=_precedence):
        kind, _, numbering = namespace.partition(":")
        what = {"employee": "employeeNumber", "name": "userName"}.get(kind, kind)
        if kind == "name" and numbering in rules.sources:
            numbering = rules.sources[numbering].name
        weight = STRONG if kind in ("employee", "name") else WEAK
        yield _compared(what, numbering, weight, *(side.get(namespace, {}) for side in said))


def _attributes(sides: tuple[list[Kept], list[Kept]], rules: Rules) -> Iterable[Evidence]:
    for name in _COMPARED:
        said: list[dict[str, set[str]]] = [defaultdict(set), defaultdict(set)]
        for side, values in zip(sides, said, strict=True):
            for kept in side:
                value = spelled(kept.record.voice.get(name))
                if value is not None:
                    values[value].add(rules.sources[kept.record.source_id].name)
        yield _compared(name, "", WEAK, *said)


def _claimed(records: Iterable[Kept], rules: Rules) -> dict[str, dict[str, set[str]]]:
    said: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for kept in records:
        for namespace, _, value in kept.claimed:
            said[namespace][value].add(rules.sources[kept.record.source_id].name)
    return said


def _compared(
    what: str, numbering: str, weight: str, one: Mapping[str, set[str]], other: Mapping[str, set[str]]
) -> Evidence:
    folded = [{fold(value) for value in side} for side in (one, other)]
    verdict = ONE_SIDED
    if one and other:
        verdict = AGREES if folded[0] & folded[1] else DIFFERS
    return Evidence(what, numbering, weight, verdict, _voices(one), _voices(other))


def _voices(said: Mapping[str, set[str]]) -> tuple[Voice, ...]:
    return tuple(Voice(value, tuple(sorted(sources))) for value, sources in sorted(said.items()))


def _precedence(namespace: str) -> tuple[int, str]:
    kind = namespace.partition(":")[0]
    return ("employee", "name", "email").index(kind) if kind in ("employee", "name", "email") else 3, namespace
