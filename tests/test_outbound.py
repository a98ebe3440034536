"""Addresses that others chose: nothing inside is reached, and what was checked is what is connected to."""

from __future__ import annotations

import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from app import outbound
from app.outbound import LOOPBACK, ForbiddenAddressError, Outbound, OutboundError
from tests.events.receiver import Receiver, listening

INSIDE = [
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "127.0.0.1",
    "127.1.2.3",
    "169.254.169.254",  # where clouds keep credentials
    "100.64.0.1",
    "192.0.0.8",
    "198.18.0.1",
    "0.0.0.0",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "fe80::1",
    "fd00::1",
    "ff02::1",
    "::ffff:10.0.0.1",
    "::ffff:169.254.169.254",
    "64:ff9b::a00:1",
    "64:ff9b:1::a00:1",
    "2002:a00:1::1",
    "2001:0:a00:1::1",
    "2001:db8::1",
]
OUTSIDE = ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "::ffff:93.184.216.34", "64:ff9b::5db8:d822"]


def _resolving(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    def found(_host: str, port: int, **_: object) -> list[tuple[int, int, int, str, tuple[str, int]]]:
        return [(0, 1, 6, "", (address, port)) for address in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


@pytest.mark.parametrize("address", INSIDE)
def test_nothing_inside_is_called(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, address)
    with pytest.raises(ForbiddenAddressError):
        Outbound().check("https://innocent.example.com/hook")
    with pytest.raises(ForbiddenAddressError):
        Outbound().post("https://innocent.example.com/hook", b"", {})
    with pytest.raises(ForbiddenAddressError):
        Outbound().get("https://innocent.example.com/hook", {})


@pytest.mark.parametrize("address", OUTSIDE)
def test_the_public_internet_is(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, address)
    Outbound().check("https://example.com/hook")


def test_one_address_inside_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, OUTSIDE[0], "10.0.0.1")
    with pytest.raises(ForbiddenAddressError):
        Outbound().check("https://example.com/hook")


def test_a_network_may_be_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, "10.1.2.3")
    Outbound((ipaddress.ip_network("10.1.0.0/16"),)).check("https://lms.internal/hook")
    with pytest.raises(ForbiddenAddressError):
        Outbound((ipaddress.ip_network("10.2.0.0/16"),)).check("https://lms.internal/hook")


@pytest.mark.parametrize("address", [OUTSIDE[0], "10.1.2.3"])
def test_plain_http_is_for_loopback(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _resolving(monkeypatch, address)
    with pytest.raises(ForbiddenAddressError, match="use https"):
        Outbound((ipaddress.ip_network("10.0.0.0/8"),)).check("http://example.com/hook")


@pytest.mark.parametrize(
    "url",
    [
        "ftp://example.com/",
        "file:///etc/passwd",
        "https:///hook",
        "https://me:secret@example.com/",
        "https://example.com/#part",
        "https://example.com:99999/",
        "https://example.com/\r\nX: 1",
        "https://exämple.com/",
        "//example.com/",
        "",
    ],
)
def test_what_is_no_address_is_refused(url: str) -> None:
    with pytest.raises(ForbiddenAddressError):
        Outbound(LOOPBACK).check(url)


def test_a_name_that_is_unknown() -> None:
    with pytest.raises(OutboundError, match="cannot be resolved"):
        Outbound().check("https://nothing.invalid/")


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with listening(Receiver()) as receiver:
        receiver.answer = lambda _: (302, b"", {"Location": receiver.url})
        reply = Outbound(LOOPBACK).post(receiver.url, b"x", {"Content-Type": "text/plain"})
        assert (reply.status, len(receiver.tried)) == (302, 1)
        assert receiver.tried[0].headers["host"] == f"127.0.0.1:{receiver.port}"


def test_an_answer_is_cut() -> None:
    with listening(Receiver()) as receiver:
        receiver.answer = lambda _: (400, b"x" * 100_000, {})
        reply = Outbound(LOOPBACK).post(receiver.url, b"x", {})
        assert (len(reply.body), reply.whole) == (outbound.LARGEST_ANSWER, False)
        assert Outbound(LOOPBACK).post(receiver.url, b"x", {}, 100_000).whole


@pytest.mark.parametrize(("limit", "read", "whole"), [(10, 10, False), (12, 12, True), (100, 12, True)])
def test_a_document_is_read_up_to_a_limit(limit: int, read: int, whole: bool) -> None:
    with _serving(b'{"issuer":1}') as url:
        reply = Outbound(LOOPBACK).get(f"{url}/document", {"Accept": "application/json"}, limit)
    assert (reply.status, len(reply.body), reply.whole) == (200, read, whole)


def test_a_document_elsewhere_is_not_followed() -> None:
    with _serving(b"", 302) as url:
        assert Outbound(LOOPBACK).get(url, {}).status == 302


def test_proxies_of_the_environment_are_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    with listening(Receiver()) as receiver:
        assert Outbound(LOOPBACK).post(receiver.url, b"x", {}).status == 202


def test_a_peer_that_drips_is_cut_off() -> None:
    """Each byte comes in time; the whole does not."""
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as server:

        def drip() -> None:
            peer, _ = server.accept()
            with peer:
                peer.recv(65536)
                try:
                    while not stop.wait(0.02):
                        peer.sendall(b"H")
                except OSError:
                    return

        thread = threading.Thread(target=drip, daemon=True)
        thread.start()
        with pytest.raises(OutboundError):
            Outbound(LOOPBACK, total_seconds=0.3).post(f"http://127.0.0.1:{server.getsockname()[1]}/", b"x", {})
        stop.set()
        thread.join()


def test_a_name_of_many_dead_addresses_costs_no_more_time_than_one(monkeypatch: pytest.MonkeyPatch) -> None:
    found = [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (f"127.0.1.{last}", 80)) for last in range(1, 101)]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_said, **_named: found)
    tried: list[float] = []

    def dead(_address: object, timeout: float) -> socket.socket:
        tried.append(timeout)
        threading.Event().wait(0.05)
        raise TimeoutError

    monkeypatch.setattr(socket, "create_connection", dead)
    with pytest.raises(OutboundError, match="TimeoutError"):
        Outbound(LOOPBACK, total_seconds=0.2).get("http://idp.example/", {})
    assert 1 <= len(tried) <= 4
    assert max(tried) <= 0.2


def test_the_certificate_is_the_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection goes to the checked address, the certificate is compared with the URL's name."""
    authority = _certificate(tmp_path, "hooks.example.com")
    real = socket.getaddrinfo
    monkeypatch.setattr(socket, "getaddrinfo", lambda _host, *more, **named: real("127.0.0.1", *more, **named))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(authority)
    with listening(Receiver(), context) as receiver:
        way = Outbound(LOOPBACK, ssl.create_default_context(cafile=str(authority)))
        assert way.post(f"https://hooks.example.com:{receiver.port}/", b"x", {}).status == 202
        with pytest.raises(OutboundError, match="SSLCertVerificationError"):
            way.post(f"https://other.example.com:{receiver.port}/", b"x", {})
        with pytest.raises(OutboundError, match="SSLCertVerificationError"):
            Outbound(LOOPBACK).post(f"https://hooks.example.com:{receiver.port}/", b"x", {})
    assert len(receiver.taken) == 1


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:8080", True),
        ("http://localhost:8080", True),
        ("http://[::1]:80", True),
        ("https://id.example.com", False),
        ("https://localhost.example.com", False),
        ("http://10.0.0.1", False),
    ],
)
def test_an_installation_on_loopback(url: str, local: bool) -> None:
    assert outbound.is_loopback(url) is local


@contextmanager
def _serving(body: bytes, status: int = 200) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("Location", "/elsewhere")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None: ...

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def _certificate(folder: Path, name: str) -> Path:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(subject, subject, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = folder / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    return path
