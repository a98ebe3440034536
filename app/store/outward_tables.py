"""The tables of what goes out: who hears SCIM events, requests whose answer is one, the keys that sign.

signing_keys        receivers ── position ──▶ audit (its numbers) ◀── completion ── async_requests
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB

from app.store.tables import NOW, Id, Time, metadata

# Of the whole installation: it has one issuer, and whoever verifies looks at one address.
signing_keys = sa.Table(
    "signing_keys",
    metadata,
    sa.Column("kid", sa.Text, primary_key=True),
    sa.Column("public", JSONB, nullable=False),
    sa.Column("private", BYTEA, nullable=False),  # sealed by the vault
    sa.Column("signs_from", Time, nullable=False),
    sa.Column("retires_at", Time),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
)

# Who hears SCIM events (RFC 9967). Each has its own position in the tenant's audit numbers.
receivers = sa.Table(
    "receivers",
    metadata,
    sa.Column("tenant_id", Id, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id),  # null: all sources of the tenant
    sa.Column("url", sa.Text, nullable=False),
    sa.Column("audience", sa.Text, nullable=False),
    sa.Column("events", ARRAY(sa.Text), nullable=False),
    sa.Column("external_id", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("token", BYTEA),  # what is sent in Authorization, sealed by the vault
    sa.Column("position", sa.BigInteger, nullable=False),
    sa.Column("failures", sa.Integer, nullable=False, server_default="0"),
    sa.Column("failure", sa.Text),
    sa.Column("next_at", Time),
    sa.Column("delivered_at", Time),
    sa.Column("worker", sa.Text),
    sa.Column("claimed_at", Time),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
)

# SCIM requests that are carried out later. The id is the transaction; its order is that of acceptance.
async_requests = sa.Table(
    "async_requests",
    metadata,
    sa.Column("tenant_id", Id, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),  # null: Bulk
    sa.Column("resource_id", sa.Text),
    sa.Column("body", JSONB),
    sa.Column("conditions", JSONB, nullable=False),
    # The tenant's next audit number when it was first taken up: what it has done already stands from there on.
    sa.Column("began", sa.BigInteger),
    sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
    sa.Column("next_at", Time),
    sa.Column("worker", sa.Text),
    sa.Column("claimed_at", Time),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
)
