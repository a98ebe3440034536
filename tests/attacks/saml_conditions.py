"""Answers that are signed as they should be and must not be accepted all the same, and texts that are not one text."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from tests.attacks.saml import Attack, attack
from tests.attacks.saml_signatures import EITHER
from tests.sso.saml_idp import (
    PASSWORD,
    PERSISTENT,
    World,
    answers,
    assertion,
    attribute,
    attributes,
    audience,
    conditions,
    confirmation,
    form,
    response,
    sign,
    signed,
    statement,
    subject,
)

UNASKED: Final[dict[str, object]] = {"allow_unsolicited": True}
STATUS: Final = "urn:oasis:names:tc:SAML:2.0:status:"
MFA: Final = "https://refeds.org/profile/mfa"
_OTHER: Final = "_ffffffffffffffffffffffffffffffffffffffff"


def _suffixed(w: World) -> str:
    host = str(urlsplit(w.addresses.acs).hostname)
    return w.addresses.acs.replace(host, f"{host}.evil.example", 1)


def _other_scheme(w: World) -> str:
    scheme, rest = w.addresses.acs.split(":", 1)
    return ("http:" if scheme == "https" else "https:") + rest


def _said(name: str, codes: str, make: Callable[[World], str], **more: object) -> Attack:
    """A whole message, by its provider."""
    return attack(f"content: {name}", codes, lambda w: form(make(w)), **more)


def _assertion(name: str, codes: str, pieces: Callable[[World], dict[str, str]], **more: object) -> Attack:
    return _said(name, codes, lambda w: signed(w, response(w, assertion(w, **pieces(w)))), **more)


def _response(name: str, codes: str, pieces: Callable[[World], dict[str, str]], **more: object) -> Attack:
    """The Response is not signed: anybody may bend it around a genuine assertion."""
    return _said(name, codes, lambda w: signed(w, response(w, **pieces(w))), **more)


def _signed_response(name: str, codes: str, pieces: Callable[[World], dict[str, str]]) -> Attack:
    return _said(name, codes, lambda w: signed(w, response(w, **pieces(w)), ["_r1"]), settings=EITHER)


def _audiences(name: str, codes: str, inside: Callable[[World], str]) -> Attack:
    return _assertion(f"audience: {name}", codes, lambda w: {"conditions": conditions(w, inside(w))})


def _confirmed(name: str, codes: str, data: Callable[[World], str], **more: object) -> Attack:
    return _assertion(
        f"confirmation: {name}", codes, lambda w: {"subject": subject(w, None, confirmation(w, data(w)))}, **more
    )


def _data(w: World, *, recipient: str | None = None, ends: float = 300, more: str | None = None) -> str:
    to = w.addresses.acs if recipient is None else recipient
    return f'Recipient="{to}" NotOnOrAfter="{w.time(ends)}"{answers(w) if more is None else more}'


def _recipient(name: str, make: Callable[[World], str]) -> Attack:
    return _confirmed(f"Recipient: {name}", "recipient", lambda w: _data(w, recipient=make(w)))


def _method(name: str, method: str) -> Attack:
    return _assertion(
        f"confirmation: {name} only",
        "subject",
        lambda w: {"subject": subject(w, None, confirmation(w, method=method))},
    )


def _name(name: str, value: str, codes: str = "subject", tag: str = "") -> Attack:
    named = f'<saml:NameID Format="{PERSISTENT}"{tag}>{value}</saml:NameID>'
    return _assertion(f"NameID: {name}", codes, lambda w: {"subject": subject(w, named)})


def _inserted(what: str, codes: str, text: str) -> list[Attack]:
    """Put into the NameID after it was signed: canonicalisation leaves some of it out again."""
    places = {"front": f"{text}ada-17", "middle": f"ada{text}-17", "end": f"ada-17{text}"}
    return [
        _said(f"{what} in the NameID, {place}", codes, lambda w, new=new: signed(w).replace("ada-17", new))
        for place, new in places.items()
    ]


def _other_request(w: World) -> World:
    return replace(w, request_id=_OTHER)


def _both_other(w: World) -> str:
    return signed(_other_request(w))


def _outside(request: str) -> Callable[[World], str]:
    """The unsigned Response says `request`; the signed assertion answers another browser."""

    def make(w: World) -> str:
        attrs = f' Destination="{w.addresses.acs}"' + (f' InResponseTo="{w.request_id}"' if request == "right" else "")
        return signed(w, response(w, assertion(_other_request(w)), attrs=attrs))

    return make


def _status(*codes: str) -> Callable[[World], dict[str, str]]:
    inside = ""
    for code in reversed(codes):
        inside = f'<samlp:StatusCode Value="{code}">{inside}</samlp:StatusCode>'
    return lambda _: {"status": f"<samlp:Status>{inside}</samlp:Status>"}


ATTACKS: tuple[Attack, ...] = (
    # audience and conditions
    _audiences("another service", "audience", lambda _: audience("https://other.example.net")),
    _audiences("ours with a suffix", "audience", lambda w: audience(f"{w.addresses.entity_id}.evil.example")),
    _audiences("a prefix of ours", "audience", lambda w: audience(w.addresses.entity_id[:-1])),
    _audiences("ours in capitals", "audience", lambda w: audience(w.addresses.entity_id.upper())),
    _audiences("ours with a space", "audience", lambda w: audience(f" {w.addresses.entity_id}")),
    _audiences("none", "audience", lambda _: ""),
    _audiences("an empty one", "audience", lambda _: audience("")),
    _audiences("a restriction without any", "audience malformed", lambda _: audience()),
    _audiences(
        "one of two restrictions holds",
        "audience",
        lambda w: audience(w.addresses.entity_id) + audience("https://other.example.net"),
    ),
    _audiences(
        "an unknown condition", "conditions malformed", lambda w: audience(w.addresses.entity_id) + "<saml:Condition/>"
    ),
    _said(
        "audience: a comment inside",
        "malformed",
        lambda w: signed(w).replace("</saml:Audience>", "<!-- -->.evil.example</saml:Audience>"),
    ),
    _said(
        "issuer: a comment inside", "malformed", lambda w: signed(w).replace("</saml:Issuer>", "<!-- --></saml:Issuer>")
    ),
    _assertion("no Conditions", "conditions", lambda _: {"conditions": ""}),
    _assertion("two Conditions", "conditions malformed", lambda w: {"conditions": conditions(w) * 2}),
    _assertion(
        "expired",
        "expired",
        lambda w: {"conditions": conditions(w, dates=f'NotBefore="{w.time(-300)}" NotOnOrAfter="{w.time(-200)}"')},
    ),
    _assertion(
        "not yet valid",
        "not_yet_valid",
        lambda w: {"conditions": conditions(w, dates=f'NotBefore="{w.time(200)}" NotOnOrAfter="{w.time(400)}"')},
    ),
    _assertion("a time that is none", "malformed", lambda w: {"conditions": conditions(w, dates='NotBefore="soon"')}),
    _assertion("issued a day ahead", "not_yet_valid", lambda w: {"issued": w.time(86_400)}),
    _assertion(
        "issued long ago with a window of ten years",
        "expired",
        lambda w: {"issued": w.time(-86_400), "conditions": conditions(w, dates=f'NotOnOrAfter="{w.time(3e8)}"')},
    ),
    _response("a Response issued a day ahead", "not_yet_valid", lambda w: {"issued": w.time(86_400)}),
    _assertion("another version", "malformed", lambda _: {"version": "2.1"}),
    # issuer
    _assertion("another issuer", "issuer", lambda w: {"issuer": f"<saml:Issuer>{w.stranger.entity_id}</saml:Issuer>"}),
    _assertion("no issuer", "issuer malformed", lambda _: {"issuer": ""}),
    _assertion("an empty issuer", "issuer", lambda _: {"issuer": "<saml:Issuer></saml:Issuer>"}),
    _assertion(
        "an issuer in capitals", "issuer", lambda w: {"issuer": f"<saml:Issuer>{w.idp.entity_id.upper()}</saml:Issuer>"}
    ),
    _assertion(
        "an issuer with a newline", "issuer", lambda w: {"issuer": f"<saml:Issuer>{w.idp.entity_id}\n</saml:Issuer>"}
    ),
    _response(
        "another issuer of the Response",
        "issuer",
        lambda w: {"issuer": f"<saml:Issuer>{w.stranger.entity_id}</saml:Issuer>"},
    ),
    _response("an empty issuer of the Response", "issuer", lambda _: {"issuer": "<saml:Issuer/>"}),
    _signed_response("no issuer of a signed Response", "issuer", lambda _: {"issuer": ""}),
    _said(
        "another tenant's provider, its own message", "signature issuer", lambda w: signed(replace(w, idp=w.stranger))
    ),
    # destination
    _response(
        "another Destination",
        "destination",
        lambda w: {"attrs": f' Destination="https://other.example.net/acs"{answers(w)}'},
    ),
    _response(
        "a longer Destination", "destination", lambda w: {"attrs": f' Destination="{w.addresses.acs}/x"{answers(w)}'}
    ),
    _response(
        "a Destination with a host suffix",
        "destination",
        lambda w: {"attrs": f' Destination="{_suffixed(w)}"{answers(w)}'},
    ),
    _response("an empty Destination", "destination", lambda w: {"attrs": f' Destination=""{answers(w)}'}),
    _signed_response("no Destination of a signed Response", "destination", lambda w: {"attrs": answers(w)}),
    # subject and its confirmation
    _assertion("no Subject", "subject", lambda _: {"subject": ""}),
    _assertion("no SubjectConfirmation", "subject", lambda w: {"subject": subject(w, None, "")}),
    _assertion(
        "no SubjectConfirmationData",
        "subject",
        lambda w: {
            "subject": subject(w, None, '<saml:SubjectConfirmation Method="urn:oasis:names:tc:SAML:2.0:cm:bearer"/>')
        },
    ),
    _method("holder-of-key", "urn:oasis:names:tc:SAML:2.0:cm:holder-of-key"),
    _method("sender-vouches", "urn:oasis:names:tc:SAML:2.0:cm:sender-vouches"),
    _method("an empty method", ""),
    _recipient("another", lambda _: "https://other.example.net/acs"),
    _recipient("with a host suffix", _suffixed),
    _recipient("ours inside another", lambda w: f"https://evil.example/?to={w.addresses.acs}"),
    _recipient("a longer path", lambda w: f"{w.addresses.acs}/x"),
    _recipient("another connection's", lambda w: w.addresses.acs.replace(w.addresses.connection_id, "c2")),
    _recipient("by another scheme", _other_scheme),
    _recipient("empty", lambda _: ""),
    _confirmed("no Recipient", "recipient", lambda w: f'NotOnOrAfter="{w.time(300)}"{answers(w)}'),
    _confirmed("expired", "expired", lambda w: _data(w, ends=-200)),
    _confirmed("no end", "subject", lambda w: f'Recipient="{w.addresses.acs}"{answers(w)}'),
    _confirmed("not yet valid", "not_yet_valid", lambda w: f'NotBefore="{w.time(200)}" {_data(w)}'),
    _assertion(
        "confirmation: two, each holds in half",
        "recipient expired",
        lambda w: {
            "subject": subject(
                w, None, confirmation(w, _data(w, recipient="https://x.example")) + confirmation(w, _data(w, ends=-200))
            )
        },
    ),
    # the request
    _said("request: another browser's, in both places", "other_browser", _both_other),
    _said("request: right outside, another's inside", "other_browser", _outside("right")),
    _said("request: none outside, another's inside", "other_browser", _outside("none")),
    _said(
        "request: another's outside, right inside",
        "other_browser",
        lambda w: signed(w, response(w, attrs=f' Destination="{w.addresses.acs}" InResponseTo="{_OTHER}"')),
    ),
    _confirmed("no request inside", "unsolicited", lambda w: _data(w, more="")),
    _said(
        "request: none anywhere while one is pending",
        "unsolicited",
        lambda w: signed(replace(w, request_id=None)),
        settings=UNASKED,
    ),
    _confirmed("an empty request", "other_browser malformed", lambda w: _data(w, more=' InResponseTo=""')),
    _said("request: unasked where that is not allowed", "unsolicited", lambda w: signed(w), pending=False),
    _said("request: somebody's while none is pending", "other_browser", _both_other, settings=UNASKED, pending=False),
    # status
    _response("status: Requester", "provider_refused", _status(f"{STATUS}Requester")),
    _response(
        "status: Responder with a nested Success", "provider_refused", _status(f"{STATUS}Responder", f"{STATUS}Success")
    ),
    _response("status: an empty code", "malformed", _status("")),
    _response("status: Success with a blank", "provider_refused", _status(f"{STATUS}Success ")),
    _response("status: none", "malformed", lambda _: {"status": ""}),
    _response("status: no code", "malformed", lambda _: {"status": "<samlp:Status/>"}),
    _said("success without an assertion", "malformed", lambda w: sign(response(w, ""), "_r1", w.idp), settings=EITHER),
    # NameID
    _assertion("NameID: none", "subject", lambda w: {"subject": subject(w, "")}),
    _name("empty", ""),
    _name("blanks", "   "),
    _name("a trailing space", "ada-17 "),
    _name("a trailing newline", "ada-17\n"),
    _name("a leading tab", "\tada-17"),
    _name("a newline by reference", "ada-17&#10;"),
    _name("a no-break space", "ada\u00a0-17"),
    _name("a right-to-left override", "ada\u202e-17"),
    _name("a zero-width space", "ada\u200b-17"),
    _name("257 characters", "x" * 257),
    _name("5,000 characters", "x" * 5000),
    _name("another service's qualifier", "ada-17", tag=' SPNameQualifier="https://other.example.net"'),
    _name("a child element", "ada<x xmlns='urn:x'>eve</x>-17", "subject malformed"),
    _assertion(
        "NameID: two",
        "subject malformed",
        lambda w: {"subject": subject(w, "<saml:NameID>eve</saml:NameID><saml:NameID>ada-17</saml:NameID>")},
    ),
    _assertion(
        "NameID: transient",
        "subject",
        lambda w: {
            "subject": subject(
                w, '<saml:NameID Format="urn:oasis:names:tc:SAML:2.0:nameid-format:transient">t1</saml:NameID>'
            )
        },
    ),
    *_inserted("a comment", "malformed", "<!-- -->"),
    *_inserted("a processing instruction", "malformed", "<?x y?>"),
    *_inserted("CDATA", "malformed", "<![CDATA[]]>"),
    *_inserted("an element", "signature malformed", "<x xmlns='urn:x'/>"),
    *_inserted("an entity", "malformed", "&x;"),
    # statements
    _assertion("no AuthnStatement", "conditions malformed", lambda _: {"statement": ""}),
    _assertion("two AuthnStatements", "conditions malformed", lambda w: {"statement": statement(w) * 2}),
    _assertion(
        "the session is over",
        "expired",
        lambda w: {"statement": statement(w, f'AuthnInstant="{w.time(-5)}" SessionNotOnOrAfter="{w.time(-200)}"')},
    ),
    _assertion(
        "signed in a day ahead",
        "not_yet_valid",
        lambda w: {"statement": statement(w, f'AuthnInstant="{w.time(86_400)}"')},
    ),
    _assertion(
        "signed in a month ago where a new login is demanded",
        "context",
        lambda w: {"statement": statement(w, f'AuthnInstant="{w.time(-2_600_000)}"')},
        settings={"force_authn": True},
    ),
    _assertion(
        "a weaker context than demanded", "context", lambda _: {}, settings={"contexts": (MFA,), "demand_context": True}
    ),
    _assertion(
        "DeclRef in place of ClassRef",
        "context",
        lambda w: {"statement": statement(w, context=f"<saml:AuthnContextDeclRef>{MFA}</saml:AuthnContextDeclRef>")},
        settings={"contexts": (MFA,), "demand_context": True},
    ),
    _assertion(
        "a context with a blank",
        "context",
        lambda w: {
            "statement": statement(w, context=f"<saml:AuthnContextClassRef>{PASSWORD} </saml:AuthnContextClassRef>")
        },
        settings={"contexts": (PASSWORD,), "demand_context": True},
    ),
    # attributes
    _assertion(
        "two attributes of one name, the second another person's",
        "attributes",
        lambda _: {
            "attributes": attributes(attribute("email", "ada@example.com"), attribute("email", "eve@example.com"))
        },
    ),
    _assertion(
        "two values of the mapped subject",
        "attributes",
        lambda _: {"attributes": attributes(attribute("uid", "ada", "eve"))},
        claims={"subject": ("uid",)},
    ),
    _assertion(
        "the mapped subject is missing",
        "subject attributes",
        lambda _: {"attributes": ""},
        claims={"subject": ("uid",)},
    ),
    _assertion(
        "an element inside an attribute",
        "attributes",
        lambda _: {"attributes": attributes(attribute("email", "ada@example.com<x xmlns='urn:x'>.evil</x>"))},
    ),
    _assertion(
        "an encrypted attribute", "encryption", lambda _: {"attributes": attributes("<saml:EncryptedAttribute/>")}
    ),
)
