"""Redirect URIs: what may be registered, and that nothing but the same fits."""

from __future__ import annotations

import pytest

from sso import redirect_uris

LMS = "https://lms.example.com/callback"


@pytest.mark.parametrize(
    "uri",
    [
        LMS,
        f"{LMS}?tenant=1",
        "https://lms.example.com:8443/",
        "http://127.0.0.1/cb",
        "http://[::1]:9/cb",
        "http://localhost:3000",
    ],
)
def test_https_and_loopback_may_be_registered(uri: str) -> None:
    redirect_uris.check(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "http://lms.example.com/callback",
        "javascript:alert(1)",
        "com.example.app:/callback",
        f"{LMS}#part",
        "https://*.example.com/",
        "https://lms.example.com\\@evil.example/",
        "https://user@lms.example.com/",
        "https:///callback",
        "/callback",
        "",
        "https://lms.example.com/a b",
        "https://lms.example.com:port/",
        "https://lms.exämple.com/",
        "https://lms.example.com/" + "a" * 2000,
        "http://127.0.0.1.example.com/",
    ],
)
def test_anything_else_may_not(uri: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        redirect_uris.check(uri)


@pytest.mark.parametrize(
    "uri",
    [
        "https://lms.example.com/callbac",
        "https://lms.example.com/callback/",
        "https://lms.example.com/callback/x",
        "https://lms.example.com/callback?x=1",
        "https://lms.example.com/callback#x",
        "https://lms.example.com:443/callback",
        "https://LMS.example.com/callback",
        "https://lms.example.com/%63allback",
        "https://lms.example.com/x/../callback",
        "https://lms.example.com.evil.example/callback",
        "http://lms.example.com/callback",
        "http://127.0.0.1:1/cb",
        "",
    ],
)
@pytest.mark.parametrize("native", [False, True])
def test_only_the_same_letters_fit(uri: str, native: bool) -> None:
    assert redirect_uris.matches(LMS, [LMS], native=native)
    assert not redirect_uris.matches(uri, [LMS], native=native)


def test_the_port_on_loopback_is_a_native_clients_choice() -> None:
    known = ["http://127.0.0.1/cb", "http://[::1]:5000/cb", "http://localhost:3000/cb"]
    for uri in ("http://127.0.0.1:50123/cb", "http://[::1]/cb", "http://localhost:3000/cb"):
        assert redirect_uris.matches(uri, known, native=True)
    assert not redirect_uris.matches("http://127.0.0.1:50123/cb", known, native=False)
    for uri in (
        "http://127.0.0.1:50123/cb/x",
        "http://127.0.0.1:50123/cb?x",
        "http://127.0.0.1:123456/cb",
        "http://127.0.0.1:50123@evil.example/cb",
        "http://127.0.0.1:50123.evil.example/cb",
        "http://127.0.0.1.evil.example/cb",
        "https://127.0.0.1:50123/cb",
        "http://localhost:3001/cb",
    ):
        assert not redirect_uris.matches(uri, known, native=True)
