"""What a test of a connection found out, and for each attribute or claim that came: what it serves.

mapped    its value says something of the person      ignored   known by name, and of no use here
unknown   nobody named it: the person's record keeps it, nothing is made of it
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Final, Literal

from sso.assertion import Assertion
from sso.claim_names import GROUPS_ELSEWHERE, PASSING_CLAIMS, USUAL
from sso.connections import ClaimMap, Connection
from sso.errors import SignInError
from sso.trace import Trace

State = Literal["mapped", "ignored", "unknown"]

NAME_ID: Final = "NameID"
_FIELDS: Final = tuple(one.name for one in fields(ClaimMap))
_VOUCHING: Final = ("email_verified", "xms_edov")
_DIRECTORY: Final = ("tid", "oid", "hd")
_ORDER: Final[Mapping[State, int]] = {"mapped": 0, "unknown": 1, "ignored": 2}


@dataclass(frozen=True, slots=True)
class Said:
    """One attribute or claim. `serves` are fields of `ClaimMap`; `note` says why it serves none, or not as it is."""

    name: str
    values: tuple[str, ...] = field(repr=False)
    state: State
    serves: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True, slots=True)
class FoundRole:
    """A role that would follow. `why` is a sentence."""

    role: str
    scope: str
    effective: bool
    why: str


@dataclass(frozen=True, slots=True)
class Found:
    """Who it would be. `rule` is how they would be found; `refusal` why they would not be let in, if so.

    `account_id` is None for somebody new. `new_groups` would be named for the first time; `waiting`: a mapping waits
    for one of those.
    """

    rule: str
    account_id: str | None = None
    status: str = ""
    refusal: SignInError | None = None
    roles: Sequence[FoundRole] = ()
    new_groups: Sequence[str] = ()
    waiting: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """A test that is over. `error` is the check that failed; `remedy` what to change, and where."""

    trace: Trace
    said: Sequence[Said] = field(default=(), repr=False)
    assertion: Assertion | None = field(default=None, repr=False)
    found: Found | None = None
    error: SignInError | None = None
    remedy: str | None = None


def said(
    connection: Connection, received: Mapping[str, tuple[str, ...]], assertion: Assertion | None = None
) -> tuple[Said, ...]:
    """Every attribute or claim, the useful ones first. `assertion` is what was made of them, if it could be."""
    protocol = connection.kind
    serves, outdone = _served(connection.claims, USUAL[protocol], received)
    if protocol == "oidc" and assertion is not None and not connection.claims.subject:
        _own_subject(assertion.subject, received, serves)
    found = [_judged(name, received[name], serves, outdone, protocol, assertion) for name in sorted(received)]
    if assertion is not None:
        found = [*_subject(connection, assertion, serves), *found]
    return tuple(sorted(found, key=lambda one: _ORDER[one.state]))


def _served(
    claim_map: ClaimMap, usual: Mapping[str, Sequence[str]], received: Mapping[str, tuple[str, ...]]
) -> tuple[dict[str, list[str]], dict[str, str]]:
    """Which name serves which fields, and of the others that could, the name that came first."""
    serves: dict[str, list[str]] = {}
    outdone: dict[str, str] = {}
    for wanted in _FIELDS:
        names = getattr(claim_map, wanted) or usual.get(wanted, ())
        there = [name for name in names if name in received and (wanted == "groups" or any(received[name]))]
        if there:
            serves.setdefault(there[0], []).append(wanted)
            outdone |= dict.fromkeys(there[1:], there[0])
    return serves, outdone


def _judged(
    name: str,
    values: tuple[str, ...],
    serves: Mapping[str, Sequence[str]],
    outdone: Mapping[str, str],
    protocol: str,
    assertion: Assertion | None,
) -> Said:
    if name in serves:
        fields_served = tuple(serves[name])
        return Said(name, values, "mapped", fields_served, _not_taken(fields_served, assertion))
    if name in outdone:
        return Said(name, values, "ignored", (), f"{outdone[name]} comes before it")
    if name in GROUPS_ELSEWHERE:
        return Said(name, values, "ignored", (), "the groups are too many for the message, and count as not told")
    if protocol == "oidc" and name in _VOUCHING:
        return Said(name, values, "mapped", (), "whether the provider vouches for the address")
    if protocol == "oidc" and name in _DIRECTORY:
        return Said(name, values, "ignored", (), "about the directory of the person")
    if protocol == "oidc" and name in PASSING_CLAIMS:
        return Said(name, values, "ignored", (), "about the token, not the person")
    return Said(name, values, "unknown", (), "kept with the person's record; the claim map names it nowhere")


def _not_taken(served: Sequence[str], assertion: Assertion | None) -> str:
    """What is mapped may still be of no use: no address, or none that the provider vouches for."""
    if assertion is None:
        return ""
    if "email" in served and assertion.email is None:
        return "not taken: it is no address"
    if "email" in served and not assertion.email_trusted:
        return "the provider does not vouch for it: nobody is found by it"
    if "groups" in served and assertion.groups is None:
        return "not taken: the list is not the whole one"
    return ""


def _own_subject(subject: str, received: Mapping[str, tuple[str, ...]], serves: dict[str, list[str]]) -> None:
    """OpenID's name for the person: `sub`, or in a directory `tid/oid`."""
    parts = {"sub": subject, "oid": subject.rpartition("/")[2]}
    name = next((name for name, part in parts.items() if received.get(name, ())[:1] == (part,)), None)
    if name is not None:
        serves.setdefault(name, []).insert(0, "subject")


def _subject(connection: Connection, assertion: Assertion, serves: Mapping[str, Sequence[str]]) -> Sequence[Said]:
    """SAML's own name for the person, which is no attribute. OpenID's is among the claims."""
    if assertion.protocol == "oidc":
        return ()
    named = assertion.provider_session.subject
    taken = {wanted for names in serves.values() for wanted in names}
    served = [] if connection.claims.subject else ["subject"]
    served += [one for one in ("user_name", "email") if one not in taken and getattr(assertion, one) == named]
    note = assertion.provider_session.format or ""
    return (Said(NAME_ID, (named,), "mapped" if served else "ignored", tuple(served), note),)
