"""From what is said about a person to the roles in the LMS.

    groups, roles, entitlements of living records ─┐
    attributes of the account (or of one source) ──┼─ mappings ─▶ grants ─▶ effective or not
    by hand ───────────────────────────────────────┘

What is not mapped grants nothing. All grants are kept; which are effective is computed: none of an inactive account,
none of a role that the tenant does not have, and in each scope only the highest rank where the tenant says so.

A mapping's `priority` decides between roles of the same rank in the same scope, and nothing else: the higher number
wins, a grant by hand wins over all of them, and of equal numbers the role whose name comes first. Where all roles of a
scope count it means nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from typing import Final

from app.identity.folding import fold, words
from app.identity.model import EMPTY, Account, Grant, Record, RoleMapping, Rules, Source, SourceKind, Status, Value
from app.identity.ownership import mapped

HAND: Final = "hand"
MAPPING: Final = "mapping:"
SCOPE: Final = re.compile(r"tenant|(?:branch|course):\S{1,200}")


def derive(
    attributes: Mapping[str, Value],
    records: Sequence[Record],
    active: bool,
    rules: Rules,
    by_hand: Sequence[Grant] = (),
) -> tuple[Grant, ...]:
    """The grants of an account with these attributes and records, sorted by (role, scope, rule), each once."""
    counting = _counting(records, rules)
    given = {grant.key: grant for grant in by_hand}
    for mapping in rules.mappings:
        if _is_met(mapping, attributes, counting, rules):
            grant = Grant(mapping.role, mapping.scope, f"{MAPPING}{mapping.id}")
            given[grant.key] = grant
    return settle(given.values(), active, rules)


def settle(grants: Iterable[Grant], active: bool, rules: Rules) -> tuple[Grant, ...]:
    """The same grants, sorted, with `effective` computed."""
    grants = sorted(grants, key=lambda grant: grant.key)
    if not active:
        return tuple(replace(grant, effective=False) for grant in grants)
    allowed = {(grant.scope, grant.role) for grant in grants if grant.role in rules.roles}
    if rules.highest_role_wins:
        allowed = _highest(grants, rules)
    return tuple(replace(grant, effective=(grant.scope, grant.role) in allowed) for grant in grants)


def concerns(mapping: RoleMapping, account: Account, records: Sequence[Record], rules: Rules) -> bool:
    """Whether coming, going or changing, the mapping could change the account's grants: it meets it, or has a grant."""
    if any(grant.rule == f"{MAPPING}{mapping.id}" for grant in account.grants):
        return True
    if mapping.kind == "attribute" and mapping.source_id is None:
        return fold(mapping.match) in words(account.attributes.get(mapping.attribute or ""))
    living = [one for one in records if not one.deleted and mapping.source_id in (None, one.source_id)]
    return any(says(record, mapping, rules) for record in living)


def lost_roles(before: Account, after: Account) -> bool:
    """Whether the account had an effective role, in any scope, that it has no longer."""
    had = {(grant.role, grant.scope) for grant in before.grants if grant.effective}
    return bool(had - {(grant.role, grant.scope) for grant in after.grants if grant.effective})


def administers(account: Account, rules: Rules) -> bool:
    """Whether the account holds an effective administrator role, in any scope."""
    return any(is_administration(grant, rules) for grant in account.grants)


def would_administer(account: Account, rules: Rules) -> bool:
    """Whether the account administers, or opens the console; of an inactive one, as soon as a record revives it."""
    grants = account.grants if account.status == Status.ACTIVE else settle(account.grants, True, rules)
    return any(is_administration(grant, rules) or _opens_console(grant, rules) for grant in grants)


def is_administration(grant: Grant, rules: Rules) -> bool:
    """Whether the grant is effective and of an administrator role."""
    role = rules.roles.get(grant.role)
    return grant.effective and role is not None and role.administrator


def _opens_console(grant: Grant, rules: Rules) -> bool:
    role = rules.roles.get(grant.role)
    return grant.effective and grant.scope == "tenant" and role is not None and role.console is not None


def _highest(grants: Sequence[Grant], rules: Rules) -> set[tuple[str, str]]:
    """(scope, role): one a scope. Among equal ranks by hand wins, then the mapping's priority, then the name."""
    priorities = {f"{MAPPING}{mapping.id}": mapping.priority for mapping in rules.mappings}
    best: dict[str, tuple[tuple[int, bool, int], str]] = {}
    for grant in grants:  # sorted by name: the first of equals stays
        role = rules.roles.get(grant.role)
        if role is None:
            continue
        weight = (role.rank, grant.rule == HAND, priorities.get(grant.rule, 0))
        if grant.scope not in best or weight > best[grant.scope][0]:
            best[grant.scope] = (weight, grant.role)
    return {(scope, name) for scope, (_, name) in best.items()}


def _counting(records: Sequence[Record], rules: Rules) -> list[Record]:
    """The records whose groups count: living ones of sources that count.

    A login's count only while no identity provider that knows the person pushes groups: of anybody, or removing
    somebody from the last one would give back what the login said. Where it is paired, that source alone is asked.
    """
    heard = [(record, source) for record in records if (source := rules.heard(record.source_id)) is not None]
    pushing = {
        source.id
        for record, source in heard
        if source.kind == SourceKind.IDP and (source.pushes_groups or (record.groups and not record.deleted))
    }
    return [
        record
        for record, source in heard
        if record.active and not record.deleted and not (source.kind == SourceKind.LOGIN and _yields(source, pushing))
    ]


def _yields(login: Source, pushing: AbstractSet[str]) -> bool:
    return bool(pushing) if login.paired_source_id is None else login.paired_source_id in pushing


def _is_met(mapping: RoleMapping, attributes: Mapping[str, Value], counting: Sequence[Record], rules: Rules) -> bool:
    if mapping.kind == "attribute" and mapping.source_id is None:
        return fold(mapping.match) in words(attributes.get(mapping.attribute or ""))
    return any(says(record, mapping, rules) for record in counting if mapping.source_id in (None, record.source_id))


def says(record: Record, mapping: RoleMapping, rules: Rules) -> bool:
    """Whether the record says what the mapping asks for; whether its voice counts at present is another question."""
    if mapping.kind == "group":
        return mapping.match in record.groups
    if mapping.kind == "role":
        return fold(mapping.match) in words(record.roles)
    if mapping.kind == "entitlement":
        return fold(mapping.match) in words(record.entitlements)
    if mapping.kind == "attribute" and mapping.attribute is not None:
        value = record.voice.get(mapping.attribute, EMPTY)
        return fold(mapping.match) in words(mapped(mapping.attribute, value, rules.sources[record.source_id]))
    return False
