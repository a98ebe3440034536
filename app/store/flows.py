"""What waits while somebody signs in, each of it used once: flows, requests to identity providers, spent messages.

    keep ─▶ a key in the address ─▶ peek, take            where somebody was going
    ask  ─▶ an ID in the request ─▶ answer                what this browser asked of a provider
    spend ─▶ True once                                     what a provider sent may not come again

Keys are 256 random bits and kept as digests. `take`, `answer` and `spend` are one statement each: of two processes
that come with the same at the same instant, one has it.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Literal

import sqlalchemy as sa

from app.store.credentials import RANDOM_BYTES, digest
from app.store.driver import Statement
from app.store.engine import dumps

Purpose = Literal["login", "logout", "test"]

FLOW_MINUTES: Final = 60  # somebody looks for their password
PENDING_MINUTES: Final = 10


@dataclass(frozen=True, slots=True)
class Flow:
    """Where somebody was going, as a path of ours, and what the sign-in must fulfil."""

    return_to: str
    demands: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class NewPending:
    """A request to an identity provider. `key` is its ID or state, `browser` the value of the browser's cookie."""

    tenant_id: str
    connection_id: str
    key: str = field(repr=False)
    browser: str = field(repr=False)
    return_to: str
    purpose: Purpose = "login"
    demands: Mapping[str, Any] = field(default_factory=dict)
    nonce: str | None = field(default=None, repr=False)
    verifier: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Pending:
    """A request that is answered now; nobody can answer it again."""

    purpose: Purpose
    return_to: str
    demands: Mapping[str, Any]
    nonce: str | None = field(repr=False)
    verifier: str | None = field(repr=False)
    created_at: datetime


def keep(conn: sa.Connection, tenant_id: str, return_to: str, demands: Mapping[str, Any]) -> str:
    """Keep where somebody was going; returns the key that goes into the address. It lives for an hour."""
    key = secrets.token_urlsafe(RANDOM_BYTES)
    values = {"tenant": tenant_id, "hash": digest(key), "return_to": return_to, "demands": dumps(dict(demands))}
    _KEEP.rows(conn, values)
    return key


def peek(conn: sa.Connection, tenant_id: str, key: str) -> Flow | None:
    """The flow, which stays."""
    return _flow(_PEEK.row(conn, {"tenant": tenant_id, "hash": digest(key)}))


def take(conn: sa.Connection, tenant_id: str, key: str) -> Flow | None:
    """The flow, which is gone then."""
    return _flow(_TAKE.row(conn, {"tenant": tenant_id, "hash": digest(key)}))


def ask(conn: sa.Connection, new: NewPending) -> None:
    """Keep a request for ten minutes. A key that is pending already raises an IntegrityError."""
    _ASK.rows(
        conn,
        {
            "tenant": new.tenant_id,
            "hash": digest(new.key),
            "connection": new.connection_id,
            "purpose": new.purpose,
            "browser": digest(new.browser),
            "nonce": new.nonce,
            "verifier": new.verifier,
            "return_to": new.return_to,
            "demands": dumps(dict(new.demands)),
        },
    )


def answer(conn: sa.Connection, tenant_id: str, connection_id: str, key: str, browser: str) -> Pending | None:
    """The request of this connection and this browser, which is gone then.

    A foreign browser's attempt leaves it: `asked_elsewhere` tells why there was none.
    """
    row = _ANSWER.row(conn, _asked(tenant_id, connection_id, key) | {"browser": digest(browser)})
    return None if row is None else Pending(**row._asdict())


def asked_elsewhere(conn: sa.Connection, tenant_id: str, connection_id: str, key: str) -> bool:
    """Whether the request waits for an answer: then another browser asked, or the cookie did not come back."""
    return _WAITS.row(conn, _asked(tenant_id, connection_id, key)) is not None


def waits(conn: sa.Connection, tenant_id: str, connection_id: str, browser: str) -> bool:
    """Whether this browser waits for an answer that signs somebody in through the connection."""
    values = {"tenant": tenant_id, "connection": connection_id, "browser": digest(browser)}
    return _BROWSER_WAITS.row(conn, values) is not None


def spend(conn: sa.Connection, tenant_id: str, connection_id: str, id: str, until: datetime) -> bool:
    """Note a message of a provider as used, until it could not be accepted anyway. False: it was used before.

    In the transaction of what the message does: of two at once the second waits, and is told the first one's end.
    """
    values = {"tenant": tenant_id, "connection": connection_id, "hash": digest(id), "until": until}
    return _SPEND.row(conn, values) is not None


def _asked(tenant_id: str, connection_id: str, key: str) -> dict[str, Any]:
    return {"tenant": tenant_id, "connection": connection_id, "hash": digest(key)}


def _flow(row: Any) -> Flow | None:
    return None if row is None else Flow(row.return_to, row.demands)


_THIS: Final = "tenant_id = CAST(%(tenant)s AS uuid) AND hash = CAST(%(hash)s AS bytea) AND expires_at > now()"
_PENDING: Final = f"{_THIS} AND connection_id = CAST(%(connection)s AS uuid)"
_KEEP: Final = Statement(f"""
    INSERT INTO flows (tenant_id, hash, return_to, demands, expires_at) VALUES (CAST(%(tenant)s AS uuid),
        CAST(%(hash)s AS bytea), CAST(%(return_to)s AS text), CAST(%(demands)s AS jsonb),
        now() + interval '{FLOW_MINUTES} minutes')
""")
_PEEK: Final = Statement(f"SELECT return_to, demands FROM flows WHERE {_THIS}")
_TAKE: Final = Statement(f"DELETE FROM flows WHERE {_THIS} RETURNING return_to, demands")
_ASK: Final = Statement(f"""
    INSERT INTO pending_logins (tenant_id, hash, connection_id, purpose, browser, nonce, verifier, return_to, demands,
        expires_at)
    VALUES (CAST(%(tenant)s AS uuid), CAST(%(hash)s AS bytea), CAST(%(connection)s AS uuid),
        CAST(%(purpose)s AS text), CAST(%(browser)s AS bytea), CAST(%(nonce)s AS text), CAST(%(verifier)s AS text),
        CAST(%(return_to)s AS text), CAST(%(demands)s AS jsonb), now() + interval '{PENDING_MINUTES} minutes')
""")
_ANSWER: Final = Statement(f"""
    DELETE FROM pending_logins WHERE {_PENDING} AND browser = CAST(%(browser)s AS bytea)
    RETURNING purpose, return_to, demands, nonce, verifier, created_at
""")
_WAITS: Final = Statement(f"SELECT 1 FROM pending_logins WHERE {_PENDING}")
_BROWSER_WAITS: Final = Statement("""
    SELECT 1 FROM pending_logins WHERE tenant_id = CAST(%(tenant)s AS uuid)
        AND connection_id = CAST(%(connection)s AS uuid) AND browser = CAST(%(browser)s AS bytea)
        AND purpose = 'login' AND expires_at > now() LIMIT 1
""")
_SPEND: Final = Statement("""
    INSERT INTO used_messages (tenant_id, connection_id, hash, until) VALUES (CAST(%(tenant)s AS uuid),
        CAST(%(connection)s AS uuid), CAST(%(hash)s AS bytea), CAST(%(until)s AS timestamptz))
    ON CONFLICT DO NOTHING RETURNING 1
""")
