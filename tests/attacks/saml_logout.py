"""Attacks on single logout, by redirect and by form."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace
from typing import Final
from urllib.parse import quote_plus

from cryptography.hazmat.primitives import hashes

from tests.attacks.saml import Attack, attack
from tests.sso.saml_idp import World, assertion, form, response, sign, signed
from tests.sso.saml_logouts import logout_request, logout_response, query, signature

RESPONSE: Final = "SAMLResponse"
_MD5 = "http://www.w3.org/2001/04/xmldsig-more#rsa-md5"
_SHA1 = "http://www.w3.org/2000/09/xmldsig#rsa-sha1"


def _redirect(name: str, codes: str, make: Callable[[World], bytes]) -> Attack:
    return attack(f"logout by redirect: {name}", codes, make, where="slo", method="GET")


def _posted(name: str, codes: str, make: Callable[[World], bytes]) -> Attack:
    return attack(f"logout by form: {name}", codes, make, where="slo")


def _both(name: str, codes: str, make: Callable[[World], str], kind: str = "SAMLRequest") -> list[Attack]:
    """A message that is signed as it should be and says what it must not."""
    return [
        _redirect(name, codes, lambda w: query(make(w), w.idp, kind=kind)),
        _posted(name, codes, lambda w: form(_enveloped(make(w), w), field=kind)),
    ]


def _enveloped(document: str, w: World) -> str:
    return sign(document, "_l1" if 'ID="_l1"' in document else "_l2", w.idp)


def _unsigned(w: World) -> bytes:
    return query(logout_request(w), w.idp).partition(b"&SigAlg=")[0]


def _no_signature(w: World) -> bytes:
    return query(logout_request(w), w.idp).partition(b"&Signature=")[0]


def _escaped_name(name: str, in_place_of: str) -> Callable[[World], bytes]:
    """The forged value under an escaped name before the genuine query: frameworks decode names."""

    def make(w: World) -> bytes:
        forged = query(logout_request(w, name_id="<saml:NameID>eve</saml:NameID>"), w.stranger, "forged")
        value = dict(pair.split(b"=", 1) for pair in forged.split(b"&"))[in_place_of.encode()]
        return name.encode() + b"=" + value + b"&" + query(logout_request(w), w.idp, "genuine")

    return make


def _swapped_state(w: World) -> bytes:
    return query(logout_request(w), w.idp, "genuine").replace(b"RelayState=genuine", b"RelayState=forged")


def _twice(name: bytes) -> Callable[[World], bytes]:
    def make(w: World) -> bytes:
        whole = query(logout_request(w), w.idp, "genuine")
        pair = next(each for each in whole.split(b"&") if each.startswith(name + b"="))
        return whole + b"&" + pair

    return make


def _sha1(w: World) -> bytes:
    text = query(logout_request(w), w.idp, algorithm=_SHA1).partition(b"&Signature=")[0]
    return text + b"&Signature=" + quote_plus(base64.b64encode(signature(text, w.idp, hashes.SHA1()))).encode()


def _bomb(w: World) -> bytes:
    """It is signed, so that nothing but its size can refuse it; and small enough to pass the query's own limit."""
    return query(b"<a>" + b" " * 40_000_000 + b"</a>", w.idp)


def _huge(w: World) -> bytes:
    return b"SAMLRequest=" + b"A" * 506_000 + b"&SigAlg=x&Signature=y"


def _truncated(w: World) -> bytes:
    return query(logout_request(w).encode()[:200], w.idp)


def _wrapped(w: World) -> bytes:
    """The signed request hides in the extensions of a forged one."""
    inner = _enveloped(logout_request(w), w)
    forged = logout_request(
        w, id="_evil", name_id="<saml:NameID>eve</saml:NameID>", more=f"<samlp:Extensions>{inner}</samlp:Extensions>"
    )
    return form(forged, field="SAMLRequest")


def _wrapped_same_signature(w: World) -> bytes:
    """The signature moved to a forged request, the original in an Object of it."""
    inner = _enveloped(logout_request(w), w)
    start, end = inner.index("<ds:Signature"), inner.index("</ds:Signature>") + len("</ds:Signature>")
    moved, original = inner[start:end], inner[:start] + inner[end:]
    held = moved.replace("</ds:Signature>", f"<ds:Object>{original}</ds:Object></ds:Signature>")
    return form(logout_request(w, id="_evil", name_id="<saml:NameID>eve</saml:NameID>", more=held), field="SAMLRequest")


def _from(w: World, document: Callable[[World], str]) -> str:
    return sign(document(w), "_l1", w.stranger)


ATTACKS: tuple[Attack, ...] = (
    _redirect("unsigned", "signature", _unsigned),
    _redirect("the signature removed", "signature", _no_signature),
    _redirect("a stranger's key", "signature", lambda w: query(logout_request(w), w.stranger)),
    _redirect("SHA-1", "algorithm", _sha1),
    _redirect("MD5", "algorithm", lambda w: query(logout_request(w), w.idp, algorithm=_MD5)),
    _redirect("an unknown SigAlg", "algorithm", lambda w: query(logout_request(w), w.idp, algorithm="urn:none")),
    _redirect("%53AMLRequest", "malformed", _escaped_name("%53AMLRequest", "SAMLRequest")),
    _redirect("SAMLReques%74", "malformed", _escaped_name("SAMLReques%74", "SAMLRequest")),
    _redirect("%52elayState", "malformed", _escaped_name("%52elayState", "RelayState")),
    _redirect("the RelayState swapped", "signature", _swapped_state),
    _redirect("the RelayState twice", "malformed", _twice(b"RelayState")),
    _redirect("the message twice", "malformed", _twice(b"SAMLRequest")),
    _redirect(
        "request and response", "malformed", lambda w: query(logout_request(w), w.idp) + b"&SAMLResponse=" + b"AAAA"
    ),
    _redirect("a DEFLATE bomb", "too_large", _bomb),
    _redirect("a query of 506 KB", "too_large", _huge),
    _redirect("not deflated", "malformed", lambda w: query(logout_request(w), w.idp, deflate=False)),
    _redirect("truncated", "malformed", _truncated),
    _redirect("empty", "malformed", lambda _: b""),
    _redirect("a DOCTYPE", "malformed", lambda w: query("<!DOCTYPE x>" + logout_request(w), w.idp)),
    _redirect("another encoding", "malformed", lambda w: query(logout_request(w), w.idp) + b"&SAMLEncoding=urn:other"),
    _posted("unsigned", "signature", lambda w: form(logout_request(w), field="SAMLRequest")),
    _posted("a stranger's key", "signature", lambda w: form(_from(w, logout_request), field="SAMLRequest")),
    _posted(
        "SHA-1",
        "algorithm",
        lambda w: form(signed(w, logout_request(w), ["_l1"], algorithm="RSA_SHA1"), field="SAMLRequest"),
    ),
    _posted(
        "changed after it was signed",
        "signature",
        lambda w: form(_enveloped(logout_request(w), w).replace("ada-17", "eve"), field="SAMLRequest"),
    ),
    _posted("wrapped in extensions", "signature", _wrapped),
    _posted("wrapped in an Object", "signature", _wrapped_same_signature),
    _posted(
        "a DOCTYPE", "malformed", lambda w: form("<!DOCTYPE x>" + _enveloped(logout_request(w), w), field="SAMLRequest")
    ),
    _posted("deflated", "malformed", lambda w: b"&".join(query(logout_request(w), w.idp).split(b"&")[:1])),
    *_both("no Issuer", "issuer", lambda w: logout_request(w, issuer="")),
    *_both(
        "another Issuer", "issuer", lambda w: logout_request(w, issuer="<saml:Issuer>https://x.example</saml:Issuer>")
    ),
    *_both("no Destination", "destination", lambda w: logout_request(w, destination="")),
    *_both(
        "a longer Destination",
        "destination",
        lambda w: logout_request(w, destination=f' Destination="{w.addresses.slo}/x"'),
    ),
    *_both(
        "another Destination",
        "destination",
        lambda w: logout_request(w, destination=' Destination="https://x.example/slo"'),
    ),
    *_both("expired", "expired", lambda w: logout_request(w, attrs=f' NotOnOrAfter="{w.time(-300)}"')),
    *_both("a month old", "expired", lambda w: logout_request(w, issued=w.time(-2_600_000))),
    *_both("a day ahead", "not_yet_valid", lambda w: logout_request(w, issued=w.time(86_400))),
    *_both("an empty NameID", "subject", lambda w: logout_request(w, name_id="<saml:NameID></saml:NameID>")),
    *_both(
        "a NameID with a newline", "subject", lambda w: logout_request(w, name_id="<saml:NameID>ada-17\n</saml:NameID>")
    ),
    *_both("no NameID", "malformed subject", lambda w: logout_request(w, name_id="")),
    *_both("a response sent as a request", "malformed", logout_response),
    *_both("a request sent as a response", "malformed", logout_request, RESPONSE),
    *_both("a response that answers nothing", "unknown_request", lambda w: logout_response(w, answers=""), RESPONSE),
    *_both(
        "a response of another Issuer",
        "issuer",
        lambda w: logout_response(w, issuer="<saml:Issuer>https://x.example</saml:Issuer>"),
        RESPONSE,
    ),
    *_both("a response without Destination", "destination", lambda w: logout_response(w, destination=""), RESPONSE),
    *_both("a response with an empty status", "malformed", lambda w: logout_response(w, status=""), RESPONSE),
    *_both(
        "an assertion inside",
        "malformed signature",
        lambda w: logout_request(w, more=f"<samlp:Extensions>{assertion(w)}</samlp:Extensions>"),
    ),
    _redirect("a sign-in answer", "malformed", lambda w: query(response(w), w.idp, kind=RESPONSE)),
    _redirect(
        "another tenant's provider with our issuer",
        "signature",
        lambda w: query(logout_request(replace(w, idp=w.stranger)), w.stranger),
    ),
)
