"""Why an account is as it is.

For each attribute who won, since when, and what lost; who says active; what gave each role.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from app.identity.guards import KEPT
from app.identity.lifecycle import Standing
from app.identity.managers import speaking
from app.identity.model import EMPTY, Account, Grant, Lineage, Record, RoleMapping, Rules, Status
from app.identity.ownership import BY_HAND, BY_HAND_STAYS, MAY_NOT_SPEAK, Said, voices, why_after, why_unheard
from app.identity.roles import HAND, MAPPING


@dataclass(frozen=True, slots=True)
class Lost:
    """A voice that did not win. `value` is None when it says that there is none; `why` is a clause."""

    source: str
    record_id: str | None
    value: Any
    why: str


@dataclass(frozen=True, slots=True)
class AttributeReason:
    """An attribute's value (None: the winner says that there is none), whose it is, since when, by which rule."""

    name: str
    value: Any
    source: str
    record_id: str | None
    rule: str
    since: datetime
    lost: tuple[Lost, ...]


@dataclass(frozen=True, slots=True)
class RoleReason:
    """A grant, and a sentence that tells what gave it."""

    role: str
    scope: str
    rule: str
    effective: bool
    why: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """`status_reasons` are sentences. `managers` holds account ids by kind."""

    account_id: str
    status: str
    status_reasons: tuple[str, ...]
    affiliation: str
    attributes: tuple[AttributeReason, ...]
    roles: tuple[RoleReason, ...]
    manager_id: str | None
    managers: Mapping[str, tuple[str, ...]]

    def as_dict(self) -> dict[str, Any]:
        """The same as JSON values: times in ISO 8601."""
        plain: dict[str, Any] = _plain(asdict(self))
        return plain


def explain(
    account: Account,
    records: Sequence[Record],
    rules: Rules,
    standing: Standing,
    group_names: Mapping[str, str] | None = None,
) -> Explanation:
    """Explain the account as it is now.

    `records` are all of its records; `group_names` (id -> name) make the reasons readable.
    """
    names = sorted(account.lineage)
    return Explanation(
        account_id=account.id,
        status=str(account.status),
        status_reasons=standing.reasons,
        affiliation=str(account.affiliation),
        attributes=tuple(_attribute(name, account.lineage[name], account, records, rules) for name in names),
        roles=tuple(_role(grant, account, rules, group_names or {}) for grant in account.grants),
        manager_id=account.manager_id,
        managers={kind: tuple(ids) for kind, ids in sorted(account.managers.items())},
    )


def _attribute(
    name: str, lineage: Lineage, account: Account, records: Sequence[Record], rules: Rules
) -> AttributeReason:
    if name == "manager":
        said = _managers_said(account, records, rules)
    else:
        said = voices(name, records, account.manual, rules, account)
    return AttributeReason(
        name=name,
        value=account.attributes.get(name),
        source=_source(lineage.source_id, rules),
        record_id=lineage.record_id,
        rule=lineage.rule,
        since=lineage.at,
        lost=tuple(_lost(voice, rules) for voice in said if voice.record_id != lineage.record_id),
    )


def _managers_said(account: Account, records: Sequence[Record], rules: Rules) -> tuple[Said, ...]:
    """As `ownership.voices`, of the references by which the records name managers."""
    speakers = speaking(records, rules)
    said = []
    for speaker in speakers:
        why = BY_HAND_STAYS if "manager" in account.manual else why_after(speaker, speakers[0])
        said.append(Said(speaker.source.id, speaker.record.id, _named(speaker.record), speaker.rule, not why, why))
    heard = {speaker.record.id for speaker in speakers}
    for record in sorted(records, key=lambda record: (record.source_id, record.id)):
        if record.managers is not None and record.id not in heard:
            why = why_unheard("manager", record, records, rules)
            said.append(Said(record.source_id, record.id, _named(record), MAY_NOT_SPEAK, False, why))
    return tuple(said)


def _named(record: Record) -> Any:
    refs = sorted(record.managers or (), key=lambda ref: (ref.kind, ref.keys))
    return [{"kind": ref.kind, "keys": [list(key) for key in ref.keys]} for ref in refs] or EMPTY


def _lost(voice: Said, rules: Rules) -> Lost:
    value = None if voice.value is EMPTY else voice.value
    why = voice.why or "it was said after the account was last derived"
    return Lost(_source(voice.source_id, rules), voice.record_id, value, why)


def role_reasons(account: Account, rules: Rules, group_names: Mapping[str, str]) -> tuple[RoleReason, ...]:
    """Why the account has each of its roles."""
    return tuple(_role(grant, account, rules, group_names) for grant in account.grants)


def _role(grant: Grant, account: Account, rules: Rules, group_names: Mapping[str, str]) -> RoleReason:
    why = f"{_given_by(grant, rules, group_names)}{_not_effective(grant, account, rules)}."
    return RoleReason(grant.role, grant.scope, grant.rule, grant.effective, why)


def _given_by(grant: Grant, rules: Rules, group_names: Mapping[str, str]) -> str:
    if grant.rule == HAND:
        return "Given by hand"
    if grant.rule == KEPT:
        return "Kept, because no other administrator would remain"
    mapping = next((mapping for mapping in rules.mappings if f"{MAPPING}{mapping.id}" == grant.rule), None)
    return "Given by a mapping that is gone" if mapping is None else _met(mapping, rules, group_names)


def _met(mapping: RoleMapping, rules: Rules, group_names: Mapping[str, str]) -> str:
    of = "" if mapping.source_id is None else f" of {_source(mapping.source_id, rules)}"
    if mapping.kind == "group":
        return f"Member of the group {group_names.get(mapping.match, mapping.match)}{of}"
    if mapping.kind == "attribute":
        return f"{mapping.attribute}{of} is {mapping.match}"
    return f"Has the {mapping.kind} {mapping.match}{of}"


def _not_effective(grant: Grant, account: Account, rules: Rules) -> str:
    if grant.effective:
        return ""
    if account.status == Status.INACTIVE:
        return "; without effect while the account is inactive"
    if grant.role not in rules.roles:
        return "; without effect, because the tenant has no such role"
    return "; without effect, because another role ranks higher there"


def _source(source_id: str | None, rules: Rules) -> str:
    """The name that people know: an unknown source shows its id."""
    if source_id is None:
        return BY_HAND
    source = rules.sources.get(source_id)
    return source_id if source is None else source.name


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(name): _plain(element) for name, element in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(element) for element in value]
    return value
