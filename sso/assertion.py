"""What both protocols yield: who somebody is, as one connection's identity provider says it, once it is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

Protocol = Literal["saml", "oidc"]


@dataclass(frozen=True, slots=True)
class ProviderSession:
    """The provider's own names for the person and their session there: what signing out needs.

    SAML: `subject` is the NameID, with its format and qualifiers; `session` the SessionIndex. OpenID Connect: `subject`
    is `sub`, `session` is `sid`, `hint` the ID token.
    """

    subject: str
    session: str | None = None
    format: str | None = None
    name_qualifier: str | None = None
    sp_name_qualifier: str | None = None
    hint: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Assertion:
    """Who somebody is. `subject` is the provider's lasting name for the person, by which their record is found again.

    `email_trusted` is whether the provider vouches for the address (Entra ID's `xms_edov`, others' `email_verified`;
    SAML: always). `groups` is None when nothing was said of groups. `attributes` holds all values by name, as sent.
    `id` is the message's own and may be used once until `valid_until`. Times are aware, in UTC.
    """

    connection_id: str
    protocol: Protocol
    issuer: str
    subject: str
    id: str
    valid_until: datetime
    authenticated_at: datetime
    provider_session: ProviderSession
    user_name: str | None = None
    email: str | None = None
    email_trusted: bool = False
    given_name: str | None = None
    family_name: str | None = None
    display_name: str | None = None
    employee_number: str | None = None
    groups: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    context: str | None = None  # AuthnContextClassRef, acr
    methods: tuple[str, ...] = ()  # amr
    session_ends_at: datetime | None = None  # SessionNotOnOrAfter
    request_id: str | None = None  # InResponseTo or state; None: nobody asked
