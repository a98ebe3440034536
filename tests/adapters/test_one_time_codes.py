"""Codes of an authenticator: which count, and how a secret is shown first."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pyotp
import pytest

from app.adapters import one_time_codes as codes
from app.store.vault import Vault

NOW = datetime(2026, 3, 1, 12, 0, 10, tzinfo=UTC)
VAULT = Vault([bytes(32)])
SECRET = pyotp.random_base32()
STEP = int(NOW.timestamp()) // 30


def code(off: int = 0) -> str:
    return pyotp.TOTP(SECRET).at(NOW, counter_offset=off)


@pytest.mark.parametrize(("off", "right"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_a_step_off(off: int, right: bool) -> None:
    assert codes.step_of(SECRET, code(off), NOW, None) == (STEP + off if right else None)


def test_no_step_counts_twice_nor_after_a_later_one() -> None:
    assert codes.step_of(SECRET, code(), NOW, STEP) is None
    assert codes.step_of(SECRET, code(-1), NOW, STEP) is None
    assert codes.step_of(SECRET, code(1), NOW, STEP) == STEP + 1


def test_people_write_codes_in_two_halves() -> None:
    assert codes.step_of(SECRET, f" {code()[:3]} {code()[3:]} ", NOW, None) == STEP


@pytest.mark.parametrize("said", ["", "12345", "1234567", "abcdef", "١٢٣٤٥٦"])
def test_what_is_no_code_is_none(said: str) -> None:
    assert codes.step_of(SECRET, said, NOW, None) is None


def test_whoever_has_no_secret_has_no_code() -> None:
    assert all(codes.step_of(None, f"{n:06}", NOW, None) is None for n in range(50))


def test_a_secret_waits_for_its_administrator_and_not_for_long() -> None:
    shown = codes.begin(VAULT, "ada", "ada@acme.example", "acme", NOW)
    assert codes.pending(VAULT, "ada", shown.sealed, NOW) == shown.secret
    assert codes.pending(VAULT, "bob", shown.sealed, NOW) is None
    assert codes.pending(VAULT, "ada", shown.sealed, NOW + timedelta(minutes=16)) is None
    assert codes.pending(VAULT, "ada", shown.sealed[:-10] + "A" * 10, NOW) is None
    assert codes.pending(VAULT, "ada", VAULT.seal("[]").decode(), NOW) is None
    once_more = codes.again(VAULT, "ada", "ada@acme.example", "acme", shown.sealed, NOW)
    assert once_more is not None
    assert once_more.secret == shown.secret


def test_the_picture_breaks_no_policy() -> None:
    shown = codes.begin(VAULT, "ada", "ada@acme.example", "acme", NOW)
    assert shown.picture.startswith("<svg")
    assert "style=" not in shown.picture
    assert shown.secret not in repr(shown)
