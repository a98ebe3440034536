"""The table of the provisioning log: written in batches behind the requests, by `adapters.scim_log` alone."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSON

from app.store.columns import Folded, Id, Time, metadata, people

scim_requests = sa.Table(
    "scim_requests",
    metadata,
    people(),
    sa.Column("id", Id, primary_key=True),  # the request's own: its X-Request-Id
    sa.Column("at", Time, nullable=False),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("credential", sa.Text, nullable=False),
    sa.Column("method", sa.Text, nullable=False),
    sa.Column("path", sa.Text, nullable=False),
    sa.Column("kind", sa.Text),  # User or Group
    sa.Column("resource_id", Folded),  # as the client named it
    sa.Column("resource_name", Folded),  # the folded userName that a POST brought
    sa.Column("status", sa.SmallInteger, nullable=False),
    sa.Column("scim_type", sa.Text),
    sa.Column("detail", sa.Text),
    sa.Column("milliseconds", sa.Float, nullable=False),
    sa.Column("user_agent", sa.Text),
    # Masked before they come here. JSON as it was written: nothing searches in it.
    sa.Column("payload", JSON),
    sa.Column("effect", JSON, nullable=False),
    sa.Index("ix_scim_requests_source", "tenant_id", "source_id", "id"),
    sa.Index(
        "ix_scim_requests_resource",
        "tenant_id",
        "resource_id",
        "id",
        postgresql_where=sa.text("resource_id IS NOT NULL"),
    ),
    sa.Index(
        "ix_scim_requests_name",
        "tenant_id",
        "resource_name",
        "id",
        postgresql_where=sa.text("resource_name IS NOT NULL"),
    ),
    sa.Index("ix_scim_requests_failed", "tenant_id", "id", postgresql_where=sa.text("status >= 400")),
    sa.Index("ix_scim_requests_written", "tenant_id", "method", "id", postgresql_where=sa.text("method <> 'GET'")),
)
