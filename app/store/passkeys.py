"""Passkeys of administrators, and what they are asked to sign (WebAuthn level 3).

    ask ─▶ a challenge that waits for one browser ─▶ answered, once ─▶ add, or used

A challenge is found by the digest of that browser's cookie: an answer that comes from another finds nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

import sqlalchemy as sa
import uuid_utils

from app.store.driver import Statement

Purpose = Literal["register", "sign in", "prove"]
CHALLENGE_TIME: Final = timedelta(minutes=5)
MOST_OF_ONE: Final = 20  # passkeys that an administrator may have


class KnownPasskeyError(ValueError):
    """The passkey is registered already."""


class TooManyPasskeysError(ValueError):
    """The administrator has as many as may be."""


@dataclass(frozen=True, slots=True)
class Passkey:
    """A passkey and whose it is; `role` and `name` are the administrator's, `label` its own name."""

    id: str
    tenant_id: str
    administrator_id: str
    credential_id: bytes
    public_key: bytes = field(repr=False)
    sign_count: int
    transports: tuple[str, ...]
    label: str
    created_at: datetime
    used_at: datetime | None


def ask(conn: sa.Connection, browser: str, purpose: Purpose, challenge: bytes, administrator_id: str | None) -> None:
    """The browser is to have this signed within five minutes; what it was asked before for the same is forgotten."""
    values = {"hash": _hash(browser, purpose), "challenge": challenge, "purpose": purpose}
    _ASK.rows(conn, {**values, "administrator": administrator_id, "seconds": CHALLENGE_TIME.total_seconds()})


def answered(conn: sa.Connection, browser: str, purpose: Purpose, administrator_id: str | None) -> bytes | None:
    """What that browser was to have signed, which is gone then; None: nothing waits for it."""
    values = {"hash": _hash(browser, purpose), "purpose": purpose, "administrator": administrator_id}
    found: bytes | None = _ANSWERED.value(conn, values)
    return found


def add(
    conn: sa.Connection,
    tenant_id: str,
    administrator_id: str,
    credential_id: bytes,
    public_key: bytes,
    sign_count: int,
    transports: Sequence[str],
    label: str,
) -> str:
    """A passkey of the administrator, whose row is locked; returns its id.

    Raises:
        KnownPasskeyError: somebody has it already.
        TooManyPasskeysError: the administrator has twenty.
    """
    if len(of(conn, tenant_id, administrator_id)) >= MOST_OF_ONE:
        raise TooManyPasskeysError(f"one administrator has at most {MOST_OF_ONE} passkeys")
    id = str(uuid_utils.uuid7())
    values = {
        "tenant": tenant_id,
        "id": id,
        "administrator": administrator_id,
        "credential": credential_id,
        "key": public_key,
        "count": sign_count,
        "transports": list(transports),
        "label": label,
    }
    if _ADD.value(conn, values) is None:
        raise KnownPasskeyError("this passkey is registered already")
    return id


def of(conn: sa.Connection, tenant_id: str, administrator_id: str) -> list[Passkey]:
    """The administrator's passkeys, oldest first."""
    rows = _OF.rows(conn, {"tenant": tenant_id, "administrator": administrator_id})
    return [_passkey(row) for row in rows]


def by_credential(conn: sa.Connection, credential_id: bytes) -> Passkey | None:
    """The passkey of that credential, whosever it is: the browser says which before it says for whom."""
    row = _BY_CREDENTIAL.row(conn, {"credential": credential_id})
    return None if row is None else _passkey(row)


def used(conn: sa.Connection, passkey: Passkey, sign_count: int) -> bool:
    """Note that it signed; False when its counter does not grow (it was copied), or it is gone.

    Passkeys that are kept in several devices do not count: theirs is always 0.
    """
    return _USED.value(conn, {"tenant": passkey.tenant_id, "id": passkey.id, "count": sign_count}) is not None


def remove(conn: sa.Connection, tenant_id: str, administrator_id: str, id: str) -> str | None:
    """Its name; None when the administrator has none of that id."""
    gone: str | None = _REMOVE.value(conn, {"tenant": tenant_id, "administrator": administrator_id, "id": id})
    return gone


def remove_all(conn: sa.Connection, tenant_id: str, administrator_id: str) -> int:
    """Of a removed administrator; how many."""
    return len(_REMOVE_ALL.rows(conn, {"tenant": tenant_id, "administrator": administrator_id}))


def _hash(browser: str, purpose: Purpose) -> bytes:
    return hashlib.sha256(f"{purpose}\n{browser}".encode()).digest()


def _passkey(row: object) -> Passkey:
    said = row._asdict()  # type: ignore[attr-defined]
    return Passkey(**{**said, "transports": tuple(said["transports"])})


_COLUMNS: Final = """
    id, tenant_id, administrator_id, credential_id, public_key, sign_count, transports, name AS label, created_at,
    used_at
"""
_HERS: Final = "tenant_id = CAST(%(tenant)s AS uuid) AND administrator_id = CAST(%(administrator)s AS uuid)"
_ASK: Final = Statement("""
    INSERT INTO console_challenges (hash, challenge, purpose, administrator_id, expires_at)
    VALUES (CAST(%(hash)s AS bytea), CAST(%(challenge)s AS bytea), CAST(%(purpose)s AS text),
        CAST(%(administrator)s AS uuid), now() + make_interval(secs => CAST(%(seconds)s AS float)))
    ON CONFLICT (hash) DO UPDATE SET challenge = excluded.challenge, administrator_id = excluded.administrator_id,
        expires_at = excluded.expires_at
""")
_ANSWERED: Final = Statement("""
    WITH taken AS (DELETE FROM console_challenges
        WHERE hash = CAST(%(hash)s AS bytea) AND purpose = CAST(%(purpose)s AS text) RETURNING *)
    SELECT challenge FROM taken
    WHERE expires_at > now() AND administrator_id IS NOT DISTINCT FROM CAST(%(administrator)s AS uuid)
""")
_ADD: Final = Statement("""
    INSERT INTO passkeys (tenant_id, id, administrator_id, credential_id, public_key, sign_count, transports, name)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(administrator)s AS uuid),
        CAST(%(credential)s AS bytea), CAST(%(key)s AS bytea), CAST(%(count)s AS bigint),
        CAST(%(transports)s AS text[]), CAST(%(label)s AS text))
    ON CONFLICT (credential_id) DO NOTHING RETURNING 1
""")
_OF: Final = Statement(f"SELECT {_COLUMNS} FROM passkeys WHERE {_HERS} ORDER BY id LIMIT {MOST_OF_ONE}")
_BY_CREDENTIAL: Final = Statement(
    f"SELECT {_COLUMNS} FROM passkeys WHERE credential_id = CAST(%(credential)s AS bytea)"
)
_USED: Final = Statement("""
    UPDATE passkeys SET sign_count = CAST(%(count)s AS bigint), used_at = now()
    WHERE tenant_id = CAST(%(tenant)s AS uuid) AND id = CAST(%(id)s AS uuid)
        AND (sign_count < CAST(%(count)s AS bigint) OR (sign_count = 0 AND CAST(%(count)s AS bigint) = 0))
    RETURNING 1
""")
_REMOVE: Final = Statement(f"DELETE FROM passkeys WHERE {_HERS} AND id = CAST(%(id)s AS uuid) RETURNING name")
_REMOVE_ALL: Final = Statement(f"DELETE FROM passkeys WHERE {_HERS} RETURNING 1")
