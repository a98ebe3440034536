"""The tables of the console: who may come in, by what, and who is in.

administrators ─▶ passkeys                          (break-glass: they hang on no identity provider)
      └──▶ console_links (an invitation, a set-up link) ─▶ console_sessions ◀── sessions (a connection's sign-in)
                                                             └── console_challenges (WebAuthn, answered once)
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from app.store.columns import NOW, Folded, Id, Time, metadata, tenant

administrators = sa.Table(
    "administrators",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("email", Folded, nullable=False),  # folded
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("role", sa.Text, nullable=False),  # owner, admin, help_desk, auditor
    sa.Column("password", sa.Text),  # Argon2id
    sa.Column("totp", BYTEA),  # the secret, sealed by the vault
    sa.Column("totp_step", sa.BigInteger),  # the last one used: none is good twice
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("locked_until", Time),
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("signed_in_at", Time),
    sa.Column("removed_at", Time),
    sa.Index(
        "uq_administrators_email", "tenant_id", "email", unique=True, postgresql_where=sa.text("removed_at IS NULL")
    ),
)

passkeys = sa.Table(
    "passkeys",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("administrator_id", Id, nullable=False),
    sa.Column("credential_id", BYTEA, nullable=False),
    sa.Column("public_key", BYTEA, nullable=False),
    sa.Column("sign_count", sa.BigInteger, nullable=False),
    sa.Column("transports", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("used_at", Time),
    sa.Index("uq_passkeys_credential_id", "credential_id", unique=True),  # it is shown before the tenant is known
    sa.Index("ix_passkeys_administrator", "tenant_id", "administrator_id"),
)

# Addresses that let somebody in once: an administrator, or a customer's IT person for one connection or SCIM source.
console_links = sa.Table(
    "console_links",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", BYTEA, nullable=False),  # of the secret in the address
    sa.Column("purpose", sa.Text, nullable=False),  # invitation, connection, scim
    sa.Column("administrator_id", Id),
    sa.Column("connection_id", Id),
    sa.Column("source_id", Id),
    sa.Column("note", sa.Text, nullable=False, server_default=""),  # for whom it is
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("opened_at", Time),
    sa.Column("revoked_at", Time),
    sa.Index("uq_console_links_hash", "hash", unique=True),  # who opens it is asked before the tenant is known
    sa.Index("ix_console_links_created", "tenant_id", "created_at"),
)

# One browser in the console. Exactly one of administrator, account (with its session) and link says who it is.
console_sessions = sa.Table(
    "console_sessions",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", BYTEA, nullable=False),  # of the cookie's value
    sa.Column("administrator_id", Id),
    sa.Column("account_id", Id),
    sa.Column("session_id", Id),  # of the connection's sign-in: when it ends, so does this
    sa.Column("link_id", Id),
    sa.Column("method", sa.Text, nullable=False),  # invitation, password, passkey, connection, set-up link
    sa.Column("proven_at", Time),  # when a credential was last shown: what is grave asks again after a while
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("seen_at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("ended_at", Time),
    sa.Column("ended_by", sa.Text),
    sa.Column("agent", sa.Text, nullable=False, server_default=""),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Index("uq_console_sessions_hash", "hash", unique=True),  # the cookie is shown before the tenant is known
    sa.Index("ix_console_sessions_created", "tenant_id", "created_at"),
    sa.Index("ix_console_sessions_expires", "expires_at"),
)

# What a passkey is to sign. It is answered once, by the browser that asked.
console_challenges = sa.Table(
    "console_challenges",
    metadata,
    sa.Column("hash", BYTEA, primary_key=True),  # of the browser's cookie
    sa.Column("challenge", BYTEA, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),  # register, sign in, prove
    sa.Column("administrator_id", Id),
    sa.Column("expires_at", Time, nullable=False),
    sa.Index("ix_console_challenges_expires", "expires_at"),
)
