"""Attacks on decoding and parsing: what is no plain XML within limits never becomes a message."""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from urllib.parse import quote_plus

from tests.attacks.saml import Attack, attack
from tests.sso.saml_idp import (
    PERSISTENT,
    A,
    P,
    World,
    assertion,
    attribute,
    attributes,
    form,
    response,
    signed,
    subject,
)


def _raw(name: str, codes: str, make: Callable[[World], bytes]) -> Attack:
    return attack(f"XML: {name}", codes, make)


def _document(name: str, codes: str, make: Callable[[World], str | bytes]) -> Attack:
    return attack(f"XML: {name}", codes, lambda w: form(make(w)))


def _value(text: bytes) -> bytes:
    return b"SAMLResponse=" + quote_plus(text).encode()


def _doctype(inside: str, use: str = "") -> Callable[[World], str]:
    """A genuine message with a document type before it, and perhaps an entity in its NameID."""

    def make(w: World) -> str:
        document = signed(w)
        if use:
            document = document.replace("ada-17", use)
        return f"<!DOCTYPE samlp:Response {inside}>{document}"

    return make


def _exponential() -> str:
    lines = ['<!ENTITY e0 "ha">'] + [f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12)]
    return f"[{''.join(lines)}]"


def _deep(w: World, depth: int = 20_000) -> str:
    return response(w, extensions=f"<samlp:Extensions>{'<x>' * depth}{'</x>' * depth}</samlp:Extensions>")


def _many_attributes(w: World) -> str:
    said = "".join(f' a{n}="1"' for n in range(30_000))
    return response(w).replace("<samlp:Status>", f"<samlp:Status{said}>")


def _many_namespaces(w: World, count: int = 3000) -> str:
    said = "".join(f' xmlns:n{n}="urn:n{n}"' for n in range(count))
    return signed(w).replace("<samlp:Response ", f"<samlp:Response{said} ", 1)


def _many_signatures(w: World) -> str:
    document = signed(w)
    start, end = document.index("<ds:Signature "), document.index("</ds:Signature>") + len("</ds:Signature>")
    one = '<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"/>'
    return document[:start] + one * 2000 + document[end:]


def _xinclude(w: World) -> str:
    include = '<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="file:///etc/passwd" parse="text"/>'
    said = attributes(attribute("email", include))
    return signed(w, response(w, assertion(w, attributes=said)))


def _giant_value(w: World) -> str:
    return signed(w, response(w, assertion(w, attributes=attributes(attribute("email", "x" * 2_000_000)))))


def _relative_namespace(w: World) -> str:
    return signed(w, which=["_r1"]).replace("<samlp:Response ", '<samlp:Response xmlns:x="relative/uri" ', 1)


def _soap(w: World) -> str:
    inside = signed(w)
    return f'<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{inside}</s:Body></s:Envelope>'


def _logout_response(w: World) -> str:
    return (
        f'<samlp:LogoutResponse xmlns:samlp="{P}" xmlns:saml="{A}" ID="_l1" Version="2.0" IssueInstant="{w.time()}">'
        f"{assertion(w)}</samlp:LogoutResponse>"
    )


def _saml11(w: World) -> str:
    return (
        '<samlp:Response xmlns:samlp="urn:oasis:names:tc:SAML:1.0:protocol" MajorVersion="1" MinorVersion="1" '
        f'ResponseID="_r1" IssueInstant="{w.time()}"><samlp:Status><samlp:StatusCode Value="samlp:Success"/>'
        "</samlp:Status></samlp:Response>"
    )


def _deflated(w: World) -> bytes:
    engine = zlib.compressobj(wbits=-15)
    return engine.compress(signed(w).encode()) + engine.flush()


def _bomb(_: World) -> bytes:
    engine = zlib.compressobj(9, wbits=-15)
    return b"".join(engine.compress(bytes(1_000_000)) for _ in range(300)) + engine.flush()


def _twice(w: World) -> bytes:
    genuine = form(signed(w))
    return form(response(w)) + b"&" + genuine


def _escaped_name(w: World) -> bytes:
    return b"%53AMLResponse=" + form(response(w)).partition(b"=")[2] + b"&" + form(signed(w))


def _external(w: World, uri: str) -> str:
    return _doctype(f'[<!ENTITY x SYSTEM "{uri}">]', "&x;")(w)


ATTACKS: tuple[Attack, ...] = (
    _raw("nothing", "malformed", lambda _: b""),
    _raw("an empty value", "malformed", lambda _: b"SAMLResponse="),
    _raw("not base64", "malformed", lambda _: b"SAMLResponse=%3Csaml%3E"),
    _raw("base64 of text", "malformed", lambda _: _value(base64.b64encode(b"hello"))),
    _raw("base64 cut short", "malformed", lambda w: form(signed(w))[:-5]),
    _raw(
        "a space inside base64",
        "malformed",
        lambda w: b"SAMLResponse=" + base64.b64encode(signed(w).encode()).replace(b"P", b" P", 1),
    ),
    _raw("the message twice", "malformed", _twice),
    _raw("an escaped name", "malformed", _escaped_name),
    _raw("SAMLRequest beside it", "malformed", lambda w: form(signed(w)) + b"&SAMLRequest=AAAA"),
    _raw("as SAMLRequest", "malformed", lambda w: form(signed(w), field="SAMLRequest")),
    _raw("RelayState twice", "malformed", lambda w: form(signed(w), "a") + b"&RelayState=b"),
    _raw("RelayState of 10 KB", "malformed", lambda w: form(signed(w), "a" * 10_000)),
    _raw("a line break in RelayState", "malformed", lambda w: form(signed(w), "a\r\nSet-Cookie: b")),
    _raw("RelayState that is not UTF-8", "malformed", lambda w: form(signed(w)) + b"&RelayState=%ff%fe"),
    _raw("a hundred parameters", "malformed", lambda w: form(signed(w)) + b"".join(b"&p%d=1" % n for n in range(100))),
    _raw("5 MB", "too_large", lambda _: b"SAMLResponse=" + b"A" * 5_000_000),
    _document("trailing megabytes of white space", "too_large", lambda w: signed(w) + " " * 3_000_000),
    _document("white space up to the limit", "too_large", lambda w: signed(w) + " " * 500_000),
    _document("one giant value", "too_large", _giant_value),
    _document("deflated", "malformed", _deflated),
    _document("a DEFLATE bomb", "malformed too_large", _bomb),
    _document("truncated", "malformed", lambda w: signed(w)[:-30]),
    _document("two roots", "malformed", lambda w: signed(w) + signed(w)),
    _document("a NUL", "malformed", lambda w: signed(w).replace("ada-17", "ada\0-17")),
    _document("bytes that are not UTF-8", "malformed", lambda w: signed(w).encode().replace(b"ada-17", b"ada\xff17")),
    _document("UTF-16", "malformed", lambda w: f'<?xml version="1.0" encoding="UTF-16"?>{signed(w)}'.encode("utf-16")),
    _document("UTF-16 without a mark", "malformed", lambda w: signed(w).encode("utf-16-le")),
    _document("UTF-7 declared", "malformed", lambda w: f'<?xml version="1.0" encoding="UTF-7"?>{signed(w)}'),
    _document("ISO-8859-1 declared", "malformed", lambda w: f"<?xml version='1.0' encoding='ISO-8859-1'?>{signed(w)}"),
    _document("a DOCTYPE", "malformed", _doctype("")),
    _document("an internal entity", "malformed", _doctype('[<!ENTITY x "eve">]', "&x;")),
    _document("an external entity to a file", "malformed", lambda w: _external(w, "file:///etc/passwd")),
    _document("an external entity to a URL", "malformed", lambda w: _external(w, "http://127.0.0.1:1/x")),
    _document("an external entity to an endless file", "malformed", lambda w: _external(w, "file:///dev/zero")),
    _document("a parameter entity", "malformed", _doctype('[<!ENTITY % p SYSTEM "file:///etc/passwd"> %p;]')),
    _document("an external DTD", "malformed", _doctype('SYSTEM "http://127.0.0.1:1/x.dtd"')),
    _document("exponential entities", "malformed", _doctype(_exponential(), "&e11;")),
    _document("quadratic entities", "malformed", _doctype(f'[<!ENTITY q "{"q" * 50_000}">]', "&q;" * 500)),
    _document("an ID by an attribute default", "malformed", _doctype('[<!ATTLIST saml:Assertion ID ID "_a1">]')),
    _document("an unknown entity", "malformed", lambda w: signed(w).replace("ada-17", "&eve;")),
    _document("XInclude", "malformed attributes", _xinclude),
    _document("200 nested elements", "too_large", lambda w: _deep(w, 200)),
    _document("20,000 nested elements", "too_large malformed", _deep),
    _document("30,000 attributes", "too_large", _many_attributes),
    _document("2,000 Signatures", "signature", _many_signatures),
    _document("3,000 namespace declarations", "too_large", _many_namespaces),
    _document("100 namespaces in scope", "too_large", lambda w: _many_namespaces(w, 100)),
    _document(
        "300 KB of elements",
        "too_large",
        lambda w: response(w, extensions=f"<samlp:Extensions>{'<x/>' * 75_000}</samlp:Extensions>"),
    ),
    _document("a relative namespace", "malformed", _relative_namespace),
    _document("an assertion as the root", "malformed", lambda w: signed(w, assertion(w))),
    _document("a LogoutResponse that holds an assertion", "malformed", _logout_response),
    _document("a SOAP envelope", "malformed", _soap),
    _document("SAML 1.1", "malformed", _saml11),
    _document("another version", "malformed", lambda w: signed(w, response(w, version="2.1"))),
    _document("a Response without ID", "malformed", lambda w: signed(w).replace(' ID="_r1"', "")),
    _document("a comment", "malformed", lambda w: signed(w).replace("<saml:Subject>", "<saml:Subject><!-- -->")),
    _document(
        "a processing instruction", "malformed", lambda w: signed(w).replace("<saml:Subject>", "<saml:Subject><?x y?>")
    ),
    _document("an unknown element", "malformed", lambda w: signed(w, response(w, assertion(w, more="<saml:Evil/>")))),
    _document("xml:id beside the ID", "malformed", lambda w: signed(w).replace('ID="_r1"', 'ID="_r1" xml:id="_a1"')),
    _document("ID and Id on one element", "malformed", lambda w: signed(w).replace('ID="_a1" ', 'ID="_a1" Id="_x" ')),
    _document(
        "an ID in a namespace",
        "malformed",
        lambda w: signed(w).replace('ID="_a1" ', f'ID="_a1" x:ID="_x" xmlns:x="{A}" '),
    ),
    _document("one ID for Response and Assertion", "malformed", lambda w: signed(w).replace('ID="_r1"', 'ID="_a1"')),
    _document(
        "a hundred thousand characters of NameID",
        "subject",
        lambda w: signed(
            w,
            response(
                w, assertion(w, subject=subject(w, f'<saml:NameID Format="{PERSISTENT}">{"x" * 100_000}</saml:NameID>'))
            ),
        ),
    ),
)
