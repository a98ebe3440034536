"""Signing in: connections, sessions and their log; clients of the OpenID provider, their codes and tokens.

Revision 0009.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)
NOW = sa.text("now()")


def upgrade() -> None:
    op.add_column("accounts", sa.Column("signed_out_at", TIME))
    _sign_in()
    _provider()


def _sign_in() -> None:
    op.create_table(
        "connections",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("source_id", ID, nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("claims", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("secret", BYTEA()),
        sa.Column("domains", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default="1", nullable=False),
        sa.Column("metadata_url", sa.Text()),
        sa.Column("refreshed_at", TIME),
        sa.Column("refresh_at", TIME),
        sa.Column("refresh_failure", sa.Text()),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("updated_at", TIME, server_default=NOW, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_connections_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_connections"),
        sa.UniqueConstraint("tenant_id", "name", name="uq_connections_tenant_id_name"),
    )
    op.create_index("uq_connections_id", "connections", ["id"], unique=True)
    op.create_table(
        "saml_keys",
        sa.Column("id", ID, nullable=False),
        sa.Column("certificate", sa.Text(), nullable=False),
        sa.Column("private", BYTEA(), nullable=False),
        sa.Column("signs_from", TIME, nullable=False),
        sa.Column("retires_at", TIME),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_saml_keys"),
    )
    op.create_table(
        "flows",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("demands", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_flows_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name="pk_flows"),
    )
    op.create_index("ix_flows_expires", "flows", ["tenant_id", "expires_at"])
    op.create_table(
        "pending_logins",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("browser", BYTEA(), nullable=False),
        sa.Column("nonce", sa.Text()),
        sa.Column("verifier", sa.Text()),
        sa.Column("return_to", sa.Text(), nullable=False),
        sa.Column("demands", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_pending_logins_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name="pk_pending_logins"),
    )
    op.create_index("ix_pending_logins_expires", "pending_logins", ["tenant_id", "expires_at"])
    op.create_table(
        "used_messages",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("until", TIME, nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_used_messages_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "connection_id", "hash", name="pk_used_messages"),
    )
    op.create_index("ix_used_messages_until", "used_messages", ["tenant_id", "until"])
    op.create_table(
        "sessions",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("record_id", ID, nullable=False),
        sa.Column("subject", BYTEA(), nullable=False),
        sa.Column("provider_session", BYTEA()),
        sa.Column("at_provider", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("context", sa.Text()),
        sa.Column("methods", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("authenticated_at", TIME, nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("seen_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("ended_by", sa.Text()),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sessions"),
    )
    op.create_index("ix_sessions_account", "sessions", ["tenant_id", "account_id", "id"])
    op.create_index("ix_sessions_expires", "sessions", ["tenant_id", "expires_at"])
    op.create_index(
        "ix_sessions_provider",
        "sessions",
        ["tenant_id", "connection_id", "provider_session"],
        postgresql_where=sa.text("provider_session IS NOT NULL"),
    )
    op.create_index("ix_sessions_subject", "sessions", ["tenant_id", "connection_id", "subject"])
    op.create_index("uq_sessions_hash", "sessions", ["tenant_id", "hash"], unique=True)
    op.create_table(
        "sign_ins",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("code", sa.Text(collation="C"), nullable=False),
        sa.Column("at", TIME, server_default=NOW, nullable=False),
        sa.Column("connection_id", ID),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text()),
        sa.Column("account_id", ID),
        sa.Column("session_id", ID),
        sa.Column("steps", JSONB(), server_default=sa.text("'[]'"), nullable=False),
        sa.Column("agent", sa.Text(), server_default="", nullable=False),
        sa.Column("address", sa.Text(), server_default="", nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_sign_ins_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_sign_ins"),
    )
    op.create_index("ix_sign_ins_account", "sign_ins", ["tenant_id", "account_id", "at"])
    op.create_index("ix_sign_ins_at", "sign_ins", ["tenant_id", "at", "id"])
    op.create_index("uq_sign_ins_code", "sign_ins", ["tenant_id", "code"], unique=True)


def _provider() -> None:
    op.create_table(
        "clients",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("redirect_uris", ARRAY(sa.Text()), nullable=False),
        sa.Column("post_logout_redirect_uris", ARRAY(sa.Text()), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("settings", JSONB(), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_at", TIME, server_default=NOW, nullable=False),
        sa.Column("removed_at", TIME),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_clients_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_clients"),
    )
    op.create_index("uq_clients_id", "clients", ["id"], unique=True)
    op.create_table(
        "authorizations",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("session_id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("offline", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("nonce", sa.Text()),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_authorizations"),
    )
    op.create_index("ix_authorizations_session", "authorizations", ["tenant_id", "session_id"])
    op.create_table(
        "codes",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("authorization_id", ID, nullable=False),
        sa.Column("client_id", ID, nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("challenge", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "hash", name="pk_codes"),
    )
    op.create_index("ix_codes_expires", "codes", ["tenant_id", "expires_at"])
    op.create_table(
        "tokens",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", BYTEA(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("authorization_id", ID, nullable=False),
        sa.Column("scopes", ARRAY(sa.Text()), nullable=False),
        sa.Column("issued_at", TIME, nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("used_at", TIME),
        sa.Column("revoked_at", TIME),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_tokens"),
    )
    op.create_index("ix_tokens_authorization", "tokens", ["tenant_id", "authorization_id"])
    op.create_index("ix_tokens_expires", "tokens", ["tenant_id", "expires_at"])
    op.create_index("uq_tokens_hash", "tokens", ["hash"], unique=True)
