"""Behind proxies: whose network address a request really comes from.

    X-Forwarded-For: 9.9.9.9, 203.0.113.7, 10.0.0.2     from the proxy 10.0.0.1
                        │          │           └ trusted ◀── read from the right, as long as who says it is trusted
                        │          └ the first who is not: the client
                        └ said by the client, who may say anything

Only the address is taken over, never a host or a scheme: those are the public URL's.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

MOST_HOPS: Final = 20
_HEADER: Final = "HTTP_X_FORWARDED_FOR"
_WITH_PORT: Final = re.compile(
    r"\[([0-9A-Fa-f:.]+)\](?::\d{1,5})?|(\d+\.\d+\.\d+\.\d+):\d{1,5}"
)  # as some proxies write
_HOUSEHOLD: Final = 64  # bits of an IPv6 address that one customer has


class Proxies:
    """A WSGI application in front of `application` that takes the client's address from `trusted` proxies."""

    def __init__(self, application: Application, trusted: Sequence[Network]) -> None:
        self._application, self._trusted = application, tuple(trusted)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        environ["REMOTE_ADDR"] = client(environ.get("REMOTE_ADDR") or "", environ.get(_HEADER) or "", self._trusted)
        return self._application(environ, start_response)


def client(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """The client's address: `peer`, who reached us, or whom it forwards for, if it and all between are trusted."""
    address, found = _address(peer), peer
    for said in reversed(forwarded.rsplit(",", MOST_HOPS)[-MOST_HOPS:] if forwarded else []):
        if address is None or not _within(address, trusted):
            break
        address = _address(said.strip())
        found = found if address is None else str(address)
    return found


def neighbourhood(address: str) -> str:
    """What is counted as one when requests are: the address, or of IPv6 the network that one customer has."""
    found = _address(address)
    if found is None or found.version == 4:
        return address
    return str(ipaddress.ip_network((int(found), _HOUSEHOLD), strict=False))


def _address(text: str) -> Address | None:
    named = _WITH_PORT.fullmatch(text)
    try:
        found = ipaddress.ip_address((named.group(1) or named.group(2)) if named else text.partition("%")[0])
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
