"""A key for each tenant's SCIM cursors.

Revision 0002. The default is evaluated for each row that is there: no two tenants share a key.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import BYTEA

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    random = sa.text("uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid())")
    op.add_column("tenants", sa.Column("cursor_key", BYTEA, nullable=False, server_default=random))
