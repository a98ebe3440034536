"""Issuers' public keys: fetched over https, kept for an hour, for an unknown `kid`, or when none fits, asked
for once a minute at most.

The address is the administrator's or the provider's own document's, never one that a token names. It is asked through
the guarded way out: no redirect, no private network, at most 256 KiB. While one asks, nobody else waits for it.
"""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from sso.jwks import KeySource, usable_keys
from sso.web import LARGEST, NoAnswerError, Web

FRESH: Final = 3600.0  # seconds
PAUSE: Final = 60.0  # seconds between two fetches, however many ask for keys that are not there
STALE: Final = 4 * 3600.0  # seconds that keys serve while their issuer does not answer
MOST_ISSUERS: Final = 200

Fetch = Callable[[str], bytes]


@dataclass(slots=True)
class _Known:
    keys: list[dict[str, Any]] = field(default_factory=list)
    fetched: float = float("-inf")
    tried: float = float("-inf")
    lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def never(self) -> bool:
        """Whether nothing was ever fetched."""
        return self.fetched == float("-inf")


class IssuerKeys:
    """`sso.jwks.Keys` of one process. Without `fetch` only given key sets are known. `clock` counts seconds."""

    def __init__(self, fetch: Fetch | None = None, clock: Callable[[], float] = time.monotonic) -> None:
        self._fetch = fetch or _nowhere
        self._clock = clock
        self._known: OrderedDict[tuple[str, int], _Known] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, source: KeySource, kid: str | None) -> Sequence[Mapping[str, Any]]:
        """The issuer's keys; empty when there are none to be had."""
        if source.jwks is not None:
            return usable_keys(source.jwks)
        if source.jwks_url is None:
            return []
        known = self._of((source.jwks_url, source.epoch))
        now = self._clock()
        lacking = kid is not None and all(key.get("kid") != kid for key in known.keys)
        first = known.never and known.lock.locked()  # whoever comes meanwhile has nothing to go by, and asks as well
        if (lacking or now - known.fetched > FRESH) and (now - known.tried >= PAUSE or first):
            self._look_up(source.jwks_url, known, now)
        return known.keys if now - known.fetched <= STALE else []

    def again(self, source: KeySource) -> Sequence[Mapping[str, Any]]:
        """The keys, asked for anew if that was not done within the last minute."""
        if source.jwks is None and source.jwks_url is not None:
            known, now = self._of((source.jwks_url, source.epoch)), self._clock()
            if now - known.tried >= PAUSE:
                self._look_up(source.jwks_url, known, now)
        return self.of(source, None)

    def _of(self, key: tuple[str, int]) -> _Known:
        with self._lock:
            known = self._known.setdefault(key, _Known())
            self._known.move_to_end(key)
            while len(self._known) > MOST_ISSUERS:
                self._known.popitem(last=False)
            return known

    def _look_up(self, url: str, known: _Known, now: float) -> None:
        mine = known.lock.acquire(blocking=False)
        if not mine and not known.never:
            return
        try:
            known.tried = now
            known.keys = usable_keys(self._fetch(url))
            known.fetched = now
        except (NoAnswerError, ValueError):
            return
        finally:
            if mine:
                known.lock.release()


def check_address(url: str) -> None:
    """Whether keys may be fetched there.

    Raises:
        ValueError: it is not https (http only on this machine), or names a user, or an address that no issuer has.
    """
    parts = urlsplit(url)
    if not parts.hostname or parts.username is not None or parts.fragment:
        raise ValueError("this is no address of a key set")
    local = parts.hostname == "localhost" or _address(parts.hostname, "is_loopback")
    if parts.scheme != "https" and not (parts.scheme == "http" and local):
        raise ValueError("keys are fetched over https only")
    if any(_address(parts.hostname, kind) for kind in ("is_link_local", "is_multicast", "is_unspecified")):
        raise ValueError("no issuer has this address")


def through(web: Web) -> Fetch:
    """Fetches key sets over this way out. Raises ValueError or NoAnswerError when there is none to be had."""

    def fetch(url: str) -> bytes:
        check_address(url)
        reply = web.get(url, {"Accept": "application/jwk-set+json, application/json"}, LARGEST)
        if reply.status != 200:
            raise ValueError(f"the issuer's keys: HTTP {reply.status}")
        if not reply.whole:
            raise ValueError("the issuer's keys: too long")
        return reply.body

    return fetch


def _nowhere(_url: str) -> bytes:
    raise NoAnswerError("no way out")


def _address(host: str, kind: str) -> bool:
    try:
        return bool(getattr(ipaddress.ip_address(host), kind))
    except ValueError:
        return False
