"""Names and attributes of the cookies that signing in needs."""

from __future__ import annotations

import hashlib

import pytest

from sso import cookies

TENANT = "0190d3a4-0000-7000-8000-000000000001"
SHORT = hashlib.sha256(TENANT.encode()).hexdigest()[:8]


def test_over_https_no_other_host_can_plant_them() -> None:
    session = cookies.session_cookie("https://hub.example.com", TENANT, 3600)
    assert session == cookies.Cookie(f"__Host-rollcall-{SHORT}", secure=True, same_site="Lax", max_age=3600)
    assert session.name == cookies.session("https://hub.example.com", TENANT)
    pending = cookies.pending_cookie("https://hub.example.com")
    assert (pending.name, pending.secure, pending.same_site) == ("__Host-rollcall-pending", True, "None")
    for cookie in (session, pending):  # what the prefix demands, else a browser drops them
        assert (cookie.path, cookie.secure, cookie.http_only) == ("/", True, True)


@pytest.mark.parametrize("url", ["http://127.0.0.1:8080", "http://localhost:8080", "http://[::1]:8080"])
def test_on_loopback_plain_http_will_do(url: str) -> None:
    assert cookies.session(url, TENANT) == f"rollcall-{SHORT}"
    pending = cookies.pending_cookie(url)
    assert (pending.name, pending.secure, pending.same_site) == ("rollcall-pending", False, None)


@pytest.mark.parametrize("url", ["http://hub.example.com", "http://10.0.0.1", "http://127.0.0.1.example.com"])
def test_elsewhere_it_will_not(url: str) -> None:
    assert cookies.session_cookie(url, TENANT).secure
    assert cookies.pending_cookie(url).secure


def test_a_value_is_long_and_new_each_time() -> None:
    values = {cookies.new_value() for _ in range(100)}
    assert len(values) == 100
    assert all(cookies.is_value(value) for value in values)
    assert not any(cookies.is_value(text) for text in (None, "", "a" * 42, "a" * 44, "a" * 42 + "="))
    assert cookies.digest("x") == hashlib.sha256(b"x").digest()
