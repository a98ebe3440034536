"""SCIM events (RFC 9967): their URIs, and the claims of one as a Security Event Token (RFC 8417).

`full` events are not offered: a notice names what changed, and the receiver reads the resource as its client may. So no
personal value leaves in an event.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from scim.schemas import SCHEMAS
from scim.store import Kind

MEDIA_TYPE: Final = "application/secevent+jwt"  # RFC 8417 §7.1
TOKEN_TYPE: Final = "secevent+jwt"  # noqa: S105 - the header's typ, RFC 8417 §2.3

PREFIX: Final = "urn:ietf:params:scim:event:"
CREATE: Final = f"{PREFIX}prov:create:notice"
PUT: Final = f"{PREFIX}prov:put:notice"
PATCH: Final = f"{PREFIX}prov:patch:notice"
DELETE: Final = f"{PREFIX}prov:delete"
ACTIVATE: Final = f"{PREFIX}prov:activate"
DEACTIVATE: Final = f"{PREFIX}prov:deactivate"
# OpenID Shared Signals Framework 1.0 §8.1.4: asks a receiver whether it hears. RFC 9967 leaves streams to others.
VERIFICATION: Final = "https://schemas.openid.net/secevent/ssf/event-type/verification"
ASYNC: Final = f"{PREFIX}misc:asyncresp"
URIS: Final = (CREATE, PUT, PATCH, DELETE, ACTIVATE, DEACTIVATE, ASYNC)


@dataclass(frozen=True, slots=True)
class Subject:
    """The resource that an event is about (§2.1). `uri` is relative to the base URL of the service."""

    uri: str
    external_id: str | None = None

    def as_json(self) -> dict[str, str]:
        """The claim `sub_id`."""
        known = {} if self.external_id is None else {"externalId": self.external_id}
        return {"format": "scim", "uri": self.uri, **known}


@dataclass(frozen=True, slots=True)
class Stream:
    """The subject of an event about the delivery itself."""

    id: str

    def as_json(self) -> dict[str, str]:
        """The claim `sub_id` (RFC 9493 §3.2.7)."""
        return {"format": "opaque", "id": self.id}


@dataclass(frozen=True, slots=True)
class Event:
    """One event. Events of one state change share their `txn`; `payload` is what stands below the event's URI."""

    uri: str
    subject: Subject | Stream
    txn: str
    at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)

    def claims(self, *, issuer: str, audience: str, jti: str, now: datetime) -> dict[str, Any]:
        """The token's claims. There is neither `sub` nor `exp` (RFC 9967 §2.1, RFC 8417 §2.2)."""
        return {
            "iss": issuer,
            "aud": [audience],
            "jti": jti,
            "iat": int(now.timestamp()),
            "toe": int(self.at.timestamp()),
            "txn": self.txn,
            "sub_id": self.subject.as_json(),
            "events": {self.uri: dict(self.payload)},
        }


def uri_of(kind: Kind, id: str) -> str:
    """The relative URI of a resource."""
    return f"{SCHEMAS.of(kind).endpoint}/{id}"


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The URIs that these names mean: whole, or without their prefix; all when none is named.

    Raises:
        ValueError: one is no event that is offered.
    """
    uris = {name if name.startswith(PREFIX) else PREFIX + name for name in names}
    unknown = sorted(uris - set(URIS))
    if unknown:
        offered = ", ".join(uri.removeprefix(PREFIX) for uri in URIS)
        raise ValueError(f"{unknown[0]} is no event that is offered; there are {offered}")
    return tuple(uri for uri in URIS if not names or uri in uris)


def security_events(uris: Sequence[str]) -> dict[str, Any]:
    """What ServiceProviderConfig says of a client whose receivers hear `uris` (RFC 9967 §4)."""
    return {"asyncRequest": "request" if ASYNC in uris else "none", "eventUris": [uri for uri in URIS if uri in uris]}
