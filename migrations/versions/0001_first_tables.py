"""The first tables.

Revision 0001. The tables of Procrastinate come with its own SQL, kept beside this file as it was in release 3.10.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

PROCRASTINATE = Path(__file__).parents[1] / "sql" / "procrastinate-3.10.sql"
ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)
FOLDED = sa.Text(collation="C")


def upgrade() -> None:
    _create_job_tables()
    _create_tenants_and_sources()
    _create_rules()
    _create_records()
    _create_groups()
    _create_accounts()
    _create_identities()
    _create_history()
    _create_credentials()
    _create_runs()


def _create_job_tables() -> None:
    """Through the driver's own connection: SQLAlchemy would read the percent signs as parameters."""
    driver = op.get_bind().connection.driver_connection
    driver.execute(PROCRASTINATE.read_text(encoding="utf-8"))


def _create_tenants_and_sources() -> None:
    op.create_table(
        "tenants",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", FOLDED, nullable=False),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("revision", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
        sa.UniqueConstraint("name", name="uq_tenants_name"),
    )
    op.create_table(
        "ledger",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("next_event", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("next_audit", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("audit_hash", BYTEA(), server_default=sa.text("'\\x00'"), nullable=False),
        sa.Column("counts", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_ledger_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_ledger"),
    )
    op.create_table(
        "sources",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("name", FOLDED, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("system", sa.Text(), nullable=False),
        sa.Column("affiliation", sa.Text(), server_default="employee", nullable=False),
        sa.Column("employee_namespace", sa.Text()),
        sa.Column("state", sa.Text(), server_default="active", nullable=False),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_sources_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sources"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_sources_tenant_id_name"),
    )
    op.create_table(
        "domains",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("domain", FOLDED, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_domains_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "domain", name="pk_domains"),
    )


def _create_rules() -> None:
    op.create_table(
        "ownership",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("attribute", sa.Text(), nullable=False),
        sa.Column("owners", ARRAY(sa.Text()), nullable=False),
        sa.Column("create_only", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_ownership_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "attribute", name="pk_ownership"),
    )
    op.create_table(
        "roles",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("rank", sa.Integer(), nullable=False),
        sa.Column("administrator", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("description", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_roles_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "name", name="pk_roles"),
    )
    op.create_table(
        "mappings",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", ID),
        sa.Column("group_id", ID),
        sa.Column("group_name", sa.Text()),
        sa.Column("group_external_id", sa.Text()),
        sa.Column("attribute", sa.Text()),
        sa.Column("value", sa.Text()),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), server_default="tenant", nullable=False),
        sa.Column("priority", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_mappings_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_mappings"),
    )


def _create_records() -> None:
    op.create_table(
        "records",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("source_key", FOLDED),
        sa.Column("user_name", FOLDED),
        sa.Column("account_id", ID),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("document", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("voice", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME),
        sa.Column("due_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_records"),
    )
    _index("ix_records_account", "records", "tenant_id account_id")
    _index("ix_records_due", "records", "tenant_id due_at", where="due_at IS NOT NULL")
    _index("ix_records_living", "records", "tenant_id source_id id", where="deleted_at IS NULL")
    _search_index("ix_records_search", "records")
    _index(
        "uq_records_source_key",
        "records",
        "tenant_id source_id source_key",
        unique=True,
        where="source_key IS NOT NULL",
    )
    _index(
        "uq_records_user_name",
        "records",
        "tenant_id source_id user_name",
        unique=True,
        where="deleted_at IS NULL AND user_name IS NOT NULL",
    )


def _create_groups() -> None:
    op.create_table(
        "groups",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("external_id", sa.Text()),
        sa.Column("document", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("search", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("pending_run_id", ID),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.Column("deleted_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_groups"),
    )
    _index("ix_groups_living", "groups", "tenant_id source_id id", where="deleted_at IS NULL")
    _search_index("ix_groups_search", "groups")
    op.create_table(
        "members",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("group_id", ID, nullable=False),
        sa.Column("member_id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("display", sa.Text()),
        sa.PrimaryKeyConstraint("tenant_id", "group_id", "member_id", name="pk_members"),
    )
    _index("ix_members_member", "members", "tenant_id member_id group_id")


def _create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("affiliation", sa.Text(), nullable=False),
        sa.Column("suspended", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.Column("attributes", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("lineage", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("manual", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("grants", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("roles", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("manager_id", ID),
        sa.Column("managers", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("inactive_since", TIME),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("revision", sa.BigInteger(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_accounts"),
    )
    _index("ix_accounts_manager", "accounts", "tenant_id manager_id", where="manager_id IS NOT NULL")
    _index("ix_accounts_revision", "accounts", "tenant_id revision id")
    _index("ix_accounts_status", "accounts", "tenant_id status id")
    _index("ix_accounts_version", "accounts", "tenant_id version")
    op.create_table(
        "grants",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("scope", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("effective", sa.Boolean(), nullable=False),
        sa.Column("since", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "account_id", "role", "scope", "rule", name="pk_grants"),
    )
    _index("ix_grants_role", "grants", "tenant_id role account_id", where="effective")


def _create_identities() -> None:
    op.create_table(
        "identifiers",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("namespace", FOLDED, nullable=False),
        sa.Column("affiliation", sa.Text(), nullable=False),
        sa.Column("value", FOLDED, nullable=False),
        sa.Column("holders", ARRAY(ID), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "namespace", "affiliation", "value", name="pk_identifiers"),
    )
    op.create_table(
        "manager_keys",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("namespace", FOLDED, nullable=False),
        sa.Column("value", FOLDED, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("resolved", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "namespace", "value", "account_id", name="pk_manager_keys"),
    )
    _index("ix_manager_keys_account", "manager_keys", "tenant_id account_id")
    _index("ix_manager_keys_open", "manager_keys", "tenant_id account_id", where="NOT resolved")
    op.create_table(
        "duplicates",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("candidates", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), server_default="open", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_duplicates"),
    )
    _index("ix_duplicates_state", "duplicates", "tenant_id state created_at")


def _create_history() -> None:
    op.create_table(
        "events",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("type", sa.Text(), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("data", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_events"),
    )
    op.create_table(
        "audit",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("facts", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("personal", JSONB()),
        sa.Column("salt", BYTEA()),
        sa.Column("digest", BYTEA(), nullable=False),
        sa.Column("hash", BYTEA()),
        sa.PrimaryKeyConstraint("tenant_id", "number", name="pk_audit"),
    )
    _index("ix_audit_subject", "audit", "tenant_id subject number")
    op.create_table(
        "drift",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.Column("times", sa.BigInteger(), nullable=False),
        sa.Column("first_at", TIME, nullable=False),
        sa.Column("last_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "source_id", "path", name="pk_drift"),
    )


def _create_credentials() -> None:
    op.create_table(
        "credentials",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("source_id", ID),
        sa.Column("client_id", ID),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("hint", sa.Text(), nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("last_used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_credentials_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_credentials"),
    )
    _index("uq_credentials_hash", "credentials", "hash", unique=True)


def _create_runs() -> None:
    op.create_table(
        "runs",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", ID),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("summary", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("position", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIME),
        sa.Column("worker", sa.Text()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_runs_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_runs"),
    )
    _index("ix_runs_state", "runs", "tenant_id state created_at")
    op.create_table(
        "run_changes",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("run_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("payload", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("outcome", sa.Text()),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_run_changes_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "run_id", "number", name="pk_run_changes"),
    )


def _index(name: str, table: str, columns: str, *, unique: bool = False, where: str | None = None) -> None:
    condition = None if where is None else sa.text(where)
    op.create_index(name, table, columns.split(), unique=unique, postgresql_where=condition)


def _search_index(name: str, table: str) -> None:
    """For containment. Without a pending list, which makes lookups slow right after a load."""
    op.create_index(
        name,
        table,
        ["search"],
        postgresql_using="gin",
        postgresql_ops={"search": "jsonb_path_ops"},
        postgresql_with={"fastupdate": "off"},
    )
