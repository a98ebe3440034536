"""SAML 2.0 sign-in: our request, and what comes back.

    login_request ──▶ browser ──▶ identity provider ──▶ form ──▶ peek ─▶ the browser's pending request
                                                                   └──▶ accept ──▶ Assertion

    accept:  guard (form, limits, shapes) ▶ Response's signature ▶ decryption, guard again ▶ assertion's signature
             ▶ the library's checks ▶ every condition of the signed assertion (`saml_reading`)

Used once, by whom, and whether that person may sign in is not known here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sso import guard, saml_library, xml
from sso.assertion import Assertion
from sso.bindings import Form, Redirect, form, redirect
from sso.connections import Addresses, Connection, Saml, SamlKey
from sso.demands import Demands
from sso.errors import SignInError
from sso.guard import ResponseParts
from sso.saml_decryption import decrypt
from sso.saml_names import ASSERTION, POST, PROTOCOL, ds, saml, samlp
from sso.saml_reading import Expected, Reading, read
from sso.saml_times import written
from sso.xml import Element, children, optional

__all__ = ["Expected", "Peeked", "accept", "login_request", "peek"]


@dataclass(frozen=True, slots=True)
class Peeked:
    """What an answer says before anything of it is verified: good for finding the request, for nothing else."""

    in_response_to: str | None
    relay_state: str | None
    issuer: str | None


def login_request(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    *,
    request_id: str,
    relay_state: str | None,
    demands: Demands,
    now: datetime,
) -> Redirect | Form:
    """A signed AuthnRequest to the connection's identity provider. `keys` are ours, newest first.

    A RequestedAuthnContext is there only if the connection or the relying party asks for one: many identity providers
    stop people who signed in by better means than the one that is asked for.
    """
    settings = settings_of(connection)
    key = signing_key(keys)
    message = xml.write(_authn_request(settings, addresses, request_id, demands, now))
    if settings.sso_binding == "post":
        return form(settings.sso_url, "SAMLRequest", saml_library.sign(message, key), relay_state)
    return redirect(settings.sso_url, "SAMLRequest", message, relay_state, key)


def _authn_request(settings: Saml, addresses: Addresses, request_id: str, demands: Demands, now: datetime) -> Element:
    attributes = {
        "ID": request_id,
        "Version": "2.0",
        "IssueInstant": written(now),
        "Destination": settings.sso_url,
        "ProtocolBinding": POST,
        "AssertionConsumerServiceURL": addresses.acs,
    }
    if settings.force_authn or demands.force:
        attributes["ForceAuthn"] = "true"
    root = xml.make(samlp("AuthnRequest"), attributes, {"samlp": PROTOCOL, "saml": ASSERTION})
    xml.add(root, saml("Issuer"), content=addresses.entity_id)
    policy = {"AllowCreate": "true"}
    if settings.name_id_format is not None:
        policy["Format"] = settings.name_id_format
    xml.add(root, samlp("NameIDPolicy"), policy)
    contexts = settings.contexts if settings.demand_context else demands.contexts or settings.contexts
    if contexts:
        requested = xml.add(root, samlp("RequestedAuthnContext"), {"Comparison": "exact"})
        for each in contexts:
            xml.add(requested, saml("AuthnContextClassRef"), content=each)
    return root


def peek(raw_form: bytes) -> Peeked:
    """The request that a posted answer names.

    Raises:
        SignInError: `too_large`, `malformed`.
    """
    posted = guard.read_form(raw_form, "SAMLResponse")
    root = xml.parse(posted.message)
    if root.tag != samlp("Response"):
        raise SignInError("malformed", f"root: expected samlp:Response, found {root.tag[:80]}")
    issuer = next((each.text for each in children(root, saml("Issuer"))), None)
    return Peeked(root.get("InResponseTo") or _confirmed_request(root), posted.relay_state, issuer)


def _confirmed_request(root: Element) -> str | None:
    """What the assertion itself names, if it can be read and the Response around it says nothing."""
    names = (each.get("InResponseTo") for each in root.iter(saml("SubjectConfirmationData")))
    return next((name for name in names if name), None)


def accept(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    raw_form: bytes,
    expected: Expected | None,
    now: datetime,
    steps: list[str] | None = None,
) -> tuple[Assertion, str | None]:
    """Who signed in, and the RelayState, from the form that the browser posted.

    Args:
        keys: ours, newest first: an assertion may be encrypted to any of them.
        expected: this browser's pending request; None: it has none.
        now: aware; all times are compared with it, `connection.skew` allowed for.
        steps: filled with the names of the checks that passed, for the administrator's trace.

    Raises:
        SignInError: anything is wrong. Nothing else is raised, whatever was posted.
    """
    passed = [] if steps is None else steps
    try:
        return _accept(connection, addresses, keys, raw_form, expected, now, passed)
    except SignInError:
        raise
    except Exception as error:  # noqa: BLE001 - what a stranger sends must not become a 500
        raise SignInError("malformed", f"unreadable: {type(error).__name__}: {str(error)[:200]}") from None


def _accept(
    connection: Connection,
    addresses: Addresses,
    keys: Sequence[SamlKey],
    raw_form: bytes,
    expected: Expected | None,
    now: datetime,
    passed: list[str],
) -> tuple[Assertion, str | None]:
    settings = settings_of(connection)
    posted = guard.read_form(raw_form, "SAMLResponse")
    passed.append("form")
    root = xml.parse(posted.message)
    passed.append("XML")
    parts = guard.response(root)
    passed.append("shape and algorithms")
    response_signed = _verify_response(parts, settings, passed)
    assertion = _assertion(parts, settings, keys, response_signed=response_signed, passed=passed)
    root = xml.root(assertion)
    _verify_assertion(assertion, settings, response_signed=response_signed, passed=passed)
    saml_library.check_response(root, settings, addresses, keys)
    passed.append("schema")
    reading = Reading(connection, settings, addresses, expected, now)
    said = read(reading, root, assertion, response_signed=response_signed)
    passed.append("issuer, audience, recipient, times, request, subject")
    return said, posted.relay_state


def _verify_response(parts: ResponseParts, settings: Saml, passed: list[str]) -> bool:
    """Whether the Response is signed; a signature that is there must hold."""
    if parts.signature is None:
        return False
    saml_library.demand_signed(parts.signature, settings.certificates)
    passed.append("Response's signature")
    return True


def _assertion(
    parts: ResponseParts, settings: Saml, keys: Sequence[SamlKey], *, response_signed: bool, passed: list[str]
) -> Element:
    """The assertion in the clear. CBC is opened only inside a Response whose signature holds: else the answers to bent
    ciphertexts would tell what is in them.
    """
    if parts.assertion is not None:
        if settings.want_encrypted:
            raise SignInError("encryption", "assertion: expected encrypted, found in the clear")
        return parts.assertion
    if parts.encrypted is None or parts.cipher is None:
        raise SignInError("malformed", "assertions: expected one, found none")
    if not parts.cipher.authenticated and not response_signed:
        raise SignInError("encryption", "EncryptionMethod: CBC is accepted only inside a signed Response")
    assertion = decrypt(parts.encrypted, parts.cipher, keys)
    guard.decrypted(assertion)
    passed.append("decryption")
    return assertion


def _verify_assertion(assertion: Element, settings: Saml, *, response_signed: bool, passed: list[str]) -> None:
    signature = optional(assertion, ds("Signature"), "signature")
    signed = signature is not None
    if signature is not None:
        saml_library.demand_signed(signature, settings.certificates)
    if not signed and settings.want_assertions_signed:
        raise SignInError("signature", "Assertion: expected signed, found no signature of its own")
    if not signed and not response_signed:
        raise SignInError("signature", "neither the Response nor the Assertion is signed")
    if signed:
        passed.append("Assertion's signature")


def settings_of(connection: Connection) -> Saml:
    """Raises:
    SignInError: `disabled`, it is switched off; `malformed`, it is no SAML connection.
    """
    if not connection.enabled:
        raise SignInError("disabled", f"the connection {connection.name} is switched off")
    if not isinstance(connection.settings, Saml):
        raise SignInError("malformed", f"the connection {connection.name} is not of SAML")
    return connection.settings


def signing_key(keys: Sequence[SamlKey]) -> SamlKey:
    """Our newest key.

    Raises:
        LookupError: there is none.
    """
    if not keys:
        raise LookupError("there is no key that signs SAML messages")
    return keys[0]
