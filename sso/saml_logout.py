"""SAML 2.0 single logout, both ways, by redirect and by form.

    the person signs out here:   request ──▶ identity provider ──▶ read ─▶ LogoutResponse
    they sign out over there:    read ─▶ LogoutRequest ──▶ sessions end ──▶ response

A message counts only if its signature holds: over the literal query when it came by redirect, inside it when it came as
a form. Whose sessions end, whether we asked, and whether it was used before is for the caller to know.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sso import guard, guard_query, guard_signature, saml_library, xml
from sso.assertion import ProviderSession
from sso.bindings import Form, Kind, Redirect, form, new_request_id, redirect
from sso.connections import Addresses, Connection, Saml, SamlKey
from sso.errors import SignInError
from sso.saml import signing_key
from sso.saml_attributes import name_id
from sso.saml_names import ASSERTION, PROTOCOL, RESPONDER, SUCCESS, ds, saml, samlp
from sso.saml_reading import OLDEST
from sso.saml_times import begun, instant, not_over, past, written
from sso.xml import Element, children, local, only, optional

MOST_INDEXES: Final = 50

_ROOTS: Final = {"SAMLRequest": "LogoutRequest", "SAMLResponse": "LogoutResponse"}


@dataclass(frozen=True, slots=True)
class LogoutRequest:
    """Their wish: the sessions of `subject` (NameID) end, those of `session_indexes`, or all when there are none.

    `id` may be used once until `valid_until`.
    """

    id: str
    subject: str
    session_indexes: tuple[str, ...]
    relay_state: str | None
    issuer: str
    valid_until: datetime


@dataclass(frozen=True, slots=True)
class LogoutResponse:
    """Their answer to the request of ours that it names."""

    in_response_to: str
    success: bool
    relay_state: str | None


def request(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    session: ProviderSession,
    *,
    request_id: str,
    relay_state: str | None,
    now: datetime,
) -> Redirect | Form:
    """A signed LogoutRequest for the provider's session that somebody signed in by.

    Raises:
        SignInError: the connection has no address for it.
    """
    settings = _settings(connection)
    if settings.slo_url is None:
        raise SignInError("malformed", f"the connection {connection.name} has no address for single logout")
    root = _message("LogoutRequest", request_id, settings.slo_url, addresses, now)
    root.set("NotOnOrAfter", written(now + timedelta(minutes=5)))
    qualifiers = {
        "Format": session.format,
        "NameQualifier": session.name_qualifier,
        "SPNameQualifier": session.sp_name_qualifier,
    }
    xml.add(root, saml("NameID"), {name: value for name, value in qualifiers.items() if value}, session.subject)
    if session.session is not None:
        xml.add(root, samlp("SessionIndex"), content=session.session)
    return _send(settings, settings.slo_url, "SAMLRequest", root, relay_state, keys)


def response(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    request: LogoutRequest,
    *,
    success: bool,
    now: datetime,
) -> Redirect | Form:
    """A signed LogoutResponse to a request that was read.

    Raises:
        SignInError: the connection has no address for it.
    """
    settings = _settings(connection)
    url = settings.slo_response_url or settings.slo_url
    if url is None:
        raise SignInError("malformed", f"the connection {connection.name} has no address for single logout")
    root = _message("LogoutResponse", new_request_id(), url, addresses, now)
    root.set("InResponseTo", request.id)
    status = xml.add(root, samlp("Status"))
    xml.add(status, samlp("StatusCode"), {"Value": SUCCESS if success else RESPONDER})
    return _send(settings, url, "SAMLResponse", root, request.relay_state, keys)


def read(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    method: str,
    raw_query: bytes,
    raw_form: bytes,
    now: datetime,
) -> LogoutRequest | LogoutResponse:
    """What the provider sent to our single logout address: by GET in `raw_query`, by POST in `raw_form`.

    Raises:
        SignInError: anything is wrong. Nothing else is raised, whatever was sent.
    """
    del keys  # nothing of logout is decrypted
    try:
        settings = _settings(connection)
        if method == "POST":
            root, relay_state = _posted(raw_form, settings)
        else:
            root, relay_state = _redirected(raw_query, settings)
        saml_library.check_schema(root)
        issued = _common(root, settings, addresses, now, timedelta(seconds=connection.skew))
        if local(root) == "LogoutResponse":
            return _response(root, relay_state)
        return _request(root, relay_state, addresses, issued, now, timedelta(seconds=connection.skew))
    except SignInError:
        raise
    except Exception as error:  # noqa: BLE001 - what a stranger sends must not become a 500
        raise SignInError("malformed", f"unreadable: {type(error).__name__}: {str(error)[:200]}") from None


def _redirected(raw_query: bytes, settings: Saml) -> tuple[Element, str | None]:
    """Nothing is inflated or parsed before the signature holds."""
    query = guard_query.read(raw_query)
    if not guard_query.is_signed(query, settings.certificates):
        raise SignInError("signature", "query: its signature does not fit any certificate of the connection")
    root = xml.parse(guard_query.inflate(query.packed))
    _rooted(root, query.kind)
    _signature(root, settings, required=False)
    return root, query.relay_state


def _posted(raw_form: bytes, settings: Saml) -> tuple[Element, str | None]:
    posted = guard.read_form(raw_form, "SAMLRequest", "SAMLResponse")
    root = xml.parse(posted.message)
    _rooted(root, posted.kind)
    _signature(root, settings, required=True)
    return root, posted.relay_state


def _rooted(root: Element, kind: str) -> None:
    if root.tag != samlp(_ROOTS[kind]):
        raise SignInError("malformed", f"root: expected samlp:{_ROOTS[kind]} in {kind}, found {root.tag[:80]}")
    if root.get("Version") != "2.0" or not root.get("ID"):
        raise SignInError("malformed", f"{local(root)}: expected Version 2.0 and an ID")
    guard.refuse_assertions(root)


def _signature(root: Element, settings: Saml, *, required: bool) -> None:
    guard_signature.check(root, list(root))
    signature = optional(root, ds("Signature"), "signature")
    if signature is None:
        if required:
            raise SignInError("signature", f"{local(root)}: expected signed, found no signature")
        return
    saml_library.demand_signed(signature, settings.certificates)


def _common(root: Element, settings: Saml, addresses: Addresses, now: datetime, skew: timedelta) -> datetime:
    issuer = optional(root, saml("Issuer"), "issuer")
    found = None if issuer is None else xml.text(issuer, "issuer")
    if found != settings.entity_id:
        raise SignInError("issuer", f"Issuer: expected {settings.entity_id[:180]}, found {(found or 'none')[:180]}")
    destination = root.get("Destination")
    if destination != addresses.slo:
        raise SignInError(
            "destination", f"Destination: expected {addresses.slo[:180]}, found {(destination or 'none')[:180]}"
        )
    issued = instant(root.get("IssueInstant") or "", "IssueInstant")
    begun(issued, now, skew, "IssueInstant")
    if past(issued + OLDEST, now, skew):
        raise SignInError("expired", f"IssueInstant: {written(issued)} is more than ten minutes ago")
    return issued


def _request(
    root: Element, relay_state: str | None, addresses: Addresses, issued: datetime, now: datetime, skew: timedelta
) -> LogoutRequest:
    ends = issued + OLDEST
    if (until := root.get("NotOnOrAfter")) is not None:
        stated = instant(until, "NotOnOrAfter")
        not_over(stated, now, skew, "NotOnOrAfter")
        ends = min(ends, stated)
    named = name_id(only(root, saml("NameID"), "subject"), addresses.entity_id)
    indexes = [xml.text(each) for each in children(root, samlp("SessionIndex"))]
    if len(indexes) > MOST_INDEXES or not all(indexes):
        raise SignInError("subject", f"SessionIndex: expected at most {MOST_INDEXES}, none of them empty")
    return LogoutRequest(
        id=root.get("ID") or "",
        subject=named.subject,
        session_indexes=tuple(indexes),
        relay_state=relay_state,
        issuer=xml.text(only(root, saml("Issuer"))),
        valid_until=ends + skew,
    )


def _response(root: Element, relay_state: str | None) -> LogoutResponse:
    in_response_to = root.get("InResponseTo")
    if not in_response_to:
        raise SignInError("unknown_request", "InResponseTo: expected a request of ours, found none")
    code = only(only(root, samlp("Status")), samlp("StatusCode")).get("Value")
    if not code:
        raise SignInError("malformed", "StatusCode: expected a value")
    return LogoutResponse(in_response_to, code == SUCCESS, relay_state)


def _message(name: str, id: str, url: str, addresses: Addresses, now: datetime) -> Element:
    attributes = {"ID": id, "Version": "2.0", "IssueInstant": written(now), "Destination": url}
    root = xml.make(samlp(name), attributes, {"samlp": PROTOCOL, "saml": ASSERTION})
    xml.add(root, saml("Issuer"), content=addresses.entity_id)
    return root


def _send(
    settings: Saml, url: str, kind: Kind, root: Element, relay_state: str | None, keys: Sequence[SamlKey]
) -> Redirect | Form:
    key = signing_key(keys)
    message = xml.write(root)
    if settings.slo_binding == "post":
        return form(url, kind, saml_library.sign(message, key), relay_state)
    return redirect(url, kind, message, relay_state, key)


def _settings(connection: Connection) -> Saml:
    """Also of a connection that is switched off: sessions from before live on, and end here and over there."""
    if not isinstance(connection.settings, Saml):
        raise SignInError("malformed", f"the connection {connection.name} is not of SAML")
    return connection.settings
