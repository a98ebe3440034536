"""The provisioning log.

Revision 0003.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSON, TIMESTAMP, UUID

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)
FOLDED = sa.Text(collation="C")


def upgrade() -> None:
    op.create_table(
        "scim_requests",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("credential", sa.Text(), nullable=False),
        sa.Column("method", sa.Text(), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text()),
        sa.Column("resource_id", FOLDED),
        sa.Column("resource_name", FOLDED),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.Column("scim_type", sa.Text()),
        sa.Column("detail", sa.Text()),
        sa.Column("milliseconds", sa.Float(), nullable=False),
        sa.Column("user_agent", sa.Text()),
        sa.Column("payload", JSON()),
        sa.Column("effect", JSON(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_scim_requests"),
    )
    _index("source", "tenant_id source_id id")
    _index("resource", "tenant_id resource_id id", "resource_id IS NOT NULL")
    _index("name", "tenant_id resource_name id", "resource_name IS NOT NULL")
    _index("failed", "tenant_id id", "status >= 400")
    _index("written", "tenant_id method id", "method <> 'GET'")


def downgrade() -> None:
    op.drop_table("scim_requests")


def _index(name: str, columns: str, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(f"ix_scim_requests_{name}", "scim_requests", columns.split(), postgresql_where=condition)
