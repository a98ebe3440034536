"""Is a connection as it should be? Each check says ok, warn or failed, and what to do.

settings · certificates · addresses · the provider's own document · our public address · clocks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final, Literal, Protocol

from app.adapters import metadata_import
from app.adapters.connection_schemas import BadConnectionError, parse
from app.adapters.metadata_import import MetadataError
from app.store.connections import Stored
from sso import certificates, discovery
from sso.connections import Oidc, Saml
from sso.errors import SignInError
from sso.web import LARGEST as DOCUMENT_LARGEST
from sso.web import NoAnswerError, Web

Outcome = Literal["ok", "warn", "failed"]
LARGEST: Final = 65_536  # bytes of an answer that is only looked at
_CLOCK_WARNED: Final = timedelta(seconds=30)


class WayOut(Web, Protocol):
    """The guarded way out, which can also say beforehand where it may not go."""

    def check(self, url: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Check:
    """One line: what was looked at, how it is, and what to do where it is not well."""

    name: str
    outcome: Outcome
    says: str
    remedy: str | None = None


def run(stored: Stored, web: WayOut, public_url: str, clock: Callable[[], datetime] | None = None) -> list[Check]:
    """All checks of a connection, in the order in which they matter. It changes nothing."""
    now = clock or (lambda: datetime.now(UTC))
    try:
        settings = parse(stored.kind, stored.settings)
    except BadConnectionError as error:
        return [Check("settings", "failed", str(error), "correct them with `connection set`")]
    checks = [Check("settings", "ok", f"{stored.kind}, version {stored.version}"), _switched_on(stored)]
    if isinstance(settings, Saml):
        checks += [*_certificates(settings, now()), *_saml_addresses(settings, web)]
        checks += _metadata(stored, settings, web, now)
    else:
        checks += _discovery(settings, web, now)
    return [*checks, *_public_address(public_url, web)]


def _switched_on(stored: Stored) -> Check:
    if stored.source_state != "active":
        return Check("state", "failed", f"its source is {stored.source_state}", "nobody can sign in through it")
    if not stored.enabled:
        return Check("state", "warn", "it is switched off", "`connection enable` switches it on")
    return Check("state", "ok", "it is switched on")


def _certificates(settings: Saml, now: datetime) -> Iterator[Check]:
    """One that is about to end matters only while no other takes over."""
    read = [certificates.read(one) for one in settings.certificates]
    lasting = any(not one.expires_soon(now) for one in read)
    for one in read:
        says = f"{one.subject}, until {one.not_after:%Y-%m-%d}, SHA-256 {one.fingerprint}"
        if one.expires_soon(now) and not lasting:
            over = "it is over" if one.not_after <= now else f"{(one.not_after - now).days} days are left"
            yield Check("certificate", "warn", f"{says}: {over}", "ask the provider for its next certificate")
        else:
            yield Check("certificate", "ok", says)


def _saml_addresses(settings: Saml, web: WayOut) -> Iterator[Check]:
    """Browsers go there, not this server: an address that only they reach is no fault."""
    for name in ("sso_url", "slo_url", "slo_response_url"):
        url = getattr(settings, name)
        if url is None:
            continue
        try:
            web.check(url)
        except NoAnswerError as error:
            yield Check(name, "warn", f"{url}: {error}", "people's browsers must reach it; this server need not")
        else:
            yield Check(name, "ok", url)


def _metadata(stored: Stored, settings: Saml, web: Web, now: Callable[[], datetime]) -> Iterator[Check]:
    if stored.metadata_url is None:
        yield Check("metadata", "ok", "it has no address; certificates are brought by hand")
        return
    try:
        document, date = metadata_import.fetch(web, stored.metadata_url)
        pinned = stored.metadata_certificate
        found = metadata_import.read(document, settings.entity_id, now(), signed_with=pinned, current=settings)
        different = metadata_import.judge(settings, found, now(), believed=pinned is not None)
    except MetadataError as error:
        yield Check("metadata", "failed", str(error), "the settings stay as they are until this is mended")
        return
    if different:
        says = f"it says something else of {', '.join(sorted(different))}"
        yield Check("metadata", "warn", says, "`connection refresh` takes it over")
    else:
        yield Check("metadata", "ok", f"{found.entity_id}, as set")
    yield from _clock("provider's clock", date, now(), settings.skew)


def _discovery(settings: Oidc, web: Web, now: Callable[[], datetime]) -> Iterator[Check]:
    try:
        found = discovery.fetch(web, settings.issuer)
    except SignInError as error:
        remedy = "the issuer must be letter by letter what its discovery document says, and this server must reach it"
        yield Check("discovery", "failed", error.detail, remedy)
        return
    yield Check("discovery", "ok", f"{found.issuer}; people are sent to {found.authorization_endpoint}")
    try:
        reply = web.get(found.jwks_url, {"Accept": "application/json"}, DOCUMENT_LARGEST)
    except NoAnswerError as error:
        yield Check("keys", "failed", f"{found.jwks_url}: {error}", "without its keys no ID token can be checked")
        return
    if reply.status != 200:
        yield Check("keys", "failed", f"{found.jwks_url} answers with status {reply.status}", "ask the provider")
        return
    yield Check("keys", "ok", found.jwks_url)
    yield from _clock("provider's clock", reply.headers.get("date"), now(), settings.skew)


def _public_address(public_url: str, web: Web) -> Iterator[Check]:
    url = f"{public_url}/readyz"
    try:
        reply = web.get(url, {}, LARGEST)
    except NoAnswerError as error:
        remedy = "if browsers and the provider reach it, all is well; else ROLLCALL_PUBLIC_URL is not our address"
        yield Check("public address", "warn", f"{url}: {error}", remedy)
        return
    if reply.status == 200 and reply.body.startswith(b"ready"):
        yield Check("public address", "ok", public_url)
    else:
        remedy = "ROLLCALL_PUBLIC_URL must lead to this installation"
        yield Check("public address", "failed", f"{url} answers with status {reply.status}", remedy)


def _clock(name: str, date: str | None, now: datetime, skew: int) -> Iterator[Check]:
    """HTTP's Date has whole seconds, and the answer took some: a rough look."""
    try:
        told = parsedate_to_datetime(date or "")
        off = abs((told if told.tzinfo else told.replace(tzinfo=UTC)) - now)
    except ValueError:
        return
    says = f"differs from ours by {int(off.total_seconds())} s"
    remedy = "set the clock of this machine by NTP; else ask the provider, or `connection set --setting skew=SECONDS`"
    outcome: Outcome = "ok" if off <= _CLOCK_WARNED else "warn" if off.total_seconds() <= skew else "failed"
    yield Check(name, outcome, says, None if outcome == "ok" else remedy)
