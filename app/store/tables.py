"""The tables. Each one, and each b-tree in it, leads with `tenant_id`.

    tenants ── sources ── records ──▶ accounts ── grants
       │          └────── groups ── members
       ├── roles, mappings, ownership, schemas identifiers (who may be whom)
       └── ledger ── events (outbox), audit    runs ── run_changes

People's rows carry no foreign keys: they are written set-based in one transaction by `store.saving` alone, and each
check would cost a lookup a row (see docs/decisions/0003).
"""

from __future__ import annotations

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY, BYTEA, JSON, JSONB

from app.store.columns import NOW as NOW
from app.store.columns import RANDOM_KEY as RANDOM_KEY
from app.store.columns import Folded as Folded
from app.store.columns import Id as Id
from app.store.columns import Time as Time
from app.store.columns import json as _json
from app.store.columns import metadata as metadata
from app.store.columns import people as _people
from app.store.columns import tenant as _tenant
from app.store.console_tables import administrators as administrators
from app.store.credential_tables import credentials as credentials
from app.store.federation_tables import federations as federations
from app.store.federation_tables import used_assertions as used_assertions
from app.store.merging_tables import aliases as aliases
from app.store.merging_tables import apart as apart
from app.store.merging_tables import duplicates as duplicates
from app.store.provider_tables import clients as clients
from app.store.role_tables import mappings as mappings
from app.store.role_tables import roles as roles
from app.store.run_tables import run_changes as run_changes
from app.store.run_tables import runs as runs
from app.store.scim_request_table import scim_requests as scim_requests
from app.store.sign_in_tables import connections as connections


def _document() -> sa.Column[object]:
    """What a source said, as text that is only ever written out: JSONB would be taken apart and put together again."""
    return sa.Column("document", JSON, nullable=False, server_default=sa.text("'{}'"))


tenants = sa.Table(
    "tenants",
    metadata,
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Folded, nullable=False, unique=True),
    _json("settings"),
    # Every saved rule (source, ownership, role, mapping, setting) raises it; accounts know that of their deriving.
    sa.Column("revision", sa.BigInteger, nullable=False, server_default="1"),
    # What the tenant's SCIM cursors are sealed with; never shown. 244 random bits, from PostgreSQL's strong source.
    sa.Column("cursor_key", BYTEA, nullable=False, server_default=RANDOM_KEY),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
)

ledger = sa.Table(
    "ledger",
    metadata,
    _tenant(),
    sa.Column("next_event", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("next_audit", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("audit_hash", BYTEA, nullable=False, server_default=sa.text("'\\x00'")),
    # Live resources by "<source id>/User" and "<source id>/Group": totalResults without a filter is O(1).
    _json("counts"),
)

sources = sa.Table(
    "sources",
    metadata,
    _tenant(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("name", Folded, nullable=False),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("system", sa.Text, nullable=False),
    sa.Column("affiliation", sa.Text, nullable=False, server_default="employee"),
    sa.Column("employee_namespace", sa.Text),
    sa.Column("state", sa.Text, nullable=False, server_default="active"),
    _json("settings"),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.UniqueConstraint("tenant_id", "name"),
)

domains = sa.Table(
    "domains",
    metadata,
    _tenant(),
    sa.Column("domain", Folded, primary_key=True),
    sa.Column("source_id", Id, nullable=False),
)

ownership = sa.Table(
    "ownership",
    metadata,
    _tenant(),
    sa.Column("attribute", sa.Text, primary_key=True),
    sa.Column("owners", ARRAY(sa.Text), nullable=False),
    sa.Column("create_only", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
)

# SCIM schemas that the tenant declared (RFC 7643 §7), each for one kind of resource.
schemas = sa.Table(
    "schemas",
    metadata,
    _tenant(),
    sa.Column("urn", Folded, primary_key=True),  # in lower case
    sa.Column("kind", sa.Text, nullable=False),
    _json("document"),
    sa.Column("created_at", Time, nullable=False, server_default=NOW),
    sa.Column("updated_at", Time, nullable=False, server_default=NOW),
)

records = sa.Table(
    "records",
    metadata,
    _people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, nullable=False),
    # The id under which a pulled or pushed source knows the record; null for SCIM, where externalId is only a label.
    sa.Column("source_key", Folded),
    sa.Column("user_name", Folded),  # folded; unique among a source's living records
    sa.Column("account_id", Id),
    sa.Column("active", sa.Boolean, nullable=False),
    _document(),
    _json("search"),
    # What it says in the account's terms, as `adapters` and `sources` read it out of the document.
    _json("voice"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Column("deleted_at", Time),
    # When the same document will say something else: a first day comes, a last one is over.
    sa.Column("due_at", Time),
    sa.Index("ix_records_due", "tenant_id", "due_at", postgresql_where=sa.text("due_at IS NOT NULL")),
    sa.Index(
        "uq_records_user_name",
        "tenant_id",
        "source_id",
        "user_name",
        unique=True,
        postgresql_where=sa.text("deleted_at IS NULL AND user_name IS NOT NULL"),
    ),
    sa.Index(
        "uq_records_source_key",
        "tenant_id",
        "source_id",
        "source_key",
        unique=True,
        postgresql_where=sa.text("source_key IS NOT NULL"),
    ),
    sa.Index("ix_records_living", "tenant_id", "source_id", "id", postgresql_where=sa.text("deleted_at IS NULL")),
    sa.Index("ix_records_account", "tenant_id", "account_id"),
    sa.Index(
        "ix_records_search",
        "search",
        postgresql_using="gin",
        postgresql_ops={"search": "jsonb_path_ops"},
        postgresql_with={"fastupdate": "off"},
    ),
)

groups = sa.Table(
    "groups",
    metadata,
    _people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("source_id", Id, nullable=False),
    sa.Column("display_name", sa.Text, nullable=False),
    sa.Column("name", Folded, nullable=False, server_default=""),  # folded, to list and to find by
    sa.Column("external_id", sa.Text),
    _document(),
    _json("search"),
    sa.Column("version", sa.BigInteger, nullable=False, server_default="1"),
    # Roles of its members are still being derived by this run.
    sa.Column("pending_run_id", Id),
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Column("deleted_at", Time),
    sa.Index("ix_groups_living", "tenant_id", "source_id", "id", postgresql_where=sa.text("deleted_at IS NULL")),
    sa.Index("ix_groups_name", "tenant_id", "name", "id", postgresql_where=sa.text("deleted_at IS NULL")),
    sa.Index(
        "ix_groups_search",
        "search",
        postgresql_using="gin",
        postgresql_ops={"search": "jsonb_path_ops"},
        postgresql_with={"fastupdate": "off"},
    ),
)

members = sa.Table(
    "members",
    metadata,
    _people(),
    sa.Column("group_id", Id, primary_key=True),
    sa.Column("member_id", Id, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # User or Group
    sa.Column("display", sa.Text),
    sa.Index("ix_members_member", "tenant_id", "member_id", "group_id"),
)

accounts = sa.Table(
    "accounts",
    metadata,
    _people(),
    sa.Column("id", Id, primary_key=True),
    sa.Column("status", sa.Text, nullable=False),
    sa.Column("affiliation", sa.Text, nullable=False),
    sa.Column("suspended", sa.Boolean, nullable=False, server_default=sa.false()),
    # Folded, to list and to find people by.
    sa.Column("name", Folded, nullable=False, server_default=""),
    sa.Column("family_name", Folded, nullable=False, server_default=""),
    _json("attributes"),
    _json("lineage"),
    _json("manual"),
    # All grants, and the effective roles of the whole tenant for the reads.
    _json("grants", "[]"),
    sa.Column("roles", ARRAY(sa.Text), nullable=False, server_default=sa.text("'{}'")),
    sa.Column("manager_id", Id),
    _json("managers"),
    sa.Column("inactive_since", Time),
    sa.Column("signed_out_at", Time),  # sessions that began before are over
    # The number of the last event about it: what `changed-since` asks for.
    sa.Column("version", sa.BigInteger, nullable=False),
    sa.Column("revision", sa.BigInteger, nullable=False),  # of the tenant's rules, when it was derived
    sa.Column("created_at", Time, nullable=False),
    sa.Column("updated_at", Time, nullable=False),
    sa.Index("ix_accounts_version", "tenant_id", "version"),
    # The whole list by name is the two statuses' ranges, merged.
    sa.Index("ix_accounts_status_name", "tenant_id", "status", "name", "id"),
    sa.Index("ix_accounts_family_name", "tenant_id", "family_name", "name", "id"),
    sa.Index("ix_accounts_suspended", "tenant_id", "name", "id", postgresql_where=sa.text("suspended")),
    sa.Index("ix_accounts_status", "tenant_id", "status", "id"),
    sa.Index("ix_accounts_manager", "tenant_id", "manager_id", postgresql_where=sa.text("manager_id IS NOT NULL")),
    sa.Index("ix_accounts_revision", "tenant_id", "revision", "id"),
    sa.Index(
        "ix_accounts_signed_out",
        "tenant_id",
        "signed_out_at",
        postgresql_where=sa.text("signed_out_at IS NOT NULL"),
    ),
)

grants = sa.Table(
    "grants",
    metadata,
    _people(),
    sa.Column("account_id", Id, primary_key=True),
    sa.Column("role", sa.Text, primary_key=True),
    sa.Column("scope", sa.Text, primary_key=True),
    sa.Column("rule", sa.Text, primary_key=True),
    sa.Column("effective", sa.Boolean, nullable=False),
    sa.Column("since", Time, nullable=False),
    sa.Index("ix_grants_role", "tenant_id", "role", "account_id", postgresql_where=sa.text("effective")),
    sa.Index("ix_grants_rule", "tenant_id", "rule", "account_id"),
)

# Who claims an identifier. One row a value: writers lock it before they decide who somebody is.
identifiers = sa.Table(
    "identifiers",
    metadata,
    _people(),
    sa.Column("namespace", Folded, primary_key=True),
    sa.Column("affiliation", sa.Text, primary_key=True),
    sa.Column("value", Folded, primary_key=True),
    sa.Column("holders", ARRAY(Id), nullable=False, server_default=sa.text("'{}'")),
)

# Who was named as somebody's manager, so that a manager who comes later is found.
manager_keys = sa.Table(
    "manager_keys",
    metadata,
    _people(),
    sa.Column("namespace", Folded, primary_key=True),
    sa.Column("value", Folded, primary_key=True),
    sa.Column("account_id", Id, primary_key=True),
    sa.Column("resolved", sa.Boolean, nullable=False),
    sa.Index("ix_manager_keys_account", "tenant_id", "account_id"),
    sa.Index("ix_manager_keys_open", "tenant_id", "account_id", postgresql_where=sa.text("NOT resolved")),
)

events = sa.Table(
    "events",
    metadata,
    _people(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("type", sa.Text, nullable=False),
    sa.Column("account_id", Id, nullable=False),
    sa.Column("at", Time, nullable=False),
    _json("data"),
)

audit = sa.Table(
    "audit",
    metadata,
    _people(),
    sa.Column("number", sa.BigInteger, primary_key=True),
    sa.Column("at", Time, nullable=False),
    sa.Column("actor", sa.Text, nullable=False),
    sa.Column("action", sa.Text, nullable=False),
    sa.Column("subject", sa.Text, nullable=False),
    _json("facts"),
    # Personal values stand beside the chain, which covers only their salted digest: they can be erased.
    sa.Column("personal", JSONB),
    sa.Column("salt", BYTEA),
    sa.Column("digest", BYTEA, nullable=False),
    # Set on the last entry of each transaction: sha256(hash before || digests of the transaction's entries).
    sa.Column("hash", BYTEA),
    sa.Index("ix_audit_subject", "tenant_id", "subject", "number"),
)

drift = sa.Table(
    "drift",
    metadata,
    _people(),
    sa.Column("source_id", Id, primary_key=True),
    sa.Column("path", sa.Text, primary_key=True),
    sa.Column("times", sa.BigInteger, nullable=False),
    sa.Column("first_at", Time, nullable=False),
    sa.Column("last_at", Time, nullable=False),
)
