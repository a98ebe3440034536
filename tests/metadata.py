"""An identity provider's SAML metadata for tests, and a web that answers with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from sso.web import NoAnswerError
from tests.certificates import body

ENTITY = "https://idp.example/saml"
URL = "https://idp.example/metadata"
_REDIRECT = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect"
_POST = "urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST"


def metadata(
    *certificates: str, entity_id: str = ENTITY, host: str = "idp.example", more: str = "", slo: bool = True
) -> bytes:
    """A document with these signing certificates (PEM); `more` are attributes of its root."""
    keys = "".join(
        '<md:KeyDescriptor use="signing"><ds:KeyInfo><ds:X509Data><ds:X509Certificate>'
        f"{body(one)}</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>"
        for one in certificates
    )
    out = f'<md:SingleLogoutService Binding="{_REDIRECT}" Location="https://{host}/slo"/>' if slo else ""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata"'
        f' xmlns:ds="http://www.w3.org/2000/09/xmldsig#" entityID="{entity_id}" {more}>'
        '<md:IDPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">'
        f"{keys}{out}"
        f'<md:SingleSignOnService Binding="{_POST}" Location="https://{host}/sso-post"/>'
        f'<md:SingleSignOnService Binding="{_REDIRECT}" Location="https://{host}/sso"/>'
        "</md:IDPSSODescriptor></md:EntityDescriptor>"
    ).encode()


@dataclass
class Answer:
    """A `sso.web.Reply`."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    whole: bool = True


@dataclass
class FakeWeb:
    """A `sso.web.Web` that answers by address; what it does not know does not answer. `asked` are the addresses."""

    answers: dict[str, Answer | Callable[[], Answer]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)

    def get(self, url: str, headers: Mapping[str, str], limit: int) -> Answer:
        self.asked.append(url)
        answer = self.answers.get(url)
        if answer is None:
            raise NoAnswerError("no answer (TimeoutError)")
        found = answer() if callable(answer) else answer
        return Answer(found.status, found.body[:limit], found.headers, len(found.body) <= limit)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limit: int) -> Answer:
        raise NotImplementedError

    def check(self, url: str) -> None:
        if "private" in url:
            raise NoAnswerError("the address is in a private network")
