"""What an identity provider's attributes and claims say of a person, by a connection's claim map.

    attributes or claims ─▶ values by name ─▶ the map's names, else the usual ones ─▶ `Claimed`

A single value is never picked from several, and a name that finds or links a person is taken as it stands or refused:
it is never trimmed into somebody else's. Groups that were not told, or told only in part, are None: not none.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sso.assertion import Protocol
from sso.claim_names import EMAIL_FORMAT, GROUPS_ELSEWHERE, PASSING_FORMATS, SAID_ELSEWHERE, USUAL
from sso.connections import ClaimMap
from sso.errors import SignInError

LONGEST: Final = 256  # characters of a name that finds or links a person
LONGEST_TEXT: Final = 1_000
_TURNING: Final = ("LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What was said of the person. None: nothing; `groups` too, where () is a member of none."""

    subject: str
    user_name: str | None = None
    email: str | None = None
    given_name: str | None = None
    family_name: str | None = None
    display_name: str | None = None
    employee_number: str | None = None
    groups: tuple[str, ...] | None = None


def read(
    claim_map: ClaimMap,
    protocol: Protocol,
    values: Mapping[str, tuple[str, ...]],
    subject: str,
    subject_format: str | None = None,
) -> Claimed:
    """The person, of the values by name and the message's own `subject` (NameID, `sub`).

    `subject_format` is the NameID's format: an address serves as email and user name, a lasting name of no known kind
    as user name, where no attribute says one.

    Raises:
        SignInError: `attributes` when a single value is several or cannot be a name; `subject` when it lacks. Its
            `received` are the values.
    """
    try:
        return _read(_Given(claim_map, protocol, values), subject, subject_format)
    except SignInError as error:
        error.received = values
        raise


def _read(given: _Given, subject: str, subject_format: str | None) -> Claimed:
    claim_map, protocol, values = given.claim_map, given.protocol, given.values
    named = protocol == "saml" and is_name(subject)
    plain = subject if named and subject_format not in PASSING_FORMATS else None
    address = subject if named and subject_format == EMAIL_FORMAT else None
    return Claimed(
        subject=_subject(claim_map, given, subject),
        user_name=given.name("user_name") or plain,
        email=_address(given.name("email")) or _address(address),
        given_name=given.text("given_name"),
        family_name=given.text("family_name"),
        display_name=given.text("display_name"),
        employee_number=given.name("employee_number"),
        groups=_groups(given.names("groups"), values),
    )


def flat(claims: Mapping[str, Any]) -> dict[str, tuple[str, ...]]:
    """JSON claims as values by name: of a list its plain members, of an object (`_claim_names`) its names."""
    return {name: tuple(_plain(value)) for name, value in claims.items() if value is not None}


@dataclass(frozen=True, slots=True)
class _Given:
    """The values, as the map's fields ask for them."""

    claim_map: ClaimMap
    protocol: Protocol
    values: Mapping[str, tuple[str, ...]]

    def names(self, field: str) -> Sequence[str]:
        configured: tuple[str, ...] = getattr(self.claim_map, field)
        return configured or USUAL[self.protocol].get(field, ())

    def one(self, field: str) -> str | None:
        for name in self.names(field):
            found = list(dict.fromkeys(value for value in self.values.get(name, ()) if value.strip()))
            if len(found) > 1:
                raise SignInError("attributes", f"{field}: {name} has {len(found)} values, expected one")
            if found:
                return found[0]
        return None

    def name(self, field: str) -> str | None:
        """What finds or links a person."""
        value = self.one(field)
        if value is not None and not is_name(value):
            raise SignInError(
                "attributes", f"{field}: {value[:60]!r} has blanks, hidden or odd characters, or is too long"
            )
        return value

    def text(self, field: str) -> str | None:
        """What is only shown."""
        value = self.one(field)
        if value is None:
            return None
        if len(value) > LONGEST_TEXT:
            raise SignInError("attributes", f"{field}: {len(value)} characters, expected {LONGEST_TEXT} at most")
        return " ".join("".join(sign for sign in value if sign.isspace() or not _turns(sign)).split()) or None


def is_name(value: str) -> bool:
    """Whether the value can name one person: no blank at its ends, no character that nobody sees, none that is another
    in disguise, 1 to 256 long.
    """
    whole = 0 < len(value) <= LONGEST and value == value.strip()
    return whole and not any(_hidden(sign) for sign in value) and not _disguised(value)


def _disguised(value: str) -> bool:
    """Full-width letters, ligatures and the like (Unicode §2.3). Names are compared without such differences, so that
    a provider which tells them apart could give somebody the name of another.
    """
    return unicodedata.normalize("NFKC", value) != unicodedata.normalize("NFC", value)


def _hidden(sign: str) -> bool:
    return unicodedata.category(sign) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def _turns(sign: str) -> bool:
    """Whether it makes shown text other than it is. Joiners, which some languages write with, do not."""
    return unicodedata.category(sign) in ("Cc", "Cs") or unicodedata.bidirectional(sign) in _TURNING


def _subject(claim_map: ClaimMap, given: _Given, subject: str) -> str:
    found = given.name("subject") if claim_map.subject else subject
    if found is None:  # never the message's own instead: it would be somebody else in the same connection
        raise SignInError("subject", f"expected a value of {' or '.join(claim_map.subject)}, found none")
    if not is_name(found):
        raise SignInError("subject", f"{found[:60]!r} has blanks, hidden or odd characters, or is too long")
    return found


def _address(value: str | None) -> str | None:
    if value is None:
        return None
    local, at, domain = value.rpartition("@")
    whole = bool(local and at and "." in domain) and not any(sign.isspace() for sign in value)
    return value if whole and "@" not in local else None


def _groups(names: Sequence[str], values: Mapping[str, tuple[str, ...]]) -> tuple[str, ...] | None:
    lacking = _elsewhere(values)
    for name in names:
        if name in lacking:
            return None
        if name in values:
            return tuple(dict.fromkeys(group for group in values[name] if group.strip()))
    return None


def _elsewhere(values: Mapping[str, tuple[str, ...]]) -> frozenset[str]:
    """The names whose values are too many for the message: it says only where they could be asked for."""
    if any(marker in values for marker in GROUPS_ELSEWHERE):
        return frozenset(name for names in USUAL.values() for name in names["groups"])
    return frozenset(values.get(SAID_ELSEWHERE, ()))


def _plain(value: Any) -> Iterable[str]:
    if isinstance(value, Mapping):
        return [str(name) for name in value]
    members = value if isinstance(value, (list, tuple)) else [value]
    return [_written(member) for member in members if isinstance(member, (str, int, float))]


def _written(value: str | float) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
