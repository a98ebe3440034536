"""Which certificates end soon: those with which identity providers sign, and our own as a SAML service provider.

A certificate matters less while another of the same connection goes on longer: `replaced` says so. Tokens and secrets
that end are `app.store.overview.expiring`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from app.adapters.connection_schemas import BadConnectionError, parse
from app.store import connections, saml_keys
from app.store.connections import Stored
from app.store.overview import ENDED_SINCE, EXPIRES_WITHIN
from sso import certificates
from sso.certificates import Certificate, CertificateError
from sso.connections import Saml

OURS: Final = "our own"


@dataclass(frozen=True, slots=True)
class ExpiringCertificate:
    """`connection` is its name, or ``our own`` for what we sign with; `connection_id` is None then."""

    connection: str
    connection_id: str | None
    subject: str
    fingerprint: str
    not_after: datetime
    replaced: bool


def expiring(conn: sa.Connection, tenant_id: str, now: datetime) -> list[ExpiringCertificate]:
    """Certificates that end within 30 days, or ended within the last 7; the next one first."""
    found = [one for stored in connections.listing(conn, tenant_id) for one in _of_connection(stored, now)]
    ours = _read(row.certificate for row in saml_keys.listing(conn))
    found += _ending(OURS, None, ours, now)
    return sorted(found, key=lambda one: (one.not_after, one.connection, one.fingerprint))


def _of_connection(stored: Stored, now: datetime) -> Iterator[ExpiringCertificate]:
    if not stored.enabled or stored.source_state != "active":
        return
    try:
        settings = parse(stored.kind, stored.settings)
    except BadConnectionError:
        return  # its own page says what is wrong with it
    if isinstance(settings, Saml):
        yield from _ending(stored.name, stored.id, _read(settings.certificates), now)


def _read(texts: Iterable[str]) -> list[Certificate]:
    found = []
    for text in texts:
        try:
            found.append(certificates.read(text))
        except CertificateError:
            continue
    return found


def _ending(name: str, id: str | None, known: list[Certificate], now: datetime) -> Iterator[ExpiringCertificate]:
    last = max((one.not_after for one in known), default=now)
    for one in known:
        if now - ENDED_SINCE <= one.not_after < now + EXPIRES_WITHIN:
            replaced = last > one.not_after and last >= now + EXPIRES_WITHIN
            yield ExpiringCertificate(name, id, one.subject, one.fingerprint, one.not_after, replaced)
