"""The identifiers by which a record can be recognised as somebody.

    strength 1  employee:<numbering>   the employee number, in the numbering that the source declares
    strength 2  email                  the work address, where the source may speak for its domain
    strength 3  email                  an alias: another address, or a userName that is one, under the same condition

Home addresses claim nothing: they are shared in families and nobody vouches for them.
A retired source's records go on claiming, so that its successor's records still find the accounts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from app.identity.folding import fold, spelled
from app.identity.model import Claim, Record, Rules, Source, SourceKind

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
    return tuple(Claim(*key, strongest[key]) for key in sorted(strongest))


def is_verified(address: str, source: Source, rules: Rules) -> bool:
    """Whether the source may speak for the domain of this folded address; False when it is no address."""
    shape = _ADDRESS.fullmatch(address)
    if shape is None:
        return False
    domain = shape.group(1)
    owner = rules.assigned_domains.get(domain)
    if owner is not None:
        return owner == source.id
    if source.domains is not None:
        return domain in source.domains
    return _speaks_for_unassigned(source, rules)


def _identifiers(record: Record, source: Source, rules: Rules) -> Iterator[tuple[str, str, int]]:
    number = spelled(record.voice.get("employeeNumber"))
    if number is not None and len(number) <= LONGEST and source.employee_namespace:
        yield f"employee:{source.employee_namespace}", fold(number), EMPLOYEE_NUMBER
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
