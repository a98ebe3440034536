"""The table of secrets that callers show: `app.store.credentials` issues and finds them."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA

from app.store.columns import NOW, Id, Time, metadata, tenant

credentials = sa.Table(
    "credentials",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # scim_token, api_key, client, client_secret, access_token
    sa.Column("name", sa.Text, nullable=False),
    sa.Column("source_id", Id),
    sa.Column("client_id", Id),  # of an access token or a further secret: the client
    sa.Column("hash", BYTEA, nullable=False),  # sha256 of a 256-bit random secret
    sa.Column("hint", sa.Text, nullable=False),  # its first characters, to recognise it by
    sa.Column("scopes", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("expires_at", Time),
    sa.Column("last_used_at", Time),
    sa.Column("revoked_at", Time),
    sa.Index(
        "ix_credentials_expires",
        "tenant_id",
        "expires_at",
        postgresql_where=sa.text("expires_at IS NOT NULL AND kind <> 'access_token'"),
    ),
    # What people see listed; access tokens come and go by the thousand.
    sa.Index("ix_credentials_kept", "tenant_id", "kind", "id", postgresql_where=sa.text("kind <> 'access_token'")),
    sa.Index("uq_credentials_hash", "hash", unique=True),  # who calls is asked before the tenant is known
)
