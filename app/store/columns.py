"""What the tables are made of: their metadata, the types of columns, and the columns that many have."""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP, UUID

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
    }
)

Id = UUID(as_uuid=False)
Time = TIMESTAMP(timezone=True)
Folded = sa.Text(collation="C")
NOW = sa.text("now()")
RANDOM_KEY = sa.text("(uuid_send(gen_random_uuid()) || uuid_send(gen_random_uuid()))")


def tenant() -> sa.Column[str]:
    return sa.Column("tenant_id", Id, sa.ForeignKey("tenants.id", ondelete="CASCADE"), primary_key=True)


def people() -> sa.Column[str]:
    """The tenant of a hot row: no foreign key."""
    return sa.Column("tenant_id", Id, primary_key=True)


def json(name: str, default: str = "{}") -> sa.Column[object]:
    return sa.Column(name, JSONB, nullable=False, server_default=sa.text(f"'{default}'"))
