"""What a learning platform is told of a person: by the scopes that were granted, never more (OpenID Connect Core §5.4).

`sub` is the account's id: an address may be another person's next year.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, Final

from sso.authorizations import Person

_PROFILE: Final = {
    "name": "displayName",
    "given_name": "givenName",
    "family_name": "familyName",
    "middle_name": "middleName",
    "nickname": "nickName",
    "preferred_username": "userName",
    "profile": "profileUrl",
    "locale": "locale",
    "zoneinfo": "timezone",
}
CLAIMS: Final = (
    "sub",
    "tenant",
    *_PROFILE,
    "updated_at",
    "email",
    "email_verified",
    "roles",
    "role_grants",
    "groups",
)


def of(person: Person, scopes: Collection[str]) -> dict[str, Any]:
    """The claims about the person; an attribute that the account does not have is left out."""
    return {"sub": person.account_id, "tenant": person.tenant, **dict(_told(person, scopes))}


def _told(person: Person, scopes: Collection[str]) -> Iterator[tuple[str, Any]]:
    if "profile" in scopes:
        yield from _profile(person.attributes)
        yield "updated_at", int(person.updated_at.timestamp())
    email = person.attributes.get("emails.work")
    if "email" in scopes and email:
        yield "email", email
        yield "email_verified", person.email_verified
    if "roles" in scopes:
        yield "roles", list(person.roles)
        yield "role_grants", [{"role": role, "scope": scope} for role, scope in person.grants]
    if "groups" in scopes:
        yield "groups", list(person.groups)


def _profile(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    spoken = " ".join(filter(None, (attributes.get("givenName"), attributes.get("familyName"))))
    known = {**attributes, "displayName": attributes.get("displayName") or attributes.get("formattedName") or spoken}
    for claim, attribute in _PROFILE.items():
        value = known.get(attribute)
        if isinstance(value, str) and value:
            yield claim, value
