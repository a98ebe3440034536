"""Whose signed assertions an OAuth client may show instead of a secret, and which of them were shown."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import BYTEA

from app.store.columns import NOW, Id, Time, metadata, tenant

federations = sa.Table(
    "federations",
    metadata,
    tenant(),
    sa.Column("client_id", Id, primary_key=True),
    sa.Column("issuer", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("jwks_url", sa.Text),
    sa.Column("jwks", sa.Text),  # pasted: public keys
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Index("uq_federations_client", "client_id", unique=True),  # who calls is asked before the tenant is known
)

used_assertions = sa.Table(
    "used_assertions",
    metadata,
    tenant(),
    sa.Column("client_id", Id, primary_key=True),
    sa.Column("jti_hash", BYTEA, primary_key=True),  # sha256
    sa.Column("until", Time, nullable=False),
    sa.Index("ix_used_assertions_until", "tenant_id", "until"),
)
