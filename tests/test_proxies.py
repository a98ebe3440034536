"""Whose address a request comes from: proxies are believed as far as they are trusted, clients never."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable
from typing import Any

import pytest

from app.proxies import Proxies, client, neighbourhood

TRUSTED = [ipaddress.ip_network(text) for text in ("10.0.0.0/8", "fd00::/8")]


@pytest.mark.parametrize(
    ("peer", "forwarded", "found"),
    [
        ("203.0.113.7", "", "203.0.113.7"),
        ("203.0.113.7", "9.9.9.9", "203.0.113.7"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "9.9.9.9, 203.0.113.7", "203.0.113.7"),
        ("10.0.0.1", "9.9.9.9,203.0.113.7 , 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.9, 203.0.113.7, 10.0.0.2", "203.0.113.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("::ffff:10.0.0.1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "[2001:db8::7]:4711", "2001:db8::7"),
        ("10.0.0.1", "203.0.113.7:4711", "203.0.113.7"),
        ("10.0.0.1", "9.9.9.9, unknown", "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", "9.9.9.9, ", "10.0.0.1"),
        ("10.0.0.1", "1" * 10_000, "10.0.0.1"),
        ("10.0.0.1", "9.9.9.9," + "10.0.0.2," * 5_000 + "10.0.0.2", "10.0.0.2"),
        ("", "9.9.9.9", ""),
        ("unix:", "9.9.9.9", "unix:"),
    ],
)
def test_the_first_from_the_right_who_is_not_trusted(peer: str, forwarded: str, found: str) -> None:
    assert client(peer, forwarded, TRUSTED) == found
    assert client(peer, forwarded, []) == peer


def test_the_application_sees_the_client() -> None:
    seen: list[str] = []

    def application(environ: dict[str, Any], _start: Callable[..., Any]) -> list[bytes]:
        seen.append(environ["REMOTE_ADDR"])
        return []

    behind = Proxies(application, TRUSTED)
    behind({"REMOTE_ADDR": "10.0.0.1", "HTTP_X_FORWARDED_FOR": "203.0.113.7"}, print)
    behind({"REMOTE_ADDR": "10.0.0.1"}, print)
    behind({}, print)
    assert seen == ["203.0.113.7", "10.0.0.1", ""]


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_what_counts_as_one(address: str, counted: str) -> None:
    assert neighbourhood(address) == counted
