"""Passwords: which may be chosen, and what is kept of them."""

from __future__ import annotations

from contextlib import ExitStack

import pytest
from argon2 import PasswordHasher

from app.adapters import passwords
from app.adapters.passwords import WeakPasswordError
from app.identity.writes import BusyError

GOOD = "three grey herons wade"


def test_what_is_kept_is_argon2id() -> None:
    hash = passwords.hashed(GOOD)
    assert hash.startswith("$argon2id$")
    assert passwords.verify(hash, GOOD)
    assert not passwords.verify(hash, f"{GOOD}.")
    assert not passwords.is_dated(hash)


def test_a_keyboard_may_write_it_otherwise() -> None:
    assert passwords.verify(passwords.hashed("zażółć gęślą jaźń"), "zażółć gęślą jaźń".encode().decode())
    assert passwords.verify(passwords.hashed("caf\u00e9 au lait et pain"), "cafe\u0301 au lait et pain")


def test_nobody_has_no_password_and_costs_a_hash(monkeypatch: pytest.MonkeyPatch) -> None:
    assert not passwords.verify(None, GOOD)
    seen: list[str] = []
    real = PasswordHasher.verify

    def counted(self: PasswordHasher, hash: str, password: str) -> bool:
        seen.append(hash[:10])
        return real(self, hash, password)

    monkeypatch.setattr(PasswordHasher, "verify", counted)
    passwords.verify(None, GOOD)
    passwords.verify(passwords.hashed(GOOD), "wrong")
    assert seen == ["$argon2id$", "$argon2id$"]


def test_a_long_one_of_signs_that_grow_is_the_same_again() -> None:
    password = "\ufb03 " * 128  # ﬃ is three letters in its plain form
    assert passwords.verify(passwords.hashed(password), password)


def test_few_wait_and_the_rest_hear_so() -> None:
    """A flood of tries keeps no threads from everybody else."""
    hash = passwords.hashed(GOOD)
    with ExitStack() as taken:
        for _ in range(passwords.MOST_WAITING):
            taken.enter_context(passwords._places)
        with pytest.raises(BusyError):
            passwords.verify(hash, GOOD)
    assert passwords.verify(hash, GOOD)


def test_what_was_made_with_other_parameters_is_dated() -> None:
    assert passwords.is_dated(PasswordHasher(time_cost=1, memory_cost=8192).hash(GOOD))
    assert not passwords.verify("not a hash", GOOD)


@pytest.mark.parametrize(
    "password", ["short", "eleven char", "x" * 257, "aaaaaaaaaaaa", "abababababab", "password1234", "Password1234"]
)
def test_these_may_not_be_chosen(password: str) -> None:
    with pytest.raises(WeakPasswordError):
        passwords.check(password, [])


def test_nor_oneself() -> None:
    known = ["ada@acme.example", "Ada Lovelace", "acme"]
    for password in ("ada@acme.example", "Ada Lovelace1", "rollcall-acme1", "administrator1"):
        with pytest.raises(WeakPasswordError, match="little more than"):
            passwords.check(password, known)
    passwords.check(GOOD, known)
    passwords.check("acme three grey herons", known)
