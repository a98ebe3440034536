"""Which clients are still to be told that a session ended, and what finds those sessions.

Revision 0011.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import TIMESTAMP, UUID

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)


def upgrade() -> None:
    op.add_column("clients", sa.Column("told_until", TIME))
    op.create_index(
        "ix_sessions_ended", "sessions", ["tenant_id", "ended_at"], postgresql_where=sa.text("ended_at IS NOT NULL")
    )
    op.create_index(
        "ix_accounts_signed_out",
        "accounts",
        ["tenant_id", "signed_out_at"],
        postgresql_where=sa.text("signed_out_at IS NOT NULL"),
    )
    op.create_table(
        "logouts",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("next_at", TIME, nullable=False),
        sa.Column("tries", sa.SmallInteger(), server_default="0", nullable=False),
        sa.Column("failure", sa.Text()),
        sa.Column("done_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "session_id", "client_id", name="pk_logouts"),
    )
    op.create_index("ix_logouts_next", "logouts", ["tenant_id", "next_at"], postgresql_where=sa.text("done_at IS NULL"))
    op.create_index(
        "ix_logouts_done", "logouts", ["tenant_id", "done_at"], postgresql_where=sa.text("done_at IS NOT NULL")
    )


def downgrade() -> None:
    op.drop_table("logouts")
    op.drop_index("ix_accounts_signed_out", "accounts")
    op.drop_index("ix_sessions_ended", "sessions")
    op.drop_column("clients", "told_until")
