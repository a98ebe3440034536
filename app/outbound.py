"""Requests to addresses that others chose (receivers, issuers): never into a network that is not theirs to reach.

    URL ─▶ parts ─▶ resolve ─▶ every address allowed? ─▶ connect to the address that was checked ─▶ one bounded exchange

What was checked is what is connected to, so that a name that resolves anew leads nowhere else. Name and certificate are
still those of the URL. Redirects are not followed, and no proxy is taken from the environment.
"""

from __future__ import annotations

import http.client
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import SplitResult, urlsplit

from app.turns import NotNowError, outside
from sso.web import NoAnswerError

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

CONNECT_SECONDS: Final = 5.0
TOTAL_SECONDS: Final = 15.0
LARGEST_ANSWER: Final = 16 * 1024
LOOPBACK: Final[tuple[Network, ...]] = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))
_NAT64: Final = ipaddress.ip_network("64:ff9b::/96")
# Global by the registry or to older Pythons: relays that carry another address inside, protocol assignments.
_SPECIAL: Final = tuple(
    ipaddress.ip_network(text) for text in ("2002::/16", "2001::/32", "64:ff9b:1::/48", "192.0.0.0/24")
)


class OutboundError(NoAnswerError):
    """No answer came. The message is for the operator and quotes nothing that was sent."""


class ForbiddenAddressError(OutboundError):
    """The URL leads where requests may not go."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. Header names are in lower case; `body` is cut at the limit, and then not `whole`."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Outbound:
    """A way out. `networks` may be reached besides the public internet; plain http only on loopback."""

    networks: tuple[Network, ...] = ()
    tls: ssl.SSLContext = field(default_factory=ssl.create_default_context, repr=False)
    total_seconds: float = TOTAL_SECONDS

    def check(self, url: str) -> None:
        """Raise when `url` may not be called now. A name may come to lead elsewhere: a request checks again.

        Raises:
            OutboundError: the name is unknown, or leads where requests may not go.
        """
        parts = split(url)
        self._addresses(parts)

    def get(self, url: str, headers: Mapping[str, str], limit: int = LARGEST_ANSWER) -> Reply:
        """One GET, of which at most `limit` bytes are read.

        Raises:
            OutboundError: no answer in time, or the address is not allowed.
        """
        return self._exchange("GET", url, None, headers, limit)

    def post(self, url: str, body: bytes, headers: Mapping[str, str], limit: int = LARGEST_ANSWER) -> Reply:
        """One POST, of whose answer at most `limit` bytes are read.

        Raises:
            OutboundError: no answer in time, or the address is not allowed.
        """
        return self._exchange("POST", url, body, headers, limit)

    def _exchange(self, method: str, url: str, body: bytes | None, headers: Mapping[str, str], limit: int) -> Reply:
        parts = split(url)
        until = time.monotonic() + self.total_seconds
        try:
            with outside(parts.netloc), self._connected(parts, self._addresses(parts), until) as connection:
                connection.request(method, _target(parts), body, {"User-Agent": "rollcall", **headers})
                answer = connection.getresponse()
                found = {name.lower(): value for name, value in answer.getheaders()}
                read = answer.read(limit + 1)
                return Reply(answer.status, found, read[:limit], len(read) <= limit)
        except NotNowError as error:
            raise OutboundError("it answered too slowly a moment ago, and is left alone for some seconds") from error
        except (OSError, ValueError, http.client.HTTPException) as error:
            raise OutboundError(f"no answer ({type(error).__name__})") from error

    def _addresses(self, parts: SplitResult) -> list[str]:
        """The addresses of the host; all of them must be allowed, or a second answer could lead inside."""
        host = parts.hostname or ""
        try:
            found = socket.getaddrinfo(host, port(parts), type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise OutboundError(f"{host} cannot be resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        for text in addresses:
            self._judge(parts.scheme, ipaddress.ip_address(text.partition("%")[0]))
        return addresses

    def _judge(self, scheme: str, address: Address) -> None:
        real = _embedded(address)
        if scheme == "http" and not _within(real, LOOPBACK):
            raise ForbiddenAddressError("plain http is for loopback only; use https")
        if not (_public(real) or _within(real, self.networks)):
            raise ForbiddenAddressError("the address is in a private network; ROLLCALL_OUTBOUND_NETWORKS may allow it")

    @contextmanager
    def _connected(
        self, parts: SplitResult, addresses: Sequence[str], until: float
    ) -> Iterator[http.client.HTTPConnection]:
        opened = [_first_open(addresses, port(parts), until)]
        # A peer that sends a byte now and then keeps each single read in time: the whole exchange has an end as well.
        deadline = threading.Timer(max(0.0, until - time.monotonic()), _cut, (opened,))
        deadline.daemon = True
        deadline.start()
        kind = http.client.HTTPSConnection if _secure(parts) else http.client.HTTPConnection
        connection = kind(parts.hostname or "", port(parts))
        try:
            opened[-1].settimeout(self.total_seconds)
            if _secure(parts):
                secured = self.tls.wrap_socket(
                    opened[-1], server_hostname=parts.hostname, do_handshake_on_connect=False
                )
                opened.append(secured)
                secured.do_handshake()
            connection.sock = opened[-1]
            yield connection
        finally:
            deadline.cancel()
            connection.close()
            for each in opened:
                each.close()


def way_out(public_url: str, networks: Sequence[Network], total_seconds: float = TOTAL_SECONDS) -> Outbound:
    """The way out of an installation. Loopback is open to one that lives there itself."""
    own = LOOPBACK if is_loopback(public_url) else ()
    return Outbound((*networks, *own), total_seconds=total_seconds)


def split(url: str) -> SplitResult:
    """The parts of a URL that may be called.

    Raises:
        ForbiddenAddressError: it is not http(s), names no host, or carries a user or a fragment.
    """
    try:
        parts = urlsplit(url)
        port(parts)
    except ValueError:
        raise ForbiddenAddressError("this is no address") from None
    if parts.scheme not in ("https", "http") or not parts.hostname or not url.isascii() or not url.isprintable():
        raise ForbiddenAddressError("expected an address that begins with https://")
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ForbiddenAddressError("an address with a user, a password or a fragment is not called")
    return parts


def port(parts: SplitResult) -> int:
    """The port of the URL, or its scheme's."""
    return parts.port or (443 if _secure(parts) else 80)


def is_loopback(url: str) -> bool:
    """Whether the URL names this machine by a loopback address or as localhost, without asking anybody."""
    host = urlsplit(url).hostname or ""
    try:
        return _within(ipaddress.ip_address(host), LOOPBACK)
    except ValueError:
        return host == "localhost"


def _secure(parts: SplitResult) -> bool:
    return parts.scheme == "https"


def _target(parts: SplitResult) -> str:
    return (parts.path or "/") + (f"?{parts.query}" if parts.query else "")


def _embedded(address: Address) -> Address:
    """The IPv4 address inside an IPv6 one that leads there."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return address.ipv4_mapped
        if address in _NAT64:
            return ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    return address


def _public(address: Address) -> bool:
    return address.is_global and not address.is_multicast and not _within(address, _SPECIAL)


def _within(address: Address, networks: Sequence[Network]) -> bool:
    return any(address.version == network.version and address in network for network in networks)


def _first_open(addresses: Sequence[str], at: int, until: float) -> socket.socket:
    """Whoever owns a name may give it any number of addresses where nobody answers."""
    failure: OSError = TimeoutError("no time was left to connect")
    for address in addresses:
        left = until - time.monotonic()
        if left <= 0:
            break
        try:
            return socket.create_connection((address, at), timeout=min(CONNECT_SECONDS, left))
        except OSError as error:
            failure = error
    raise failure


def _cut(opened: Sequence[socket.socket]) -> None:
    for each in opened:
        with suppress(OSError):  # it ended by itself, or TLS took it over
            each.shutdown(socket.SHUT_RDWR)
