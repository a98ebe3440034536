"""Secrets that must be read again (signing keys, receivers' tokens), encrypted where they are kept.

The key comes from ROLLCALL_SECRET_KEY. With the embedded PostgreSQL and no such setting one is made beside its data.
Several keys, separated by commas: the first encrypts, all decrypt, so that a key can be replaced.
"""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet, InvalidToken, MultiFernet

from app.settings import SECRET_KEY_BYTES, read_keys

KEY_FILE: Final = "secret.key"


class VaultError(RuntimeError):
    """A secret cannot be kept or read with the keys that are set."""


class Vault:
    """Seals and opens texts: Fernet (AES-128-CBC, HMAC-SHA256), the first of `keys` seals."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        self._fernet = MultiFernet([Fernet(base64.urlsafe_b64encode(key)) for key in keys])

    def seal(self, text: str) -> bytes:
        """The text, encrypted."""
        return self._fernet.encrypt(text.encode())

    def open(self, sealed: bytes) -> str:
        """The text again.

        Raises:
            VaultError: it was sealed with a key that is not set any more, or was changed.
        """
        try:
            return self._fernet.decrypt(bytes(sealed)).decode()
        except InvalidToken:
            raise VaultError("a stored secret was encrypted with another key than ROLLCALL_SECRET_KEY") from None


def kept_keys(folder: Path) -> tuple[bytes, ...]:
    """The keys of the embedded database, from a file that its owner alone may read; made when it is not there."""
    path = folder / KEY_FILE
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_once(path, base64.urlsafe_b64encode(secrets.token_bytes(SECRET_KEY_BYTES)).decode())
    return read_keys(path.read_text(encoding="ascii"))


def _write_once(path: Path, text: str) -> None:
    """The whole file or none of it; of two processes at once the first wins."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())
    with suppress(FileExistsError):
        os.link(draft, path)
    draft.unlink()
