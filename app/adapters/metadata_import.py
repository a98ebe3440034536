"""An identity provider's SAML metadata: fetched, read, and judged against the connection that it would change.

    address ─▶ guarded GET ─▶ sso.metadata ─▶ what it says of the provider ─▶ may it replace what is set? ─▶ settings

A document that would replace every certificate at once waits for a person: whoever could put it there could sign in as
anybody. It need not wait where the document itself is signed with the key that the connection names for that.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from marshmallow import ValidationError

from app.adapters.connection_schemas import address
from sso import certificates, metadata
from sso.connections import Saml
from sso.web import NoAnswerError, Web

LARGEST: Final = 2 * 1024 * 1024  # bytes; a federation's aggregate is not read
EVERY: Final = timedelta(hours=24)
SOONEST: Final = timedelta(hours=1)
FIRST_RETRY: Final = timedelta(minutes=15)
JITTER: Final = 0.1  # of the span: connections that were made together are not read together for ever
_ACCEPT: Final = {"Accept": "application/samlmetadata+xml, application/xml;q=0.9, */*;q=0.1"}


class MetadataError(Exception):
    """The metadata is not taken over. The message says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Imported:
    """What a document says of one provider. `settings` are those of `sso.connections.Saml`, absent ones as None."""

    entity_id: str
    settings: dict[str, Any] = field(repr=False)
    valid_until: datetime | None = None

    @property
    def certificates(self) -> Sequence[str]:
        found: Sequence[str] = self.settings["certificates"]
        return found


def fetch(web: Web, url: str) -> tuple[bytes, str | None]:
    """The document at an address, and the Date that the server told with it.

    Raises:
        MetadataError: no document came.
    """
    try:
        address(url)
        reply = web.get(url, _ACCEPT, LARGEST)
    except ValidationError as error:
        raise MetadataError(f"the metadata's address: {' '.join(error.messages)}") from None
    except NoAnswerError as error:
        raise MetadataError(f"the metadata's address: {error}") from None
    if 300 <= reply.status < 400:
        raise MetadataError("the metadata's address leads to another one, which is not followed: name that one")
    if reply.status != 200:
        raise MetadataError(f"the metadata's address answers with status {reply.status}")
    if not reply.whole:
        raise MetadataError(f"the metadata has more than {LARGEST // 1024} KiB; name the provider's own document")
    return reply.body, reply.headers.get("date")


def read(
    document: bytes,
    entity_id: str | None,
    now: datetime,
    *,
    signed_with: str | None = None,
    current: Saml | None = None,
) -> Imported:
    """The one provider of a document, or the one that `entity_id` names.

    `signed_with` is the body of the certificate that it must be signed with. Bindings stay as `current` has them where
    the provider offers both.

    Raises:
        MetadataError: it describes no provider that can be used, or is not signed as it must be.
    """
    try:
        trusted = () if signed_with is None else (signed_with,)
        found = metadata.read(document, entity_id=entity_id, now=now, trusted=trusted)
    except metadata.MetadataError as error:
        raise MetadataError(str(error)) from None
    if signed_with is not None and not found.trusted:
        raise MetadataError("the document is not signed with the key that the connection names for it")
    sso = found.sso_by(current.sso_binding if current else "redirect")
    slo = found.slo_by(current.slo_binding if current else "redirect")
    settings = {
        "sso_url": sso.url,
        "sso_binding": sso.binding,
        "slo_url": slo and slo.url,
        "slo_response_url": slo and slo.response_url,
        "certificates": [one.body for one in found.certificates],
        **({"slo_binding": slo.binding} if slo else {}),
    }
    return Imported(found.entity_id, settings, found.valid_until)


def judge(current: Saml, found: Imported, now: datetime, *, believed: bool = False) -> dict[str, Any]:
    """The settings to lay over the connection's; only those that differ.

    `believed`: a person looked, or the document is signed with the key that the connection names for that.

    Raises:
        MetadataError: the document may not replace what is set.
    """
    if found.entity_id != current.entity_id:
        raise MetadataError(f"the document is of {found.entity_id}, not of {current.entity_id}")
    if found.valid_until is not None and found.valid_until <= now:
        raise MetadataError(f"the document expired at {found.valid_until:%Y-%m-%d %H:%M}")
    if not found.certificates:
        raise MetadataError("the document has no signing certificate")
    if not believed and not set(found.certificates) & set(current.certificates):
        prints = ", ".join(certificates.read(one).fingerprint for one in found.certificates)
        raise MetadataError(
            "the document replaces every signing certificate at once; if the provider confirms the new one, "
            f"`connection refresh --accept-certificates` takes it: {prints}"
        )
    known = {name: getattr(current, name) for name in found.settings}
    known["certificates"] = list(current.certificates)
    return {name: value for name, value in found.settings.items() if value != known[name]}


def next_time(found: Imported, now: datetime) -> datetime:
    """When to look again: within a day, and well before the document ends."""
    span = EVERY
    if found.valid_until is not None:
        span = min(span, (found.valid_until - now) / 2)
    return now + _varied(max(span, SOONEST))


def retry_time(last: datetime | None, failed_before: bool, now: datetime) -> datetime:
    """When to try again after a failure: later each time, at most a day. `last` is when it was tried before."""
    if not failed_before or last is None:
        return now + _varied(FIRST_RETRY)
    return now + _varied(min(max(2 * (now - last), FIRST_RETRY), EVERY))


def _varied(span: timedelta) -> timedelta:
    return span * random.uniform(1 - JITTER, 1)  # noqa: S311
