"""The tables of the OpenID provider towards the LMS.

    clients ─▶ authorizations (one sign-in of one person at one client) ─▶ codes, tokens
                     └── session_id ─▶ sessions        (app/store/sign_in_tables)

A token is good while it, its authorization and its session are, and its account is active: one statement asks all.
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from app.store.columns import NOW, Id, Time, json, metadata, people, tenant

# Relying parties: LMSs that people sign in to. Their secrets are credentials of the kind client_secret that name them;
# a public client has none.
clients = sa.Table(
    "clients",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("redirect_uris", ARRAY(sa.Text), nullable=False),
    sa.Column("post_logout_redirect_uris", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    json("settings"),  # of `sso.relying_parties.RelyingParty`
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("removed_at", Time),
    sa.Column("told_until", Time),  # of which ended sessions it was told, where it wants to hear of them
    sa.Index("uq_clients_id", "id", unique=True),  # a request names its client before the tenant is known
)

authorizations = sa.Table(
    "authorizations",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("client_id", Id, nullable=False),
    sa.Column("session_id", Id, nullable=False),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("offline", sa.Boolean, nullable=False, server_default=sa.false()),  # outlives the session's end of time
    sa.Column("nonce", sa.Text),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("revoked_at", Time),
    sa.Index("ix_authorizations_session", "tenant_id", "session_id"),
)

# A used code stays until it expires: a second use revokes what the first one gave.
codes = sa.Table(
    "codes",
    metadata,
    people(),
    sa.Column("hash", BYTEA, primary_key=True),
    sa.Column("authorization_id", Id, nullable=False),
    sa.Column("client_id", Id, nullable=False),
    sa.Column("redirect_uri", sa.Text, nullable=False),
    sa.Column("challenge", sa.Text, nullable=False),  # PKCE, S256
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("used_at", Time),
    sa.Index("ix_codes_expires", "tenant_id", "expires_at"),
)

tokens = sa.Table(
    "tokens",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("hash", BYTEA, nullable=False),  # sha256 of the whole text
    sa.Column("kind", sa.Text, nullable=False),  # access, refresh
    sa.Column("authorization_id", Id, nullable=False),
    sa.Column("scopes", ARRAY(sa.Text), nullable=False),
    sa.Column("issued_at", Time, nullable=False),
    sa.Column("expires_at", Time, nullable=False),
    sa.Column("used_at", Time),  # of a refresh token: when it was exchanged
    sa.Column("revoked_at", Time),
    sa.Index("uq_tokens_hash", "hash", unique=True),  # who shows it is asked before the tenant is known
    sa.Index("ix_tokens_authorization", "tenant_id", "authorization_id"),
    sa.Index("ix_tokens_expires", "tenant_id", "expires_at"),
)

# A client that is to be told that a session ended (OpenID Connect Back-Channel Logout).
logouts = sa.Table(
    "logouts",
    metadata,
    people(),
    sa.Column("session_id", Id, primary_key=True),
    sa.Column("client_id", Id, primary_key=True),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("next_at", Time, nullable=False),
    sa.Column("tries", sa.SmallInteger, nullable=False, server_default="0"),
    sa.Column("failure", sa.Text),
    sa.Column("done_at", Time),
    sa.Index("ix_logouts_next", "tenant_id", "next_at", postgresql_where=sa.text("done_at IS NULL")),
    sa.Index("ix_logouts_done", "tenant_id", "done_at", postgresql_where=sa.text("done_at IS NOT NULL")),
)
