"""What an assertion says, after its signature holds: every condition, exactly, against our clock and our addresses.

Only the signed element is read; of the Response around it no more than must agree. A bearer confirmation counts only if
everything about it holds at once. Each check refuses with what it expected and what it found.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sso import claims, xml
from sso.assertion import Assertion, ProviderSession
from sso.connections import Addresses, Connection, Saml
from sso.demands import Demands
from sso.errors import SignInError
from sso.saml_attributes import attributes, name_id
from sso.saml_names import BEARER, TRANSIENT, saml
from sso.saml_times import begun, instant, not_over, past, written
from sso.xml import Element, children, local, only, optional

OLDEST: Final = timedelta(minutes=10)  # after IssueInstant a message is too old, whatever it says of itself

_CONDITIONS: Final = frozenset({saml("AudienceRestriction"), saml("OneTimeUse"), saml("ProxyRestriction")})


@dataclass(frozen=True, slots=True)
class Expected:
    """The request of this browser that is not answered yet, and what it demanded."""

    request_id: str
    demands: Demands


@dataclass(frozen=True, slots=True)
class Reading:
    """What a message is held against."""

    connection: Connection
    settings: Saml
    addresses: Addresses
    expected: Expected | None
    now: datetime

    @property
    def skew(self) -> timedelta:
        return timedelta(seconds=self.connection.skew)


def read(reading: Reading, root: Element, assertion: Element, *, response_signed: bool) -> Assertion:
    """Who the person is, if every check holds.

    Raises:
        SignInError: naming the check.
    """
    _response(reading, root, signed=response_signed)
    _issuer(reading, assertion, required=True)
    issued = _issued(reading, assertion)
    _conditions(reading, only(assertion, saml("Conditions"), "conditions"))
    subject = only(assertion, saml("Subject"), "subject")
    request_id = _confirmed(reading, root, subject)
    named = name_id(only(subject, saml("NameID"), "subject"), reading.addresses.entity_id)
    statement = only(assertion, saml("AuthnStatement"), "conditions")
    context = _context(reading, statement)
    authenticated_at = instant(statement.get("AuthnInstant") or "", "AuthnInstant")
    _authenticated(reading, authenticated_at)
    values = attributes(assertion)
    if named.format == TRANSIENT and not reading.connection.claims.subject:
        raise SignInError("subject", "NameID: expected a lasting one, found a transient one and no attribute instead")
    claimed = claims.read(reading.connection.claims, "saml", values, named.subject, named.format)
    return Assertion(
        connection_id=reading.connection.id,
        protocol="saml",
        issuer=reading.settings.entity_id,
        subject=claimed.subject,
        id=assertion.get("ID") or "",
        valid_until=issued + OLDEST + reading.skew,  # sooner would be wrong: another confirmation may hold longer
        authenticated_at=authenticated_at,
        provider_session=ProviderSession(
            subject=named.subject,
            session=statement.get("SessionIndex") or None,
            format=named.format,
            name_qualifier=named.name_qualifier,
            sp_name_qualifier=named.sp_name_qualifier,
        ),
        user_name=claimed.user_name,
        email=claimed.email,
        email_trusted=claimed.email is not None,
        given_name=claimed.given_name,
        family_name=claimed.family_name,
        display_name=claimed.display_name,
        employee_number=claimed.employee_number,
        groups=claimed.groups,
        attributes=values,
        context=context,
        session_ends_at=_session_end(reading, statement),
        request_id=request_id,
    )


def _response(reading: Reading, root: Element, *, signed: bool) -> None:
    """What the Response says must agree; only if it is signed must it say so."""
    destination = root.get("Destination")
    if destination is None and not signed:
        pass
    elif destination != reading.addresses.acs:
        raise _differs("destination", "Destination", reading.addresses.acs, destination)
    _issuer(reading, root, required=signed)
    _issued(reading, root)


def _issuer(reading: Reading, element: Element, *, required: bool) -> None:
    issuer = optional(element, saml("Issuer"), "issuer")
    if issuer is None and not required:
        return
    found = None if issuer is None else xml.text(issuer, "issuer")
    if found != reading.settings.entity_id:
        raise _differs("issuer", f"{local(element)}'s Issuer", reading.settings.entity_id, found)


def _issued(reading: Reading, element: Element) -> datetime:
    what = f"{local(element)}'s IssueInstant"
    issued = instant(element.get("IssueInstant") or "", what)
    begun(issued, reading.now, reading.skew, what)
    if past(issued + OLDEST, reading.now, reading.skew):
        raise SignInError("expired", f"{what}: {written(issued)} is more than ten minutes ago")
    return issued


def _conditions(reading: Reading, conditions: Element) -> None:
    _window(reading, conditions)
    for each in conditions:
        if each.tag not in _CONDITIONS:
            raise SignInError("conditions", f"Conditions: {local(each)[:80]} is unknown")
    restrictions = children(conditions, saml("AudienceRestriction"))
    if not restrictions:
        raise SignInError("audience", "AudienceRestriction: expected at least one")
    for restriction in restrictions:
        audiences = [xml.text(each, "audience") for each in children(restriction, saml("Audience"))]
        if reading.addresses.entity_id not in audiences:
            raise _differs("audience", "Audience", reading.addresses.entity_id, ", ".join(audiences) or None)


def _window(reading: Reading, element: Element) -> None:
    starts, ends = element.get("NotBefore"), element.get("NotOnOrAfter")
    if starts is not None:
        what = f"{local(element)}'s NotBefore"
        begun(instant(starts, what), reading.now, reading.skew, what)
    if ends is not None:
        what = f"{local(element)}'s NotOnOrAfter"
        not_over(instant(ends, what), reading.now, reading.skew, what)


def _confirmed(reading: Reading, root: Element, subject: Element) -> str | None:
    """The request that is answered, by the one confirmation that holds altogether."""
    _answers(reading, root.get("InResponseTo"), "Response's InResponseTo")
    refusal = SignInError("subject", "SubjectConfirmation: expected a bearer's, found none")
    seen = False
    for each in children(subject, saml("SubjectConfirmation")):
        if each.get("Method") != BEARER:
            continue
        try:
            return _bearer(reading, each)
        except SignInError as error:
            refusal, seen = (refusal if seen else error), True
    raise refusal


def _bearer(reading: Reading, confirmation: Element) -> str | None:
    data = only(confirmation, saml("SubjectConfirmationData"), "subject")
    recipient = data.get("Recipient")
    if recipient != reading.addresses.acs:
        raise _differs("recipient", "Recipient", reading.addresses.acs, recipient)
    if data.get("NotOnOrAfter") is None:
        raise SignInError("subject", "SubjectConfirmationData: expected NotOnOrAfter, found none")
    _window(reading, data)
    request_id = data.get("InResponseTo")
    _answers(reading, request_id, "SubjectConfirmationData's InResponseTo")
    if request_id is None and reading.expected is not None:
        raise SignInError(
            "unsolicited",
            f"SubjectConfirmationData's InResponseTo: expected {reading.expected.request_id}, found none",
        )
    if request_id is None and not reading.settings.allow_unsolicited:
        raise SignInError("unsolicited", "InResponseTo: found none, and this connection allows no unasked sign-in")
    return request_id


def _answers(reading: Reading, request_id: str | None, what: str) -> None:
    if request_id is None:
        return
    if reading.expected is None:
        raise SignInError(
            "other_browser",
            f"{what}: {request_id[:80]} is no pending request of this browser: it ended, was answered before, "
            "or the cookie did not come back",
        )
    if request_id != reading.expected.request_id:
        raise _differs("other_browser", what, reading.expected.request_id, request_id)


def _context(reading: Reading, statement: Element) -> str | None:
    block = only(statement, saml("AuthnContext"), "context")
    reference = optional(block, saml("AuthnContextClassRef"), "context")
    found = None if reference is None else xml.text(reference, "context")
    settings = reading.settings
    if settings.demand_context and found not in settings.contexts:
        raise _differs("context", "AuthnContextClassRef", " or ".join(settings.contexts), found)
    return found


def _authenticated(reading: Reading, authenticated_at: datetime) -> None:
    """A fresh login where one was demanded: a request alone enforces nothing."""
    begun(authenticated_at, reading.now, reading.skew, "AuthnInstant")
    demands = Demands() if reading.expected is None else reading.expected.demands
    ages = [] if demands.max_age is None else [timedelta(seconds=demands.max_age)]
    if demands.force or reading.settings.force_authn:
        ages.append(OLDEST)
    if ages and past(authenticated_at + min(ages), reading.now, reading.skew + timedelta(seconds=1)):
        raise SignInError("context", f"AuthnInstant: {written(authenticated_at)} is longer ago than was demanded")


def _session_end(reading: Reading, statement: Element) -> datetime | None:
    value = statement.get("SessionNotOnOrAfter")
    if value is None:
        return None
    ends = instant(value, "SessionNotOnOrAfter")
    not_over(ends, reading.now, reading.skew, "SessionNotOnOrAfter")
    return ends


def _differs(code: str, what: str, expected: str, found: str | None) -> SignInError:
    return SignInError(code, f"{what}: expected {expected[:180]}, found {'none' if found is None else found[:180]}")
