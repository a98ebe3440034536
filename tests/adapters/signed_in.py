"""A person who signed in at a client, row by row, and what of it can be taken away."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from app.store import credentials, provider_tables, sign_in_tables, tables
from app.store.credentials import digest
from app.store.engine import writing

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class SignedIn:
    """Everything by its id. `token`, `refresh` and `cookie` are the texts that are shown."""

    engine: sa.Engine
    tenant_id: str
    client_id: str
    secret: str
    account_id: str
    session_id: str
    authorization_id: str
    token: str
    refresh: str
    cookie: str

    def change(self, table: str, **values: Any) -> None:
        """Set columns of the row of that table that this person's token hangs on."""
        by = {
            "tokens": f"hash = '\\x{digest(self.token).hex()}'",
            "authorizations": f"id = '{self.authorization_id}'",
            "clients": f"id = '{self.client_id}'",
            "sessions": f"id = '{self.session_id}'",
            "accounts": f"id = '{self.account_id}'",
        }[table]
        assignments = ", ".join(f"{name} = :{name}" for name in values)
        with writing(self.engine) as conn:
            done = conn.execute(sa.text(f"UPDATE {table} SET {assignments} WHERE {by}"), values)
            assert done.rowcount == 1

    def client(self, **settings: Any) -> tuple[str, str]:
        """A further client of the tenant: its id and its secret."""
        return make_client(self.engine, self.tenant_id, **settings)


def make_client(engine: sa.Engine, tenant_id: str, scopes: tuple[str, ...] = (), **settings: Any) -> tuple[str, str]:
    """A relying party; its id and its secret."""
    with writing(engine) as conn:
        issued = credentials.issue(conn, tenant_id, "client", "lms", scopes=scopes)
        row = {"tenant_id": tenant_id, "id": issued.id, "name": "lms", "redirect_uris": [], "settings": settings}
        conn.execute(sa.insert(provider_tables.clients).values(row))
    return issued.id, issued.secret


def sign_in(
    engine: sa.Engine,
    tenant_id: str,
    *,
    scopes: tuple[str, ...] = ("openid", "profile", "email", "roles"),
    offline: bool = False,
    roles: tuple[str, ...] = ("learner", "trainer"),
    settings: dict[str, Any] | None = None,
) -> SignedIn:
    """A new person, session, authorization and pair of tokens at a new client."""
    now = datetime.now(UTC) - timedelta(seconds=5)
    client_id, secret = make_client(engine, tenant_id, **(settings or {}))
    account, session, authorization = (str(uuid4()) for _ in range(3))
    token, refresh, cookie = ("rc_pt_" + secrets.token_urlsafe(32) for _ in range(3))
    cookie = cookie[6:]
    at = {"tenant_id": tenant_id}
    with writing(engine) as conn:
        conn.execute(
            sa.insert(tables.accounts).values(
                **at,
                id=account,
                status="active",
                affiliation="employee",
                attributes={"userName": "ada@example.com", "emails.work": "ada@example.com"},
                roles=list(roles),
                version=1,
                revision=1,
                created_at=now,
                updated_at=now,
            )
        )
        conn.execute(
            sa.insert(sign_in_tables.sessions).values(
                **at,
                id=session,
                hash=digest(cookie),
                account_id=account,
                connection_id=str(uuid4()),
                record_id=str(uuid4()),
                subject=b"subject",
                context="urn:mfa",
                methods=["pwd", "otp"],
                authenticated_at=now,
                created_at=now,
                seen_at=now,
                expires_at=now + 2 * HOUR,
            )
        )
        conn.execute(
            sa.insert(provider_tables.authorizations).values(
                **at,
                id=authorization,
                client_id=client_id,
                session_id=session,
                account_id=account,
                scopes=list(scopes),
                offline=offline,
                created_at=now,
            )
        )
        for kind, text in (("access", token), ("refresh", refresh)):
            conn.execute(
                sa.insert(provider_tables.tokens).values(
                    **at,
                    id=str(uuid4()),
                    hash=digest(text),
                    kind=kind,
                    authorization_id=authorization,
                    scopes=list(scopes),
                    issued_at=now,
                    expires_at=now + HOUR,
                )
            )
    return SignedIn(engine, tenant_id, client_id, secret, account, session, authorization, token, refresh, cookie)
