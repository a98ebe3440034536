"""What an OpenID provider says of itself (OpenID Connect Discovery 1.0 §4): fetched, judged, kept for an hour.

    connection ─▶ kept? ─▶ GET <issuer>/.well-known/openid-configuration ─▶ same issuer? addresses? ─▶ ProviderMetadata

Only addresses are taken from it. Which algorithms may sign is never read there.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final
from urllib.parse import urlsplit

from sso.connections import Connection, Oidc
from sso.errors import SignInError
from sso.web import LARGEST, NoAnswerError, Web, json_object

WELL_KNOWN: Final = "/.well-known/openid-configuration"
FRESH: Final = 3600.0  # seconds
STALE: Final = 4 * 3600.0  # seconds that a document serves while its provider does not answer
PAUSE: Final = 10.0  # seconds before a provider that gave none is asked again
MOST_ISSUERS: Final = 500
LONGEST_ADDRESS: Final = 2_000
# A provider of many directories says one issuer for all of them, with the directory's place left open (Entra ID):
# https://learn.microsoft.com/en-us/entra/identity-platform/v2-protocols-oidc#find-your-apps-openid-configuration-document-uri
DIRECTORY: Final = "{tenantid}"
_ANY_DIRECTORY: Final = ("organizations", "common")
_NEEDED: Final = ("authorization_endpoint", "token_endpoint", "jwks_uri")
_END_SESSION: Final = "end_session_endpoint"


@dataclass(frozen=True, slots=True)
class ProviderMetadata:
    """Where a provider is. `issuer` may hold `{tenantid}`. `answers_with_issuer`: RFC 9207 §3. A `KeySource`."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_url: str
    userinfo_endpoint: str | None = None
    end_session_endpoint: str | None = None
    answers_with_issuer: bool = False
    jwks: None = None
    epoch: int = 0


@dataclass(slots=True)
class _Known:
    metadata: ProviderMetadata | None = None
    fetched: float = float("-inf")
    failed: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)


class Providers:
    """What is known of providers in this process. `clock` counts seconds.

    A change of a connection is a new epoch: its provider's document and keys are asked for anew, so that a withdrawn
    key can be dropped at once in every process.
    """

    def __init__(self, web: Web, clock: Callable[[], float] = time.monotonic) -> None:
        self._web = web
        self._clock = clock
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, connection: Connection) -> ProviderMetadata:
        """The provider of an OpenID connection.

        Raises:
            SignInError: `provider_unreachable`, `malformed` or `issuer`.
        """
        issuer, epoch = settings_of(connection).issuer, connection.version
        known = self._of((issuer, epoch))
        age = self._clock() - known.fetched
        if known.metadata is not None and age <= FRESH:
            return known.metadata
        usable = known.metadata if age <= STALE else None
        mine = known.lock.acquire(blocking=False)
        if not mine and usable is not None:
            return usable
        try:  # at the first time whoever comes meanwhile asks as well: to wait would keep others waiting
            return self._refreshed(issuer, epoch, known, usable)
        finally:
            if mine:
                known.lock.release()

    def _of(self, key: tuple[str, int]) -> _Known:
        with self._lock:
            known = self._known.setdefault(key, _Known())
            self._known.move_to_end(key)
            while len(self._known) > MOST_ISSUERS:
                self._known.popitem(last=False)
            return known

    def _refreshed(self, issuer: str, epoch: int, known: _Known, usable: ProviderMetadata | None) -> ProviderMetadata:
        now = self._clock()
        if known.metadata is not None and now - known.fetched <= FRESH:  # whoever held the lock fetched it
            return known.metadata
        if now - known.failed < PAUSE:
            if usable is None:
                raise SignInError("provider_unreachable", f"{issuer} gave no discovery document a moment ago")
            return usable
        try:
            known.metadata = replace(fetch(self._web, issuer), epoch=epoch)
        except SignInError as error:
            known.failed = now
            if usable is None or error.code != "provider_unreachable":
                raise
            return usable
        known.fetched = now
        return known.metadata


def fetch(web: Web, issuer: str) -> ProviderMetadata:
    """Asks the provider, now.

    Raises:
        SignInError: `provider_unreachable`; `malformed`; `issuer`, when it says that it is another.
    """
    try:
        _check_address(issuer, "issuer")
        reply = web.get(document_address(issuer), {"Accept": "application/json"}, LARGEST)
    except NoAnswerError as error:
        raise SignInError("provider_unreachable", f"discovery of {issuer}: {error}") from None
    if reply.status != 200:
        raise SignInError("provider_unreachable", f"discovery of {issuer}: HTTP {reply.status}")
    try:
        document = json_object(reply)
    except ValueError as error:
        raise SignInError("malformed", f"discovery of {issuer}: {error}") from None
    return read(document, issuer)


def read(document: Mapping[str, Any], issuer: str) -> ProviderMetadata:
    """What the document of the configured `issuer` says.

    Raises:
        SignInError: `malformed` or `issuer`.
    """
    said = document.get("issuer")
    if not isinstance(said, str) or not _same(said, issuer):
        raise SignInError("issuer", f"discovery: expected the issuer {issuer}, found {said!r:.200}")
    found = {
        name: _address(document, name, needed=name in _NEEDED) for name in (*_NEEDED, "userinfo_endpoint", _END_SESSION)
    }
    return ProviderMetadata(
        issuer=said,
        authorization_endpoint=found["authorization_endpoint"] or "",
        token_endpoint=found["token_endpoint"] or "",
        jwks_url=found["jwks_uri"] or "",
        userinfo_endpoint=found["userinfo_endpoint"],
        end_session_endpoint=found[_END_SESSION],
        answers_with_issuer=document.get("authorization_response_iss_parameter_supported") is True,
    )


def document_address(issuer: str) -> str:
    """Where the issuer's document is. One that leaves the directory open is asked for any organisation's."""
    return issuer.replace(DIRECTORY, _ANY_DIRECTORY[0]).removesuffix("/") + WELL_KNOWN


def settings_of(connection: Connection) -> Oidc:
    """The connection's OpenID settings.

    Raises:
        TypeError: it is a SAML connection.
    """
    if not isinstance(connection.settings, Oidc):
        raise TypeError("this is no OpenID connection")
    return connection.settings


def _same(said: str, issuer: str) -> bool:
    """To the letter. An open directory may be configured as it is, or by its name for any directory."""
    if said.count(DIRECTORY) != 1:
        return said == issuer
    return issuer in (said, *(said.replace(DIRECTORY, name) for name in _ANY_DIRECTORY))


def _address(document: Mapping[str, Any], name: str, *, needed: bool) -> str | None:
    value = document.get(name)
    if value is None and not needed:
        return None
    if not isinstance(value, str):
        raise SignInError("malformed", f"discovery: {name} is missing or no text")
    _check_address(value, name)
    return value


def _check_address(url: str, name: str) -> None:
    try:
        parts = urlsplit(url)
        parts.port  # noqa: B018  # raises for what is no port
    except ValueError:
        raise SignInError("malformed", f"discovery: {name} is no address") from None
    local = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
    whole = parts.hostname and parts.username is None and not parts.fragment and url.isascii() and url.isprintable()
    if not whole or " " in url or len(url) > LONGEST_ADDRESS:
        raise SignInError("malformed", f"discovery: {name} is no address that may be asked: {url[:100]!r}")
    if parts.scheme != "https" and not local:
        raise SignInError("malformed", f"discovery: {name} is not https: {url[:100]!r}")
