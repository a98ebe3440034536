"""Issuers' keys: kept, looked up again for an unknown kid, never more often than once a minute."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app.outbound import LOOPBACK, Outbound
from sso.assertions import Trust
from sso.issuer_keys import IssuerKeys, check_address, through
from sso.web import LARGEST, NoAnswerError

TRUST = Trust("i", "s", "a", jwks_url="https://login.example/keys")


FETCH = through(Outbound(LOOPBACK))


class World:
    def __init__(self) -> None:
        self.now, self.asked, self.kids, self.down = 0.0, 0, ["one"], False

    def fetch(self, _url: str) -> bytes:
        self.asked += 1
        if self.down:
            raise ValueError("gone")
        return json.dumps({"keys": [{"kid": kid, "kty": "RSA"} for kid in self.kids]}).encode()


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def keys(world: World) -> IssuerKeys:
    return IssuerKeys(world.fetch, lambda: world.now)


def kids(keys: IssuerKeys, kid: str | None) -> list[str]:
    return [key["kid"] for key in keys.of(TRUST, kid)]


def test_keys_are_kept_for_an_hour(world: World, keys: IssuerKeys) -> None:
    for world.now in (0.0, 10.0, 3600.0):
        assert kids(keys, "one") == ["one"]
    assert world.asked == 1
    world.now = 3601.0
    kids(keys, "one")
    assert world.asked == 2


def test_an_unknown_kid_is_asked_for_once_a_minute(world: World, keys: IssuerKeys) -> None:
    kids(keys, "one")
    world.kids = ["two"]
    for number in range(1000):
        kids(keys, f"invented-{number}")
    assert world.asked == 1
    world.now = 60.0
    assert kids(keys, "two") == ["two"]
    assert world.asked == 2


def test_an_issuer_that_does_not_answer_is_not_pressed_and_its_keys_end(world: World, keys: IssuerKeys) -> None:
    kids(keys, "one")
    world.down, world.now = True, 3700.0
    assert [kids(keys, "one") for _ in range(5)] == [["one"]] * 5
    assert world.asked == 2
    world.now = 4 * 3600.0 + 1
    assert kids(keys, "one") == []


def test_keys_of_which_none_fits_are_asked_for_once_a_minute(world: World, keys: IssuerKeys) -> None:
    kids(keys, "one")
    world.kids = ["two"]
    assert [key["kid"] for _ in range(100) for key in keys.again(TRUST)] == ["one"] * 100
    assert world.asked == 1
    world.now = 60.0
    assert [key["kid"] for key in keys.again(TRUST)] == ["two"]
    keys.again(TRUST)
    assert world.asked == 2
    assert IssuerKeys().again(TRUST) == []


class _Slow:
    """A fetch that lasts until `go_on`."""

    def __init__(self, world: World) -> None:
        self.world, self.begun, self.go_on = world, threading.Event(), threading.Event()
        self.slow = True

    def __call__(self, url: str) -> bytes:
        if self.slow:
            self.slow = False
            self.begun.set()
            assert self.go_on.wait(20)
        return self.world.fetch(url)


def test_nobody_waits_for_a_fetch_that_is_under_way(world: World) -> None:
    slow = _Slow(world)
    slow.slow = False
    keys = IssuerKeys(slow, lambda: world.now)
    assert kids(keys, "one") == ["one"]
    world.kids, world.now, slow.slow = ["two"], 3700.0, True
    refreshing = threading.Thread(target=kids, args=(keys, "two"))
    refreshing.start()
    assert slow.begun.wait(20)
    assert kids(keys, "two") == ["one"]
    slow.go_on.set()
    refreshing.join(20)
    assert kids(keys, "two") == ["two"]


def test_two_who_come_first_at_once_both_get_the_keys(world: World) -> None:
    slow = _Slow(world)
    keys = IssuerKeys(slow, lambda: world.now)
    first = threading.Thread(target=kids, args=(keys, "one"))
    first.start()
    assert slow.begun.wait(20)
    assert kids(keys, "one") == ["one"]
    slow.go_on.set()
    first.join(20)
    assert world.asked == 2


def test_a_new_epoch_knows_no_old_key(world: World, keys: IssuerKeys) -> None:
    kids(keys, "one")
    world.kids = ["two"]
    assert [key["kid"] for key in keys.of(replace(TRUST, epoch=1), "one")] == ["two"]


def test_without_a_way_out_nothing_is_fetched() -> None:
    assert IssuerKeys().of(TRUST, "one") == []


def test_pasted_keys_are_not_fetched(world: World, keys: IssuerKeys) -> None:
    pasted = Trust("i", "s", "a", jwks='{"keys": [{"kid": "p"}]}')
    assert [key["kid"] for key in keys.of(pasted, "x")] == ["p"]
    assert world.asked == 0


@pytest.mark.parametrize(
    "url",
    [
        "http://login.example/keys",
        "file:///etc/passwd",
        "https://",
        "https://user@login.example/",
        "ftp://localhost/k",
        "https://169.254.169.254/keys",
        "https://[fe80::1]/",
        "https://0.0.0.0/",
        "//login.example/keys",
        "https://x/#f",
    ],
)
def test_addresses_that_are_never_asked(url: str) -> None:
    with pytest.raises(ValueError, match=r"address|https"):
        check_address(url)
    with pytest.raises(ValueError, match=r"address|https"):
        FETCH(url)


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/keys")
            self.end_headers()
            return
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"x" * (LARGEST + 1) if self.path == "/large" else b'{"keys": []}')

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def local() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


def test_a_fetch_follows_nobody_and_reads_no_more_than_keys(local: str) -> None:
    assert FETCH(f"{local}/keys") == b'{"keys": []}'
    with pytest.raises(ValueError, match="HTTP 302"):
        FETCH(f"{local}/away")
    with pytest.raises(ValueError, match="too long"):
        FETCH(f"{local}/large")
    with pytest.raises(NoAnswerError, match="private network"):
        through(Outbound())(f"https://127.0.0.1:{local.rpartition(':')[2]}/keys")
