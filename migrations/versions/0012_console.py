"""The console: administrators, passkeys, links, sessions; drafts and history of the role table; people by name.

Revision 0012.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSONB, TIMESTAMP, UUID

from app.identity.folding import fold

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

ID = UUID(as_uuid=False)
TIME = TIMESTAMP(timezone=True)
FOLDED = sa.Text(collation="C")
BATCH = 5_000


def upgrade() -> None:
    op.create_table(
        "aliases",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("records", ARRAY(ID), nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_aliases"),
    )
    op.create_index("ix_aliases_account", "aliases", ["tenant_id", "account_id"])
    op.create_index("ix_aliases_number", "aliases", ["tenant_id", "number"])
    op.create_table(
        "apart",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("low", ID, nullable=False),
        sa.Column("high", ID, nullable=False),
        sa.Column("at", TIME, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "low", "high", name="pk_apart"),
    )
    op.create_index("ix_apart_high", "apart", ["tenant_id", "high"])
    op.create_table(
        "console_challenges",
        sa.Column("hash", BYTEA, nullable=False),
        sa.Column("challenge", BYTEA, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("administrator_id", ID),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("hash", name="pk_console_challenges"),
    )
    op.create_index("ix_console_challenges_expires", "console_challenges", ["expires_at"])
    op.create_table(
        "administrators",
        sa.Column("tenant_id", ID, nullable=False),
        sa.Column("id", ID, nullable=False),
        sa.Column("email", FOLDED, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("password", sa.Text),
        sa.Column("totp", BYTEA),
        sa.Column("totp_step", sa.BigInteger),
        sa.Column("failures", sa.Integer, server_default="0", nullable=False),
        sa.Column("locked_until", TIME),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("signed_in_at", TIME),
        sa.Column("removed_at", TIME),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_administrators_tenant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("tenant_id", "id", name="pk_administrators"),
    )
    op.create_index(
        "uq_administrators_email",
        "administrators",
        ["tenant_id", "email"],
        unique=True,
        postgresql_where=sa.text("removed_at IS NULL"),
    )
    _create(
        "console_links",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", BYTEA, nullable=False),
        sa.Column("purpose", sa.Text, nullable=False),
        sa.Column("administrator_id", ID),
        sa.Column("connection_id", ID),
        sa.Column("source_id", ID),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("opened_at", TIME),
        sa.Column("revoked_at", TIME),
    )
    op.create_index("ix_console_links_created", "console_links", ["tenant_id", "created_at"])
    op.create_index("uq_console_links_hash", "console_links", ["hash"], unique=True)
    _create(
        "console_sessions",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", BYTEA, nullable=False),
        sa.Column("administrator_id", ID),
        sa.Column("account_id", ID),
        sa.Column("session_id", ID),
        sa.Column("link_id", ID),
        sa.Column("method", sa.Text, nullable=False),
        sa.Column("proven_at", TIME),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("seen_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.Column("ended_at", TIME),
        sa.Column("ended_by", sa.Text),
        sa.Column("agent", sa.Text, server_default="", nullable=False),
        sa.Column("address", sa.Text, server_default="", nullable=False),
    )
    op.create_index("ix_console_sessions_created", "console_sessions", ["tenant_id", "created_at"])
    op.create_index("ix_console_sessions_expires", "console_sessions", ["expires_at"])
    op.create_index("uq_console_sessions_hash", "console_sessions", ["hash"], unique=True)
    _create(
        "mapping_draft_lines",
        ("draft_id", "kind", "number"),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("role", sa.Text, nullable=False),
        sa.Column("scope", sa.Text, nullable=False),
        people=True,
    )
    _create(
        "mapping_draft_people",
        ("draft_id", "number"),
        sa.Column("draft_id", ID, nullable=False),
        sa.Column("number", sa.BigInteger, nullable=False),
        sa.Column("account_id", ID, nullable=False),
        sa.Column("standing", sa.Text),
        people=True,
    )
    _create(
        "mapping_drafts",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.Column("changes", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("plan", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("reverts", ID),
        sa.Column("state", sa.Text, nullable=False),
        sa.Column("done", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("total", sa.BigInteger, server_default="0", nullable=False),
        sa.Column("counts", JSONB),
        sa.Column("hash", sa.Text),
        sa.Column("revision", sa.BigInteger),
        sa.Column("as_of", sa.BigInteger),
        sa.Column("failure", sa.Text),
        sa.Column("run_id", ID),
        sa.Column("worker", sa.Text),
        sa.Column("claimed_at", TIME),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIME, server_default=sa.text("now()"), nullable=False),
    )
    op.create_index("ix_mapping_drafts_state", "mapping_drafts", ["tenant_id", "state", "created_at"])
    _create(
        "mapping_revisions",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("revision", sa.BigInteger, nullable=False),
        sa.Column("at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("note", sa.Text, server_default="", nullable=False),
        sa.Column("before", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("after", JSONB, server_default=sa.text("'[]'"), nullable=False),
        sa.Column("counts", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("run_id", ID),
        sa.Column("reverts", ID),
    )
    op.create_index("ix_mapping_revisions_revision", "mapping_revisions", ["tenant_id", "revision"])
    _create(
        "passkeys",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("administrator_id", ID, nullable=False),
        sa.Column("credential_id", BYTEA, nullable=False),
        sa.Column("public_key", BYTEA, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("transports", ARRAY(sa.Text), server_default=sa.text("'{}'"), nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("used_at", TIME),
    )
    op.create_index("ix_passkeys_administrator", "passkeys", ["tenant_id", "administrator_id"])
    op.create_index("uq_passkeys_credential_id", "passkeys", ["credential_id"], unique=True)
    _create(
        "connection_setups",
        ("connection_id",),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("name", FOLDED, nullable=False),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("vendor", sa.Text, nullable=False),
        sa.Column("said", JSONB, server_default=sa.text("'{}'"), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("made_at", TIME),
    )
    op.create_index("uq_connection_setups_id", "connection_setups", ["connection_id"], unique=True)
    op.create_index(
        "uq_connection_setups_name",
        "connection_setups",
        ["tenant_id", "name"],
        unique=True,
        postgresql_where=sa.text("made_at IS NULL"),
    )
    _create(
        "sign_in_tests",
        ("id",),
        sa.Column("id", ID, nullable=False),
        sa.Column("connection_id", ID, nullable=False),
        sa.Column("owner", BYTEA, nullable=False),
        sa.Column("report", JSONB, nullable=False),
        sa.Column("at", TIME, server_default=sa.text("now()"), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
    )
    op.create_index("ix_sign_in_tests_expires", "sign_in_tests", ["tenant_id", "expires_at"])
    op.create_index("ix_sign_ins_connection", "sign_ins", ["tenant_id", "connection_id", "outcome", "at", "id"])
    op.create_index(
        "ix_sign_ins_tested", "sign_ins", ["tenant_id", "at"], postgresql_where=sa.text("outcome = 'tested'")
    )
    op.create_index(
        "ix_sign_ins_reason",
        "sign_ins",
        ["tenant_id", "reason", "at", "id"],
        postgresql_where=sa.text("reason IS NOT NULL"),
    )
    op.add_column("accounts", sa.Column("name", FOLDED, server_default="", nullable=False))
    op.add_column("accounts", sa.Column("family_name", FOLDED, server_default="", nullable=False))
    _index_people()
    op.add_column("duplicates", sa.Column("decided_at", TIME))
    op.add_column("duplicates", sa.Column("decided_by", sa.Text))
    op.create_index("ix_grants_rule", "grants", ["tenant_id", "rule", "account_id"])
    op.add_column("groups", sa.Column("name", FOLDED, server_default="", nullable=False))
    op.create_index(
        "ix_groups_name", "groups", ["tenant_id", "name", "id"], postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_index(
        "ix_mappings_group", "mappings", ["tenant_id", "group_id"], postgresql_where=sa.text("group_id IS NOT NULL")
    )
    op.add_column("roles", sa.Column("console", sa.Text))
    op.create_index("ix_runs_created", "runs", ["tenant_id", "created_at", "id"])
    op.create_index(
        "ix_runs_source",
        "runs",
        ["tenant_id", "source_id", "created_at"],
        postgresql_where=sa.text("source_id IS NOT NULL"),
    )
    op.add_column("run_changes", sa.Column("effect", sa.Text))
    op.execute("UPDATE run_changes SET effect = payload ->> 'effect' WHERE payload ? 'effect'")
    op.create_index("ix_run_changes_effect", "run_changes", ["tenant_id", "run_id", "effect", "number"])
    _name("accounts", "attributes", _names)
    _name("groups", "display_name", _name_of_group)
    op.execute("UPDATE roles SET console = 'admin' WHERE administrator")


def _create(table: str, keys: tuple[str, ...], *columns: sa.Column[Any], people: bool = False) -> None:
    """A table of a tenant's, which goes with the tenant; rows of `people` carry no foreign keys."""
    gone = sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name=f"fk_{table}_tenant_id", ondelete="CASCADE")
    op.create_table(
        table,
        sa.Column("tenant_id", ID, nullable=False),
        *columns,
        *([] if people else [gone]),
        sa.PrimaryKeyConstraint("tenant_id", *keys, name=f"pk_{table}"),
    )


def downgrade() -> None:
    # Tables take their indexes along.
    op.drop_index("ix_run_changes_effect", table_name="run_changes")
    op.drop_column("run_changes", "effect")
    op.drop_index("ix_runs_source", table_name="runs", postgresql_where=sa.text("source_id IS NOT NULL"))
    op.drop_index("ix_sign_ins_reason", table_name="sign_ins", postgresql_where=sa.text("reason IS NOT NULL"))
    op.drop_index("ix_sign_ins_tested", table_name="sign_ins", postgresql_where=sa.text("outcome = 'tested'"))
    op.drop_index("ix_sign_ins_connection", table_name="sign_ins")
    op.drop_table("sign_in_tests")
    op.drop_table("connection_setups")
    op.drop_index("ix_runs_created", table_name="runs")
    op.drop_column("roles", "console")
    op.drop_index("ix_mappings_group", table_name="mappings", postgresql_where=sa.text("group_id IS NOT NULL"))
    op.drop_index("ix_groups_name", table_name="groups", postgresql_where=sa.text("deleted_at IS NULL"))
    op.drop_column("groups", "name")
    op.drop_index("ix_grants_rule", table_name="grants")
    op.drop_index("ix_duplicates_state", "duplicates")
    op.create_index("ix_duplicates_state", "duplicates", ["tenant_id", "state", "created_at"])
    op.drop_column("duplicates", "decided_by")
    op.drop_column("duplicates", "decided_at")
    for name, table in (
        ("ix_sign_ins_refused", "sign_ins"),
        ("ix_credentials_kept", "credentials"),
        ("ix_credentials_expires", "credentials"),
        ("ix_duplicates_candidates", "duplicates"),
        ("ix_duplicates_account", "duplicates"),
        ("ix_accounts_suspended", "accounts"),
        ("ix_accounts_family_name", "accounts"),
        ("ix_accounts_status_name", "accounts"),
    ):
        op.drop_index(name, table_name=table)
    op.drop_column("accounts", "family_name")
    op.drop_column("accounts", "name")
    op.drop_table("passkeys")
    op.drop_table("mapping_revisions")
    op.drop_table("mapping_drafts")
    op.drop_table("mapping_draft_people")
    op.drop_table("mapping_draft_lines")
    op.drop_table("console_sessions")
    op.drop_table("console_links")
    op.drop_table("administrators")
    op.drop_table("console_challenges")
    op.drop_table("apart")
    op.drop_table("aliases")


def _index_people() -> None:
    """What the pages of people and the overview walk along."""
    op.create_index("ix_accounts_status_name", "accounts", ["tenant_id", "status", "name", "id"])
    op.create_index("ix_accounts_family_name", "accounts", ["tenant_id", "family_name", "name", "id"])
    op.create_index(
        "ix_accounts_suspended", "accounts", ["tenant_id", "name", "id"], postgresql_where=sa.text("suspended")
    )
    op.drop_index("ix_duplicates_state", "duplicates")
    op.create_index("ix_duplicates_state", "duplicates", ["tenant_id", "state", "created_at", "id"])
    op.create_index("ix_duplicates_account", "duplicates", ["tenant_id", "account_id"])
    op.create_index(
        "ix_duplicates_candidates",
        "duplicates",
        ["candidates"],
        postgresql_using="gin",
        postgresql_ops={"candidates": "jsonb_path_ops"},
        postgresql_where=sa.text("state = 'open'"),
    )
    kept = sa.text("kind <> 'access_token'")
    ending = sa.text("expires_at IS NOT NULL AND kind <> 'access_token'")
    op.create_index("ix_credentials_kept", "credentials", ["tenant_id", "kind", "id"], postgresql_where=kept)
    op.create_index("ix_credentials_expires", "credentials", ["tenant_id", "expires_at"], postgresql_where=ending)
    op.create_index(
        "ix_sign_ins_refused", "sign_ins", ["tenant_id", "at"], postgresql_where=sa.text("outcome = 'refused'")
    )


def _name(table: str, said: str, names: Callable[[Any], dict[str, str]]) -> None:
    """People and groups are listed and found by their folded names; those who are there already have none yet."""
    conn = op.get_bind()
    first = names({} if said == "attributes" else "")
    columns = ", ".join(f"{name} text" for name in first)
    changes = ", ".join(f"{name} = k.{name}" for name in first)
    named = sa.text(f"""
        UPDATE {table} a SET {changes}
        FROM jsonb_to_recordset(:rows) AS k(tenant_id uuid, id uuid, {columns})
        WHERE a.tenant_id = k.tenant_id AND a.id = k.id
    """).bindparams(sa.bindparam("rows", type_=JSONB))
    for rows in _batches(conn, table, said):
        conn.execute(
            named, {"rows": [{"tenant_id": str(one.tenant_id), "id": str(one.id), **names(one.said)} for one in rows]}
        )


def _batches(conn: sa.Connection, table: str, said: str) -> Iterator[Sequence[Any]]:
    some = sa.text(f"""
        SELECT tenant_id, id, {said} AS said FROM {table} WHERE (tenant_id, id) > (:tenant, :id)
        ORDER BY tenant_id, id LIMIT :batch
    """).bindparams(sa.bindparam("tenant", type_=ID), sa.bindparam("id", type_=ID))
    last = {"tenant": "00000000-0000-0000-0000-000000000000", "id": "00000000-0000-0000-0000-000000000000"}
    while found := conn.execute(some, {**last, "batch": BATCH}).all():
        last = {"tenant": str(found[-1].tenant_id), "id": str(found[-1].id)}
        yield found


def _names(said: dict[str, Any]) -> dict[str, str]:
    full = " ".join(str(said[part]) for part in ("givenName", "familyName") if said.get(part))
    name = said.get("displayName") or full or said.get("userName") or said.get("emails.work") or ""
    return {"name": fold(str(name))[:200], "family_name": fold(str(said.get("familyName") or ""))[:200]}


def _name_of_group(said: str) -> dict[str, str]:
    return {"name": fold(said)[:200]}
