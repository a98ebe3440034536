"""Documents as JSON text, and the rules' lock and revision in one call.

Revision 0006. Documents are only ever written out: as JSONB each one was taken apart and put together again.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for table in ("records", "groups"):
        _documents(table, "json")
    # A statement sees what was committed before it began, and so must not read what it only then gets to lock; each
    # statement in a volatile function looks anew.
    op.execute("""
        CREATE FUNCTION hold_rules(tenant uuid) RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
        BEGIN
            PERFORM pg_advisory_xact_lock_shared(hashtextextended('rules:' || tenant::text, 0));
            RETURN (SELECT revision FROM tenants WHERE id = tenant);
        END $$
    """)


def downgrade() -> None:
    op.execute("DROP FUNCTION hold_rules(uuid)")
    for table in ("records", "groups"):
        _documents(table, "jsonb")


def _documents(table: str, type: str) -> None:
    op.execute(f"ALTER TABLE {table} ALTER document DROP DEFAULT, ALTER document TYPE {type} USING document::{type}")
    op.execute(f"ALTER TABLE {table} ALTER document SET DEFAULT '{{}}'")
