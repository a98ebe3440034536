"""The roles of the tenant's LMS, and the table that says who gets them."""

from __future__ import annotations

import sqlalchemy as sa

from app.store.columns import NOW, Id, Time, metadata, tenant

roles = sa.Table(
    "roles",
    metadata,
    tenant(),
    sa.Column("name", sa.Text, primary_key=True),
    sa.Column("rank", sa.Integer, nullable=False),
    sa.Column("administrator", sa.Boolean, nullable=False, server_default=sa.false()),
    sa.Column("console", sa.Text),  # what whoever holds it may do in the console: owner, admin, help_desk, auditor
    sa.Column("description", sa.Text, nullable=False, server_default=""),
)

mappings = sa.Table(
    "mappings",
    metadata,
    tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("source_id", Id),
    # A group's id; null while the mapping waits for a group to come (back). Else the folded value that must be met.
    sa.Column("group_id", Id),
    sa.Column("group_name", sa.Text),
    sa.Column("group_external_id", sa.Text),
    sa.Column("attribute", sa.Text),
    sa.Column("value", sa.Text),
    sa.Column("role", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False, server_default="tenant"),
    sa.Column("priority", sa.Integer, nullable=False, server_default="0"),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Index("ix_mappings_group", "tenant_id", "group_id", postgresql_where=sa.text("group_id IS NOT NULL")),
)
