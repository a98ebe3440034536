"""Administrators' passwords: Argon2id (RFC 9106) with the library's parameters, and what may be chosen as one.

The rules are those of NIST SP 800-63B: a least length and no rules of composition; nothing that the attacker would try
first. A hash takes about 50 ms of a core and 64 MiB, so that others have the turn meanwhile and few are made at once.
Few wait for them, too: each one that waits keeps a thread of the worker from everybody else.
"""

from __future__ import annotations

import secrets
import threading
import unicodedata
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from app.identity.folding import fold
from app.identity.writes import BusyError
from app.turns import NotNowError, outside

LEAST: Final = 12  # characters
MOST: Final = 256
AT_ONCE: Final = 2  # hashes of one process
MOST_WAITING: Final = 8  # for those, those at work included
FEWEST_SIGNS: Final = 5  # different ones in a password
# Of the lists of leaked passwords, those that are long enough.
_KNOWN: Final = ("passwordpassword", "password1234", "123456789012", "qwertyuiop123", "iloveyou1234", "administrator")
_WORDS: Final = ("rollcall", "administrator")

_hasher: Final = PasswordHasher()
_few: Final = threading.BoundedSemaphore(AT_ONCE)
_places: Final = threading.BoundedSemaphore(MOST_WAITING)


class WeakPasswordError(ValueError):
    """The password may not be chosen; the message says why, and what to choose instead."""


def hashed(password: str) -> str:
    """What is kept of a password. Hold no database connection.

    Raises:
        BusyError: too many are at it.
    """
    with _at_work():
        return _hasher.hash(_normal(password))


def verify(hash: str | None, password: str) -> bool:
    """Whether it is the password of this hash; None takes as long, and is never right. Hold no database connection.

    Raises:
        BusyError: too many are at it.
    """
    with _at_work():
        try:
            _hasher.verify(hash or _nobodys(), _normal(password[:MOST]))
        except (VerificationError, InvalidHashError):
            return False
    return hash is not None


def is_dated(hash: str) -> bool:
    """Whether it was made with other parameters than today's."""
    return _hasher.check_needs_rehash(hash)


def check(password: str, known: Iterable[str]) -> None:
    """Whether a person may choose it, of whom these texts are known.

    Raises:
        WeakPasswordError: it is too short, too long, or would be among the first that are tried.
    """
    if len(password) < LEAST:
        raise WeakPasswordError(f"Choose at least {LEAST} characters: several words in a row are good.")
    if len(password) > MOST:
        raise WeakPasswordError(f"Choose at most {MOST} characters.")
    plain = fold(password)
    if len(set(plain)) < FEWEST_SIGNS or plain in _KNOWN:
        raise WeakPasswordError("That is among the first that somebody would try. Choose several words in a row.")
    parts = [fold(text) for text in known] + list(_WORDS)
    rest = plain
    for part in sorted((part for part in parts if len(part) > 2), key=len, reverse=True):
        rest = rest.replace(part, "")
    if len(rest) < LEAST // 2:
        raise WeakPasswordError("That is little more than your name, address or organisation. Choose other words.")


@contextmanager
def _at_work() -> Iterator[None]:
    if not _places.acquire(blocking=False):
        raise BusyError("too many are signing in")
    try:
        with outside("argon2"), _few:
            yield
    except NotNowError as error:
        raise BusyError("signing in takes too long at present") from error
    finally:
        _places.release()


def _normal(password: str) -> str:
    """The same text, however a keyboard writes it (SP 800-63B §5.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


@cache
def _nobodys() -> str:
    return _hasher.hash(secrets.token_urlsafe(32))
