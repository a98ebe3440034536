"""The certificate that a provider's metadata is signed with, and the requests of one browser.

Revision 0010.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("metadata_certificate", sa.Text()))
    op.create_index("ix_pending_logins_browser", "pending_logins", ["tenant_id", "connection_id", "browser"])


def downgrade() -> None:
    op.drop_index("ix_pending_logins_browser", "pending_logins")
    op.drop_column("connections", "metadata_certificate")
