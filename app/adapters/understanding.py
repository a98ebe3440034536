"""What an identity provider's metadata, issuer or bare facts say, for a person to look at before it is saved.

    document, address, facts by hand ─▶ limits, parsing ─▶ Understood: settings, and what to look at twice
    issuer ─▶ its discovery document ─▶ Understood

Nothing is changed here. What is wrong comes back with the field that it is about.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from app.adapters import metadata_import
from app.adapters.connection_schemas import BadConnectionError, parse
from app.adapters.metadata_import import Imported, MetadataError
from sso import certificates, discovery, metadata
from sso.connections import Saml
from sso.errors import SignInError
from sso.web import Web

_HTML: Final = (b"<!doctype html", b"<html")
_OURS: Final = b"SPSSODescriptor"


class NotUnderstoodError(Exception):
    """What was entered says nothing that can be used. `field` is where it was entered."""

    def __init__(self, field: str, sentence: str) -> None:
        super().__init__(sentence)
        self.field, self.sentence = field, sentence


@dataclass(frozen=True, slots=True)
class Understood:
    """What a provider says of itself. `settings` are those of `sso.connections`; `url` is where it publishes them.

    `facts` are further lines to look at, `warnings` sentences that somebody should read before saving.
    """

    settings: Mapping[str, Any] = field(repr=False)
    url: str | None = None
    valid_until: str | None = None  # ISO 8601
    facts: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def from_address(web: Web, url: str, entity_id: str | None, now: datetime, current: Saml | None) -> Understood:
    """The metadata at an address, which is read again by itself later on.

    Raises:
        NotUnderstoodError: of the field `url`.
    """
    try:
        document, _ = metadata_import.fetch(web, url)
    except MetadataError as error:
        raise NotUnderstoodError("url", sentence(str(error))) from None
    return from_document(document, entity_id, now, current, url=url, field="url")


def from_document(
    document: bytes,
    entity_id: str | None,
    now: datetime,
    current: Saml | None,
    *,
    url: str | None = None,
    field: str = "document",
) -> Understood:
    """The metadata of a document. `current` is what the connection has, whose provider it must be.

    Raises:
        NotUnderstoodError: of `field`, or of `entity_id` where the document describes several providers.
    """
    _demand_metadata(document, field)
    wanted = entity_id or (current.entity_id if current else None)
    try:
        found = metadata_import.read(document, wanted, now, current=current)
        told = metadata.read(document, entity_id=wanted, now=now)
    except MetadataError as error:
        several = "say which entity ID" in str(error)
        raise NotUnderstoodError("entity_id" if several else field, sentence(str(error))) from None
    facts = {"Wants signed requests": "yes, and it gets them" if told.wants_signed_requests else "no; ours are signed"}
    if told.name_id_formats:
        facts["Name ID formats"] = ", ".join(each.rpartition(":")[2] for each in told.name_id_formats)
    return Understood(
        {"entity_id": found.entity_id, **found.settings},
        url,
        found.valid_until.isoformat() if found.valid_until else None,
        facts,
        tuple(_warnings(found, url, now)),
    )


def by_hand(entity_id: str, sso_url: str, certificate: str, now: datetime) -> Understood:
    """A provider without metadata.

    Raises:
        NotUnderstoodError: of `hand_entity_id`, `sso_url` or `certificate`.
    """
    settings: dict[str, Any] = {"entity_id": entity_id, "sso_url": sso_url, "certificates": [certificate]}
    try:
        made = parse("saml", settings)
    except BadConnectionError as error:
        text = str(error)
        at = next((name for name in ("entity_id", "sso_url") if text.startswith(name)), "certificate")
        at = "hand_entity_id" if at == "entity_id" else at
        raise NotUnderstoodError(at, sentence(text.partition(": ")[2] or text)) from None
    assert isinstance(made, Saml)
    settings["certificates"] = list(made.certificates)
    return Understood(settings, warnings=tuple(_of_certificates(settings["certificates"], None, now)))


def of_issuer(web: Web, issuer: str) -> Understood:
    """An OpenID provider by its discovery document.

    Raises:
        NotUnderstoodError: of the field `issuer`.
    """
    if "<" in issuer or issuer in ("", "https://"):
        raise NotUnderstoodError("issuer", "Put your own domain or directory into the address.")
    try:
        found = discovery.fetch(web, issuer)
    except SignInError as error:
        said = (
            f"{error.detail}. The issuer must be, letter by letter, what the provider's discovery document says, "
            "and this server must reach it."
        )
        raise NotUnderstoodError("issuer", said) from None
    facts = {
        "People are sent to": found.authorization_endpoint,
        "Codes are exchanged at": found.token_endpoint,
        "Its keys": found.jwks_url,
        "Signing out": found.end_session_endpoint or "not offered",
    }
    return Understood({"issuer": issuer}, facts=facts)


def sentence(text: str) -> str:
    """A message as a sentence: names within it stay as they are spelled."""
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _demand_metadata(document: bytes, field: str) -> None:
    """What people paste by mistake has a sentence of its own."""
    start = document.lstrip(b"\xef\xbb\xbf \t\r\n")[:200].lower()
    if not start:
        raise NotUnderstoodError(field, "There is nothing in it. Paste the XML, choose the file, or give its address.")
    if start.startswith(b"-----begin certificate"):
        raise NotUnderstoodError(field, "This is a certificate, not metadata. Enter it by hand, further down.")
    if start.startswith(_HTML):
        raise NotUnderstoodError(field, "This is a web page, perhaps a sign-in page, not metadata.")
    if start.startswith((b"http://", b"https://")):
        raise NotUnderstoodError(field, "This is an address: enter it as one, above.")
    if _OURS in document and b"IDPSSODescriptor" not in document:
        raise NotUnderstoodError(
            field, "This describes a service provider, such as Rollcall. The provider's is needed."
        )


def _warnings(found: Imported, url: str | None, now: datetime) -> list[str]:
    said = _of_certificates(found.certificates, url, now)
    if urlsplit(found.settings["sso_url"]).scheme != "https":
        said.append("People would be sent to an address that is not https.")
    return said


def _of_certificates(bodies: Any, url: str | None, now: datetime) -> list[str]:
    read = [certificates.read(one) for one in bodies]
    last = max(one.not_after for one in read)
    if last <= now:
        return [
            f"Every signing certificate is over since {last:%d %b %Y}. Sign-ins work, but the provider should renew."
        ]
    if all(one.expires_soon(now) for one in read):
        brought = "It is read again by itself." if url else "Bring the next one here before that day."
        return [f"The last signing certificate ends on {last:%d %b %Y}. {brought}"]
    return []
