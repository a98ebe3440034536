"""Why somebody is as they are, step by step: connect → read → match → own → roles → act.

    connect  which sources speak, and whether they are heard
    read     what each record says, in the account's terms
    match    whose each record is, and by what it was found
    own      each attribute's value, whose it is, and what lost
    roles    what gives which role, and whether it counts
    act      what the account is, or what would change

Pure: from an explanation and what was read. Each step has inputs, a result (one sentence) and reasons, as plain data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from app.identity.changes import Change
from app.identity.decide import Kept
from app.identity.explain import Explanation
from app.identity.model import EMPTY, Claim, Rules, Source, SourceKind

STEPS: Final = ("connect", "read", "match", "own", "roles", "act")
_NOUNS: Final = {
    SourceKind.IDP: "an identity provider",
    SourceKind.HRIS: "an HR system",
    SourceKind.CRM: "a CRM",
    SourceKind.LOGIN: "a sign-in",
}
_FOUND_BY: Final = {
    "link": "It is linked to this account already.",
    "paired userName": "The paired source knows this account by the name that was given.",
    "employee number": "This account alone holds the employee number.",
    "verified e-mail": "This account alone holds the e-mail address, and the source may speak for its domain.",
    "alias": "This account alone holds one of its further addresses.",
    "new": "No identifier of the record identifies an account: it gets one of its own.",
}


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `inputs` are rows of plain values, `result` a sentence, `reasons` sentences."""

    name: str
    inputs: tuple[Mapping[str, Any], ...]
    result: str
    reasons: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values."""
        return {"step": self.name, "inputs": list(self.inputs), "result": self.result, "reasons": list(self.reasons)}


@dataclass(frozen=True, slots=True)
class Matched:
    """How one record was found to be the account's. `held` leads from an identifier to how many accounts hold it."""

    record_id: str
    source: str
    rule: str
    claims: tuple[Claim, ...] = ()
    held: Mapping[tuple[str, str, str], int] | None = None
    doubts: tuple[str, ...] = ()


def walkthrough(
    records: Sequence[Kept],
    matched: Sequence[Matched],
    groups: Mapping[str, Sequence[str]],
    explained: Explanation,
    rules: Rules,
    act: Step,
) -> tuple[Step, ...]:
    """The six steps. `groups` leads from a record's id to the names of its groups; `act` is the last one."""
    return (
        _connect(records, rules),
        _read(records, rules, groups),
        _match(matched),
        _own(explained),
        _roles(explained),
        act,
    )


def standing_still(explained: Explanation) -> Step:
    """The last step of an account as it stands."""
    return Step("act", (), f"The account is {explained.status}.", explained.status_reasons)


def proposed(changes: Sequence[Change], told: Sequence[str], status: str, *, new: bool, applied: bool) -> Step:
    """The last step of something that was not said yet, or just was: what differs, and what the world is told."""
    rows = tuple({"attribute": one.attribute, "before": one.before, "after": one.after} for one in changes)
    if new:
        result = "A new account was made." if applied else "A new account would be made."
    elif not changes:
        result = "Nothing changed." if applied else "Nothing would change."
    else:
        names = ", ".join(one.attribute for one in changes)
        result = f"Changed: {names}." if applied else f"Would change: {names}."
    ends = f"The account {'is' if applied else 'would be'} {status}."
    events = f"Events: {', '.join(told)}." if told else "No event is told."
    return Step("act", rows, result, (ends, events))


def _connect(records: Sequence[Kept], rules: Rules) -> Step:
    ids = sorted({kept.record.source_id for kept in records}, key=lambda id: _name(id, rules))
    rows = tuple(_source(rules.sources[id]) for id in ids if id in rules.sources)
    reasons = [f"{_name(id, rules)} is retired: its voice does not count." for id in ids if rules.heard(id) is None]
    names = ", ".join(f"{row['source']} ({row['kind']})" for row in rows)
    return Step(
        "connect", rows, f"Spoken of by {names}." if rows else "No source speaks of this person.", tuple(reasons)
    )


def _source(source: Source) -> dict[str, Any]:
    return {
        "source": source.name,
        "kind": _NOUNS[source.kind],
        "system": source.system,
        "affiliation": str(source.affiliation),
        "state": "retired" if source.retired else "active",
        "numbering": source.employee_namespace,
    }


def _read(records: Sequence[Kept], rules: Rules, groups: Mapping[str, Sequence[str]]) -> Step:
    rows = tuple(_said(kept, rules, groups.get(kept.record.id, ())) for kept in records)
    reasons = []
    for kept, row in zip(records, rows, strict=True):
        count = len(row["values"])
        reasons.append(f"{row['source']} says {row['says']} and {count} attribute{'' if count == 1 else 's'}.")
        reasons += [f"{row['source']} says that there is no {name}." for name in sorted(_emptied(kept))]
    return Step("read", rows, f"{len(rows)} record{'' if len(rows) == 1 else 's'} read.", tuple(reasons))


def _said(kept: Kept, rules: Rules, groups: Sequence[str]) -> dict[str, Any]:
    record = kept.record
    return {
        "record": record.id,
        "source": _name(record.source_id, rules),
        "says": "deleted" if record.deleted else "active" if record.active else "inactive",
        "values": {name: None if value is EMPTY else value for name, value in sorted(record.voice.items())},
        "managers": None if record.managers is None else [[list(key) for key in ref.keys] for ref in record.managers],
        "groups": sorted(groups),
        "roles": sorted(record.roles),
        "entitlements": sorted(record.entitlements),
    }


def _emptied(kept: Kept) -> list[str]:
    return [name for name, value in kept.record.voice.items() if value is EMPTY]


def _match(matched: Sequence[Matched]) -> Step:
    rows: list[Mapping[str, Any]] = []
    for one in matched:
        rows.append({"record": one.record_id, "source": one.source, "rule": one.rule})
        for claim in one.claims:
            holders = (one.held or {}).get(claim.key, 0)
            identifier = {"namespace": claim.namespace, "value": claim.value, "strength": claim.strength}
            rows.append({"record": one.record_id, "source": one.source, **identifier, "holders": holders})
    reasons = [f"{one.source}: {_FOUND_BY.get(one.rule, f'{one.rule}.')}" for one in matched]
    reasons += [f"{one.source}: {doubt}" for one in matched for doubt in one.doubts]
    doubtful = any(one.doubts for one in matched)
    if doubtful:
        result = "In doubt: an account of its own, and an entry in the duplicates inbox."
    elif any(one.rule == "new" for one in matched) and len(matched) == 1:
        result = "Nobody known: an account of its own."
    else:
        result = f"{len(matched)} record{'' if len(matched) == 1 else 's'} of one account."
    return Step("match", tuple(rows), result, tuple(reasons))


def _own(explained: Explanation) -> Step:
    rows = tuple(
        {
            "attribute": one.name,
            "value": one.value,
            "source": one.source,
            "rule": one.rule,
            "since": one.since.isoformat(),
            "lost": [{"source": lost.source, "value": lost.value, "why": lost.why} for lost in one.lost],
        }
        for one in explained.attributes
    )
    contested = [one for one in explained.attributes if one.lost]
    reasons = [
        f"{one.name}: {one.source} wins ({one.rule}); {lost.source}: {lost.why}."
        for one in contested
        for lost in one.lost
    ]
    result = f"{len(rows)} attributes, {len(contested)} of which several speak."
    return Step("own", rows, result, tuple(reasons))


def _roles(explained: Explanation) -> Step:
    rows = tuple(
        {"role": one.role, "scope": one.scope, "rule": one.rule, "effective": one.effective, "why": one.why}
        for one in explained.roles
    )
    effective = [f"{one.role} ({one.scope})" for one in explained.roles if one.effective]
    result = f"Roles: {', '.join(effective)}." if effective else "No role is effective."
    reasons = [f"{one.role} ({one.scope}): {one.why}" for one in explained.roles]
    return Step("roles", rows, result, tuple(reasons) or ("Nothing that is said or held is mapped to a role.",))


def _name(source_id: str, rules: Rules) -> str:
    source = rules.sources.get(source_id)
    return source_id if source is None else source.name
