"""The audit chain: each transaction's entries are one link, sha256(hash before || digests of its entries).

An entry's digest covers its personal values only as a salted digest, so that erasing them leaves the chain verifiable.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa

from app.store import tables as t


@dataclass(frozen=True, slots=True)
class Entry:
    """One act. `subject` is an account's, group's or run's id; `personal` holds what may have to be erased."""

    actor: str
    action: str
    subject: str
    facts: Mapping[str, Any]
    personal: Mapping[str, Any] | None = None


def sealed(entry: Entry, at: datetime) -> dict[str, Any]:
    """The entry as a row (hex for bytes), with its digest."""
    salt = secrets.token_bytes(16) if entry.personal else None
    personal_digest = _personal_digest(entry.personal, salt)
    digest = _digest(at, entry.actor, entry.action, entry.subject, entry.facts, personal_digest)
    return {
        "actor": entry.actor,
        "action": entry.action,
        "subject": entry.subject,
        "facts": {**entry.facts, "personalDigest": personal_digest},
        "personal": entry.personal,
        "salt": None if salt is None else salt.hex(),
        "digest": digest.hex(),
    }


def link(rows: list[dict[str, Any]]) -> bytes:
    """What one transaction adds to the chain."""
    return b"".join(bytes.fromhex(row["digest"]) for row in rows)


@dataclass(frozen=True, slots=True)
class Verified:
    """`checked` entries from number `first` on; `broken` is the first thing that does not fit, None if all does."""

    first: int
    checked: int
    broken: str | None = None


def verify(conn: sa.Connection, tenant_id: str) -> tuple[int, str | None]:
    """Walk the whole chain: (entries checked, the first thing that does not fit or None)."""
    found = _walk(conn, tenant_id, 0, b"\x00")
    return found.checked, found.broken


def verify_newest(conn: sa.Connection, tenant_id: str, most: int) -> Verified:
    """Walk the chain's end: at least the newest `most` entries, from the end of the transaction before them on."""
    c = t.audit.c
    known = sa.select(t.ledger.c.next_audit).where(t.ledger.c.tenant_id == tenant_id)
    before = conn.execute(known).scalar_one() - most
    link = sa.select(c.number, c.hash).where(c.tenant_id == tenant_id, c.number < before, c.hash.is_not(None))
    start = conn.execute(link.order_by(c.number.desc()).limit(1)).one_or_none()
    return _walk(conn, tenant_id, start.number, start.hash) if start else _walk(conn, tenant_id, 0, b"\x00")


def _walk(conn: sa.Connection, tenant_id: str, number: int, chain: bytes) -> Verified:
    """From behind entry `number`, whose link of the chain is given, to the end that the ledger knows."""
    first, pending = number + 1, b""
    c = t.audit.c
    rows = conn.execute(sa.select(t.audit).where(c.tenant_id == tenant_id, c.number > number).order_by(c.number))
    for row in rows:
        number += 1
        if row.number != number:
            return Verified(first, number - first + 1, f"entry {number} is missing")
        if wrong := _wrong(row):
            return Verified(first, number - first + 1, wrong)
        pending += row.digest
        if row.hash is not None:
            chain, pending = hashlib.sha256(chain + pending).digest(), b""
            if chain != row.hash:
                return Verified(first, number - first + 1, f"the chain breaks at entry {number}")
    known = conn.execute(sa.select(t.ledger.c.audit_hash).where(t.ledger.c.tenant_id == tenant_id)).scalar_one()
    ends = None if chain == known and not pending else "the chain does not end where the ledger says"
    return Verified(first, number - first + 1, ends)


def _wrong(row: sa.Row[Any]) -> str | None:
    """What of one entry does not fit its digests."""
    facts = dict(row.facts)
    personal_digest = facts.pop("personalDigest", None)
    if row.personal is not None and _personal_digest(row.personal, row.salt) != personal_digest:
        return f"the personal values of entry {row.number} were changed"
    if _digest(row.at, row.actor, row.action, row.subject, facts, personal_digest) != row.digest:
        return f"entry {row.number} was changed"
    return None


def _personal_digest(personal: Mapping[str, Any] | None, salt: bytes | None) -> str | None:
    if not personal or salt is None:
        return None
    return hashlib.sha256(salt + orjson.dumps(personal, option=orjson.OPT_SORT_KEYS)).hexdigest()


def _digest(
    at: datetime, actor: str, action: str, subject: str, facts: Mapping[str, Any], personal_digest: str | None
) -> bytes:
    said = [at.astimezone(UTC).isoformat(), actor, action, subject, facts, personal_digest]
    return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()
