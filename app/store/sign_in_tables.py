"""The tables of signing in.

    connection_setups ─▶ connections ─▶ flows, pending_logins ─▶ sign_ins (the log), sign_in_tests
                              │              used_messages
                              └──────▶ sessions ◀── authorizations ◀── codes, tokens      (app/store/provider_tables)

Sessions and tokens are hot and many: they carry no foreign keys.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from app.store.columns import NOW, Folded, Id, Time, json, metadata, people, tenant

# One identity provider's sign-in settings. Its records are those of a source of the kind login.
connections = sa.Table(
    "connections",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Folded, nullable=False),
    sa.Column("title", sa.Text, nullable=False),  # what people read on the button
    sa.Column("kind", sa.Text, nullable=False),  # saml, oidc
    sa.Column("source_id", Id, nullable=False),
    sa.Column("enabled", sa.Boolean, nullable=False, server_default=sa.true()),
    json("settings"),  # of `sso.connections.Saml` or `Oidc`
    json("claims"),  # of `sso.connections.ClaimMap`, where it differs from the default
    sa.Column("secret", BYTEA),  # the OpenID client secret, sealed by the vault
    sa.Column("domains", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),  # who is sent here by e-mail
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    # Where the provider publishes its metadata, and how the last look went.
    sa.Column("metadata_url", sa.Text),
    sa.Column("metadata_certificate", sa.Text),  # it must be signed with this key; null: it need not be signed
    sa.Column("refreshed_at", Time),
    sa.Column("refresh_at", Time),
    sa.Column("refresh_failure", sa.Text),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("updated_at", Time, nullable=False, server_default=NOW),
    sa.UniqueConstraint("tenant_id", "name"),
    sa.Index("uq_connections_id", "id", unique=True),  # an answer's address names it before the tenant is known
)

# What the console's set-up knows of a connection: before it is made, all that was entered; afterwards, by which guide.
connection_setups = sa.Table(
    "connection_setups",
    metadata,
    tenant(),
    sa.Column("connection_id", Id, primary_key=True),  # which it will have
    sa.Column("name", Folded, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),  # saml, oidc
    sa.Column("vendor", sa.Text, nullable=False),  # a file of app/console/vendors
    json("said"),  # of the provider, as far as it was understood
    sa.Column("created_by", sa.Text, nullable=False),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("updated_at", Time, nullable=False, server_default=NOW),
    sa.Column("made_at", Time),  # when the connection was made of it
    sa.Index(
        "uq_connection_setups_name", "tenant_id", "name", unique=True, postgresql_where=sa.text("made_at IS NULL")
    ),
    sa.Index("uq_connection_setups_id", "connection_id", unique=True),  # our metadata's address names it alone
)

# Of the whole installation: what our SAML messages are signed with, and what assertions to us are encrypted to.
saml_keys = sa.Table(
    "saml_keys",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("certificate", sa.Text, nullable=False),  # PEM
    sa.Column("private", BYTEA, nullable=False),  # PEM, sealed by the vault
    sa.Column("signs_from", Time, nullable=False),
    sa.Column("retires_at", Time),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
)

# What somebody was about to do when they were asked to sign in. The key in the address is kept as its digest.
flows = sa.Table(
    "flows",
    metadata,
    tenant(),
    sa.Column("hash", BYTEA, primary_key=True),
    sa.Column("return_to", sa.Text, nullable=False),  # a path of ours, never an address
    json("demands"),  # force, max_age, contexts, login_hint
    sa.Column("expires_at", Time, nullable=False),
    sa.Index("ix_flows_expires", "tenant_id", "expires_at"),
)

# Requests to an identity provider that are not answered yet: each is answered once, by the browser that asked.
pending_logins = sa.Table(
    "pending_logins",
    metadata,
    tenant(),
    sa.Column("hash", BYTEA, primary_key=True),  # of the SAML request's ID, or of OpenID's state
    sa.Column("connection_id", Id, nullable=False),
    sa.Column("purpose", sa.Text, nullable=False),  # login, logout, test
    sa.Column("browser", BYTEA, nullable=False),  # digest of its cookie
    sa.Column("nonce", sa.Text),
    sa.Column("verifier", sa.Text),  # PKCE
    sa.Column("return_to", sa.Text, nullable=False),
    json("demands"),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time, nullable=False),
    sa.Index("ix_pending_logins_expires", "tenant_id", "expires_at"),
    sa.Index("ix_pending_logins_browser", "tenant_id", "connection_id", "browser"),
)

# Assertions, logout messages and logout tokens that were accepted, until they could not be accepted any more.
used_messages = sa.Table(
    "used_messages",
    metadata,
    tenant(),
    sa.Column("connection_id", Id, primary_key=True),
    sa.Column("hash", BYTEA, primary_key=True),
    sa.Column("until", Time, nullable=False),
    sa.Index("ix_used_messages_until", "tenant_id", "until"),
)

# One browser of one person. It lives while it is neither ended nor expired, the account is active, and the account was
# not signed out everywhere since (`accounts.signed_out_at`).
sessions = sa.Table(
    "sessions",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", BYTEA, nullable=False),  # of the cookie's value
    sa.Column("account_id", Id, nullable=False),
    sa.Column("connection_id", Id, nullable=False),
    sa.Column("record_id", Id, nullable=False),
    # By these the identity provider ends it: digests of its name for the person and for its own session.
    sa.Column("subject", BYTEA, nullable=False),
    sa.Column("provider_session", BYTEA),
    json("at_provider"),  # `sso.assertion.ProviderSession`, for signing out there
    sa.Column("context", sa.Text),
    sa.Column("methods", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("authenticated_at", Time, nullable=False),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("seen_at", Time, nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("ended_at", Time),
    sa.Column("ended_by", sa.Text),
    sa.Column("agent", sa.Text, nullable=False, server_default=""),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Index("uq_sessions_hash", "tenant_id", "hash", unique=True),
    sa.Index("ix_sessions_account", "tenant_id", "account_id", "id"),
    sa.Index("ix_sessions_subject", "tenant_id", "connection_id", "subject"),
    sa.Index(
        "ix_sessions_provider",
        "tenant_id",
        "connection_id",
        "provider_session",
        postgresql_where=sa.text("provider_session IS NOT NULL"),
    ),
    sa.Index("ix_sessions_expires", "tenant_id", "expires_at"),
    sa.Index("ix_sessions_ended", "tenant_id", "ended_at", postgresql_where=sa.text("ended_at IS NOT NULL")),
)

# Each attempt to sign in: its trace for the administrator, under a short code that a person can read out.
sign_ins = sa.Table(
    "sign_ins",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("code", Folded, nullable=False),
    sa.Column("at", Time, nullable=False, server_default=NOW),
    sa.Column("connection_id", Id),
    sa.Column("outcome", sa.Text, nullable=False),  # accepted, refused, tested
    sa.Column("reason", sa.Text),  # the refusal's code
    sa.Column("account_id", Id),
    sa.Column("session_id", Id),
    sa.Column("steps", JSONB, nullable=False, server_default=sa.text("'[]'")),
    sa.Column("agent", sa.Text, nullable=False, server_default=""),
    sa.Column("address", sa.Text, nullable=False, server_default=""),
    sa.Index("uq_sign_ins_code", "tenant_id", "code", unique=True),
    sa.Index("ix_sign_ins_at", "tenant_id", "at", "id"),
    sa.Index("ix_sign_ins_refused", "tenant_id", "at", postgresql_where=sa.text("outcome = 'refused'")),
    sa.Index("ix_sign_ins_account", "tenant_id", "account_id", "at"),
    sa.Index("ix_sign_ins_connection", "tenant_id", "connection_id", "outcome", "at", "id"),
    sa.Index("ix_sign_ins_tested", "tenant_id", "at", postgresql_where=sa.text("outcome = 'tested'")),
    sa.Index("ix_sign_ins_reason", "tenant_id", "reason", "at", "id", postgresql_where=sa.text("reason IS NOT NULL")),
)

# What a test of a connection brought, with the values that the log masks: for whoever made it, and for minutes only.
sign_in_tests = sa.Table(
    "sign_in_tests",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("connection_id", Id, nullable=False),
    sa.Column("owner", BYTEA, nullable=False),  # digest of the id of the console session that made it
    sa.Column("report", JSONB, nullable=False),
    sa.Column("at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time, nullable=False),
    sa.Index("ix_sign_in_tests_expires", "tenant_id", "expires_at"),
)
