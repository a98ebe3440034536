"""Active or not: each affiliation asks every kind of source that speaks in it; one live affiliation is enough.

    affiliation employee:  idp  okta yes, entra no  ──▶ yes ┐
                           hris workday no          ──▶ no  ┴──▶ not live
    affiliation customer:  crm  salesforce yes      ──▶ yes ────▶ live ──▶ active, unless an administrator suspended it

Within a kind one active record is enough: a move from one identity provider to another locks nobody out. Between kinds
all must agree: HR cannot keep alive whom IT disabled. A retired source no longer counts. Where no source that counts
has spoken, nobody said yes: inactive.

Where nobody but sign-ins ever had a record, one that creates accounts says yes. The first record of any other kind ends
that for good, also when it is deleted or its source retired: so a sign-in revives no leaver.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from app.identity.model import Record, Rules, Source, SourceKind, Status

_COUNTING: Final = frozenset({SourceKind.IDP, SourceKind.HRIS, SourceKind.CRM})
_NOUNS: Final = {
    SourceKind.IDP: "identity provider",
    SourceKind.HRIS: "HR system",
    SourceKind.CRM: "CRM",
    SourceKind.LOGIN: "sign-in",
}


@dataclass(frozen=True, slots=True)
class Standing:
    """`reasons` are sentences, one a voice and one a conclusion; `live` are the live affiliations, sorted."""

    status: Status
    reasons: tuple[str, ...]
    live: tuple[str, ...] = ()


def standing(records: Sequence[Record], suspended: bool, rules: Rules) -> Standing:
    """Whether the person of these records is active."""
    said = _said(records, rules)
    reasons: list[str] = []
    live: list[str] = []
    for affiliation in sorted({affiliation for affiliation, _, _ in said}):
        kinds: dict[str, bool] = {}
        for (of, kind, source_id), states in sorted(said.items()):
            if of == affiliation:
                yes = "active" in states
                kinds[kind] = kinds.get(kind, False) or yes
                reasons.append(_voice(affiliation, rules.sources[source_id], yes, states))
        if all(kinds.values()):
            live.append(affiliation)
        reasons.append(_conclusion(affiliation, kinds))
    if not said:
        reasons.append("No identity provider, HR system or CRM has a record of this person.")
    reasons += _unheard_logins(records, rules)
    if suspended:
        reasons.append("An administrator suspended the account.")
    status = Status.ACTIVE if live and not suspended else Status.INACTIVE
    return Standing(status, tuple(reasons), tuple(live))


def only_logins(records: Sequence[Record], rules: Rules) -> bool:
    """Whether nobody but sign-ins ever had a record of the person: retired sources and deleted records count too."""
    sources = (rules.sources.get(record.source_id) for record in records)
    return all(source is not None and source.kind == SourceKind.LOGIN for source in sources)


def _said(records: Sequence[Record], rules: Rules) -> dict[tuple[str, str, str], set[str]]:
    """(affiliation, kind, source id) -> how its records stand: active, inactive, deleted."""
    said: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    alone = only_logins(records, rules)
    for record in records:
        source = rules.heard(record.source_id)
        if source is not None and (source.kind in _COUNTING or (alone and source.arrival == "create")):
            state = "deleted" if record.deleted else "active" if record.active else "inactive"
            said[(str(source.affiliation), str(source.kind), source.id)].add(state)
    return said


def _voice(affiliation: str, source: Source, yes: bool, states: set[str]) -> str:
    who = f"As {affiliation}: the {_NOUNS[source.kind]} {source.name}"
    if yes and source.kind == SourceKind.LOGIN:
        return f"{who} was used, and it creates accounts."
    if yes:
        return f"{who} says active."
    return f"{who} deleted its record." if states == {"deleted"} else f"{who} says inactive."


def _conclusion(affiliation: str, kinds: Mapping[str, bool]) -> str:
    refusing = [_NOUNS[SourceKind(kind)] for kind, yes in sorted(kinds.items()) if not yes]
    if refusing:
        return f"As {affiliation}: not live, because no {' and no '.join(refusing)} says active."
    return f"As {affiliation}: live, because every kind of source that spoke says active."


def _unheard_logins(records: Sequence[Record], rules: Rules) -> list[str]:
    sources = {source.name: source for record in records if (source := rules.heard(record.source_id)) is not None}
    logins = [source for _, source in sorted(sources.items()) if source.kind == SourceKind.LOGIN]
    if not only_logins(records, rules):
        return [f"The sign-in {source.name} does not count, because another source has a record." for source in logins]
    return [
        f"The sign-in {one.name} creates no accounts, so it does not count."
        for one in logins
        if one.arrival != "create"
    ]
