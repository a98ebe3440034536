"""Addresses that a client's people are sent back to: which may be registered, and which fits what is registered.

Compared letter by letter (RFC 9700 §2.1). Only a native client's loopback address may come with any port (RFC 8252
§7.3): the program that waits there chose it when it started.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2000
_PRINTABLE: Final = re.compile(r"[!-~]+")  # ASCII without the blank
_LOOPBACK: Final = re.compile(r"(http://(?:127\.0\.0\.1|\[::1\]))(?::[0-9]{1,5})?(?![^/?])(.*)", re.DOTALL)


def check(uri: str) -> None:
    """Whether it may be registered: https, or http on loopback.

    Raises:
        ValueError: it may not; the text says why.
    """
    if len(uri) > LONGEST or not _PRINTABLE.fullmatch(uri):
        raise ValueError(f"{uri[:80]!r} is not an address")
    try:
        parts = urlsplit(uri)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise ValueError(f"{uri!r} is not an address") from None
    if "#" in uri:
        raise ValueError(f"{uri!r} has a fragment, which never reaches a server")
    if "*" in uri or "\\" in uri:
        raise ValueError(f"{uri!r} has a wildcard or a backslash; each address is registered as it is")
    if not host or "@" in parts.netloc:
        raise ValueError(f"{uri!r} has no host, or a user's name in front of it")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(host)):
        raise ValueError(f"{uri!r} must be https; http is for this machine's own programs on loopback")


def matches(uri: str, registered: Iterable[str], *, native: bool) -> bool:
    """Whether the client may be answered there."""
    known = tuple(registered)
    if uri in known:
        return True
    free = _without_port(uri) if native else None
    return free is not None and any(free == _without_port(one) for one in known)


def is_loopback(host: str) -> bool:
    """Whether the host is this machine itself."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _without_port(uri: str) -> str | None:
    """A loopback address by IP without its port; None for any other: `localhost` may be answered by somebody else."""
    found = _LOOPBACK.fullmatch(uri)
    return None if found is None else found.group(1) + found.group(2)
