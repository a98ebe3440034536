"""The sign-in log: each attempt with its trace, under a short code that a person can read out.

The trace names checks, what was expected and what was found. It is for the tenant's administrator, and goes after
`sign_in.log_days`.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa
import uuid_utils

from app.store.driver import Statement
from app.store.engine import dumps

Outcome = Literal["accepted", "refused", "tested"]

LETTERS: Final = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"  # none that is read for another
CODE_LENGTH: Final = 6
_TRIES: Final = 5
_LONGEST_AGENT: Final = 300


@dataclass(frozen=True, slots=True)
class Attempt:
    """One attempt. `reason` is a code of `sso.refusals`; each of `steps` a check: name, outcome, detail."""

    tenant_id: str
    outcome: Outcome
    connection_id: str | None = None
    reason: str | None = None
    account_id: str | None = None
    session_id: str | None = None
    steps: Sequence[Mapping[str, Any]] = field(default=(), repr=False)
    agent: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Listed:
    """An attempt as it was written. `connection` is None when it was removed, or none was found."""

    code: str
    at: datetime
    outcome: str
    reason: str | None
    connection: str | None
    account_id: str | None
    session_id: str | None
    steps: Sequence[Mapping[str, Any]] = field(repr=False)
    agent: str
    address: str


def write(conn: sa.Connection, attempt: Attempt) -> str:
    """Write an attempt; returns its code, like ``K7F-2MQ``."""
    values = {
        "tenant": attempt.tenant_id,
        "id": str(uuid_utils.uuid7()),
        "connection": attempt.connection_id,
        "outcome": attempt.outcome,
        "reason": attempt.reason,
        "account": attempt.account_id,
        "session": attempt.session_id,
        "steps": dumps(list(attempt.steps)),
        "agent": attempt.agent[:_LONGEST_AGENT],
        "address": attempt.address,
    }
    for _ in range(_TRIES):
        code = new_code()
        if _WRITE.row(conn, values | {"code": code}) is not None:
            return code
    raise RuntimeError("no code is free: the sign-in log holds too many attempts")


def new_code() -> str:
    """Six of 31 letters, 887 million codes: a tenant's log does not run into itself."""
    text = "".join(secrets.choice(LETTERS) for _ in range(CODE_LENGTH))
    return f"{text[:3]}-{text[3:]}"


def find(conn: sa.Connection, tenant_id: str, code: str) -> Listed | None:
    """The attempt of that code, in whatever case, with or without its hyphen."""
    letters = code.strip().upper().replace("-", "").replace(" ", "")
    row = _FIND.row(conn, {"tenant": tenant_id, "code": f"{letters[:3]}-{letters[3:]}"})
    return None if row is None else Listed(**row._asdict())


def listing(
    conn: sa.Connection, tenant_id: str, *, account_id: str | None = None, limit: int = 50, refused: bool = False
) -> list[Listed]:
    """The newest attempts first: of one account, or of the tenant; `refused` leaves out what went well."""
    statement = _OF_TENANT if account_id is None else _OF_ACCOUNT
    values = {"tenant": tenant_id, "account": account_id, "limit": limit, "refused": refused}
    return [Listed(**row._asdict()) for row in statement.rows(conn, values)]


_COLUMNS: Final = """
    SELECT s.code, s.at, s.outcome, s.reason, c.name AS connection, s.account_id, s.session_id, s.steps, s.agent,
        s.address
    FROM sign_ins s LEFT JOIN connections c ON c.tenant_id = s.tenant_id AND c.id = s.connection_id
    WHERE s.tenant_id = CAST(%(tenant)s AS uuid)
"""
_NEWEST: Final = """
    AND (s.outcome = 'refused' OR NOT CAST(%(refused)s AS boolean)) ORDER BY s.at DESC, s.id DESC
    LIMIT CAST(%(limit)s AS int)
"""
_FIND: Final = Statement(f"{_COLUMNS} AND s.code = CAST(%(code)s AS text)")
_OF_TENANT: Final = Statement(f"{_COLUMNS} {_NEWEST}")
_OF_ACCOUNT: Final = Statement(f"{_COLUMNS} AND s.account_id = CAST(%(account)s AS uuid) {_NEWEST}")
_WRITE: Final = Statement("""
    INSERT INTO sign_ins (tenant_id, id, code, connection_id, outcome, reason, account_id, session_id, steps, agent,
        address)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(id)s AS uuid), CAST(%(code)s AS text), CAST(%(connection)s AS uuid),
        CAST(%(outcome)s AS text), CAST(%(reason)s AS text), CAST(%(account)s AS uuid), CAST(%(session)s AS uuid),
        CAST(%(steps)s AS jsonb), CAST(%(agent)s AS text), CAST(%(address)s AS text))
    ON CONFLICT DO NOTHING RETURNING 1
""")
