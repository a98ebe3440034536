"""A person who is signed in, and a client, straight in the tables: for tests of what comes after signing in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.adapters.relying_parties import relying_party, settings_of
from app.store import clients, sessions
from app.store import tables as t
from app.store.engine import reading, writing
from app.store.sessions import NewSession
from sso.relying_parties import RelyingParty

CALLBACK = "https://lms.example.com/callback"
AFTER_LOGOUT = "https://lms.example.com/bye"


@dataclass(frozen=True)
class SignedIn:
    """A session with its cookie's value."""

    tenant_id: str
    account_id: str
    session_id: str
    secret: str
    record_id: str


def sign_in(engine: sa.Engine, tenant_id: str, account_id: str | None = None, **session: Any) -> SignedIn:
    """A new person (or one that is there) with a session."""
    account_id = account_id or add_account(engine, tenant_id)
    record_id = str(uuid4())
    said: dict[str, Any] = {
        "connection_id": str(uuid4()),
        "record_id": record_id,
        "subject": "ada@idp",
        "at_provider": {"subject": "ada@idp"},
        "authenticated_at": datetime.now(UTC),
        "context": "urn:mfa",
        "methods": ("pwd", "otp"),
    }
    with writing(engine) as conn:
        begun = sessions.begin(conn, NewSession(tenant_id=tenant_id, account_id=account_id, **{**said, **session}))
    return SignedIn(tenant_id, account_id, begun.id, begun.secret, record_id)


def add_account(engine: sa.Engine, tenant_id: str, **columns: Any) -> str:
    """An active account as the write door would have made it."""
    now = datetime.now(UTC)
    known: dict[str, Any] = {
        "id": str(uuid4()),
        "status": "active",
        "affiliation": "employee",
        "roles": ["instructor"],
        "version": 1,
        "revision": 1,
        "created_at": now,
        "updated_at": now,
        "attributes": {
            "userName": "ada",
            "givenName": "Ada",
            "familyName": "Lovelace",
            "displayName": "Ada Lovelace",
            "emails.work": "Ada@Example.com",
            "locale": "en-GB",
        },
    }
    row = {**known, **columns}
    with writing(engine) as conn:
        conn.execute(sa.insert(t.accounts).values(tenant_id=tenant_id, **row))
    return str(row["id"])


def add_client(engine: sa.Engine, tenant_id: str, **said: Any) -> tuple[RelyingParty, str]:
    """A relying party and its secret ("" where it has none)."""
    known: dict[str, Any] = {"redirect_uris": (CALLBACK,), "post_logout_redirect_uris": (AFTER_LOGOUT,)}
    wanted = RelyingParty("", tenant_id, "lms", **{**known, **said})
    with writing(engine) as conn:
        id = clients.create(
            conn,
            tenant_id,
            "lms",
            redirect_uris=wanted.redirect_uris,
            post_logout_redirect_uris=wanted.post_logout_redirect_uris,
            settings=settings_of(wanted),
        )
        secret = ""
        if wanted.auth_method != "none":
            secret = clients.add_secret(conn, tenant_id, id, overlap=None, expires_at=None).secret
    with reading(engine) as conn:
        row = clients.find(conn, id)
    assert row is not None
    return relying_party(row), secret
