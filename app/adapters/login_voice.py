"""What an assertion says in the account's terms, and what of it the person's record keeps.

assertion ──▶ userName, names, emails.work, employeeNumber ──▶ Spoken
          └─▶ document: the same in the provider's own names, cut; nothing that differs at each sign-in
"""

from __future__ import annotations

from typing import Any, Final

from app.identity.folding import fold, spelled
from app.identity.writes import Spoken
from app.logins import Login
from sso.assertion import Assertion
from sso.claim_names import PASSING_CLAIMS, USUAL
from sso.connections import Connection

MOST_ATTRIBUTES: Final = 100
MOST_VALUES: Final = 50  # of one attribute
LONGEST_VALUE: Final = 500  # characters


def login(connection: Connection, assertion: Assertion) -> Login:
    """What the write door for logins is told."""
    return Login(
        source_id=connection.source_id,
        subject=assertion.subject,
        user_name=assertion.user_name,
        spoken=spoken(assertion),
        document=document(connection, assertion),
        groups=assertion.groups,
    )


def spoken(assertion: Assertion) -> Spoken:
    """The voice of an assertion. What it lacks it is silent about; whoever signs in is active there."""
    said = {
        "userName": _user_name(assertion),
        "displayName": assertion.display_name,
        "givenName": assertion.given_name,
        "familyName": assertion.family_name,
        "employeeNumber": assertion.employee_number,
        "emails.work": assertion.email,
    }
    values = {name: text for name, value in said.items() if (text := spelled(value)) is not None}
    return Spoken(active=True, values=values, vouched=assertion.email_trusted)


def _user_name(assertion: Assertion) -> str | None:
    """An OpenID provider vouches for `email` alone; `preferred_username` may be what the person likes (OpenID Connect
    Core §5.7). As an address of somebody else's it would find them.
    """
    name, email = assertion.user_name, assertion.email
    if assertion.protocol == "saml" or not assertion.email_trusted or name is None or email is None or "@" not in name:
        return name
    return name if fold(name) == fold(email) else email


def document(connection: Connection, assertion: Assertion) -> dict[str, Any]:
    """What the record keeps: never the message itself. Groups are kept as memberships."""
    passing = PASSING_CLAIMS if assertion.protocol == "oidc" else frozenset()
    groups = {*connection.claims.groups, *USUAL[assertion.protocol]["groups"]}
    told = [(name, values) for name, values in sorted(assertion.attributes.items()) if name not in passing | groups]
    return {
        "issuer": assertion.issuer,
        "subject": assertion.subject,
        "userName": assertion.user_name,
        "email": assertion.email,
        "emailTrusted": assertion.email_trusted,
        "attributes": {
            name[:LONGEST_VALUE]: [value[:LONGEST_VALUE] for value in values[:MOST_VALUES]]
            for name, values in told[:MOST_ATTRIBUTES]
        },
    }
