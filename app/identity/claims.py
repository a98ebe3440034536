"""The identifiers by which a record can be recognised as somebody.

    strength 0  name:<SCIM source>     the userName there, and the names by which its sign-ins know the person
    strength 1  employee:<numbering>   the employee number, in the numbering that the source declares
    strength 2  email                  the work address, where the source may speak for its domain
    strength 3  email                  an alias: another address, or a userName that is one, under the same condition

Home addresses claim nothing: they are shared in families and nobody vouches for them. Nor does any address for which a
sign-in's provider does not vouch. A sign-in has the numbering of its paired source, and speaks for that one's domains.
A retired source's records go on claiming, so that its successor's records still find the accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from app.identity.folding import fold, spelled
from app.identity.model import Claim, Record, Rules, Source, SourceKind

PAIRED_NAME: Final = 0
EMPLOYEE_NUMBER: Final = 1
VERIFIED_EMAIL: Final = 2
ALIAS: Final = 3
LONGEST: Final = 320  # characters of an identifier: RFC 3696 for addresses; what is longer identifies nobody

_ADDRESS: Final = re.compile(r"[^@\s]+@([^@\s]+\.[^@\s.]+)")


def claims(record: Record, rules: Rules) -> tuple[Claim, ...]:
    """What the record claims: each identifier once, at its greatest strength, by key. A deleted record: nothing."""
    source = rules.sources.get(record.source_id)
    if source is None or record.deleted:
        return ()
    affiliation = str(source.affiliation)
    strongest: dict[tuple[str, str, str], int] = {}
    for namespace, value, strength in _identifiers(record, source, rules):
        key = (namespace, affiliation, value)
        strongest[key] = min(strength, strongest.get(key, strength))
    for key in _paired_names(record, source, rules):
        strongest[key] = PAIRED_NAME
    return tuple(Claim(*key, strongest[key]) for key in sorted(strongest))


def is_verified(address: str, source: Source, rules: Rules) -> bool:
    """Whether the source may speak for the domain of this folded address; False when it is no address."""
    shape = _ADDRESS.fullmatch(address)
    if shape is None:
        return False
    domain = shape.group(1)
    owner = rules.assigned_domains.get(domain)
    paired = pair_of(source, rules)
    if owner is not None:
        return owner == source.id or (paired is not None and owner == paired.id)
    return _speaks_for(domain, source, rules) or (paired is not None and _speaks_for(domain, paired, rules))


def pair_of(source: Source, rules: Rules) -> Source | None:
    """The SCIM source of the same identity provider as this login source; None when it has none, or is no login."""
    if source.kind is not SourceKind.LOGIN or source.paired_source_id is None:
        return None
    paired = rules.sources.get(source.paired_source_id)
    return paired if paired is not None and paired.kind is SourceKind.IDP else None


def known_by_pair(login: Record, records: Iterable[tuple[str, Record]], rules: Rules) -> str | None:
    """The account of the paired source's living record with the login's name, the better name first.

    `records` come with their accounts. The source's own word about who has the name now: it stands above all claims,
    and was perhaps said before the two were paired.
    """
    source = rules.sources.get(login.source_id)
    paired = pair_of(source, rules) if source is not None else None
    if paired is None:
        return None
    names = {
        fold(record.voice["userName"]): account_id
        for account_id, record in records
        if record.source_id == paired.id and not record.deleted and isinstance(record.voice.get("userName"), str)
    }
    return next((names[name] for name in login.known_as if name in names), None)


def _paired_names(record: Record, source: Source, rules: Rules) -> Iterator[tuple[str, str, str]]:
    paired, names = pair_of(source, rules), record.known_as
    if paired is None and _is_paired(source, rules):
        name = record.voice.get("userName")
        paired, names = source, (fold(name),) if isinstance(name, str) else ()
    if paired is not None:
        for name in names:
            if 0 < len(name) <= LONGEST:
                yield f"name:{paired.id}", str(paired.affiliation), name


def _is_paired(source: Source, rules: Rules) -> bool:
    return source.kind is SourceKind.IDP and any(
        other.paired_source_id == source.id and not other.retired for other in rules.sources.values()
    )


def _speaks_for(domain: str, source: Source, rules: Rules) -> bool:
    if source.domains is not None:
        return domain in source.domains
    return _speaks_for_unassigned(source, rules)


def _identifiers(record: Record, source: Source, rules: Rules) -> Iterator[tuple[str, str, int]]:
    number = spelled(record.voice.get("employeeNumber"))
    paired = pair_of(source, rules)
    numbering = source.employee_namespace or (paired.employee_namespace if paired is not None else None)
    if number is not None and len(number) <= LONGEST and numbering:
        yield f"employee:{numbering}", fold(number), EMPLOYEE_NUMBER
    if not record.vouched:
        return
    for attribute, value in record.voice.items():
        if not _may_identify(attribute) or not isinstance(value, str) or len(value) > LONGEST:
            continue
        address = fold(value)
        if is_verified(address, source, rules):
            yield "email", address, VERIFIED_EMAIL if attribute == "emails.work" else ALIAS


def _may_identify(attribute: str) -> bool:
    return attribute == "userName" or (attribute.startswith("emails.") and attribute != "emails.home")


def _speaks_for_unassigned(source: Source, rules: Rules) -> bool:
    """HR systems and the first identity provider. Ids are UUIDv7: the smallest is the first.

    A retired provider makes room for the next one and keeps what it vouched for.
    """
    if source.kind is not SourceKind.IDP:
        return source.kind is SourceKind.HRIS
    return not any(
        other.kind is SourceKind.IDP and not other.retired and other.id < source.id for other in rules.sources.values()
    )
