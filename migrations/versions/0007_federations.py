"""Clients that show signed assertions.

Revision 0007.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA, TIMESTAMP, UUID

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.create_table(
        "federations",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("issuer", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("audience", sa.Text(), nullable=False),
        sa.Column("jwks_url", sa.Text()),
        sa.Column("jwks", sa.Text()),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_federations_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", name="pk_federations"),
    )
    op.create_index("uq_federations_client", "federations", ["client_id"], unique=True)
    op.create_table(
        "used_assertions",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("jti_hash", BYTEA(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_used_assertions_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "client_id", "jti_hash", name="pk_used_assertions"),
    )
    op.create_index("ix_used_assertions_until", "used_assertions", ["tenant_id", "until"])
